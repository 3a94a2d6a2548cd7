"""Small worlds for the laws: a model of both services that shares no code with the product, and an
enumeration of who reaches whom.

Everything is spelled out: policies are sets, access is computed for every user and every
combination of groups. Slow and plain on purpose.
"""

from __future__ import annotations

import itertools
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.model.documents import (
    AccessRight,
    Documents,
    ExchangePolicyDocument,
    GroupGrant,
    Kind,
    Limits,
    Listing,
    Located,
    TeamsPolicyDocument,
    TenantDocument,
)
from reconciler.model.findings import Position
from reconciler.model.observed import (
    Directory,
    ExchangePolicy,
    ExchangeState,
    GroupAssignment,
    Observed,
    Recipient,
    TeamsPolicy,
    TeamsState,
    User,
)

if TYPE_CHECKING:
    import random

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
HERE = Position("policies/test.yaml", 1, 1)
GENEROUS = Limits(10**6, 100, 10**6, 100, 10**6)


def guid(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


APPS = [guid(1, n) for n in range(4)]
USERS = [guid(2, n) for n in range(4)]
GROUPS = [guid(3, n) for n in range(4)]
SCOPES = [guid(4, n) for n in range(4)]
NAMES = ["Alpha", "Beta", "Gamma"]


class StepFailed(Exception):
    """The service refuses the step."""


@dataclass
class TeamsWorld:
    """policies: name -> (apps, description); groups: [group, name] in rank order; users: user ->
    name.
    """

    policies: dict[str, tuple[frozenset[str], str]]
    everyone: frozenset[str]
    groups: list[tuple[str, str]]
    users: dict[str, str]

    def copy(self) -> TeamsWorld:
        return TeamsWorld(dict(self.policies), self.everyone, list(self.groups), dict(self.users))

    def apps(self, name: str) -> frozenset[str]:
        return self.policies[name][0]

    def run(self, cmdlet: str, given: dict) -> None:
        getattr(self, cmdlet.partition("-")[0].lower())(given)

    def new(self, given: dict) -> None:
        if given["Identity"] in self.policies:
            raise StepFailed("exists")
        self.policies[given["Identity"]] = (
            frozenset(given.get("AppIds", [])),
            given.get("Description", ""),
        )

    def set(self, given: dict) -> None:
        name = given["Identity"]
        if name != "Global" and name not in self.policies:
            raise StepFailed("unknown")
        apps, description = (self.everyone, "") if name == "Global" else self.policies[name]
        edit = given.get("AppIds", {})
        apps = (apps - frozenset(edit.get("Remove", []))) | frozenset(edit.get("Add", []))
        if name == "Global":
            self.everyone = apps
        else:
            self.policies[name] = (apps, given.get("Description", description))

    def grant(self, given: dict) -> None:
        name = given["PolicyName"]
        if name is not None and name not in self.policies:
            raise StepFailed("unknown policy")
        if "Group" in given:
            self.groups = [row for row in self.groups if row[0] != given["Group"]]
            if name is not None:
                self.groups.insert(given["Rank"] - 1, (given["Group"], name))
        elif given.get("Global"):
            self.everyone = self.apps(name)
        elif name is None:
            self.users.pop(given["Identity"], None)
        else:
            self.users[given["Identity"]] = name

    def remove(self, given: dict) -> None:
        name = given["Identity"]
        if name not in self.policies:
            raise StepFailed("unknown")
        if name in self.users.values() or any(row[1] == name for row in self.groups):
            raise StepFailed("still assigned")
        del self.policies[name]

    def reach(self, user: str, member_of: frozenset[str]) -> frozenset[str]:
        if user in self.users:
            return self.apps(self.users[user])
        for group, name in self.groups:
            if group in member_of:
                return self.apps(name)
        return self.everyone

    def access(
        self, users: list[str], groups: list[str]
    ) -> dict[tuple[str, frozenset[str]], frozenset[str]]:
        combinations = [
            frozenset(some)
            for size in range(len(groups) + 1)
            for some in itertools.combinations(groups, size)
        ]
        return {(user, some): self.reach(user, some) for user in users for some in combinations}

    def state(self) -> TeamsState:
        policies = {
            name.lower(): TeamsPolicy(name, {app: app for app in sorted(apps)}, text)
            for name, (apps, text) in self.policies.items()
        }
        policies["global"] = TeamsPolicy("Global", {app: app for app in sorted(self.everyone)}, "")
        return TeamsState(
            policies=policies,
            groups=tuple(GroupAssignment(group, name.lower()) for group, name in self.groups),
            users={user: name.lower() for user, name in self.users.items()},
            spelled={policy.name.lower(): policy.name for policy in policies.values()},
        )


@dataclass
class ExchangeWorld:
    """policies: (app, scope) -> (right, description)."""

    policies: dict[tuple[str, str], tuple[AccessRight, str]] = field(default_factory=dict)

    def copy(self) -> ExchangeWorld:
        return ExchangeWorld(dict(self.policies))

    def run(self, cmdlet: str, given: dict) -> None:
        verb = cmdlet.partition("-")[0]
        if verb == "New":
            key = (given["AppId"][0], given["PolicyScopeGroupId"].split("@")[0])
            if key in self.policies:
                raise StepFailed("exists")
            self.policies[key] = (
                AccessRight(given["AccessRight"]),
                given.get("Description", "").strip(),
            )
            return
        app, _, scope = given["Identity"].split("\\")[1].partition(":")
        key = (app, scope.split(";")[1])
        if key not in self.policies:
            raise StepFailed("unknown")
        if verb == "Remove":
            del self.policies[key]
        else:
            self.policies[key] = (self.policies[key][0], given["Description"].strip())

    def granted(self, app: str, member_of: frozenset[str]) -> bool:
        """The documented five rules, in their order."""
        matching = [
            (scope, right)
            for (owner, scope), (right, _) in self.policies.items()
            if owner in {app, "*"}
        ]
        if any(right is AccessRight.DENY and scope in member_of for scope, right in matching):
            return False
        if any(right is AccessRight.RESTRICT and scope in member_of for scope, right in matching):
            return True
        return all(right is not AccessRight.RESTRICT for _, right in matching)

    def access(self, apps: list[str], scopes: list[str]) -> set[tuple[str, frozenset[str]]]:
        combinations = [
            frozenset(some)
            for size in range(len(scopes) + 1)
            for some in itertools.combinations(scopes, size)
        ]
        return {(app, some) for app in apps for some in combinations if self.granted(app, some)}

    def state(self) -> ExchangeState:
        return ExchangeState(
            {key: _exchange_policy(key, *value) for key, value in self.policies.items()}
        )


def _exchange_policy(key: tuple[str, str], right: AccessRight, description: str) -> ExchangePolicy:
    app, scope = key
    sid = f"S-1-5-21-1-1-1-{SCOPES.index(scope)}"
    return ExchangePolicy(
        app,
        scope,
        sid,
        right,
        description,
        description,
        f"{TENANT}\\{app}:{sid};{scope}",
        f"Scope {scope[-1]}",
    )


def directory() -> Directory:
    users = {user: User(user, f"u{n}@contoso.com", f"User {n}") for n, user in enumerate(USERS)}
    recipients = {
        scope: Recipient(
            scope,
            f"S-1-5-21-1-1-1-{n}",
            f"{scope}@contoso.com",
            frozenset({f"{scope}@contoso.com"}),
            f"Scope {n}",
            "",
            True,
            None,
        )
        for n, scope in enumerate(SCOPES)
    }
    by_address = {recipient.primary: scope for scope, recipient in recipients.items()}
    return Directory(
        users,
        {},
        recipients,
        frozenset(),
        {user.upn: user.id for user in users.values()},
        by_address,
    )


def observed(teams: TeamsWorld | None, exchange: ExchangeWorld | None) -> Observed:
    return Observed(
        tenant_id=TENANT,
        organization="contoso.onmicrosoft.com",
        taken_at="2026-01-01T00:00:00Z",
        source="simulated",
        states={
            **({} if teams is None else {"teams": teams.state()}),
            **({} if exchange is None else {"exchange": exchange.state()}),
        },
        directory=directory(),
        digest="0" * 64,
    )


def listing(texts: list[str]) -> Listing:
    ones = array("L", [1] * len(texts))
    return Listing(tuple(texts), "policies/test.yaml", ones, ones, "$.spec.grants.users")


def tenant(
    *, prune: bool = False, consents: tuple[str, ...] = (), limits: Limits = GENEROUS
) -> TenantDocument:
    return TenantDocument(
        "contoso",
        TENANT,
        None,
        (Kind.TEAMS_POLICY,) if prune else (),
        consents,
        limits,
        None,
        {},
        HERE,
    )


def teams_document(name: str, **given) -> TeamsPolicyDocument:
    default = {
        "absent": False,
        "description": None,
        "applications": None,
        "tenant": False,
        "groups": None,
        "users": None,
    }
    return TeamsPolicyDocument(name, **{**default, **given}, position=HERE)


def exchange_document(
    apps: list[str],
    scope: str,
    right: AccessRight | None,
    description: str | None = None,
    *,
    moved_from: str | None = None,
) -> ExchangePolicyDocument:
    name = f"{'-'.join(app[-1] for app in apps)}-{scope}"
    return ExchangePolicyDocument(
        name,
        right is None,
        tuple(apps),
        Located(scope, HERE, "$.spec.scope"),
        right,
        description,
        HERE,
        Located(moved_from, HERE, "$.spec.movedFrom") if moved_from is not None else None,
    )


def documents(
    teams: list[TeamsPolicyDocument],
    exchange: list[ExchangePolicyDocument],
    tenant_document: TenantDocument | None = None,
) -> Documents:
    return Documents(tenant_document or tenant(), (), tuple(teams), tuple(exchange))


def some(random_: random.Random, items: list[str]) -> list[str]:
    return [item for item in items if random_.random() < 0.5]


def random_teams(
    random_: random.Random, apps: list[str], users: list[str], groups: list[str], names: list[str]
) -> TeamsWorld:
    policies = {
        name: (frozenset(some(random_, apps)), random_.choice(["", "old"]))
        for name in some(random_, names)
    }
    present = list(policies)
    holders = {user: random_.choice(present) for user in some(random_, users)} if present else {}
    order = random_.sample(groups, len(groups))
    assigned = (
        [(group, random_.choice(present)) for group in order if random_.random() < 0.6]
        if present
        else []
    )
    return TeamsWorld(policies, frozenset(some(random_, apps)), assigned, holders)


def random_teams_documents(
    random_: random.Random, apps: list[str], users: list[str], groups: list[str], names: list[str]
) -> list[TeamsPolicyDocument]:
    """Declares some policies in some of their attributes; grants by list, by nobody, and at most
    one to the tenant.
    """
    declared = some(random_, names)
    order = random_.sample(groups, len(groups))
    free_users = random_.sample(users, len(users))
    tenant_wide = random_.choice([*declared, None, None])
    result = []
    rank = itertools.count(1)
    for name in declared:
        if name != tenant_wide and random_.random() < 0.2:
            result.append(teams_document(name, absent=True))
            continue
        mine = [group for group in list(order) if random_.random() < 0.4]
        order = [group for group in order if group not in mine]
        owners = [user for user in list(free_users) if random_.random() < 0.4]
        free_users = [user for user in free_users if user not in owners]
        result.append(
            teams_document(
                name,
                applications=tuple(some(random_, apps)) if random_.random() < 0.9 else None,
                description=random_.choice([None, "", "new"]),
                tenant=name == tenant_wide,
                groups=(
                    tuple(GroupGrant(group, next(rank), None, HERE) for group in mine)
                    if random_.random() < 0.8
                    else None
                ),
                users=(listing(owners),) if random_.random() < 0.8 else None,
            )
        )
    if tenant_wide is None and random_.random() < 0.4:
        result.append(teams_document("Global", applications=tuple(some(random_, apps))))
    return result


def random_exchange(random_: random.Random, apps: list[str], scopes: list[str]) -> ExchangeWorld:
    world = ExchangeWorld()
    for key in itertools.product(apps, scopes):
        right = random_.choice([None, AccessRight.RESTRICT, AccessRight.DENY])
        if right is not None:
            world.policies[key] = (right, random_.choice(["", "old"]))
    return world


def exchange_documents(
    world: ExchangeWorld, *, described: bool = False
) -> list[ExchangePolicyDocument]:
    """Documents that declare exactly a world's policies, an application without any left out (so
    not owned).
    """
    return [
        exchange_document([app], f"{scope}@contoso.com", right, description if described else None)
        for (app, scope), (right, description) in world.policies.items()
    ]
