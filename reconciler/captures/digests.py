"""The capture digest: SHA-256 over what was observed, not over how it was spelled.

It covers the tenant's id, both products and the directory, as lists sorted by id. The order of rows, the case of ids, `Tag:` and the numbers of
ranks do not change it; names, descriptions and display names do. Mappings are taken in their order, the parsers make them sorted by key; but for
those of users, which have no order and are digested by themselves: there may be 100,000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.canonical import Json, digest, rows_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.observed import Directory, ExchangeState, TeamsState


def capture_digest(tenant_id: str, teams: TeamsState | None, exchange: ExchangeState | None, directory: Directory) -> str:
    """Digest of observed state with its directory, in lower-case hexadecimal.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate.
    """
    return digest({"tenantId": tenant_id, "teams": _teams(teams), "exchange": _exchange(exchange), "directory": _directory(directory)})


def _teams(state: TeamsState | None) -> Json:
    if state is None:
        return None
    return {
        "policies": [[policy.name, list(policy.applications), policy.description] for policy in state.policies.values()],
        "groups": state.groups,
        "users": rows_digest(state.users.items()),  # id, key
        "spelled": state.spelled,
    }


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
        "users": rows_digest(directory.users.values()),  # id, upn, name
        "groups": [[row.id, row.display_name, _ids(row.members)] for row in directory.groups.values()],
        "recipients": [
            [row.id, row.sid, row.primary, sorted(row.addresses), row.display_name, row.type, row.principal, _ids(row.members)]
            for row in directory.recipients.values()
        ],
        "absent": sorted(directory.absent),
    }


def _ids(members: Iterable[str] | None) -> Json:
    return None if members is None else sorted(members)
