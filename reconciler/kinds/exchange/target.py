"""Desired and observed -> the policies that every touched application shall end with.

An application is owned as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from reconciler.kinds.exchange.awaited import held_by_absent
from reconciler.kinds.exchange.opaque import held_by_opaque, is_new_limit, odd_recipients
from reconciler.kinds.exchange.quarantine import (
    NOBODY_SHUT_OUT,
    Narrowing,
    ShuttingOut,
    still_open,
)
from reconciler.model.addresses import exchange_application, exchange_policy
from reconciler.model.codes import ChangeReason
from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangePolicy, ExchangeState, resting_on
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from reconciler.model.addresses import Address
    from reconciler.model.codes import Held
    from reconciler.model.desired import DesiredExchange, DesiredExchangePolicy
    from reconciler.model.observed import Directory, ExchangeKey

    Holding = Callable[[Address], Held | None]

_Policy = TypeVar("_Policy")


class Creation(Struct, frozen=True):
    """A policy to create: right, the scope as it is written, and the description (None: the service
    writes its own).
    """

    right: AccessRight
    scope_text: str
    description: str | None


class ExchangeTarget(Struct, frozen=True):
    """What happens to each key.

    A flip is in `removed` and in `created`. `replaced` pairs a created key with the removed one it
    follows. `why_removed` says of each that is removed for good why it is. `awaited` are the
    policies that wait for their scope, by application. `shut` are those created ones that shut a
    quarantined application out, `quarantined` these applications, and `consented` the consents by
    which policies of theirs go.
    """

    created: Mapping[ExchangeKey, Creation]
    removed: Mapping[ExchangeKey, ExchangePolicy]
    described: Mapping[ExchangeKey, str]
    replaced: Mapping[ExchangeKey, ExchangeKey]
    why_removed: Mapping[ExchangeKey, ChangeReason]
    awaited: Mapping[str, tuple[Address, ...]]
    held: tuple[Note, ...] = ()
    shut: frozenset[ExchangeKey] = frozenset()
    quarantined: frozenset[str] = frozenset()
    consented: tuple[str, ...] = ()

    @property
    def flipped(self) -> frozenset[ExchangeKey]:
        """Keys whose right changes: they collide, so the old policy goes before the new one comes."""
        return frozenset(self.created.keys() & self.removed.keys())


def state_reached(observed: ExchangeState, target: ExchangeTarget) -> ExchangeState:
    """The Exchange side once the target is reached, as if it had been read.

    What only the service can tell of a new policy (sid, Identity) is empty.
    """
    kept = {key: policy for key, policy in observed.policies.items() if key not in target.removed}
    created = {key: _created(key, creation) for key, creation in target.created.items()}
    return ExchangeState(kept | created, observed.opaque, target.awaited)


def _created(key: ExchangeKey, creation: Creation) -> ExchangePolicy:
    description = creation.description or ""
    return ExchangePolicy(
        application=key[0],
        scope=key[1],
        sid="",
        right=creation.right,
        description=description,
        stored_description=description,
        identity="",
        scope_name=creation.scope_text,
    )


def target(
    desired: DesiredExchange,
    observed: ExchangeState,
    directory: Directory,
    *,
    holding: Holding,
    shutting: ShuttingOut = NOBODY_SHUT_OUT,
) -> ExchangeTarget:
    """Compute what is created, removed and described.

    Args:
        desired: resolved documents.
        observed: the tenant.
        directory: tells a scope from that of a policy that is not understood.
        holding: why the address of a policy, or of an application, is held at its observed value,
            None if it is not.
        shutting: applications that shall reach nobody, and the group that guards are made on: a
            Restrict on it is of this tool's own making.
    """
    wanted, leaving = _transition(desired, observed, shutting.applications)
    differing = sorted(wanted.keys() | leaving.keys())
    narrowed = Narrowing(desired, observed, directory, holding, shutting).narrowed()
    holds = _holds(differing, holding)
    unheld = [key for key in differing if key not in holds]
    waiting = {key for key in unheld if _waits(key, wanted, desired, observed, directory)}
    kept = waiting | holds.keys()
    replaced = _replaced(wanted, observed, leaving, desired, shutting)
    wanted, leaving = {**wanted, **narrowed.wanted}, {**leaving, **narrowed.leaving}
    created, removed = (
        _without(_to_create(wanted, observed, leaving), kept),
        _without(leaving, kept),
    )
    aim = ExchangeTarget(
        created={
            key: _creation(policy, leaving.get(replaced.get(key, key)))
            for key, policy in created.items()
        },
        removed=removed,
        described={
            key: policy.description or ""
            for key, policy in _without(wanted, kept | created.keys()).items()
        },
        replaced={new: old for new, old in replaced.items() if kept.isdisjoint((new, old))},
        why_removed={
            key: _why_removed(key, policy, desired, shutting)
            for key, policy in _without(removed, wanted).items()
        },
        awaited=desired.awaited,
        held=(
            *_held_notes(holds, holding),
            *odd_recipients(directory),
            *_waiting_notes(waiting, desired, observed),
        ),
        shut=narrowed.shut,
        quarantined=shutting.applications,
        consented=narrowed.consented,
    )
    outcome = state_reached(observed, aim)
    return replace(aim, held=(*aim.held, *still_open(outcome, desired, shutting, holding)))


def _without(
    policies: Mapping[ExchangeKey, _Policy], kept: Collection[ExchangeKey]
) -> dict[ExchangeKey, _Policy]:
    return {key: policy for key, policy in policies.items() if key not in kept}


def _replaceable(
    leaving: Mapping[ExchangeKey, ExchangePolicy], desired: DesiredExchange, shutting: ShuttingOut
) -> dict[ExchangeKey, ExchangePolicy]:
    """What a new policy may take the place of: nothing that guarded an application, or shut it out."""
    return {
        key: policy
        for key, policy in leaving.items()
        if key[1] != shutting.group or key in desired.moved.values()
    }


def _to_create(
    wanted: Mapping[ExchangeKey, DesiredExchangePolicy],
    observed: ExchangeState,
    leaving: Collection[ExchangeKey],
) -> dict[ExchangeKey, DesiredExchangePolicy]:
    """What cannot be edited into what is wanted: policies that are not there, and flips."""
    return {
        key: policy
        for key, policy in wanted.items()
        if key not in observed.policies or key in leaving
    }


def _why_removed(
    key: ExchangeKey, policy: ExchangePolicy, desired: DesiredExchange, shutting: ShuttingOut
) -> ChangeReason:
    if key[0] in shutting.applications:
        return ChangeReason.QUARANTINED
    if key in desired.absent:
        return ChangeReason.STATED_ABSENT
    if key in desired.moved.values():
        return ChangeReason.SCOPE_CHANGED
    is_guard = key[1] == shutting.group and policy.right is AccessRight.RESTRICT
    return ChangeReason.LEFT_GUARD if is_guard else ChangeReason.NOT_DECLARED


def _holds(keys: Iterable[ExchangeKey], holding: Holding) -> Mapping[ExchangeKey, Held]:
    """Why keys are held, of those that are."""
    reasons = {key: holding(exchange_policy(*key)) for key in keys}
    return {key: why for key, why in reasons.items() if why is not None}


def _waiting_notes(
    waiting: Collection[ExchangeKey], desired: DesiredExchange, observed: ExchangeState
) -> Iterator[Note]:
    yield from held_by_opaque(_owners(waiting, observed.opaque), observed)
    yield from held_by_absent(_owners(waiting, desired.awaited), desired.awaited)


def _waits(
    key: ExchangeKey,
    wanted: Mapping[ExchangeKey, DesiredExchangePolicy],
    desired: DesiredExchange,
    observed: ExchangeState,
    directory: Directory,
) -> bool:
    """Whether a key rests on what is not known, and does more than narrow."""
    narrows = _narrows(key, wanted, observed, directory)
    return _rests(key, desired, observed) and not narrows


def _rests(key: ExchangeKey, desired: DesiredExchange, observed: ExchangeState) -> bool:
    """Whether a key's application has a policy that is not understood, or waits for a scope."""
    return bool(observed.opaque_under(key[0]) or resting_on(desired.awaited, key[0]))


