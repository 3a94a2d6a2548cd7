"""Small tenants and the writes that may hit them: few names, so that writes meet what is there,
miss it, and contradict each other.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from reconciler.model.plans import Invocation
from reconciler.powershell.rendering import render
from reconciler.tenants.protocol import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.tenants.protocol import Outcome
    from reconciler.tenants.simulated import Simulator

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
BOTH = frozenset({"teams", "exchange"})
EVERYTHING = CaptureRequest(BOTH, everything=True)


def guid(kind: str, number: int) -> str:
    """A readable id: `kind` is one hexadecimal digit."""
    return f"{kind * 8}-0000-4000-8000-{number:012x}"


APPS = [guid("a", number) for number in range(3)]
USERS = [guid("b", number) for number in range(3)]
GROUPS = [guid("c", number) for number in range(4)]
SCOPES = [guid("d", number) for number in range(3)]
SHARED = guid("e", 0)
STRANGER = guid("f", 0)
POLICIES = ["Alpha", "Beta", "Gamma"]


def sid(number: int) -> str:
    return f"S-1-5-21-1-2-3-{1000 + number}"


def empty() -> dict[str, Any]:
    """A tenant with people and without a policy."""
    return {
        "format_version": "1.0",
        "tenant": {"tenantId": TENANT, "organization": "contoso.onmicrosoft.com"},
        "clock": "2026-11-02T09:00:00Z",
        "teams": {
            "policies": [{"Identity": "Global", "AppIds": [], "Description": ""}],
            "groupAssignments": [],
            "users": [],
        },
        "exchange": {"policies": []},
        "directory": {
            "users": [
                {"id": user, "upn": f"user{number}@contoso.com", "displayName": f"User {number}"}
                for number, user in enumerate(USERS)
            ],
            "groups": [
                {"id": group, "displayName": f"Group {number}", "members": USERS[:number]}
                for number, group in enumerate(GROUPS)
            ],
            "recipients": [
                *(
                    recipient(scope, f"scope{number}", "MailUniversalSecurityGroup", number)
                    for number, scope in enumerate(SCOPES)
                ),
                {
                    **recipient(SHARED, "shared", "SharedMailbox", 9),
                    "isValidSecurityPrincipal": False,
                },
            ],
        },
    }


def recipient(one: str, name: str, kind: str, number: int) -> dict[str, Any]:
    return {
        "id": one,
        "sid": sid(number),
        "primary": f"{name}@contoso.com",
        "addresses": [f"SMTP:{name}@contoso.com", f"smtp:{name}.old@contoso.com"],
        "displayName": name.title(),
        "type": kind,
        "isValidSecurityPrincipal": True,
        "members": [],
    }


def teams_policy(name: str, apps: list[str], description: str = "") -> dict[str, Any]:
    return {"Identity": f"Tag:{name}", "AppIds": apps, "Description": description}


def assignment(group: str, policy: str, rank: int) -> dict[str, Any]:
    return {
        "GroupId": group,
        "PolicyType": "ApplicationAccessPolicy",
        "PolicyName": policy,
        "Priority": rank,
    }


def grant(user: str, policy: str) -> dict[str, Any]:
    return {
        "Identity": user,
        "UserPrincipalName": "x@contoso.com",
        "ApplicationAccessPolicy": {"Authority": "Tenant", "Name": policy},
    }


def exchange_policy(app: str, scope: str, right: str, description: str = " ") -> dict[str, Any]:
    raw = f"{sid(SCOPES.index(scope) if scope in SCOPES else 9)};{scope}"
    return {
        "Identity": f"{TENANT}\\{app}:{raw}",
        "AppId": app,
        "AccessRight": right,
        "ScopeName": "a scope",
        "ScopeIdentity": "a scope20240502101112",
        "ScopeIdentityRaw": raw,
        "Description": description,
        "IsValid": True,
        "ShardType": "All",
    }


rights = st.sampled_from(["RestrictAccess", "DenyAccess"])


@st.composite
def tenants(draw: st.DrawFn) -> dict[str, Any]:
    """A tenant's file."""
    state = empty()
    held = draw(st.lists(st.sampled_from(POLICIES), unique=True, min_size=1))
    teams = state["teams"]
    teams["policies"] += [
        teams_policy(
            name,
            draw(st.lists(st.sampled_from(APPS), unique=True)),
            draw(st.sampled_from(["", "text"])),
        )
        for name in held
    ]
    ranked = draw(st.lists(st.sampled_from(GROUPS), unique=True))
    teams["groupAssignments"] = [
        assignment(group, draw(st.sampled_from(held)), rank) for rank, group in enumerate(ranked, 1)
    ]
    granted = draw(st.lists(st.sampled_from(USERS), unique=True))
    teams["users"] = [grant(user, draw(st.sampled_from(held))) for user in granted]
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from([*APPS, "*"]), st.sampled_from(SCOPES)),
            unique=True,
            max_size=4,
        )
    )
    state["exchange"]["policies"] = [
        exchange_policy(app, scope, draw(rights)) for app, scope in keys
    ]
    return state


