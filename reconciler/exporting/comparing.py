"""Documents that are there, compared with the tenant: what is declared, and which of it the tenant has
otherwise. Documents are compared by what they mean, never by how they are written.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct, field

from reconciler.exporting.values import Remark, RemarkCode, Written
from reconciler.kinds.teams.target import target
from reconciler.model.addresses import exchange_policy, name_key, teams_policy
from reconciler.model.desired import DesiredExchange, DesiredTeams
from reconciler.model.documents import Kind
from reconciler.model.observed import ExchangeState, TeamsState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.exporting.values import Choice
    from reconciler.model.desired import Desired
    from reconciler.model.documents import (
        Documents,
        ExchangePolicyDocument,
        TeamsPolicyDocument,
    )
    from reconciler.model.findings import Position
    from reconciler.model.observed import Directory, ExchangeKey, ExchangePolicy, Observed


class Standing(Struct, frozen=True):
    """What documents declare of a tenant, by key, and what of it the tenant has otherwise.

    `promised`: users and groups with the key of the policy that documents grant them, where the
    tenant has another one.
    """

    teams: Mapping[str, TeamsPolicyDocument]
    exchange: Mapping[ExchangeKey, ExchangePolicyDocument]
    differing_teams: frozenset[str] = frozenset()
    differing_exchange: frozenset[ExchangeKey] = frozenset()
    promised: Mapping[str, str] = field(default_factory=dict)

    @property
    def differing(self) -> Mapping[Position, str]:
        """The documents that differ: where each begins, and the address of an object of it."""
        teams = {
            self.teams[key].position: teams_policy(self.teams[key].name)
            for key in self.differing_teams
        }
        exchange = {
            self.exchange[key].position: exchange_policy(*key)
            for key in sorted(self.differing_exchange)
        }
        return dict(sorted({**teams, **exchange}.items()))

    @property
    def places(self) -> frozenset[Position]:
        """Where the documents begin."""
        teams = {document.position for document in self.teams.values()}
        return frozenset(teams | {document.position for document in self.exchange.values()})

    @property
    def limited(self) -> frozenset[Position]:
        """Where the documents begin that say which tenants they are for: other tenants read them
        too, so that they are not rewritten after one.
        """
        teams = {document.position for document in self.teams.values() if document.limited}
        exchange = {document.position for document in self.exchange.values() if document.limited}
        return frozenset(teams | exchange)

    def chosen(self, choice: Choice) -> frozenset[Position]:
        """Where the documents begin that differ and are about nothing but what is chosen."""
        others = {
            document.position for key, document in self.teams.items() if not choice.has_teams(key)
        } | {
            document.position
            for (application, _), document in self.exchange.items()
            if not choice.has_exchange(application)
        }
        return frozenset(self.differing.keys() - others)

    def without(self, places: Collection[Position]) -> Standing:
        """The same without the documents that begin at these places."""
        return Standing(
            {key: each for key, each in self.teams.items() if each.position not in places},
            {key: each for key, each in self.exchange.items() if each.position not in places},
            frozenset(
                key for key in self.differing_teams if self.teams[key].position not in places
            ),
            frozenset(
                key for key in self.differing_exchange if self.exchange[key].position not in places
            ),
            {
                holder: key
                for holder, key in self.promised.items()
                if key in self.teams and self.teams[key].position not in places
            },
        )

    def remarks(self, choice: Choice) -> Iterator[Remark]:
        """The chosen documents that differ, with their places."""
        for position in self.chosen(choice):
            yield Remark(RemarkCode.DIFFERS, self.differing[position], (str(position),))


def standing(documents: Documents, observed: Observed, desired: Desired) -> Standing:
    """Hold documents against the tenant.

    Args:
        documents: those among which the export is written.
        observed: the tenant.
        desired: what they ask for, with names resolved.
    """
    teams = {name_key(document.name): document for document in documents.teams}
    exchange = {
        key: document
        for document in documents.exchange
        for key in _keys(document, observed.directory)
    }
    differing: set[str] = set()
    policies: set[ExchangeKey] = set()
    promised: dict[str, str] = {}
    for wanted in desired.values():
        match wanted:
            case DesiredTeams() if (state := observed.state(TeamsState)) is not None:
                differing |= {*_teams_differing(wanted, state, observed.directory)}
                promised |= dict(_promised(wanted, state))
            case DesiredExchange() if (present := observed.state(ExchangeState)) is not None:
                policies |= {*_exchange_differing(exchange, wanted, present)}
            case _:
                pass
    return Standing(teams, exchange, frozenset(differing), frozenset(policies), promised)


def written_already(
    documents: Documents, declared: Standing, files: frozenset[str], directory: Directory
) -> Written:
    """What is written already.

    Args:
        documents: all documents among which the export is written.
        declared: what of them stays.
        files: paths in the folder, in lower case.
        directory: leads from addresses of groups to their ids.
    """
    by_address = directory.recipients_by_address
    return Written(
        application_names={each.application: each.name for each in documents.applications},
        names={
            Kind.APPLICATION: frozenset(name_key(each.name) for each in documents.applications),
            Kind.EXCHANGE_POLICY: frozenset(name_key(each.name) for each in documents.exchange),
        },
        teams=frozenset(declared.teams),
        exchange=frozenset(declared.exchange),
        files=files,
        has_tenant=documents.tenant is not None,
        promised=frozenset(declared.promised),
        ranks={
            by_address.get(grant.group, grant.group): grant.rank
            for document in declared.teams.values()
            for grant in document.groups or ()
        },
    )


def _promised(wanted: DesiredTeams, state: TeamsState) -> Iterator[tuple[str, str]]:
    """Users and groups who shall hold another policy than they do."""
    granted = {row.group: row.policy for row in state.groups}
    yield from ((group, key) for group, key in wanted.groups if granted.get(group) != key)
    users = state.users
    yield from ((user, key) for user, key in wanted.users.items() if users.get(user) != key)
    # Also of people who are gone: the documents list them, whoever they were.
    yield from ((name.text.lower(), name_key(name.policy)) for name in wanted.unresolved)


def _keys(document: ExchangePolicyDocument, directory: Directory) -> Iterator[ExchangeKey]:
    scope = document.scope.text.lower()
    ident = directory.recipients_by_address.get(scope, scope)
    yield from product(document.applications, (ident,))


def _teams_differing(
    wanted: DesiredTeams, state: TeamsState, directory: Directory
) -> Iterator[str]:
    """Keys of declared policies that a plan would touch, or whose names lead to nobody."""
    reached = target(wanted, state, prune=False, holding=lambda _: None, directory=directory)
    keys = {
        key
        for key in wanted.policies
        if reached.policies.get(key) != state.policies.get(key)
        or (wanted.policies[key].absent and key in state.policies)
    }
    granted = {row.group: row.policy for row in state.groups}
    for user, policy in reached.users.items():
        keys |= {policy or "", state.users.get(user, "")}
    # A grant that a plan would hold, because of what is not understood, is declared otherwise too.
    for holder, policy in _promised(wanted, state):
        keys |= {policy, state.users.get(holder, ""), granted.get(holder, "")}
    for row in {*reached.groups} ^ {*state.groups}:
        keys.add(row.policy)
    if [row.group for row in reached.groups] != [row.group for row in state.groups]:
        keys |= {policy for _, policy in wanted.groups}
    yield from keys & wanted.policies.keys()


def _exchange_differing(
    exchange: Mapping[ExchangeKey, ExchangePolicyDocument],
    wanted: DesiredExchange,
    state: ExchangeState,
) -> Iterator[ExchangeKey]:
    for key, document in exchange.items():
        present = state.policies.get(key)
        if present is None:
            is_same = document.right is None
        else:
            is_same = _says(document, present) and key in wanted.policies
        if not is_same:
            yield key


def _says(document: ExchangePolicyDocument, present: ExchangePolicy) -> bool:
    return document.right is present.right and document.description in {None, present.description}
