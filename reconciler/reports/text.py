"""The text format.

Each report comes as lines with tones, for a terminal, and as one plain `str`; both have the same
characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports import applies, lines, plans
from reconciler.reports import findings as _findings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.applied import Applied
    from reconciler.model.findings import Finding
    from reconciler.model.plans import Plan


def plan(value: Plan, digests: plans.Digests, *, simulated: bool, then: str = "") -> str:
    """A plan: legend, access, one block per policy, grants, commands, notes, closing lines,
    digests, what to type next.

    Args:
        value: The plan; the text is made from nothing else.
        digests: Its two digests.
        simulated: The plan is of a simulated tenant: the text begins by saying so.
        then: What a person may do with the plan next.
    """
    return lines.text(plans.plan(value, digests, simulated=simulated, then=then))


def applied(value: Plan, outcome: Applied, *, simulated: bool) -> str:
    """What an apply of a plan did: complete or done / failed / unknown / not tried, whether it
    converged, and what to do next.
    """
    return lines.text(applies.applied(value, outcome, simulated=simulated))


def findings(found: Iterable[Finding]) -> str:
    """Findings, sorted, one line each, and a line that counts them."""
    return lines.text(_findings.findings(found))
