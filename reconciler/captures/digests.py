"""The capture digest: SHA-256 over what was observed, not over how it was spelled.

It covers the tenant's id, both products and the directory, as lists sorted by id. The order of
rows, the case of ids, `Tag:` and the numbers of ranks do not change it; names, descriptions and
display names do. Mappings are taken in their order, the parsers make them sorted by key; but for
those of users, which have no order and are digested by themselves, in one list with what they are
granted: there may be 100,000.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from reconciler.canonical import Json, digest, rows_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reconciler.model.observed import Directory, ExchangeState, Recipient, TeamsState, User


def capture_digest(
    tenant_id: str, teams: TeamsState | None, exchange: ExchangeState | None, directory: Directory
) -> str:
    """Digest of observed state with its directory, in lower-case hexadecimal.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate.
    """
    return digest(
        {
            "tenantId": tenant_id,
            "teams": _teams(teams),
            "exchange": _exchange(exchange),
            "directory": _directory(directory),
            "users": _users(teams.users if teams is not None else {}, directory.users),
        }
    )


def _teams(state: TeamsState | None) -> Json:
    if state is None:
        return None
    return {
        "policies": [
            [policy.name, list(policy.applications), policy.description]
            for policy in state.policies.values()
        ],
        "groups": state.groups,
        "spelled": state.spelled,
    }


def _users(grants: Mapping[str, str], known: Mapping[str, User]) -> Json:
    """Digests of the directory's users, each with the key of the policy granted directly, if any,
    and of the grants of users beyond it.
    """
    columns = [
        list(known),
        [user.upn for user in known.values()],
        [user.display_name for user in known.values()],
    ]
    held = list(map(grants.get, known, repeat("")))
    beyond = (
        {user: key for user, key in grants.items() if user not in known}
        if len(grants) > len(held) - held.count("")
        else {}
    )
    return [rows_digest([*columns, held]), rows_digest([beyond.keys(), beyond.values()])]


def _exchange(state: ExchangeState | None) -> Json:
    if state is None:
        return None
    return [
        [
            *key,
            policy.sid.upper(),
            policy.right.value,
            policy.description,
            policy.stored_description.lower(),
            policy.identity.lower(),
            policy.scope_name,
        ]
        for key, policy in state.policies.items()
    ]


def _directory(directory: Directory) -> Json:
    return {
        "groups": [
            [row.id, row.display_name, _ids(row.members)] for row in directory.groups.values()
        ],
        "recipients": _recipients(directory.recipients.values()),
        "absent": sorted(directory.absent),
    }


def _recipients(recipients: Collection[Recipient]) -> str:
    """Addresses and ids hold neither blanks nor what ends a line: such names are refused.

    `?`: members that nobody has read.
    """
    columns = (
        [row.id for row in recipients],
        [row.sid or "" for row in recipients],
        [row.primary for row in recipients],
        ["\t".join(sorted(row.addresses)) for row in recipients],
        [row.display_name for row in recipients],
        [row.type for row in recipients],
        [str(row.principal) for row in recipients],
        ["?" if row.members is None else " ".join(sorted(row.members)) for row in recipients],
    )
    return rows_digest(columns)


def _ids(members: Iterable[str] | None) -> Json:
    return None if members is None else sorted(members)
