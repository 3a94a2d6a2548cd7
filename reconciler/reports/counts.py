"""What a plan comes to: the numbers of the closing lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.plans import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.applied import Applied
    from reconciler.model.plans import Change, Plan


class Counts(NamedTuple):
    """How many objects are created, updated and deleted.

    A flip counts as one of each end: created and deleted.
    """

    created: int
    updated: int
    deleted: int


def is_grant(address: str) -> bool:
    """Whether an address is a grant; everything else that changes is a policy."""
    return address.startswith("teams.grant/")


def policies(changes: Iterable[Change]) -> Counts:
    """Count the policies among changes: what Terraform's closing lines speak of."""
    return _count(change for change in changes if not is_grant(change.address))


def grants(changes: Iterable[Change]) -> Counts:
    """Count the grants among changes."""
    return _count(change for change in changes if is_grant(change.address))


def made(plan: Plan, applied: Applied) -> Counts:
    """Count the policies that an apply finished: every step of theirs is done, and at least one was
    done by this apply.
    """
    steps: dict[str, set[int]] = {}
    for step in plan.steps:
        steps.setdefault(step.address, set()).add(step.id)
    now = frozenset(applied.done)
    all_done = now.union(range(1, applied.already + 1))
    finished = {address for address, ids in steps.items() if ids <= all_done and ids & now}
    return policies(change for change in plan.changes if change.address in finished)


def _count(changes: Iterable[Change]) -> Counts:
    actions = [change.actions for change in changes]
    return Counts(
        *(
            sum(action in each for each in actions)
            for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
        )
    )
