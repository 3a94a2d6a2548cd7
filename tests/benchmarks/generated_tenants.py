"""Made-up tenants of any size: documents, and a capture that differs from them in one object of a
hundred.

Everything follows from the size: two runs, and two commits, measure the same work.
"""

from __future__ import annotations

import json
import random
import uuid
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Form = Literal["yaml", "csv"]

TENANT = "5d0c1a0e-4ad6-4c1f-9a55-2f4f0f3f7a11"
POLICIES = 20
APPLICATIONS = 100
EXCHANGE_POLICIES = 300
ONE_OF = 100
"""One grant of so many differs, and one Exchange policy of so many."""
_TAKEN_AT = "2026-11-02T06:30:00Z"
_ROW = {"Authority": "Tenant"}
_SHAPE = {"IsValid": True, "ObjectState": "Unchanged", "ShardType": "All"}

Row = dict[str, Any]


class Grant(NamedTuple):
    """A user, the policy that the documents want and the one that the tenant has; None for no
    direct grant.
    """

    user: str
    wanted: int | None
    present: int | None


class World(NamedTuple):
    """Files of one made-up tenant. `changes`: objects that differ."""

    documents: Path
    capture: Path
    grants: int
    changes: int


class _Scope(NamedTuple):
    id: str
    sid: str
    address: str


def write(folder: Path, grants: int, form: Form, *, empty: bool = False) -> World:
    """Write documents of so many grants, and a capture of a tenant that drifted.

    Args:
        folder: where to; it is made.
        grants: users with a direct grant.
        form: users as YAML lists, or in a CSV file per policy.
        empty: the tenant has no policy and no grant yet, so that everything is created.
    """
    dice = random.Random(grants)
    applications = [_guid(dice) for _ in range(APPLICATIONS)]
    held = [_grant(_guid(dice), index, dice, empty=empty) for index in range(grants)]
    scopes = [_scope(dice, index) for index in range(EXCHANGE_POLICIES)]
    documents = folder / "policies"
    documents.mkdir(parents=True)
    _write_documents(documents, (applications, held, scopes), form, grants)
    capture = folder / "capture.json"
    capture.write_text(
        json.dumps(_capture(applications, held, scopes, empty=empty), separators=(",", ":")),
        encoding="utf-8",
    )
    drifted = 0 if empty else EXCHANGE_POLICIES // ONE_OF
    changes = sum(one.wanted != one.present for one in held) + (
        POLICIES + EXCHANGE_POLICIES if empty else drifted
    )
    return World(documents, capture, grants, changes)


def _grant(user: str, index: int, dice: random.Random, *, empty: bool) -> Grant:
    """Of a hundred users one differs: two in five are moved, two in five are new, one in five has
    to go.
    """
    wanted = dice.randrange(POLICIES)
    if empty or index % ONE_OF:
        return Grant(user, wanted, None if empty else wanted)
    match index // ONE_OF % 5:
        case 0 | 1:
            return Grant(user, wanted, (wanted + 1) % POLICIES)
        case 2 | 3:
            return Grant(user, wanted, None)
        case _:
            return Grant(user, None, wanted)


def _guid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128)))


def _scope(dice: random.Random, index: int) -> _Scope:
    return _Scope(
        _guid(dice),
        f"S-1-5-21-724521725-2336880675-2689004279-{20000 + index}",
        f"scope-{index:03}@contoso.com",
    )


def _listed(policy: int, applications: Sequence[str]) -> list[str]:
    return [applications[(policy * 3 + offset) % APPLICATIONS] for offset in range(3)]


def _write_documents(
    folder: Path,
    parts: tuple[Sequence[str], Sequence[Grant], Sequence[_Scope]],
    form: Form,
    grants: int,
) -> None:
    applications, held, scopes = parts
    (folder / "tenant.yaml").write_text(_tenant(grants), encoding="utf-8")
    (folder / "exchange.yaml").write_text(
        "---\n".join(_exchange(scopes, applications)), encoding="utf-8"
    )
    users: list[list[str]] = [[] for _ in range(POLICIES)]
    for one in held:
        if one.wanted is not None:
            users[one.wanted].append(one.user)
    for policy, listed in enumerate(users):
        name = f"teams-{policy:02}"
        (folder / f"{name}.yaml").write_text(
            _teams(policy, listed, applications, form), encoding="utf-8"
        )
        if form == "csv" and listed:
            (folder / f"{name}.csv").write_text(
                "".join(f"{line}\n" for line in ("user", *listed)), encoding="utf-8"
            )


def _document(kind: str, name: str) -> str:
    return f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"


def _tenant(grants: int) -> str:
    limits = f"{{maxRemovals: {grants}, maxRemovalPercent: 100}}"
    return (
        _document("Tenant", "contoso")
        + f"  tenantId: {TENANT}\n  limits:\n    grants: {limits}\n"
        + f"    widening: {{maxPeople: {grants}}}\n"
    )