def _owners(keys: Iterable[ExchangeKey], owners: Collection[str]) -> frozenset[str]:
    """The applications of keys that rest on what some owners have."""
    return frozenset(application for application, _ in keys if resting_on(owners, application))


def _held_notes(holds: Mapping[ExchangeKey, Held], holding: Holding) -> Iterator[Note]:
    """An application that is held as a whole is one note; else each policy is one."""
    wholes = {
        application: why
        for application in sorted({application for application, _ in holds})
        if (why := holding(exchange_application(application))) is not None
    }
    for application, why in wholes.items():
        yield Note(why.value, exchange_application(application), {})
    for key, why in holds.items():
        if key[0] not in wholes:
            yield Note(why.value, exchange_policy(*key), {})


def _narrows(
    key: ExchangeKey,
    wanted: Mapping[ExchangeKey, DesiredExchangePolicy],
    observed: ExchangeState,
    directory: Directory,
) -> bool:
    """Whether all that is to happen to a key is that a Deny comes: it waits for nothing."""
    comes = key in wanted and wanted[key].right is AccessRight.DENY
    return comes and is_new_limit(key, observed, directory)


def _transition(
    desired: DesiredExchange, observed: ExchangeState, apart: Collection[str]
) -> tuple[dict[ExchangeKey, DesiredExchangePolicy], dict[ExchangeKey, ExchangePolicy]]:
    """Desired policies that differ from the observed one, and observed ones that have to go; a flip
    is in both. Those of the applications `apart` are left out.
    """
    wanted = {
        key: policy
        for key, policy in desired.policies.items()
        if key[0] not in apart and _differs(policy, observed.policies.get(key))
    }
    leaving = {}
    for key, present in observed.policies.items():
        if key[0] in apart:
            continue
        declared = desired.policies.get(key)
        flips = declared is not None and declared.right is not present.right
        undeclared = declared is None and (key[0] in desired.owned or key in desired.absent)
        if flips or undeclared:
            leaving[key] = present
    return wanted, leaving


