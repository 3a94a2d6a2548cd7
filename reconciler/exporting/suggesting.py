"""What of a tenant is worth a look before, or while, it is brought under management (`--suggest`)."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from reconciler.exporting.values import Remark, RemarkCode
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    GLOBAL,
    exchange_policy,
    teams_application,
    teams_group_grant,
    teams_policy,
)
from reconciler.model.observed import ExchangeState, TeamsState, is_opaque

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from reconciler.exporting.values import Choice
    from reconciler.model.observed import Directory, Observed

_Value = TypeVar("_Value")


def suggestions(
    observed: Observed, choice: Choice, application_names: Mapping[str, str]
) -> Iterator[Remark]:
    """Objects that do nothing, lead nowhere or say the same twice.

    Args:
        observed: the tenant.
        choice: what is looked at.
        application_names: names that documents give to applications.
    """
    teams, exchange = observed.state(TeamsState), observed.state(ExchangeState)
    if teams is not None:
        yield from _of_teams(teams, observed.directory, choice)
    if exchange is not None:
        yield from _of_exchange(exchange, observed.directory, choice)
    yield from _unnamed(teams, exchange, choice, application_names)


def _of_teams(state: TeamsState, directory: Directory, choice: Choice) -> Iterator[Remark]:
    for row in state.groups:
        if choice.has_teams(row.policy) and directory.is_gone(row.group):
            name = state.spelled.get(row.policy, row.policy)
            yield Remark(RemarkCode.DEAD_GROUP, teams_group_grant(row.group), (name,))
    yield from _gone_users(state, directory, choice)
    holders = {*state.users.values(), *(row.policy for row in state.groups)}
    for key, policy in state.policies.items():
        if key == GLOBAL or is_opaque(key) or not choice.has_teams(key):
            continue
        if not policy.applications:
            yield Remark(RemarkCode.NO_APPLICATIONS, teams_policy(policy.name))
        if key not in holders:
            yield Remark(RemarkCode.NO_HOLDERS, teams_policy(policy.name))
    alike = (
        (frozenset(policy.applications), policy.name)
        for key, policy in state.policies.items()
        if key != GLOBAL and policy.applications and choice.has_teams(key)
    )
    for names in _several(alike):
        yield Remark(RemarkCode.SAME_POLICIES, teams_policy(names[0]), names[1:])


def _gone_users(state: TeamsState, directory: Directory, choice: Choice) -> Iterator[Remark]:
    """Holders whom the reading of the directory does not have, by policy."""
    gone: dict[str, list[str]] = defaultdict(list)
    for user in sorted(state.users.keys() - directory.users.keys()):
        gone[state.users[user]].append(user)
    for key, users in sorted(gone.items()):
        if choice.has_teams(key):
            name = state.spelled.get(key, key)
            yield Remark(RemarkCode.GONE_USERS, teams_policy(name), tuple(users))


def _of_exchange(state: ExchangeState, directory: Directory, choice: Choice) -> Iterator[Remark]:
    chosen = {key: row for key, row in state.policies.items() if choice.has_exchange(key[0])}
    for key, policy in chosen.items():
        recipient = directory.recipients.get(policy.scope)
        if directory.is_gone(policy.scope):
            yield Remark(RemarkCode.DANGLING_SCOPE, exchange_policy(*key), (policy.right,))
        elif recipient is not None and recipient.members == frozenset():
            yield Remark(RemarkCode.EMPTY_SCOPE, exchange_policy(*key), (policy.right,))
    alike = (
        ((policy.scope, policy.right, policy.description), exchange_policy(*key))
        for key, policy in chosen.items()
    )
    for addresses in _several(alike):
        yield Remark(RemarkCode.SAME_POLICIES, addresses[0], addresses[1:])


def _unnamed(
    teams: TeamsState | None,
    exchange: ExchangeState | None,
    choice: Choice,
    application_names: Mapping[str, str],
) -> Iterator[Remark]:
    """Applications that no document names."""
    listed = (
        policy.applications
        for key, policy in (teams.policies.items() if teams is not None else ())
        if choice.has_teams(key)
    )
    owners = (
        application
        for application, _ in (exchange.policies if exchange is not None else ())
        if choice.has_exchange(application) and application != EVERY_APPLICATION
    )
    unnamed = {
        application
        for application in chain(chain.from_iterable(listed), owners)
        if application not in application_names and not is_opaque(application)
    }
    if unnamed:
        first, *others = sorted(unnamed)
        yield Remark(RemarkCode.UNNAMED_APPLICATIONS, teams_application(first), tuple(others))


def _several(pairs: Iterable[tuple[Hashable, _Value]]) -> Iterator[tuple[_Value, ...]]:
    """Values that share a key with others, in order."""
    by_key: dict[Hashable, list[_Value]] = defaultdict(list)
    for key, value in pairs:
        by_key[key].append(value)
    yield from (tuple(values) for values in by_key.values() if len(values) > 1)
