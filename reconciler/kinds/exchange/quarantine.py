"""Quarantined applications on the Exchange side: each shall reach no mailbox, whatever scopes a
mailbox is in.

A RestrictAccess on the empty group of guards comes first; then the application's other
RestrictAccess policies go. A DenyAccess stays, and one that is declared comes: it can only narrow.
Everything here only narrows, so it waits for nothing: neither for a scope that is not there nor for a
policy that is not understood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.exchange.desired import scope_text
from reconciler.kinds.exchange.mailbox_access import limits_of
from reconciler.kinds.exchange.opaque import is_new_limit
from reconciler.model.addresses import EVERY_APPLICATION, exchange_application, exchange_policy
from reconciler.model.codes import GuardLacks, Held, RefusalRule, WarningCode
from reconciler.model.desired import DesiredExchangePolicy
from reconciler.model.documents import AccessRight
from reconciler.model.observed import Recipient, resting_on
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Address
    from reconciler.model.desired import DesiredExchange
    from reconciler.model.observed import Directory, ExchangeKey, ExchangePolicy, ExchangeState

    Holding = Callable[[Address], Held | None]


class ShuttingOut(Struct, frozen=True):
    """What shutting quarantined applications out rests on.

    Attributes:
        applications: Their client ids.
        guard: The empty group that they are restricted to, or why there is none.
        group: The object id of the group that is declared for it, empty or not; None if none is.
        consents: All consents, in lower case.
    """

    applications: frozenset[str] = frozenset()
    guard: Recipient | GuardLacks = GuardLacks.NOT_DECLARED
    group: str | None = None
    consents: frozenset[str] = frozenset()

    @property
    def empty(self) -> frozenset[str]:
        """Scopes that cover nobody."""
        return frozenset({self.guard.id} if isinstance(self.guard, Recipient) else ())


NOBODY_SHUT_OUT = ShuttingOut()


class Narrowed(Struct, frozen=True):
    """What happens to the policies of quarantined applications: `shut` are those that shut one out
    and come now, `consented` the consents by which undeclared policies go.
    """

    wanted: Mapping[ExchangeKey, DesiredExchangePolicy]
    leaving: Mapping[ExchangeKey, ExchangePolicy]
    shut: frozenset[ExchangeKey]
    consented: tuple[str, ...]


class Narrowing:
    """Computes it for one transition."""

    def __init__(
        self,
        desired: DesiredExchange,
        observed: ExchangeState,
        directory: Directory,
        holding: Holding,
        shutting: ShuttingOut,
    ) -> None:
        """Collect what the policies of quarantined applications depend on."""
        self._desired, self._observed, self._directory = desired, observed, directory
        self._holding, self._shutting = holding, shutting
        self._wanted: dict[ExchangeKey, DesiredExchangePolicy] = {}
        self._leaving: dict[ExchangeKey, ExchangePolicy] = {}
        self._shut: set[ExchangeKey] = set()
        self._consented: set[str] = set()

    def narrowed(self) -> Narrowed:
        """What comes and what goes."""
        for application in sorted(self._shutting.applications):
            if self._shut_out(application):
                self._remove_restricts(application)
            self._add_denies(application)
        consented = tuple(sorted(self._consented))
        return Narrowed(self._wanted, self._leaving, frozenset(self._shut), consented)

    def _shut_out(self, application: str) -> bool:
        """Whether the policy on the empty group is there, or comes."""
        key = shutting_key(application, self._shutting)
        if key is None:
            return False
        present = self._observed.policies.get(key)
        if present is not None:
            return present.right is AccessRight.RESTRICT
        if self._is_held(key) or not is_new_limit(key, self._observed, self._directory):
            return False
        declared = self._desired.policies.get(key)
        if declared is None or declared.right is not AccessRight.RESTRICT:
            text = scope_text(self._directory, key[1])
            declared = DesiredExchangePolicy(*key, AccessRight.RESTRICT, "", text)
        self._wanted[key] = declared
        self._shut.add(key)
        return True

    def _remove_restricts(self, application: str) -> None:
        shut = shutting_key(application, self._shutting)
        for key, policy in self._observed.policies.items():
            is_other = key[0] == application and key != shut
            goes = is_other and policy.right is AccessRight.RESTRICT and not self._is_held(key)
            if goes and (is_mentioned(key, self._desired) or self._is_consented(key)):
                self._leaving[key] = policy

    def _is_consented(self, key: ExchangeKey) -> bool:
        consent = f"{RefusalRule.UNDECLARED}:{exchange_policy(*key)}"
        if consent.lower() not in self._shutting.consents:
            return False
        self._consented.add(consent)
        return True

    def _add_denies(self, application: str) -> None:
        """Declared denials, and descriptions of those that stay. Where a restriction is to become
        one beside something that is not understood, it is enough that the restriction goes.
        """
        rests = bool(
            self._observed.opaque_under(application)
            or resting_on(self._desired.awaited, application)
        )
        for key, policy in self._desired.policies.items():
            if key[0] != application or policy.right is not AccessRight.DENY or self._is_held(key):
                continue
            present = self._observed.policies.get(key)
            if present is None:
                comes = is_new_limit(key, self._observed, self._directory)
            elif present.right is AccessRight.RESTRICT:
                comes = key in self._leaving and not rests
            else:
                described = policy.description not in (None, present.description)
                comes = described and not rests
            if comes:
                self._wanted[key] = policy

    def _is_held(self, key: ExchangeKey) -> bool:
        return self._holding(exchange_policy(*key)) is not None


def shutting_key(application: str, shutting: ShuttingOut) -> ExchangeKey | None:
    """The policy that shuts an application out; None if there is no empty group for it."""
    guard = shutting.guard
    return (application, guard.id) if isinstance(guard, Recipient) else None


def is_mentioned(key: ExchangeKey, desired: DesiredExchange) -> bool:
    """Whether a document says of a policy that it shall be, go or move."""
    return key in desired.policies or key in desired.absent or key in desired.moved.values()


def still_open(
    outcome: ExchangeState, desired: DesiredExchange, shutting: ShuttingOut, holding: Holding
) -> Iterator[Note]:
    """By what each quarantined application may still reach a mailbox in the end."""
    for application in sorted(shutting.applications):
        yield from _open(application, outcome, desired, shutting, holding)


def _open(
    application: str,
    outcome: ExchangeState,
    desired: DesiredExchange,
    shutting: ShuttingOut,
    holding: Holding,
) -> Iterator[Note]:
    limited = limits_of(outcome, application)
    reached = limited.restricts.keys() - limited.denies.keys() - shutting.empty
    own = {scope for scope in reached if (application, scope) in outcome.policies}
    every = {scope for scope in reached if limited.restricts[scope][0] != application}
    whole = exchange_application(application)
    why = holding(whole)
    if why is not None and (own or not limited.restricts):
        yield _note(Held.OPEN_HELD, whole, application, {"held": why.value})
    elif not limited.restricts or (own and not _is_shut(application, outcome, shutting)):
        yield _note(Held.OPEN_GUARD, whole, application, {"missing": _lacks(shutting)})
    else:
        for scope in sorted(own):
            yield _own(application, scope, desired, shutting, holding)
    for scope in sorted(every):
        address = exchange_policy(*limited.restricts[scope])
        yield _note(Held.OPEN_EVERY, address, application, {"scope": scope})
    for owner in outcome.opaque_limits(application):
        for row in outcome.opaque[owner]:
            details = {"text": row.text, "reason": row.why}
            yield _note(Held.OPEN_OPAQUE, exchange_application(owner), application, details)


def _own(
    application: str,
    scope: str,
    desired: DesiredExchange,
    shutting: ShuttingOut,
    holding: Holding,
) -> Note:
    """A restriction of the application that stays, although it is shut out by another one."""
    address = exchange_policy(application, scope)
    why = holding(address)
    if why is not None:
        return _note(Held.OPEN_HELD, address, application, {"held": why.value})
    if scope == shutting.group or is_mentioned((application, scope), desired):
        return _note(Held.OPEN_GUARD, address, application, {"missing": _lacks(shutting)})
    allow = f"{RefusalRule.UNDECLARED}:{address}"
    return _note(Held.OPEN_UNDECLARED, address, application, {"allow": allow})


def _is_shut(application: str, outcome: ExchangeState, shutting: ShuttingOut) -> bool:
    key = shutting_key(application, shutting)
    policy = None if key is None else outcome.policies.get(key)
    return policy is not None and policy.right is AccessRight.RESTRICT


def _lacks(shutting: ShuttingOut) -> GuardLacks:
    return GuardLacks.IN_USE if isinstance(shutting.guard, Recipient) else shutting.guard


def _note(code: Held, address: Address, application: str, details: Mapping[str, Json]) -> Note:
    return Note(code.value, address, {"application": application, **details})


def quarantine_warnings(
    observed: ExchangeState,
    changed: Collection[ExchangeKey],
    desired: DesiredExchange,
    shutting: ShuttingOut,
) -> Iterator[Note]:
    """What policies do not govern, what is not given back, and whom an earlier quarantine still shuts
    out.

    `changed`: policies that come or go.
    """
    for application in sorted(shutting.applications):
        yield Note(WarningCode.QUARANTINED, exchange_application(application), {})
        yield from _unrestored(application, changed, desired, shutting)
    declared = desired.owned | shutting.applications | {EVERY_APPLICATION}
    for key, policy in sorted(observed.policies.items()):
        is_shut = key[1] == shutting.group and policy.right is AccessRight.RESTRICT
        if is_shut and key[0] not in declared and not is_mentioned(key, desired):
            yield Note(WarningCode.LEFT_SHUT, exchange_policy(*key), {"application": key[0]})


def _unrestored(
    application: str,
    changed: Collection[ExchangeKey],
    desired: DesiredExchange,
    shutting: ShuttingOut,
) -> Iterator[Note]:
    """What no document gives back once the quarantine ends: undeclared policies that go, and the one
    that shuts out an application whose policies no document declares.
    """
    shut = shutting_key(application, shutting)
    for key in sorted(each for each in changed if each[0] == application):
        is_declared = application in desired.owned if key == shut else key in desired.policies
        if not is_declared:
            details = {"application": application}
            yield Note(WarningCode.UNRESTORED, exchange_policy(*key), details)