def _call(cmdlet: str, **parameters: Any) -> st.SearchStrategy[Invocation]:
    optional = {
        name: parameters.pop(name)
        for name in ("Description", "AppIds")
        if name in parameters and cmdlet.startswith("New-")
    }
    return st.fixed_dictionaries(parameters, optional=optional).map(
        lambda values: Invocation(cmdlet, values)
    )


_names = st.sampled_from([*POLICIES, "alpha", "Nowhere", "Global"])
_users = st.sampled_from([*USERS, USERS[0].upper(), "user1@contoso.com", STRANGER])
_lists = st.lists(st.sampled_from([*APPS, APPS[0].upper()]), min_size=1, max_size=2)
_edits = st.one_of(
    _lists.map(lambda apps: {"Add": apps}), _lists.map(lambda apps: {"Remove": apps})
)
_identities = st.builds(
    lambda app, number: f"{TENANT}\\{app}:{sid(number)};{SCOPES[number]}",
    st.sampled_from([*APPS, "*"]),
    st.integers(0, len(SCOPES) - 1),
)
_quiet = st.just(False)

writes = st.one_of(
    _call(
        "New-CsApplicationAccessPolicy", Identity=_names, AppIds=_lists, Description=st.just("text")
    ),
    _call("Set-CsApplicationAccessPolicy", Identity=_names, AppIds=_edits),
    _call(
        "Set-CsApplicationAccessPolicy", Identity=_names, Description=st.sampled_from(["", "other"])
    ),
    _call(
        "Grant-CsApplicationAccessPolicy", Identity=_users, PolicyName=st.one_of(st.none(), _names)
    ),
    _call(
        "Grant-CsApplicationAccessPolicy",
        Group=st.sampled_from(GROUPS),
        PolicyName=_names,
        Rank=st.integers(1, 5),
    ),
    _call("Grant-CsApplicationAccessPolicy", Group=st.sampled_from(GROUPS), PolicyName=st.none()),
    _call(
        "Grant-CsApplicationAccessPolicy",
        Global=st.just(True),
        PolicyName=st.one_of(st.none(), _names),
    ),
    _call("Remove-CsApplicationAccessPolicy", Identity=_names),
    _call(
        "New-ApplicationAccessPolicy",
        AppId=st.sampled_from([*APPS, "*"]).map(lambda app: [app]),
        PolicyScopeGroupId=st.sampled_from(
            [*SCOPES, "scope1@contoso.com", "SCOPE2.OLD@contoso.com", SHARED, "nobody@contoso.com"]
        ),
        AccessRight=rights,
        Description=st.just(" "),
        Confirm=_quiet,
    ),
    _call(
        "Set-ApplicationAccessPolicy",
        Identity=_identities,
        Description=st.just("other"),
        Confirm=_quiet,
    ),
    _call("Remove-ApplicationAccessPolicy", Identity=_identities, Confirm=_quiet),
)
"""Every cmdlet that writes, on names that exist, names that do not, and names in another case."""


def run(tenant: Simulator, cmdlet: str, **parameters: Any) -> Outcome:
    """Run one invocation, rendered as the product renders it."""
    return send(tenant, Invocation(cmdlet, parameters))


def send(tenant: Simulator, invocation: Invocation) -> Outcome:
    return tenant.run(invocation, render(invocation))


def seen(tenant: Simulator) -> Mapping[str, Any]:
    """Everything that a capture shows, as a value of its own."""
    return copy.deepcopy(dict(tenant.capture(EVERYTHING)))
