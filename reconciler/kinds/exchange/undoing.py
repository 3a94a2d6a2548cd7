"""The Exchange side as an applied plan found it. An application is undone as a whole or not at all:
whom it reaches depends on all of its policies.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.kinds.exchange import states
from reconciler.kinds.exchange.desired import scope_text
from reconciler.kinds.undoing import Aftermath, Undoing
from reconciler.model.addresses import (
    Address,
    ExchangePolicyAddress,
    exchange_application,
    parse_address,
)
from reconciler.model.baselines import stored_policies
from reconciler.model.codes import Held
from reconciler.model.desired import DesiredExchange, DesiredExchangePolicy
from reconciler.model.observed import ExchangePolicy, ExchangeState
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.kinds.undoing import Holding, Past
    from reconciler.model.baselines import ExchangeBaseline, StoredExchangePolicy
    from reconciler.model.observed import Directory, ExchangeKey


def undone(
    section: ExchangeBaseline,
    past: Past,
    observed: ExchangeState,
    directory: Directory,
    holding: Holding,
) -> Undoing[DesiredExchange, ExchangeState]:
    """What leads back, and what is left alone.

    Args:
        section: what the plan rested on.
        past: what it did.
        observed: the Exchange side now.
        directory: says which scopes are still the same.
        holding: why an object is left alone, None if it is not.
    """
    return _Undoing(section, past, observed, directory, holding).undone()


def earlier_state(section: ExchangeBaseline, observed: ExchangeState) -> ExchangeState:
    """The Exchange side now, but for the applications that a plan rested on, which are as they were
    before it.
    """
    stored = stored_policies(section)
    policies = {key: policy for key, policy in observed.policies.items() if key[0] not in stored}
    for application, rows in stored.items():
        policies |= {(application, row.scope): _policy(application, row) for row in rows}
    return replace(observed, policies=policies)


def _policy(application: str, row: StoredExchangePolicy) -> ExchangePolicy:
    return ExchangePolicy(
        application=application,
        scope=row.scope,
        sid=row.sid,
        right=row.access_right,
        description=row.description,
        stored_description=row.stored_description,
        identity=row.identity,
        scope_name=row.scope,
    )


class _Undoing:
    """Collects what leads back, and what is left alone; built once, used once."""

    def __init__(
        self,
        section: ExchangeBaseline,
        past: Past,
        observed: ExchangeState,
        directory: Directory,
        holding: Holding,
    ) -> None:
        self._section = section
        self._stored = stored_policies(section)
        self._past = past
        self._observed = observed
        self._directory = directory
        self._holding = holding
        self._now = states.project(section, observed, past.steps)

    def undone(self) -> Undoing[DesiredExchange, ExchangeState]:
        owned: set[str] = set()
        aside: list[Note] = []
        for application, names in sorted(self._touched().items()):
            why = self._why_not(application, names)
            if isinstance(why, Held):
                address = exchange_application(application)
                aside.append(Note(why.value, address, {}))
            elif why is Aftermath.AS_LEFT:
                owned.add(application)
        policies = {
            (application, row.scope): self._wanted(application, row)
            for application in sorted(owned)
            for row in self._stored[application]
        }
        absent = {key for key in self._observed.policies if key[0] in owned and key not in policies}
        desired = DesiredExchange(frozenset(owned), policies, frozenset(absent), ())
        return Undoing(desired, earlier_state(self._section, self._observed), tuple(aside))

    def _touched(self) -> Mapping[str, list[str]]:
        """The applications that the plan changed, with the addresses of all their policies."""
        names: dict[str, list[str]] = defaultdict(list)
        for name in sorted({*self._now}.union(self._past.before, *self._past.left)):
            policy = parse_address(name)
            if isinstance(policy, ExchangePolicyAddress):
                names[policy.application].append(name)
        return {
            application: names[application]
            for application in self._stored
            if any(map(self._past.is_touched, names[application]))
        }

    def _why_not(self, application: str, names: list[str]) -> Held | Aftermath:
        """Why an application is left as it is; what became of it if nothing keeps it."""
        standing = self._past.standing(names, self._now)
        if standing is Aftermath.AS_BEFORE:
            return standing
        if application in self._past.barred:
            return Held.SHUT_OUT
        if standing is Aftermath.CHANGED_SINCE:
            return Held.CHANGED_SINCE
        if self._observed.opaque_under(application):
            return Held.RESTS_ON_OPAQUE
        addresses = [exchange_application(application), *map(Address, names)]
        chosen = [why for name in addresses if (why := self._holding(name)) is not None]
        if chosen:
            return chosen[0]
        comes = (row for row in self._stored[application] if self._has_to_come(application, row))
        return Held.SCOPE_GONE if any(not self._is_there(row) for row in comes) else standing

    def _has_to_come(self, application: str, row: StoredExchangePolicy) -> bool:
        present = self._observed.policies.get((application, row.scope))
        return present is None or present.right is not row.access_right

    def _is_there(self, row: StoredExchangePolicy) -> bool:
        """Whether a scope is still the one that the policy had: by its object id and its sid. A group
        that was recreated under the same address has others.
        """
        recipient = self._directory.recipients.get(row.scope)
        if recipient is None or not recipient.principal:
            return False
        sids = {
            policy.sid for policy in self._observed.policies.values() if policy.scope == row.scope
        }
        present = {recipient.sid} if recipient.sid else sids
        return {sid.upper() for sid in present} == {row.sid.upper()}

    def _wanted(self, application: str, row: StoredExchangePolicy) -> DesiredExchangePolicy:
        return DesiredExchangePolicy(
            application,
            row.scope,
            row.access_right,
            self._description(application, row),
            scope_text(self._directory, row.scope),
        )

    def _description(self, application: str, row: StoredExchangePolicy) -> str | None:
        """The description as it was; None has the service write its own, as it did then."""
        key: ExchangeKey = (application, row.scope)
        own = bool(row.stored_description.strip()) and not row.description
        present = self._observed.policies.get(key)
        if (
            own
            and self._has_to_come(application, row)
            and (present is None or not present.description)
        ):
            return None
        return row.description
