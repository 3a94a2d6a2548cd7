"""The independent checker: it follows a plan's steps from the plan's own baseline and says where
they are not safe (law of every prefix).

The planner is not trusted. Nothing here knows how steps are ordered, and nothing is shared with
what orders them, with what computes the state that they lead to, or with what places a tenant on a
plan's way: baseline and steps are read again here, so that a fault there cannot hide here.
"""

from reconciler.planning.checking.judging import (
    StepwiseJudge,
    judge_prefixes,
    reached_beyond,
    still_reaching,
    strays,
    violations,
)
from reconciler.planning.checking.partial import Beyond
from reconciler.planning.checking.refusing import assert_safe, refusals_of_violations, whom
from reconciler.planning.checking.verdicts import Holders, Mailboxes, Violation, ViolationKind

__all__ = [
    "Beyond",
    "Holders",
    "Mailboxes",
    "StepwiseJudge",
    "Violation",
    "ViolationKind",
    "assert_safe",
    "judge_prefixes",
    "reached_beyond",
    "refusals_of_violations",
    "still_reaching",
    "strays",
    "violations",
    "whom",
]
