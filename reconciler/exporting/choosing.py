"""What of a tenant is exported: everything, or what the command line names. Nothing is added to what
was named: where a part would not be safe alone, the whole has to be named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.errors import UsageFault
from reconciler.exporting.values import EVERYTHING_CHOSEN, Choice
from reconciler.guids import guid
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    ExchangeApplicationAddress,
    ExchangePolicyAddress,
    TeamsApplicationAddress,
    TeamsGroupGrantAddress,
    TeamsPolicyAddress,
    TeamsTenantGrantAddress,
    TeamsUserGrantAddress,
    exchange_application,
    name_key,
    parse_address,
)
from reconciler.model.observed import ExchangeState, TeamsState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from reconciler.model.observed import Observed


class ExportWanted(Struct, frozen=True):
    """What was typed: addresses, applications by name or client id, names of Teams policies."""

    only: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()


class _Chosen(Struct, frozen=True):
    """What was named, of a tenant that has these objects; the sets grow."""

    teams: TeamsState
    exchange: ExchangeState
    policies: set[str]
    owners: set[str]

    @property
    def applications(self) -> AbstractSet[str]:
        """Applications that have an Exchange policy."""
        return {application for application, _ in self.exchange.policies}


def choice_of(wanted: ExportWanted, observed: Observed, names: Mapping[str, str]) -> Choice:
    """Read what was typed.

    Args:
        wanted: what was typed.
        observed: the tenant.
        names: client ids of applications, by the names that documents give them.

    Raises:
        UsageFault: something was named that the tenant does not have, or that cannot be written
            alone.
    """
    if wanted == ExportWanted():
        return EVERYTHING_CHOSEN
    chosen = _Chosen(
        observed.state(TeamsState) or TeamsState({}, (), {}, {}),
        observed.state(ExchangeState) or ExchangeState({}),
        set(),
        set(),
    )
    by_key = {name_key(name): application for name, application in names.items()}
    for typed in wanted.applications:
        application = guid(typed) or by_key.get(name_key(typed)) or typed
        _choose_application(chosen, typed, application)
    for typed in wanted.policies:
        _choose_policy(chosen, typed, name_key(typed))
    for typed in wanted.only:
        _choose_address(chosen, typed)
    return Choice(frozenset(chosen.policies), frozenset(chosen.owners))


def _choose_application(chosen: _Chosen, typed: str, application: str) -> None:
    """Choose everything of an application, in both products."""
    policies = {
        key for key, policy in chosen.teams.policies.items() if application in policy.applications
    }
    owners = chosen.applications & {application}
    if not policies | owners:
        raise UsageFault(
            f"application {typed!r} not found in the tenant: write the name of an Application"
            " document, or a client id"
        )
    chosen.policies.update(policies)
    chosen.owners.update(owners)


def _choose_policy(chosen: _Chosen, typed: str, key: str) -> None:
    if key not in chosen.teams.policies:
        raise UsageFault(
            f"Teams policy {typed!r} not found in the tenant: correct the name (an Exchange policy is"
            " chosen by its application, with --app)"
        )
    chosen.policies.add(key)


def _choose_address(chosen: _Chosen, typed: str) -> None:
    match parse_address(typed.strip()):
        case TeamsPolicyAddress(name):
            _choose_policy(chosen, typed, name_key(name))
        case TeamsApplicationAddress(application):
            key = application.lower()
            policies = {
                policy for policy, row in chosen.teams.policies.items() if key in row.applications
            }
            _assert_any(policies, typed)
            chosen.policies.update(policies)
        case ExchangeApplicationAddress(application):
            _assert_any(chosen.applications & {application.lower()}, typed)
            chosen.owners.add(application.lower())
        case ExchangePolicyAddress(application, scope):
            _choose_alone(chosen, typed, (application.lower(), scope.lower()))
        case TeamsUserGrantAddress() | TeamsGroupGrantAddress() | TeamsTenantGrantAddress():
            raise UsageFault(
                f"{typed!r} cannot be exported alone, because a policy's document has all of its"
                " grants: name the policy, teams.policy/NAME"
            )
        case None:
            raise UsageFault(
                f"{typed!r} is neither the name of an object nor an address; write"
                " teams.policy/NAME, teams.application/APPID or"
                f" exchange.application/APPID (or {EVERY_APPLICATION})"
            )


def _choose_alone(chosen: _Chosen, typed: str, key: tuple[str, str]) -> None:
    """Choose one Exchange policy, if it is the only one of its application: documents own an
    application as a whole, and its other policies would have to go.
    """
    policies = [other for other in chosen.exchange.policies if other[0] == key[0]]
    _assert_any({other for other in policies if other == key}, typed)
    if len(policies) > 1:
        raise UsageFault(
            f"{typed!r} cannot be exported alone: documents own an application as a whole, and it has"
            f" {len(policies)} policies. Use {exchange_application(key[0])}"
        )
    chosen.owners.add(key[0])


def _assert_any(objects: AbstractSet[object], typed: str) -> None:
    if not objects:
        raise UsageFault(f"{typed!r} not found in the tenant")
