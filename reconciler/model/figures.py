"""The figures of a plan and of an apply: defined here, and nowhere counted again.

A tenant-wide grant copies its policy's values into Global and grants nobody anything: it counts as
the policy that it changes.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.addresses import TEAMS_TENANT_GRANT
from reconciler.model.plans import Action, ObjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.access_rows import AccessDelta
    from reconciler.model.applied import Applied
    from reconciler.model.plans import Change, Note, Plan, Step

_OUTCOMES: Mapping[Action, str] = {
    Action.CREATE: "added",
    Action.UPDATE: "changed",
    Action.DELETE: "removed",
}


class Counts(Struct, frozen=True):
    """How many objects are created, updated and deleted.

    A flip, and each of two objects that replace one another, counts at both ends.
    """

    created: int
    updated: int
    deleted: int

    def __bool__(self) -> bool:
        """Whether anything is counted."""
        return bool(self.created or self.updated or self.deleted)


class Figures(Struct, frozen=True):
    """What every summary says.

    Attributes:
        policies: Policies, Global among them, by what happens to them.
        grants: Grants to users and groups, by what happens to them; an update is a move.
        steps: Cmdlet calls.
        unmanaged: Objects of no document, left alone; a Global that nobody manages is one of them.
    """

    policies: Counts
    grants: Counts
    steps: int
    unmanaged: int

    def as_mapping(self) -> Mapping[str, int]:
        """The figures as a plan file has them."""
        rows = (("policies", self.policies), ("grants", self.grants))
        counted = {
            f"{noun}_{action}": number
            for noun, counts in rows
            for action, number in (
                (Action.CREATE, counts.created),
                (Action.UPDATE, counts.updated),
                (Action.DELETE, counts.deleted),
            )
        }
        return {**counted, "steps": self.steps, "unmanaged": self.unmanaged}


class AccessFigures(Struct, frozen=True):
    """How many applications, told apart by client id over all products, come to reach others.

    Attributes:
        everyone: Those that come to reach everyone; they are among `widens`.
        widens: Those that gain anybody.
        narrows: Those that lose anybody; one that gains others is among `widens` too.
    """

    everyone: int
    widens: int
    narrows: int


class ObjectFigures(Struct, frozen=True):
    """How many objects of one product and noun are added, changed (a grant: moved), replaced, removed
    and renamed.

    Each object counts once: a flip, and two objects that replace one another, are one replaced; two
    Teams policies that do are one renamed.
    """

    added: int = 0
    changed: int = 0
    replaced: int = 0
    removed: int = 0
    renamed: int = 0

    def __bool__(self) -> bool:
        """Whether anything is counted."""
        return any((self.added, self.changed, self.replaced, self.removed, self.renamed))


def access_figures(access: AccessDelta) -> AccessFigures:
    """Count the applications of an access delta."""
    everyone = {row.application for row in access.tenant_wide}
    return AccessFigures(
        everyone=len(everyone),
        widens=len(everyone.union(row.application for row in access.gained)),
        narrows=len({row.application for row in access.lost}),
    )


def object_figures(changes: Iterable[Change]) -> ObjectFigures:
    """Count objects once each."""
    rows = list(changes)
    addresses = {change.address: change for change in rows}
    tally: Counter[str] = Counter()
    for change in rows:
        partner = addresses.get(change.replaces) if change.replaces else None
        if partner is not None and partner.replaces == change.address:
            # the one that is created stands for both
            outcome = "renamed" if change.kind is ObjectKind.TEAMS_POLICY else "replaced"
            tally[outcome] += Action.CREATE in change.actions
            continue
        actions = _actions(change)
        tally["replaced" if len(actions) > 1 else _OUTCOMES[actions[0]]] += 1
    return ObjectFigures(**tally)


def plan_figures(
    changes: Iterable[Change], steps: Sequence[Step], unmanaged: Sequence[Note]
) -> Figures:
    """Count a plan, or a part of one."""
    policies: list[Change] = []
    grants: list[Change] = []
    for change in changes:
        (grants if is_grant(change) else policies).append(change)
    return Figures(_counts(policies), _counts(grants), len(steps), len(unmanaged))


def of_plan(plan: Plan) -> Figures:
    """The figures of a whole plan."""
    return plan_figures(plan.changes, plan.steps, plan.unmanaged)


def apply_figures(plan: Plan, applied: Applied) -> Figures:
    """The figures of what an apply finished, and of its steps."""
    now = frozenset(applied.done)
    return plan_figures(
        finished_changes(plan, applied),
        [step for step in plan.steps if step.id in now],
        plan.unmanaged,
    )


def finished_changes(plan: Plan, applied: Applied) -> list[Change]:
    """What an apply finished: every step of an object is done, and at least one was done by this
    apply.
    """
    ids: dict[str, set[int]] = {}
    for step in plan.steps:
        ids.setdefault(step.address.lower(), set()).add(step.id)
    now = frozenset(applied.done)
    all_done = now.union(range(1, applied.already + 1))
    finished = {address for address, own in ids.items() if own <= all_done and own & now}
    return [change for change in plan.changes if change.address.lower() in finished]


def is_grant(change: Change) -> bool:
    """Whether a change counts as a grant to a user or a group."""
    return change.kind.plural == "grants" and change.address != TEAMS_TENANT_GRANT


def _counts(changes: Sequence[Change]) -> Counts:
    tally = Counter(chain.from_iterable(map(_actions, changes)))
    return Counts(tally[Action.CREATE], tally[Action.UPDATE], tally[Action.DELETE])


def _actions(change: Change) -> tuple[Action, ...]:
    """What is counted of a change: Global is there before any tenant-wide grant."""
    return (Action.UPDATE,) if change.address == TEAMS_TENANT_GRANT else change.actions
