"""Where the documents declare an object: file, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.addresses import (
    GLOBAL,
    exchange_policy,
    name_key,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.findings import Position

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.documents import Documents, ExchangePolicyDocument, TeamsPolicyDocument
    from reconciler.model.observed import Directory


def positions(
    documents: Documents, directory: Directory, addresses: Collection[str]
) -> dict[str, Position]:
    """The places of those addresses that some document declares.

    Policy names are compared as the service compares them.
    """
    wanted = {_folded(address): address for address in addresses}
    found: dict[str, Position] = {}
    for place, position in _declared(documents, directory):
        if place in wanted:
            found.setdefault(wanted[place], position)
    return found


def _folded(address: str) -> str:
    kind, _, name = address.partition("/")
    return f"{kind}/{name_key(name)}"


def _declared(documents: Documents, directory: Directory) -> Iterator[tuple[str, Position]]:
    for teams in documents.teams:
        yield from _teams(teams, directory)
    for exchange in documents.exchange:
        yield from _exchange(exchange, directory)


def _teams(document: TeamsPolicyDocument, directory: Directory) -> Iterator[tuple[str, Position]]:
    yield teams_policy(name_key(document.name)), document.position
    if document.tenant:
        yield teams_policy(GLOBAL), document.position
    yield from ((teams_group_grant(one.group), one.position) for one in document.groups or ())
    for listing in document.users or ():
        for index, text in enumerate(listing.texts):
            name = text.lower()
            user = directory.users_by_upn.get(name, name)
            yield (
                teams_user_grant(user),
                Position(listing.file, listing.lines[index], listing.columns[index]),
            )


def _exchange(
    document: ExchangePolicyDocument, directory: Directory
) -> Iterator[tuple[str, Position]]:
    name = document.scope.text.lower()
    scope = directory.recipients_by_address.get(name, name)
    return (
        (exchange_policy(application, scope), document.scope.position)
        for application in document.applications
    )
