"""Target -> steps in an order in which no prefix opens more than before or after.

Each connected component is ordered for itself, `*` jointly with all applications (one application
after the other is unsafe): a small one by exact search, a larger one in the fixed order: create
Denies; create Restricts; flips Restrict to Deny, each remove and create adjacent; flips Deny to
Restrict; remove Restricts; remove Denies. Descriptions come last. Where no order is safe, guards
come around the flips.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.exchange import cmdlets
from reconciler.kinds.exchange.guards import Guard, guard, in_use
from reconciler.kinds.exchange.nodes import ExchangeNodeKind, cut, guarded, nodes
from reconciler.kinds.exchange.reach import ExchangeReach
from reconciler.kinds.ordering.orders import Chain, Gap, Ordered
from reconciler.kinds.ordering.search import MOST_NODES, along, search
from reconciler.model.addresses import EVERY_APPLICATION, exchange_policy
from reconciler.model.codes import GapReason, GuardLacks, StepReason
from reconciler.model.documents import AccessRight
from reconciler.model.plans import StepDraft

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.kinds.exchange.nodes import ExchangeNode
    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.observed import Directory, ExchangeState


class Guarded(Struct, frozen=True):
    """Steps in their order, what their guards are made with (None if there are none), and
    applications that lack one, with why.
    """

    ordered: Ordered
    guard: Guard | None = None
    lacking: Mapping[str, GuardLacks] = MappingProxyType({})
    guards: int = 0


def ordered(
    observed: ExchangeState, target: ExchangeTarget, directory: Directory, guard_scope: str | None
) -> Guarded:
    """The steps from the observed state to the target, with what is missing on the way.

    Args:
        observed: The tenant.
        target: What it shall be.
        directory: For the guard's group.
        guard_scope: As the Tenant document writes it; None if it does not.
    """
    opening = needs_guard(observed, target)
    # Who is to reach nobody does so first.
    parts = sorted(cut(nodes(target)), key=lambda part: not _quarantines(target, part))
    ways = [_way(observed, target, part, opening) for part in parts]
    wanted = [application for way in ways for application in way.guards]
    made = guard(guard_scope, directory, observed) if wanted else None
    lacking = {
        application: why
        for application in wanted
        if (why := _lacks(made, application, observed, target)) is not None
    }
    given = made if isinstance(made, Guard) and not lacking else None
    chain = Chain()
    for way in ways:
        drafts = tuple(_drafts(target, way, given))
        gaps = tuple(_gaps(observed, target, way)) if given or not way.guards else ()
        chain.append(drafts, gaps, (), map(_role, drafts))
    described = tuple(_descriptions(observed, target))
    chain.append(described, (), (), map(_role, described))
    return Guarded(chain.ordered(), given, lacking, len(wanted) if given else 0)


def _quarantines(target: ExchangeTarget, part: Sequence[ExchangeNode]) -> bool:
    return any(node.key[0] in target.quarantined for node in part)


def needs_guard(observed: ExchangeState, target: ExchangeTarget) -> tuple[str, ...]:
    """Applications that the fixed order would open: their Restricts all turn to Denies while new
    Restricts all come from Denies.

    Between the two flips nothing would restrict them. `*` stands for every application without
    policies of its own, and counts for all.
    """
    applications = {application for application, _ in target.flipped}
    if EVERY_APPLICATION in applications:
        applications |= {
            application for application, _ in observed.policies.keys() | target.created.keys()
        }
    return tuple(
        sorted(
            application
            for application in applications
            if _opens_between(observed, target, application)
        )
    )


def _opens_between(observed: ExchangeState, target: ExchangeTarget, application: str) -> bool:
    concerned = {application, EVERY_APPLICATION}
    old = {
        key
        for key, policy in observed.policies.items()
        if key[0] in concerned and policy.right is AccessRight.RESTRICT
    }
    staying = {key for key in old if key not in target.removed}
    new = {
        key
        for key, creation in target.created.items()
        if key[0] in concerned and creation.right is AccessRight.RESTRICT
    }
    return bool(old and new) and not staying and old <= target.flipped and new <= target.flipped


class _OrderedComponent(Struct, frozen=True):
    """A component in its order, with the applications that its guards are for; `proved` if all
    orders were searched.
    """

    nodes: tuple[ExchangeNode, ...]
    order: tuple[int, ...]
    proved: bool
    guards: tuple[str, ...] = ()


def _way(
    observed: ExchangeState,
    target: ExchangeTarget,
    part: Sequence[ExchangeNode],
    opening: Sequence[str],
) -> _OrderedComponent:
    touched = {node.key[0] for node in part}
    wanted = tuple(
        application
        for application in opening
        if application in touched or EVERY_APPLICATION in touched
    )
    # A guard for `*` keeps every application's door shut.
    wanted = (EVERY_APPLICATION,) if EVERY_APPLICATION in wanted else wanted
    if len(part) > MOST_NODES:
        return _fixed(part, wanted)
    way = _searched(observed, target, part, ())
    if way is not None:
        return way
    return _fewest_guards(observed, target, part, wanted) or _fixed(part, wanted)


def _fewest_guards(
    observed: ExchangeState,
    target: ExchangeTarget,
    part: Sequence[ExchangeNode],
    wanted: tuple[str, ...],
) -> _OrderedComponent | None:
    """A safe order with guards of which none can be left out."""
    best = _searched(observed, target, part, wanted)
    for guarding in wanted if best is not None and len(wanted) > 1 else ():
        fewer = (
            tuple(other for other in best.guards if other != guarding) if best is not None else ()
        )
        best = _searched(observed, target, part, fewer) or best
    return best


def _searched(
    observed: ExchangeState,
    target: ExchangeTarget,
    part: Sequence[ExchangeNode],
    guards: tuple[str, ...],
) -> _OrderedComponent | None:
    variant = guarded(part, guards)
    best = search(ExchangeReach(observed, target, variant).ground())
    return (
        None
        if best is None
        else _OrderedComponent(tuple(variant), best.order, proved=True, guards=guards)
    )


def _fixed(part: Sequence[ExchangeNode], guards: tuple[str, ...]) -> _OrderedComponent:
    variant = guarded(part, guards)
    order = sorted(range(len(variant)), key=lambda number: _turn(variant[number]))
    return _OrderedComponent(tuple(variant), tuple(order), proved=False, guards=guards)


def _turn(node: ExchangeNode) -> tuple[int, tuple[bool, str, int]]:
    """Phases: what shuts quarantined applications out, Denies, Restricts, guards, flips of Restricts,
    flips of Denies, guards again, removals of Restricts, removals of Denies, guards that were left behind.
    """
    denies = node.right is AccessRight.DENY
    if node.shuts_out:
        phase = -1
    elif node.guards:
        phase = 2 if node.kind is ExchangeNodeKind.SHUT else 5
    elif node.flip:
        phase = 3 if denies is (node.kind is ExchangeNodeKind.CREATE) else 4
    elif node.kind is ExchangeNodeKind.CREATE:
        phase = 0 if denies else 1
    elif node.left_guard:
        phase = 8
    else:
        phase = 7 if denies else 6
    return (phase, node.place)


def _lacks(
    made: Guard | GuardLacks | None,
    application: str,
    observed: ExchangeState,
    target: ExchangeTarget,
) -> GuardLacks | None:
    if isinstance(made, Guard):
        return (
            GuardLacks.IN_USE
            if in_use(made, application, observed.policies.keys() | target.created.keys())
            else None
        )
    return made


def _gaps(observed: ExchangeState, target: ExchangeTarget, way: _OrderedComponent) -> Iterator[Gap]:
    reach = ExchangeReach(observed, target, way.nodes)
    if way.guards:
        reason = GapReason.GUARDED
    else:
        reason = GapReason.NO_BETTER_ORDER if way.proved else GapReason.TOO_LARGE
    stretches = [
        (stretch.first, stretch.last, stretch.missing)
        for stretch in along(reach.ground(), way.order)
    ]
    yield from (Gap(pairs, reason, way.proved) for pairs in reach.rows(stretches))


def _drafts(
    target: ExchangeTarget, way: _OrderedComponent, given: Guard | None
) -> Iterator[StepDraft]:
    for number in way.order:
        node = way.nodes[number]
        if not node.guards:
            yield (
                _remove(target, node)
                if node.kind is ExchangeNodeKind.REMOVE
                else _create(target, node)
            )
        elif given is not None:
            yield (
                given.create(node.key[0])
                if node.kind is ExchangeNodeKind.SHUT
                else given.remove(node.key[0])
            )


def _descriptions(observed: ExchangeState, target: ExchangeTarget) -> Iterator[StepDraft]:
    for key in sorted(target.described):
        invocation = cmdlets.describe(observed.policies[key].identity, target.described[key])
        yield StepDraft(exchange_policy(*key), invocation, StepReason.DESCRIBE)


def _role(draft: StepDraft) -> tuple[bool, bool]:
    """Whether a step can be relied on by a later one, and whether it takes a policy away."""
    return draft.invocation.cmdlet == cmdlets.NEW, draft.invocation.cmdlet == cmdlets.REMOVE


def _create(target: ExchangeTarget, node: ExchangeNode) -> StepDraft:
    creation = target.created[node.key]
    reason = (
        StepReason.CREATE_DENY if node.right is AccessRight.DENY else StepReason.CREATE_RESTRICT
    )
    if node.shuts_out:
        reason = StepReason.SHUT_OUT
    invocation = cmdlets.new(node.key[0], creation.scope_text, creation.right, creation.description)
    return StepDraft(
        exchange_policy(*node.key), invocation, StepReason.FLIP_CREATE if node.flip else reason
    )


def _remove(target: ExchangeTarget, node: ExchangeNode) -> StepDraft:
    reason = (
        StepReason.REMOVE_DENY if node.right is AccessRight.DENY else StepReason.REMOVE_RESTRICT
    )
    invocation = cmdlets.remove(target.removed[node.key].identity)
    return StepDraft(
        exchange_policy(*node.key), invocation, StepReason.FLIP_REMOVE if node.flip else reason
    )
