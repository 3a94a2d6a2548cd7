"""Whom the applications of a simulated tenant reach, by the plain model of both services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.model.documents import AccessRight
from tests.planning.enumerated_access import ExchangeWorld, TeamsWorld
from tests.strategies.tenants import APPS, GROUPS, SCOPES, STRANGER, USERS

if TYPE_CHECKING:
    from collections.abc import Mapping

Pairs = frozenset[tuple[str, str, frozenset[str]]]


def reached(tenant: Mapping[str, Any]) -> Pairs:
    """Application, user or mailbox, and the groups or scopes that it is in: of every application and
    every combination, and of a user whom nothing names.
    """
    teams = _teams(tenant["teams"]).access([*USERS, STRANGER], GROUPS)
    exchange = _exchange(tenant["exchange"]).access(APPS, SCOPES)
    return frozenset(
        {(app, user, groups) for (user, groups), apps in teams.items() for app in apps}
        | {(app, "mailbox", scopes) for app, scopes in exchange}
    )


def _teams(section: Mapping[str, Any]) -> TeamsWorld:
    lists = {
        row["Identity"].removeprefix("Tag:"): frozenset(row["AppIds"])
        for row in section["policies"]
    }
    everyone = lists.pop("Global")
    rows = sorted(section["groupAssignments"], key=lambda row: row["Priority"])
    return TeamsWorld(
        {name: (apps, "") for name, apps in lists.items()},
        everyone,
        [(row["GroupId"], row["PolicyName"]) for row in rows],
        {row["Identity"]: row["ApplicationAccessPolicy"]["Name"] for row in section["users"]},
    )


def _exchange(section: Mapping[str, Any]) -> ExchangeWorld:
    return ExchangeWorld(
        {
            (row["AppId"], row["ScopeIdentityRaw"].partition(";")[2]): (
                AccessRight(row["AccessRight"]),
                "",
            )
            for row in section["policies"]
        }
    )
