"""What became of an apply: what it changed is read back, and Exchange itself is asked about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.applying import probing
from reconciler.applying.journal import StepState
from reconciler.applying.last_apply import JournalledStep
from reconciler.kinds.facts import facts
from reconciler.kinds.snapshots import OTHER_HOLDERS_OF
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    GLOBAL,
    Address,
    ExchangePolicyAddress,
    TeamsTenantGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
    provider_of,
    teams_policy,
)
from reconciler.model.verifications import (
    Acceptance,
    Effectiveness,
    Verification,
    VerifiedObject,
    VerifyRemark,
    Visibility,
)
from reconciler.planning import moved, prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.applying.last_apply import LastApply
    from reconciler.applying.probing import AskExchange
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Plan
    from reconciler.model.verifications import Probe

MOST_USERS: Final = 20
"""Users whose effective assignment is asked for: it is one call each."""
MOST_POLICIES: Final = 20
"""Exchange policies that are probed: each probe takes seconds."""
_STATES: Final = {
    StepState.DONE: Acceptance.ACCEPTED,
    StepState.FAILED: Acceptance.REFUSED,
    StepState.STARTED: Acceptance.UNKNOWN,
    StepState.UNKNOWN: Acceptance.UNKNOWN,
}
_MINUTE: Final = 60


class ChangedObject(Struct, frozen=True):
    """An object that an apply wrote to.

    Attributes:
        address: Its address, as the plan has it.
        accepted: What became of the last write to it.
        at: When, in seconds since 1970.
        enforced_by: When the service has usually enforced it.
    """

    address: Address
    accepted: Acceptance
    at: float
    enforced_by: float


class Comparison(Struct, frozen=True):
    """How a reading differs from what was written.

    Attributes:
        differences: Sentences by address, in the form of `comparison_key`, of what the apply wrote to.
        states: What they mean, likewise.
        besides: Sentences about other objects.
    """

    differences: Mapping[str, tuple[str, ...]]
    states: Mapping[str, Visibility]
    besides: tuple[str, ...] = ()


def changed_objects(
    applied: LastApply, plan: Plan | None, *, simulated: bool
) -> tuple[ChangedObject, ...]:
    """What an apply wrote to, in the order of its steps.

    Args:
        applied: what journals say.
        plan: its plan, which tells what steps are about that an earlier run had done.
        simulated: a simulated service enforces at once.
    """
    steps = dict(applied.steps)
    if plan is not None:
        steps = _addressed({**_adopted(applied, plan), **steps}, plan)
    latest: dict[str, ChangedObject] = {}
    for _, step in sorted(steps.items()):
        if step.address:
            minutes = 0 if simulated else facts(provider_of(step.address)).verified_after
            own = ChangedObject(
                step.address, _STATES[step.state], step.at, step.at + minutes * _MINUTE
            )
            before = latest.pop(comparison_key(step.address), None)
            latest[comparison_key(step.address)] = _whole(before, own)
    return tuple(latest.values())


def _whole(before: ChangedObject | None, own: ChangedObject) -> ChangedObject:
    """Of two writes to one object the later one counts, unless it was refused: then what the first
    one did has to be seen all the same.
    """
    if before is not None and own.accepted is Acceptance.REFUSED:
        return before
    return own


def _adopted(applied: LastApply, plan: Plan) -> dict[int, JournalledStep]:
    return {
        step.id: JournalledStep(step.address, applied.began, StepState.DONE)
        for step in plan.steps[: applied.already]
    }


def _addressed(steps: Mapping[int, JournalledStep], plan: Plan) -> dict[int, JournalledStep]:
    """The same with what the plan's steps are about: journals of early versions do not say."""
    addresses = {step.id: step.address for step in plan.steps}
    return {
        number: replace(step, address=addresses.get(number, step.address))
        for number, step in steps.items()
    }


def product_of(own: ChangedObject) -> Provider:
    """The product of an object."""
    return provider_of(own.address)


def comparison_key(address: str) -> str:
    """The form in which addresses of steps and of snapshots are compared."""
    if isinstance(parse_address(address.lower()), TeamsTenantGrantAddress):
        return teams_policy(GLOBAL).lower()
    return address.lower()


def asked_users(objects: Iterable[ChangedObject]) -> tuple[str, ...]:
    """Users whose effective assignment is worth asking for: their own grant was changed."""
    users = (
        address.user
        for each in objects
        if each.accepted is not Acceptance.REFUSED
        if isinstance(address := parse_address(each.address.lower()), TeamsUserGrantAddress)
    )
    return tuple(dict.fromkeys(users))[:MOST_USERS]


def compared_with_plan(plan: Plan, applied: LastApply, observed: Observed) -> Comparison:
    """Hold a reading against what the plan's steps that were done lead to.

    Raises:
        KeyError, TypeError, ValueError: the journal's steps do not follow from the plan.
    """
    numbers = applied.done | applied.uncertain
    done = [step for step in plan.steps if step.id in numbers]
    passed = prefixes.passed_values(plan, done)
    present = prefixes.observed_snapshot(plan, observed)
    written = {comparison_key(step.address) for step in done}
    differences: dict[str, tuple[str, ...]] = {}
    states: dict[str, Visibility] = {}
    besides: list[str] = []
    for each in moved.moved_objects(plan, done, observed):
        key = comparison_key(each.address)
        late = present.get(each.entry) in passed.get(each.entry, [None])
        if key not in written or each.entry.startswith(OTHER_HOLDERS_OF):
            # Ranks of other groups follow from those that are not visible yet.
            besides += () if late else (each.sentence,)
            continue
        differences[key] = (*differences.get(key, ()), each.sentence)
        if not late:
            states[key] = Visibility.OTHERWISE
        states.setdefault(key, Visibility.NOT_YET)
    return Comparison(differences, states, tuple(besides))