def _differs(wanted: DesiredExchangePolicy, present: ExchangePolicy | None) -> bool:
    if present is None or wanted.right is not present.right:
        return True
    return wanted.description is not None and wanted.description != present.description


def _replaced(
    wanted: Mapping[ExchangeKey, DesiredExchangePolicy],
    observed: ExchangeState,
    leaving: Mapping[ExchangeKey, ExchangePolicy],
    desired: DesiredExchange,
    shutting: ShuttingOut,
) -> dict[ExchangeKey, ExchangeKey]:
    """What moves, as the documents say. Besides, a scope that goes and exactly one new one of the
    same right are one replacement, to a reviewer.
    """
    created = _to_create(wanted, observed, leaving)
    removed = _replaceable(leaving, desired, shutting)
    pairs = {new: old for new, old in desired.moved.items() if new in created and old in removed}
    paired = pairs.keys() | pairs.values()
    flipped = created.keys() & removed.keys()
    created = {key: policy for key, policy in created.items() if key not in paired}
    removed = {key: policy for key, policy in removed.items() if key not in paired}
    for application, right in sorted({(key[0], policy.right) for key, policy in created.items()}):
        new = [
            key
            for key, policy in created.items()
            if (key[0], policy.right) == (application, right) and key not in flipped
        ]
        old = [
            key
            for key, policy in removed.items()
            if (key[0], policy.right) == (application, right) and key not in flipped
        ]
        if len(new) == len(old) == 1:
            pairs[new[0]] = old[0]
    return pairs


def _creation(wanted: DesiredExchangePolicy, predecessor: ExchangePolicy | None) -> Creation:
    return Creation(wanted.right, wanted.scope_text, _description(wanted, predecessor))


def _description(wanted: DesiredExchangePolicy, predecessor: ExchangePolicy | None) -> str | None:
    """An unmanaged description is carried over, but not the text that the service wrote by itself:
    that one names the old scope.
    """
    if wanted.description is not None or predecessor is None:
        return wanted.description
    blank = not predecessor.stored_description.strip()
    return predecessor.description if predecessor.description or blank else None