def _teams(policy: int, users: Sequence[str], applications: Sequence[str], form: Form) -> str:
    text = _document("TeamsApplicationAccessPolicy", f"policy-{policy:02}")
    text += (
        "  description: made up\n  applications:\n"
        + _items(_listed(policy, applications), 4)
        + "  grants:\n"
    )
    if not users:
        return text + "    users: []\n"
    return text + (
        f"    usersFrom: teams-{policy:02}.csv\n"
        if form == "csv"
        else "    users:\n" + _items(users, 6)
    )


def _items(texts: Iterable[str], indentation: int) -> str:
    return "".join(f"{' ' * indentation}- {text}\n" for text in texts)


def _exchange(scopes: Sequence[_Scope], applications: Sequence[str]) -> list[str]:
    return [
        _document("ExchangeApplicationAccessPolicy", f"scope-{index:03}")
        + f"  applications: [{applications[index % APPLICATIONS]}]\n  scope: {scope.address}\n"
        + f"  accessRight: RestrictAccess\n  description: policy {index}\n"
        for index, scope in enumerate(scopes)
    ]


def _capture(
    applications: Sequence[str], held: Sequence[Grant], scopes: Sequence[_Scope], *, empty: bool
) -> Row:
    teams = [] if empty else [_teams_row(policy, applications) for policy in range(POLICIES)]
    users = [_user_row(one.user, one.present) for one in held if one.present is not None]
    exchange = (
        []
        if empty
        else [_exchange_row(index, scope, applications) for index, scope in enumerate(scopes)]
    )
    directory = {
        "users": [
            {"id": one.user, "upn": _upn(one.user), "displayName": f"User {one.user[:8]}"}
            for one in sorted(held)  # as `fetch` writes them
        ],
        "groups": [],
        "recipients": [_recipient_row(scope) for scope in scopes],
        "absent": [],
    }
    return {
        "format_version": "1.0",
        "tool": "benchmark",
        "tenant": {"tenantId": TENANT, "organization": "contoso.onmicrosoft.com"},
        "taken_at": _TAKEN_AT,
        "teams": {
            "complete": True,
            "reads": [
                _read("Get-CsApplicationAccessPolicy", {}, len(teams) + 1),
                _read("Get-CsGroupPolicyAssignment", {"PolicyType": "ApplicationAccessPolicy"}, 0),
                _read(
                    "Get-CsOnlineUser", {"Filter": "ApplicationAccessPolicy -ne $null"}, len(users)
                ),
            ],
            "policies": [{"Identity": "Global", "AppIds": [], "Description": None}, *teams],
            "groupAssignments": [],
            "users": users,
        },
        "exchange": {
            "complete": True,
            "reads": [_read("Get-ApplicationAccessPolicy", {}, len(exchange))],
            "policies": exchange,
        },
        "directory": directory,
    }


def _read(cmdlet: str, parameters: Row, count: int) -> Row:
    return {"cmdlet": cmdlet, "parameters": parameters, "count": count, "taken_at": _TAKEN_AT}


def _upn(user: str) -> str:
    return f"user.{user[:13]}@contoso.com"


def _user_row(user: str, policy: int) -> Row:
    return {
        "Identity": user,
        "UserPrincipalName": _upn(user),
        "ApplicationAccessPolicy": {**_ROW, "Name": f"policy-{policy:02}"},
    }


def _teams_row(policy: int, applications: Sequence[str]) -> Row:
    """One policy of twenty has another list: one application to remove, one to add."""
    listed = _listed(policy, applications)
    if policy == 0:
        listed[0] = applications[-1]
    return {"Identity": f"Tag:policy-{policy:02}", "AppIds": listed, "Description": "made up"}


def _exchange_row(index: int, scope: _Scope, applications: Sequence[str]) -> Row:
    application, place = applications[index % APPLICATIONS], f"{scope.sid};{scope.id}"
    return {
        "Identity": f"{TENANT}\\{application}:{place}",
        "AppId": application,
        "AccessRight": "RestrictAccess",
        "ScopeName": scope.address.partition("@")[0],
        "ScopeIdentity": f"{scope.address.partition('@')[0]}20240502101112",
        "ScopeIdentityRaw": place,
        "Description": f"policy {index}" if index % ONE_OF else "another text",
        **_SHAPE,
    }


def _recipient_row(scope: _Scope) -> Row:
    return {
        "id": scope.id,
        "sid": scope.sid,
        "primary": scope.address,
        "addresses": [scope.address],
        "displayName": scope.address.partition("@")[0],
        "type": "MailUniversalSecurityGroup",
        "isValidSecurityPrincipal": True,
    }
