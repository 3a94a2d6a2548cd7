"""Transitions and what a slow, plain judge says of them: every user, every combination of groups or
scopes, after every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import convert
from msgspec.structs import replace

from reconciler.model.addresses import exchange_policy
from reconciler.model.baselines import Baseline
from reconciler.model.documents import AccessRight
from reconciler.model.plans import Plan, PlanTenant, Step
from tests.planning.enumerated_access import NAMES, SCOPES, TENANT, USERS, observed, tenant
from tests.strategies.plans import empty_plan

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from reconciler.model.documents import TenantDocument
    from reconciler.model.observed import Observed
    from tests.planning.enumerated_access import ExchangeWorld, TeamsWorld

    Call = tuple[str, dict]

RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY
GUARD = SCOPES[3]
STRANGER = "00000009-0000-4000-8000-000000000000"
"""An Exchange application without policies of its own."""


def teams_call(verb: str, **given) -> Call:
    return f"{verb}-CsApplicationAccessPolicy", given


def exchange_call(verb: str, application: str, scope: str, right: str | None = None) -> Call:
    if verb == "New":
        return "New-ApplicationAccessPolicy", {
            "AppId": [application],
            "PolicyScopeGroupId": scope,
            "AccessRight": right,
            "Confirm": False,
        }
    return f"{verb}-ApplicationAccessPolicy", {
        "Identity": identity(application, scope),
        "Confirm": False,
    }


def identity(application: str, scope: str) -> str:
    return f"{TENANT}\\{application}:S-1-5-21-1-1-1-1;{scope}"


def steps(calls: Iterable[Call]) -> tuple[Step, ...]:
    return tuple(_step(number, *call) for number, call in enumerate(calls, 1))


def _step(number: int, cmdlet: str, given: dict) -> Step:
    teams = "-Cs" in cmdlet
    address = "teams.policy/any" if teams else "exchange.policy/any"
    if cmdlet == "New-ApplicationAccessPolicy":
        address = exchange_policy(given["AppId"][0], given["PolicyScopeGroupId"].split("@")[0])
    provider = "teams" if teams else "exchange"
    return Step(number, address, provider, cmdlet, given, "", "", temporary=False, gaps=())


def plan(
    baseline: dict | Baseline, some_steps: tuple[Step, ...], consents: tuple[str, ...] = ()
) -> Plan:
    """A plan of nothing but a baseline, as a plan file has it or as a value, and steps."""
    return empty_plan(
        tenant=PlanTenant(TENANT, "contoso.onmicrosoft.com"),
        baseline=convert(baseline, Baseline) if isinstance(baseline, dict) else baseline,
        steps=some_steps,
        consents=consents,
    )


def teams_baseline(world: TeamsWorld, calls: Iterable[Call]) -> dict:
    """What a plan of these steps has to carry."""
    touched = {
        given["Identity"]
        for cmdlet, given in calls
        if cmdlet.startswith("Grant") and "Identity" in given
    }
    policies = {
        name.lower(): (
            {
                "applications": sorted(world.apps(name)),
                "description": "",
                "identity": name,
            }
            if name in world.policies
            else None
        )
        for name in NAMES
    }
    policies["global"] = {
        "applications": sorted(world.everyone),
        "description": "",
        "identity": "Global",
    }
    staying = {name for user, name in world.users.items() if user not in touched}
    return {
        "groups": [{"group": group, "policy": name.lower()} for group, name in world.groups],
        "others": {name.lower(): name in staying for name in world.policies},
        "policies": policies,
        "users": {
            user: world.users[user].lower() if user in world.users else None
            for user in sorted(touched)
        },
    }


def exchange_baseline(world: ExchangeWorld, applications: Sequence[str]) -> dict:
    return {
        application: [
            {
                "accessRight": right.value,
                "description": text,
                "identity": identity(application, scope),
                "scope": scope,
                "sid": "S-1-5-21-1-1-1-1",
                "storedDescription": text,
            }
            for (owner, scope), (right, text) in sorted(world.policies.items())
            if owner == application
        ]
        for application in sorted({*applications, "*"})
    }


def along(world, calls: Iterable[Call]):
    """The world before the first step, and after each.

    Raises:
        StepFailed: the service refuses one.
    """
    result = [world.copy()]
    for cmdlet, given in calls:
        world = result[-1].copy()
        world.run(cmdlet, dict(given))
        result.append(world)
    return result


def first_teams_exposures(worlds: Sequence[TeamsWorld], groups: Sequence[str]) -> dict[str, int]:
    """Each application that is exposed on the way -> the first step after which it is."""
    reached = [world.access(USERS, list(groups)) for world in worlds]
    found: dict[str, int] = {}
    for number, now in enumerate(reached):
        for key, applications in now.items():
            for application in applications - reached[0][key] - reached[-1][key]:
                found.setdefault(application, number)
    return found


def first_exchange_exposures(
    worlds: Sequence[ExchangeWorld],
    applications: Sequence[str],
    scopes: Sequence[str],
    empty: frozenset[str] = frozenset(),
) -> dict[str, int]:
    """The same; `*` is an application without policies of its own.

    Nobody lies in an empty scope.
    """
    owned = [application for application in applications if application != "*"]
    filled = [scope for scope in scopes if scope not in empty]
    reached = [world.access([*owned, STRANGER], filled) for world in worlds]
    found: dict[str, int] = {}
    for number, now in enumerate(reached):
        for application, _ in now - reached[0] - reached[-1]:
            found.setdefault("*" if application == STRANGER else application, number)
    return found


def guarded(world: ExchangeWorld) -> tuple[Observed, TenantDocument]:
    """A reading in which the last scope is an empty group, and a Tenant document that lets guards
    stand on it.
    """
    seen = observed(None, world)
    recipients = {
        **seen.directory.recipients,
        GUARD: replace(seen.directory.recipients[GUARD], members=frozenset()),
    }
    guarding = replace(tenant(), guard_scope=f"{GUARD}@contoso.com")
    return replace(seen, directory=replace(seen.directory, recipients=recipients)), guarding


def random_teams_calls(chance: random.Random, before: TeamsWorld, after: TeamsWorld) -> list[Call]:
    """Steps that lead somewhere near `after`, in any order: nothing is safe or possible about it
    but by luck.
    """
    calls: list[Call] = []
    for name in NAMES:
        if name in after.policies and name not in before.policies:
            calls.append(teams_call("New", Identity=name, AppIds=sorted(after.apps(name))))
        elif name in before.policies and name not in after.policies:
            calls.append(teams_call("Remove", Identity=name))
        elif name in before.policies:
            calls += _edits(name, before.apps(name), after.apps(name))
    if chance.random() < 0.5 or not after.policies:
        calls += _edits("Global", before.everyone, after.everyone)
    else:
        calls.append(
            teams_call("Grant", Global=True, PolicyName=chance.choice(list(after.policies)))
        )
    for user in USERS:
        if before.users.get(user) != after.users.get(user):
            if chance.random() < 0.1:
                calls.append(teams_call("Grant", Identity=user, PolicyName=None))
            calls.append(teams_call("Grant", Identity=user, PolicyName=after.users.get(user)))
    standing = {group for group, _ in before.groups}
    for rank, (group, name) in enumerate(after.groups, 1):
        if (group, name) not in before.groups or chance.random() < 0.5:
            calls.append(teams_call("Grant", Group=group, PolicyName=name, Rank=rank))
    calls += [
        teams_call("Grant", Group=group, PolicyName=None)
        for group in sorted(standing - {group for group, _ in after.groups})
    ]
    chance.shuffle(calls)
    return calls


def _edits(name: str, old: frozenset[str], new: frozenset[str]) -> list[Call]:
    edits = [("Remove", sorted(old - new)), ("Add", sorted(new - old))]
    return [
        teams_call("Set", Identity=name, AppIds={verb: listed}) for verb, listed in edits if listed
    ]


def random_exchange_calls(
    chance: random.Random, before: ExchangeWorld, after: ExchangeWorld
) -> list[Call]:
    calls: list[Call] = []
    for key in sorted(before.policies.keys() | after.policies.keys()):
        old, new = before.policies.get(key), after.policies.get(key)
        if old is not None and (new is None or old[0] is not new[0]):
            calls.append(exchange_call("Remove", *key))
        if new is not None and (old is None or old[0] is not new[0]):
            calls.append(exchange_call("New", *key, new[0].value))
    chance.shuffle(calls)
    return calls
