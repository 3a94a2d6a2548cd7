"""The simulator against a second, tiny model of both services, written from the facts alone: sets
and lists, no rows, no files.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler import canonical
from reconciler.captures import reading
from reconciler.tenants.protocol import Done
from reconciler.tenants.simulated import Simulator
from tests.strategies.tenants import (
    BOTH,
    EVERYTHING,
    SCOPES,
    TENANT,
    USERS,
    send,
    sid,
    tenants,
    writes,
)


class Refused(Exception):
    """The service says no."""


class Model:
    """Policies to (description, list), users to a policy, (group, policy) by rank, Exchange (app,
    scope) to right and description.
    """

    def __init__(self, state):
        teams = state["teams"]
        self.policies = {
            row["Identity"].removeprefix("Tag:").lower(): (row["Description"], list(row["AppIds"]))
            for row in teams["policies"]
        }
        self.users = {
            row["Identity"]: row["ApplicationAccessPolicy"]["Name"].lower()
            for row in teams["users"]
        }
        self.groups = [
            (row["GroupId"], row["PolicyName"].lower()) for row in teams["groupAssignments"]
        ]
        self.exchange = {
            (row["AppId"], row["ScopeIdentityRaw"].split(";")[1]): [
                row["AccessRight"],
                row["Description"].strip(),
            ]
            for row in state["exchange"]["policies"]
        }

    def write(self, call):
        """Whether the service accepts; if so, it was done."""
        try:
            getattr(self, call.cmdlet.replace("-", "_"))(**call.parameters)
        except Refused:
            return False
        return True

    # the cmdlet's words
    def New_CsApplicationAccessPolicy(self, Identity, AppIds=(), Description=""):
        if Identity.lower() in self.policies:
            raise Refused
        self.policies[Identity.lower()] = (Description, list(AppIds))

    # N803
    def Set_CsApplicationAccessPolicy(self, Identity, AppIds=None, Description=None):
        if Identity.lower() not in self.policies:
            raise Refused
        text, apps = self.policies[Identity.lower()]
        for app in (AppIds or {}).get("Remove", ()):
            folded = [one.lower() for one in apps]
            if app.lower() in folded:
                del apps[folded.index(app.lower())]
        apps += (AppIds or {}).get("Add", ())
        self.policies[Identity.lower()] = (text if Description is None else Description, apps)

    def Grant_CsApplicationAccessPolicy(
        self, PolicyName, Identity=None, Group=None, Rank=None, Global=False
    ):
        name = PolicyName and PolicyName.lower()
        if (name and name not in self.policies) or (name == "global" and not Global):
            raise Refused
        if Global:
            text, apps = self.policies[name] if name else ("", [])
            self.policies["global"] = (text, list(apps))
        elif Group:
            self.groups = [held for held in self.groups if held[0] != Group]
            if name:
                self.groups.insert(min(Rank, len(self.groups) + 1) - 1, (Group, name))
        else:
            user = {f"user{number}@contoso.com": user for number, user in enumerate(USERS)}.get(
                Identity, Identity.lower()
            )
            if user not in USERS:
                raise Refused
            self.users.pop(user, None)
            if name:
                self.users[user] = name

    def Remove_CsApplicationAccessPolicy(self, Identity):
        name = Identity.lower()
        if (
            name not in self.policies
            or name in self.users.values()
            or name in dict(self.groups).values()
        ):
            raise Refused
        if name == "global":
            self.policies[name] = ("", [])
        else:
            del self.policies[name]

    def New_ApplicationAccessPolicy(
        self, AppId, PolicyScopeGroupId, AccessRight, Confirm, Description=None
    ):
        addresses = {
            f"scope{number}{old}@contoso.com": scope
            for number, scope in enumerate(SCOPES)
            for old in ("", ".old")
        }
        scope = addresses.get(PolicyScopeGroupId.lower(), PolicyScopeGroupId)
        if scope not in SCOPES or (AppId[0], scope) in self.exchange:
            raise Refused
        self.exchange[AppId[0], scope] = [AccessRight, (Description or "").strip()]

    def Set_ApplicationAccessPolicy(self, Identity, Description, Confirm):
        if self._key(Identity) not in self.exchange:
            raise Refused
        self.exchange[self._key(Identity)][1] = Description

    def Remove_ApplicationAccessPolicy(self, Identity, Confirm):
        if self.exchange.pop(self._key(Identity), None) is None:
            raise Refused

    @staticmethod
    def _key(identity):
        found = identity.removeprefix(f"{TENANT}\\")
        return next(
            (found.split(":")[0], scope)
            for number, scope in enumerate(SCOPES)
            if found.endswith(f":{sid(number)};{scope}")
        )


def shown(tenant):
    """The simulator's state in the model's terms, by way of the parser."""
    observed = reading.parse_capture(
        tenant.capture(EVERYTHING), source="simulated", tenant_id=TENANT, needs=BOTH
    )
    policies = {
        key: (policy.description, sorted(policy.applications))
        for key, policy in observed.states["teams"].policies.items()
    }
    exchange = {
        key: [policy.right.value, policy.description]
        for key, policy in observed.states["exchange"].policies.items()
    }
    return (
        policies,
        dict(observed.states["teams"].users),
        [tuple(held) for held in observed.states["teams"].groups],
        exchange,
    )


def told(model):
    policies = {
        key: (text.strip(), sorted({app.lower() for app in apps}))
        for key, (text, apps) in model.policies.items()
    }
    return policies, model.users, model.groups, model.exchange


@given(tenants(), st.lists(writes, max_size=15))
def test_both_models_accept_the_same_and_end_the_same(tmp_path_factory, state, script):
    path = tmp_path_factory.mktemp("tenant") / "tenant.json"
    path.write_bytes(canonical.dumps(state))
    tenant, model = Simulator(path), Model(state)
    for call in script:
        assert (send(tenant, call) == Done()) is model.write(call), call
        assert shown(tenant) == told(model), call
