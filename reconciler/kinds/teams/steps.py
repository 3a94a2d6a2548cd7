"""Observed state and target -> steps in an order in which no prefix gives anybody more than before
or after.

Each connected component is ordered for itself: a small one by exact search, a larger one in the
fixed order: New; every removal from a list; direct grants and moves; groups (`ranks`: grants and
moves up from the strongest, then moves down and losses from the weakest); unassignments; every
addition to a list and the tenant-wide grant; deletions. The order that comes to mind (additions
first) is unsafe: do not "simplify" it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.ordering.orders import Chain, Gap, Ordered, Pairs
from reconciler.kinds.ordering.search import MOST_NODES, search
from reconciler.kinds.teams import cmdlets
from reconciler.kinds.teams.changes import group_moves, spelled
from reconciler.kinds.teams.facts import MOST_GROUPS
from reconciler.kinds.teams.nodes import TeamsNodeKind, cut, nodes, split, with_early_closing
from reconciler.kinds.teams.reach import TeamsReach
from reconciler.model.addresses import GLOBAL, teams_user_grant
from reconciler.model.codes import GapReason, StepReason
from reconciler.model.plans import StepDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.kinds.teams.nodes import TeamsNode
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import TeamsState


def ordered(
    observed: TeamsState,
    target: TeamsTarget,
    *,
    regranting: bool = True,
    bystanders: Callable[[], int] = int,
) -> Ordered:
    """The steps from the observed state to the target, with what is missing or exposed on the way.

    Args:
        observed: The tenant.
        target: What it shall be.
        regranting: Groups that hold a policy are granted another one in place. Otherwise they lose
            the old one first, and where no order of that is safe, somebody is exposed.
        bystanders: Counts the known users who hold no policy directly, neither before nor after:
            what they miss on the way counts.
    """
    chain = Chain()
    ordering = _Ordering(observed, target, regranting, bystanders)
    parts = cut(observed, target, nodes(observed, target, regranting=regranting))
    # Who is to reach nobody does so first.
    for part in sorted(parts, key=lambda part: not _quarantines(observed, target, part)):
        way = ordering.way(part)
        drafts = tuple(_drafts(observed, target, way))
        chain.append(drafts, _gaps(way, regranting=regranting), _exposures(way), map(_role, drafts))
    return chain.ordered()


def _quarantines(observed: TeamsState, target: TeamsTarget, part: Sequence[TeamsNode]) -> bool:
    return any(
        target.quarantined & observed.policies[node.key].applications.keys()
        for node in part
        if node.kind in _OUT_OF_LISTS and node.key in observed.policies
    )


def most_groups(observed: TeamsState, target: TeamsTarget) -> int:
    """How many groups hold a policy at once while the steps run: new ones may come before dropped
    ones go.
    """
    return len(
        {assignment.group for assignment in observed.groups}
        | {assignment.group for assignment in target.groups}
    )


def groups_fit(observed: TeamsState, target: TeamsTarget) -> bool:
    """Whether the service's limit of groups is kept at every step."""
    return most_groups(observed, target) <= MOST_GROUPS


class _OrderedComponent(Struct, frozen=True):
    """A component in its order, and the access on the way; `proved` if all orders were searched."""

    nodes: tuple[TeamsNode, ...]
    reach: TeamsReach | None
    order: tuple[int, ...]
    proved: bool


