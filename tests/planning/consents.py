"""Consents that tests give because they are about something else: what is deleted is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.codes import RefusalRule
from reconciler.planning.making import PlanOptions, make_plan

if TYPE_CHECKING:
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan

DELETING = (RefusalRule.UNDECLARED, RefusalRule.DENY)


def deletions(plan: Plan) -> tuple[str, ...]:
    """The consents to deletions that a plan lacks."""
    return tuple(
        str(note.details["allow"])
        for note in plan.refusals
        if note.code in DELETING and "allow" in note.details
    )


def plan_with_deletions(documents: Documents, observed: Observed) -> Plan:
    """The plan, with a consent to every deletion that takes one."""
    first = make_plan(documents, observed, PlanOptions())
    consents = deletions(first)
    return make_plan(documents, observed, PlanOptions(allow=consents)) if consents else first
