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
from reconciler.kinds.products import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reconciler.model.addresses import Provider
    from reconciler.model.observed import Directory, Recipient, State, User


def capture_digest(tenant_id: str, states: Mapping[Provider, State], directory: Directory) -> str:
    """Digest of observed state with its directory, in lower-case hexadecimal.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate.
    """
    rows: dict[str, Json] = {
        name: product.digest_rows(states[name]) if name in states else None
        for name, product in PRODUCTS.items()
    }
    grants: dict[str, str] = {}
    for name, state in states.items():
        grants |= PRODUCTS[name].direct_grants(state)
    content: Json = {
        **rows,
        "tenantId": tenant_id,
        "directory": _directory(directory),
        "users": _users(grants, directory.users),
    }
    return digest(content)


def _users(grants: Mapping[str, str], users: Mapping[str, User]) -> Json:
    """Digests of the directory's users, each with the key of the policy granted directly, if any,
    and of the grants of users beyond it.
    """
    columns = [
        list(users),
        [user.upn for user in users.values()],
        [user.display_name for user in users.values()],
    ]
    granted = list(map(grants.get, users, repeat("")))
    beyond = (
        {user: key for user, key in grants.items() if user not in users}
        if len(grants) > len(granted) - granted.count("")
        else {}
    )
    return [rows_digest([*columns, granted]), rows_digest([beyond.keys(), beyond.values()])]


def _directory(directory: Directory) -> Json:
    return {
        "groups": [
            [row.id, row.display_name, _ids(row.members)] for row in directory.groups.values()
        ],
        "recipients": _recipients(directory.recipients.values()),
        "absent": sorted(directory.absent),
        **_opaque(directory),
        **_effective(directory),
    }


def _effective(directory: Directory) -> dict[str, Json]:
    """What effective assignments prove, if anything: access tests rest on it."""
    proved = {
        user: dict(sorted(answer.members.items()))
        for user, answer in directory.effective.items()
        if answer.members
    }
    return {"effective": proved} if proved else {}


def _opaque(directory: Directory) -> dict[str, Json]:
    """What was read of users, recipients and groups that are not understood, if there are any."""
    kinds = {
        "opaque": directory.opaque,
        "oddRecipients": directory.odd_recipients,
        "oddGroups": directory.odd_groups,
    }
    return {
        kind: {key: row.text for key, row in rows.items()} for kind, rows in kinds.items() if rows
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