class _Ordering(Struct, frozen=True):
    """A transition whose components are put in order one by one."""

    observed: TeamsState
    target: TeamsTarget
    regranting: bool
    bystanders: Callable[[], int]

    def way(self, part: Sequence[TeamsNode]) -> _OrderedComponent:
        if len(part) == 1 and part[0].kind not in {
            TeamsNodeKind.COPY,
            TeamsNodeKind.DROP,
            TeamsNodeKind.REGROUP,
        }:
            # Nobody's access passes through a third state: one step, or users who go from one
            # policy straight to another.
            return _OrderedComponent(tuple(part), None, (0,), proved=True)
        return (
            self._searched(split(part, MOST_NODES))
            if len(part) <= MOST_NODES
            else self._fixed(part)
        )

    def _searched(self, part: Sequence[TeamsNode]) -> _OrderedComponent:
        """The best of the component's orders; with a tenant-wide grant, Global may lose
        applications earlier, if that is better.
        """
        best: tuple[tuple[int, int, int], _OrderedComponent] | None = None
        for number, variant in enumerate(self._variants(part)):
            reach = self._reach(variant)
            best_order = search(reach.ground())
            if best_order is not None:
                rated = (
                    (best_order.cost, len(variant), number),
                    _OrderedComponent(tuple(variant), reach, best_order.order, proved=True),
                )
                best = min(
                    (rated,) if best is None else (best, rated), key=lambda candidate: candidate[0]
                )
        if best is not None:
            return best[1]
        exposing = None if self.regranting else search(self._reach(part).ground(), exposing=True)
        return (
            self._fixed(part)
            if exposing is None
            else _OrderedComponent(tuple(part), self._reach(part), exposing.order, proved=True)
        )

    def _variants(self, part: Sequence[TeamsNode]) -> Iterator[Sequence[TeamsNode]]:
        """The component as it is; and with a removal from Global before the tenant-wide grant, or
        in its place if nothing enters Global.
        """
        yield part
        if any(node.kind is TeamsNodeKind.COPY for node in part):
            leaving, entering = _global(self.observed, self.target)
            if leaving:
                early = with_early_closing(part)
                yield (
                    early
                    if entering
                    else [node for node in early if node.kind is not TeamsNodeKind.COPY]
                )

    def _fixed(self, part: Sequence[TeamsNode]) -> _OrderedComponent:
        """The fixed order; Global loses applications early only if some prefix is unsafe without
        that.
        """
        ways = [self._in_fixed_order(variant) for variant in self._variants(part)]
        return next((way for way in ways if len(ways) == 1 or not any(_exposures(way))), ways[0])

    def _in_fixed_order(self, part: Sequence[TeamsNode]) -> _OrderedComponent:
        turns = {
            (move.group, move.rank is None): index
            for index, move in enumerate(group_moves(self.observed, self.target))
        }

        def turn(node: TeamsNode) -> tuple[int, int, tuple[str, int]]:
            phase = TeamsNodeKind.REGROUP if node.kind is TeamsNodeKind.DROP else node.kind
            if phase is not TeamsNodeKind.REGROUP:
                return (phase.value, 0, node.place)
            # What a documented group change takes away goes before all other group steps.
            return (
                phase.value,
                turns.get((node.key, node.kind is TeamsNodeKind.DROP), -1),
                node.place,
            )

        order = tuple(sorted(range(len(part)), key=lambda number: turn(part[number])))
        return _OrderedComponent(tuple(part), self._reach(part), order, proved=False)

    def _reach(self, part: Sequence[TeamsNode]) -> TeamsReach:
        return TeamsReach(self.observed, self.target, part, self.bystanders)


def _global(observed: TeamsState, target: TeamsTarget) -> tuple[set[str], set[str]]:
    before, after = (
        observed.policies[GLOBAL].applications.keys(),
        target.policies[GLOBAL].applications.keys(),
    )
    return before - after, after - before


def _reach(way: _OrderedComponent) -> TeamsReach:
    if way.reach is None:
        raise AssertionError("only a lone node may omit it")
    return way.reach


def _gaps(way: _OrderedComponent, *, regranting: bool) -> Iterator[Gap]:
    if way.reach is None:
        return
    reason = GapReason.NO_BETTER_ORDER if way.proved else GapReason.TOO_LARGE
    if not regranting and any(
        node.kind is TeamsNodeKind.DROP and node.old is not None for node in way.nodes
    ):
        reason = GapReason.GROUPS_REMOVED_FIRST
    missing = way.reach.rows(way.reach.way(way.order), lambda stretch: stretch.missing)
    yield from (Gap(pairs, reason, way.proved) for pairs in missing)


def _exposures(way: _OrderedComponent) -> Iterator[Pairs]:
    if way.reach is not None:
        yield from way.reach.rows(way.reach.way(way.order), lambda stretch: stretch.exposed)


_OUT_OF_LISTS = frozenset({TeamsNodeKind.SHRINK, TeamsNodeKind.COPY, TeamsNodeKind.DELETE})
_GRANTING = frozenset(
    {
        StepReason.CREATE_POLICY,
        StepReason.ADD_APPLICATIONS,
        StepReason.GRANT_USER,
        StepReason.MOVE_USER,
    }
)
_GROUPING = frozenset({StepReason.GRANT_GROUP, StepReason.MOVE_GROUP, StepReason.GRANT_TENANT})
_TAKING = frozenset(
    {
        StepReason.REMOVE_APPLICATIONS,
        StepReason.UNASSIGN_USER,
        StepReason.DROP_GROUP,
        StepReason.CLOSE_GLOBAL_EARLY,
    }
)