def compared_with_documents(again: Plan) -> Comparison:
    """Hold a reading against the documents.

    Args:
        again: the plan of the documents for the reading: what it would change is not as they say.
    """
    notes = (*again.held, *again.unresolved, *again.refusals)
    differing = {comparison_key(change.address) for change in again.changes}
    differing |= {comparison_key(note.address) for note in notes}
    open_ones = {comparison_key(note.address) for note in again.unmanaged}
    states = dict.fromkeys(open_ones, Visibility.UNJUDGED)
    return Comparison({}, {**states, **dict.fromkeys(differing, Visibility.DIFFERS)})


def superseded(comparison: Comparison, applied: LastApply) -> Comparison:
    """The same, where this apply does not answer for what a later one wrote to."""
    later: set[str] = set()
    for plan in applied.later:
        later.update(
            comparison.states if plan.addresses is None else map(comparison_key, plan.addresses)
        )
    states = {
        key: Visibility.SUPERSEDED if key in later else state
        for key, state in comparison.states.items()
    }
    return Comparison(comparison.differences, states, comparison.besides)


class Seen(Struct, frozen=True):
    """One look at the tenant.

    Attributes:
        observed: The reading.
        answered: Users, by object id, whose effective assignment the tenant told.
        at: When, in seconds since 1970.
        ask: Asks Exchange's own check; None where there is none.
    """

    observed: Observed
    answered: frozenset[str]
    at: float
    ask: AskExchange | None


def verified(objects: Iterable[ChangedObject], comparison: Comparison, seen: Seen) -> Verification:
    """What became of each object.

    Args:
        objects: what the apply wrote to.
        comparison: how the reading differs from that.
        seen: the reading.
    """
    probed = _Probed(seen)
    rows = [_verified(each, comparison, probed) for each in objects]
    rows.sort(key=lambda row: (row.verified, row.visible not in _OPEN))
    return Verification(tuple(rows), comparison.besides, seen.observed.taken_at, seen.at)


_OPEN = frozenset({Visibility.OTHERWISE, Visibility.NOT_YET, Visibility.DIFFERS})


class _Probed:
    """What Exchange and Teams say themselves, as far as they are asked."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self._left = MOST_POLICIES

    def policy(
        self, address: ExchangePolicyAddress
    ) -> tuple[tuple[Probe, ...], VerifyRemark | None]:
        """Probes of one policy, or why there are none."""
        if address.application == EVERY_APPLICATION:
            return (), VerifyRemark.EVERY_APPLICATION
        if self.seen.ask is None:
            return (), VerifyRemark.NO_CHECK
        if not self._left:
            return (), VerifyRemark.OVER_LIMIT
        self._left -= 1
        probes = probing.probes_of_policy(self.seen.observed, address, self.seen.ask)
        return (probes, None) if probes is not None else ((), VerifyRemark.NO_CHECK)


def _verified(own: ChangedObject, comparison: Comparison, probed: _Probed) -> VerifiedObject:
    key = comparison_key(own.address)
    visible = comparison.states.get(key, Visibility.VISIBLE)
    row = VerifiedObject(
        address=own.address,
        provider=provider_of(own.address),
        accepted=own.accepted,
        accepted_at=own.at,
        enforced_by=own.enforced_by,
        visible=visible,
        effect=Effectiveness.UNSEEN,
        differences=comparison.differences.get(key, ()),
    )
    if own.accepted is Acceptance.REFUSED or visible is not Visibility.VISIBLE:
        return row
    if probed.seen.at < own.enforced_by:
        return replace(row, effect=Effectiveness.PENDING)
    return _in_effect(row, probed)


def _in_effect(row: VerifiedObject, probed: _Probed) -> VerifiedObject:
    address = parse_address(row.address.lower())
    match address:
        case ExchangePolicyAddress() as policy:
            probes, remark = probed.policy(policy)
            return replace(row, effect=_effect(probes), probes=probes, remark=remark)
        case TeamsUserGrantAddress(user):
            return _assigned(row, user, probed.seen)
        case _:
            return row


def _effect(probes: tuple[Probe, ...]) -> Effectiveness:
    if any(probe.contradicts for probe in probes):
        return Effectiveness.CONTRADICTED
    if any(probe.granted is not None for probe in probes):
        return Effectiveness.CONFIRMED
    return Effectiveness.UNSEEN


def _assigned(row: VerifiedObject, user: str, seen: Seen) -> VerifiedObject:
    """What the effective assignment of a user says of the user's own grant."""
    if user not in seen.answered:
        return replace(row, remark=VerifyRemark.ASSIGNMENT_NOT_ASKED)
    answer = seen.observed.directory.effective.get(user)
    if answer is None or not answer.doubt:
        return replace(row, remark=VerifyRemark.ASSIGNMENT_AGREES)
    if not answer.contradicts:
        return replace(row, remark=VerifyRemark.ASSIGNMENT_UNCLEAR, detail=answer.doubt)
    return replace(
        row,
        effect=Effectiveness.CONTRADICTED,
        remark=VerifyRemark.ASSIGNMENT_CONTRADICTS,
        detail=answer.doubt,
    )
