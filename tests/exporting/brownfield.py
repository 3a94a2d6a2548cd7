"""A tenant with years of policies made by hand, all names invented: a Global that is not empty, lists
that nobody cleaned up, groups, scopes and people who are gone, names that need quotes somewhere.
"""

from __future__ import annotations

import json
import random
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.strategies.tenants import assignment, grant

if TYPE_CHECKING:
    from pathlib import Path

TENANT = "b0f1c2d3-5a3c-4c57-9d0f-6a4be2d7c911"
ORGANIZATION = "fjordline.onmicrosoft.com"
DOMAIN = "fjordline.example"

FIRST = (
    *("Anna", "Björn", "Chloé", "Dörte", "Émile", "Fatima", "Håkon", "Inés", "Jürgen", "Łukasz"),
    *("Márta", "Oğuz", "Renée", "Søren", "Zoë"),
)
LAST = (
    *("Müller", "O'Neill", "Weiß", "Ångström", "Nowak", "Özdemir", "García", "Løvås", "Çelik"),
    *("Dvořák", "St.John", "Nguyễn"),
)
POLICIES = (
    *("Standard", "Standard (Kopie)", "Vertrieb Besprechungen", "Büro Zürich", "O'Neill Test"),
    *("Recording - all users", "recording_OLD_do_not_use", "Räume", "Räume Süd", "Raume"),
    *("Schulung/Training", "Transcription 50%", "Booking – Pilot", "Marketing & Events", "CON"),
)
SCOPES = (
    *("Sales", "CRM Postfächer", "Invoices", "Board", "O'Neill & Sons", "Scanner: 2nd floor"),
    *("=SUM(Archive)", "Empty", "Support #1", "ServiceNow", "Fax"),
)
DESCRIPTIONS = (
    None,
    "",
    "JIRA-2548",
    "angelegt von Jürgen, bitte nicht löschen",
    "old: do not use",
)


class Size(NamedTuple):
    """How many of each there are."""

    policies: int
    groups: int
    grants: int
    exchange: int


SMALL = Size(6, 4, 24, 7)
LARGE = Size(40, 30, 2000, 120)


def write(file: Path, size: Size) -> None:
    """Write the file of a simulated tenant; the same size is the same tenant."""
    file.write_text(json.dumps(_Making(size).tenant(), ensure_ascii=False), encoding="utf-8")


class _Making:
    def __init__(self, size: Size) -> None:
        self._size, self._dice = size, random.Random(20261127)
        self._users = [self._user(number) for number in range(size.grants + 20)]
        self._policies = [self._policy_name(number) for number in range(size.policies - 1)]
        self._groups = [
            {"id": self._id(), "displayName": f"Team {name}", "members": self._some(self._users, 5)}
            for name in map(self._policy_name, range(size.groups - 1))
        ]
        self._scopes = [self._scope(number) for number in range(max(4, size.exchange // 3))]

    def tenant(self) -> dict[str, Any]:
        """The content of the file."""
        return {
            "format_version": "1.0",
            "tenant": {"tenantId": TENANT, "organization": ORGANIZATION},
            "clock": "2026-11-26T06:30:00Z",
            "teams": self._teams(),
            "exchange": {"policies": self._exchange()},
            "directory": {
                "users": self._users,
                "groups": self._groups,
                "recipients": self._scopes[:-1],  # the last one is gone
            },
        }

    def _id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _some(self, rows: list[dict[str, Any]], most: int) -> list[str]:
        return [row["id"] for row in self._dice.sample(rows, min(most, len(rows)))]

    def _user(self, number: int) -> dict[str, Any]:
        first, last = self._dice.choice(FIRST), self._dice.choice(LAST)
        return {
            "id": self._id(),
            "upn": f"person{number}@{DOMAIN}",
            "displayName": f"{first} {last}",
        }

    @staticmethod
    def _policy_name(number: int) -> str:
        again, index = divmod(number, len(POLICIES))
        return POLICIES[index] + (f" {again + 1}" if again else "")

    def _scope(self, number: int) -> dict[str, Any]:
        again, index = divmod(number, len(SCOPES))
        address = f"scope{number}@{DOMAIN}"
        return {
            "id": self._id(),
            "sid": f"S-1-5-21-100-200-300-{1100 + number}",
            "primary": address,
            "addresses": [address],
            "displayName": SCOPES[index] + (f" {again + 1}" if again else ""),
            "type": "MailUniversalSecurityGroup",
            "isValidSecurityPrincipal": True,
            "members": [] if SCOPES[index] == "Empty" else self._some(self._users, 4),
        }

    def _teams(self) -> dict[str, Any]:
        apps = [self._id() for _ in range(max(4, self._size.policies // 2))]
        everyone = {"Identity": "Global", "AppIds": apps[:1], "Description": None}
        policies = [
            {
                "Identity": ("Tag:" if number % 6 else "") + name,
                "AppIds": [
                    app.upper() if number % 7 == 0 else app
                    for app in self._dice.sample(apps, self._dice.choice([0, 1, 1, 2, 3]))
                ],
                "Description": self._dice.choice(DESCRIPTIONS),
            }
            for number, name in enumerate(self._policies)
        ]
        groups = [*(row["id"] for row in self._groups), self._id()]  # the last one is gone
        users = [*(row["id"] for row in self._users[: self._size.grants - 1]), self._id()]
        # Most people have one of the first policies.
        weights = [1 / (number + 1) ** 2 for number in range(len(self._policies))]
        return {
            "policies": [everyone, *policies],
            "groupAssignments": [
                assignment(group, self._dice.choice(self._policies), rank)
                for rank, group in enumerate(groups, 1)
            ],
            "users": [
                grant(user, self._dice.choices(self._policies, weights)[0]) for user in users
            ],
        }

    def _exchange(self) -> list[dict[str, Any]]:
        apps = [self._id() for _ in range(max(3, self._size.exchange // 2))]
        every = ("*", self._scopes[3], "DenyAccess", "nobody reads the board")
        gone = (apps[0], self._scopes[-1], "RestrictAccess", "department closed")
        keys = {("*", 3), (apps[0], len(self._scopes) - 1)}
        rows = [every, gone]
        while len(rows) < self._size.exchange:
            app, number = self._dice.choice(apps), self._dice.randrange(len(self._scopes) - 1)
            if (app, number) not in keys:
                keys.add((app, number))
                right = self._dice.choice(["RestrictAccess"] * 5 + ["DenyAccess"])
                rows.append((app, self._scopes[number], right, self._dice.choice(DESCRIPTIONS)))
        return [self._exchange_row(*row) for row in rows]

    @staticmethod
    def _exchange_row(
        app: str, scope: dict[str, Any], right: str, description: str | None
    ) -> dict[str, Any]:
        raw = f"{scope['sid']};{scope['id']}"
        return {
            "Identity": f"{TENANT}\\{app}:{raw}",
            "AppId": app,
            "AccessRight": right,
            "ScopeName": scope["displayName"],
            "ScopeIdentityRaw": raw,
            "Description": description,
        }