def _role(draft: StepDraft) -> tuple[bool, bool]:
    """Whether a step can be relied on by a later one, and whether it takes something away."""
    return draft.reason in _GRANTING | _GROUPING, draft.reason in _TAKING


def _drafts(
    observed: TeamsState, target: TeamsTarget, way: _OrderedComponent
) -> Iterator[StepDraft]:
    writing = _Writing(observed, target, way)
    for number in way.order:
        yield from writing.write(number)


class _Writing:
    """Nodes -> drafts, in their order: a rank, and which of a policy's edits carries its
    description, depend on what came before.
    """

    def __init__(self, observed: TeamsState, target: TeamsTarget, way: _OrderedComponent) -> None:
        self._observed, self._target, self._way = observed, target, way
        self._done = 0
        self._described: set[str] = set()

    def write(self, number: int) -> Iterable[StepDraft]:
        node = self._way.nodes[number]
        self._done |= 1 << number
        match node.kind:
            case TeamsNodeKind.MOVE | TeamsNodeKind.UNASSIGN:
                return self._users(node)
            case TeamsNodeKind.DROP | TeamsNodeKind.REGROUP:
                return (self._group(node),)
            case TeamsNodeKind.CLOSE | TeamsNodeKind.COPY:
                return (self._tenant(node),)
            case _:
                return (self._policy(node),)

    def _policy(self, node: TeamsNode) -> StepDraft:
        match node.kind:
            case TeamsNodeKind.CREATE:
                made = self._target.policies[node.key]
                return StepDraft(
                    node.address,
                    cmdlets.new(made.name, made.applications, made.description),
                    StepReason.CREATE_POLICY,
                )
            case TeamsNodeKind.DELETE:
                return StepDraft(
                    node.address,
                    cmdlets.remove(self._observed.policies[node.key].name),
                    StepReason.DELETE_POLICY,
                )
            case _:
                return self._edit(node)

    def _edit(self, node: TeamsNode) -> StepDraft:
        """A description rides on the policy's first edit."""
        before, after = self._observed.policies[node.key], self._target.policies[node.key]
        if node.kind is TeamsNodeKind.DESCRIBE:
            return StepDraft(
                node.address, cmdlets.describe(before.name, after.description), StepReason.DESCRIBE
            )
        first = node.key not in self._described
        self._described.add(node.key)
        description = (
            after.description if first and after.description != before.description else None
        )
        if node.kind is TeamsNodeKind.SHRINK:
            removed = [
                before.applications[key]
                for key in before.applications.keys() - after.applications.keys()
            ]
            return StepDraft(
                node.address,
                cmdlets.edit(before.name, "Remove", removed, description),
                StepReason.REMOVE_APPLICATIONS,
            )
        added = after.applications.keys() - before.applications.keys()
        return StepDraft(
            node.address,
            cmdlets.edit(before.name, "Add", added, description),
            StepReason.ADD_APPLICATIONS,
        )

    def _users(self, node: TeamsNode) -> Iterator[StepDraft]:
        if node.new is None:
            reason = StepReason.UNASSIGN_USER
        else:
            reason = StepReason.GRANT_USER if node.old is None else StepReason.MOVE_USER
        policy = None if node.new is None else self._spelled(node.new)
        return (
            StepDraft(teams_user_grant(user), cmdlets.grant_user(user, policy), reason)
            for user in node.users
        )

    def _group(self, node: TeamsNode) -> StepDraft:
        if node.new is None:
            return StepDraft(node.address, cmdlets.drop_group(node.key), StepReason.DROP_GROUP)
        rank = _reach(self._way).groups.rank(self._done, node.key)
        standing = any(assignment.group == node.key for assignment in self._observed.groups)
        return StepDraft(
            node.address,
            cmdlets.grant_group(node.key, self._spelled(node.new), rank),
            StepReason.MOVE_GROUP if standing else StepReason.GRANT_GROUP,
        )

    def _tenant(self, node: TeamsNode) -> StepDraft:
        everyone = self._observed.policies[GLOBAL]
        if node.kind is TeamsNodeKind.COPY:
            return StepDraft(
                node.address,
                cmdlets.grant_tenant(self._spelled(str(node.new))),
                StepReason.GRANT_TENANT,
            )
        leaving, entering = _global(self._observed, self._target)
        closed = [everyone.applications[key] for key in leaving]
        invocation = cmdlets.edit(everyone.name, "Remove", closed, None)
        return StepDraft(
            node.address, invocation, StepReason.CLOSE_GLOBAL_EARLY, temporary=bool(entering)
        )

    def _spelled(self, key: str) -> str:
        return spelled(self._observed, self._target, key)
