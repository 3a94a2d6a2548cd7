"""Small tenants and document sets that plans lead between, a clock nobody waits for, and a door to
a tenant that loses and delays.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from reconciler.applying.applying import ApplyPatience
from reconciler.captures import reading
from reconciler.errors import TenantFault
from reconciler.model.documents import (
    AccessRight,
    Documents,
    ExchangePolicyDocument,
    GroupGrant,
    Limits,
    Listing,
    Located,
    TeamsPolicyDocument,
    TenantDocument,
)
from reconciler.model.findings import Position
from reconciler.model.requests import CaptureRequest
from reconciler.planning import planfile
from reconciler.tenants.protocol import Failed, Fault, Lost
from reconciler.tenants.simulated import Simulator
from tests.applying.locked import TENANT, apply
from tests.planning.consents import plan_with_deletions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from reconciler.applying.deciding import KeepGoing
    from reconciler.applying.events import Event
    from reconciler.canonical import Json
    from reconciler.model.applied import Applied
    from reconciler.model.plans import Invocation, Plan
    from reconciler.planning.planfile import SealedPlan
    from reconciler.tenants.protocol import Outcome, Tenant

EVERYTHING = CaptureRequest(frozenset({"teams", "exchange"}), everything=True)
NOON = 1_790_000_000.0


def guid(family: int, number: int) -> str:
    return f"{family:08x}-0000-4000-8000-{number:012x}"


def application(number: int) -> str:
    return guid(0xA, number)


def user(number: int) -> str:
    return guid(0xB, number)


def group(number: int) -> str:
    return guid(0xC, number)


def scope(number: int) -> str:
    return guid(0xD, number)


def address(number: int) -> str:
    return f"scope{number}@contoso.com"


def policy(number: int) -> str:
    return f"Policy-{number}"


@dataclass(frozen=True)
class World:
    """Desired or observed state in numbers: Teams policies to applications, users and ranked groups
    to policies, Exchange rights.
    """

    policies: Mapping[int, frozenset[int]] = field(default_factory=dict)
    users: Mapping[int, int] = field(default_factory=dict)
    groups: tuple[tuple[int, int], ...] = ()
    exchange: Mapping[tuple[int, int], str] = field(default_factory=dict)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    policies = draw(
        st.dictionaries(st.integers(1, 3), st.frozensets(st.integers(1, 3), min_size=1))
    )
    names = sorted(policies)
    users = draw(st.dictionaries(st.integers(1, 4), st.sampled_from(names))) if names else {}
    ranked = draw(st.permutations(range(1, 4))) if names else ()
    groups = tuple(
        (number, draw(st.sampled_from(names))) for number in ranked[: draw(st.integers(0, 3))]
    )
    rights = st.sampled_from(["RestrictAccess", "DenyAccess"])
    return World(
        policies,
        users,
        groups,
        draw(st.dictionaries(st.tuples(st.integers(1, 2), st.integers(1, 3)), rights, max_size=4)),
    )


def state(world: World) -> dict[str, Any]:
    """What a simulated tenant's file holds."""
    return {
        "format_version": "1.0",
        "tenant": {"tenantId": TENANT, "organization": "contoso.onmicrosoft.com"},
        "clock": "2026-11-02T06:30:00Z",
        "teams": _teams(world),
        "exchange": {
            "policies": [_exchange(*key, right) for key, right in sorted(world.exchange.items())]
        },
        "directory": _directory(),
    }


def _teams(world: World) -> dict[str, Any]:
    return {
        "policies": [
            {"Identity": "Global", "AppIds": [], "Description": None},
            *(
                {
                    "Identity": f"Tag:{policy(number)}",
                    "AppIds": [application(one) for one in sorted(applications)],
                    "Description": "",
                }
                for number, applications in sorted(world.policies.items())
            ),
        ],
        "groupAssignments": [
            {
                "GroupId": group(number),
                "PolicyType": "ApplicationAccessPolicy",
                "PolicyName": policy(held),
                "Priority": rank,
            }
            for rank, (number, held) in enumerate(world.groups, 1)
        ],
        "users": [
            {
                "Identity": user(number),
                "UserPrincipalName": f"user{number}@contoso.com",
                "ApplicationAccessPolicy": {"Authority": "Tenant", "Name": policy(held)},
            }
            for number, held in sorted(world.users.items())
        ],
    }


def _exchange(number: int, held: int, right: str) -> dict[str, Any]:
    raw = f"{_sid(held)};{scope(held)}"
    return {
        "Identity": f"{TENANT}\\{application(number)}:{raw}",
        "AppId": application(number),
        "AccessRight": right,
        "ScopeName": f"Scope {held}",
        "ScopeIdentity": f"Scope {held}20240502101112",
        "ScopeIdentityRaw": raw,
        "Description": " ",
        "IsValid": True,
        "ObjectState": "Unchanged",
        "ShardType": "All",
    }


def _sid(number: int) -> str:
    return f"S-1-5-21-724521725-2336880675-2689004279-{1000 + number}"


def _directory() -> dict[str, Any]:
    return {
        "users": [
            {
                "id": user(number),
                "upn": f"user{number}@contoso.com",
                "displayName": f"User {number}",
            }
            for number in range(1, 6)
        ],
        "groups": [
            {"id": group(number), "displayName": f"Group {number}"} for number in range(1, 5)
        ],
        "recipients": [
            {
                "id": scope(number),
                "sid": _sid(number),
                "primary": address(number),
                "addresses": [address(number)],
                "displayName": f"Scope {number}",
                "type": "MailUniversalSecurityGroup",
                "isValidSecurityPrincipal": True,
                "members": [user(1)],
            }
            for number in range(1, 5)
        ],
    }


def documents(world: World, *, absent: Iterable[int] = ()) -> Documents:
    """Documents that declare a world wholly; `absent` policies are stated as deleted.

    Limits never refuse.
    """
    return Documents(
        tenant=TenantDocument(
            name="contoso",
            tenant_id=TENANT,
            organization="contoso.onmicrosoft.com",
            prune=(),
            consents=(),
            limits=Limits(1000, 100, 1000, 100, 1000),
            guard_scope=None,
            connect={},
            position=_HERE,
        ),
        applications=(),
        teams=tuple(
            sorted(
                (
                    *(_teams_document(world, number) for number in world.policies),
                    *(_absent(number) for number in absent),
                ),
                key=lambda document: document.name,
            )
        ),
        exchange=tuple(
            _exchange_document(*key, right) for key, right in sorted(world.exchange.items())
        ),
    )


_HERE = Position("policies/all.yaml", 1, 1)


def _teams_document(world: World, number: int) -> TeamsPolicyDocument:
    listed = tuple(user(one) for one, held in sorted(world.users.items()) if held == number)
    return TeamsPolicyDocument(
        name=policy(number),
        absent=False,
        description=None,
        applications=tuple(application(one) for one in sorted(world.policies[number])),
        tenant=False,
        groups=tuple(
            GroupGrant(group(one), rank, None, _HERE)
            for rank, (one, held) in enumerate(world.groups, 1)
            if held == number
        ),
        users=(
            Listing(
                listed,
                _HERE.file,
                array("l", range(1, len(listed) + 1)),
                array("l", [1] * len(listed)),
                "$.spec.grants.users",
            ),
        ),
        position=_HERE,
    )


def _absent(number: int) -> TeamsPolicyDocument:
    return TeamsPolicyDocument(
        name=policy(number),
        absent=True,
        description=None,
        applications=None,
        tenant=False,
        groups=None,
        users=None,
        position=_HERE,
    )


def _exchange_document(number: int, held: int, right: str) -> ExchangePolicyDocument:
    return ExchangePolicyDocument(
        name=f"{number}-{held}",
        absent=False,
        applications=(application(number),),
        scope=Located(address(held), _HERE, "$.spec.scope"),
        right=AccessRight(right),
        description=None,
        position=_HERE,
    )


def simulator(directory: Path, world: World) -> Simulator:
    path = directory / "tenant.json"
    path.write_text(json.dumps(state(world)), encoding="utf-8")
    return Simulator(path)


def planned(tenant: Tenant, wanted: Documents) -> Plan:
    observed = reading.parse_capture(
        tenant.capture(EVERYTHING), source="simulated", tenant_id=TENANT, needs=EVERYTHING.products
    )
    return plan_with_deletions(wanted, observed)


def loaded(directory: Path, plan: Plan) -> SealedPlan:
    """The plan as it comes back from its file: what an apply sees."""
    path = directory / "plan.json"
    planfile.sealed(plan, path)
    return planfile.load_plan(path)


@dataclass
class Clock:
    """Time passes only when somebody waits or writes."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def lost_before(_write: Callable[[], Outcome]) -> Outcome:
    return Lost("the connection broke")


def lost_after(write: Callable[[], Outcome]) -> Outcome:
    write()
    return Lost("the connection broke")


def refused(fault: Fault) -> Callable[[Callable[[], Outcome]], Outcome]:
    return lambda _write: Failed(fault, f"the service says {fault}")


def refused_after(fault: Fault) -> Callable[[Callable[[], Outcome]], Outcome]:
    """A failure is reported, the write is committed all the same."""

    def answer(write: Callable[[], Outcome]) -> Outcome:
        write()
        return Failed(fault, f"the service says {fault}")

    return answer


def served(write: Callable[[], Outcome]) -> Outcome:
    return write()


@dataclass
class Door:
    """A tenant behind an unreliable line: answers are scripted by the number of the call, readings
    show the past.

    `answers` maps the number of a write (from 1) to what happens to it; the others are served.
    `refusing` has texts that are refused whenever they come. `lag` is how many seconds a write
    stays invisible. `between` runs after the write of that
    number: what somebody else does meanwhile.
    """

    inner: Simulator
    clock: Clock
    answers: dict[int, Callable[[Callable[[], Outcome]], Outcome]] = field(default_factory=dict)
    lag: float = 0
    between: dict[int, Callable[[], object]] = field(default_factory=dict)
    refusing: Mapping[str, Fault] = field(default_factory=dict)
    blind_after: int | None = None
    sent: list[str] = field(default_factory=list)
    requests: list[CaptureRequest] = field(default_factory=list)
    _seen: list[tuple[float, Mapping[str, Json]]] = field(default_factory=list)

    @property
    def source(self) -> str:
        return self.inner.source

    @property
    def tenant_id(self) -> str:
        return self.inner.tenant_id

    def capture(self, request: CaptureRequest) -> Mapping[str, Json]:
        self.requests.append(request)
        if self.blind_after is not None and len(self.sent) >= self.blind_after:
            raise TenantFault("the service does not answer")
        if request.products and self.lag:
            hidden = [raw for at, raw in self._seen if at > self.clock.now - self.lag]
            if hidden:
                return hidden[0]
        return self.inner.capture(request)

    def run(self, invocation: Invocation, text: str) -> Outcome:
        if self.lag:
            # What stood before this write is what readings show until the write is `lag` seconds
            # old.
            self._seen.append((self.clock.now, self.inner.capture(EVERYTHING)))
        self.sent.append(text)
        self.clock.now += 1
        number = len(self.sent)
        answer = self.answers.get(number, served)
        if text in self.refusing:
            answer = refused(self.refusing[text])
        outcome = answer(lambda: self.inner.run(invocation, text))
        self.between.get(number, lambda: None)()
        return outcome


def ran(
    plan: SealedPlan,
    tenant: Tenant,
    directory: Path,
    clock: Clock,
    *,
    stop: Callable[[], bool] = lambda: False,
    told: list[Event] | None = None,
    keep_going: KeepGoing | None = None,
) -> Applied:
    tell = (told if told is not None else []).append
    return apply(
        plan,
        tenant,
        state_dir=directory / ".reconciler",
        tell=tell,
        clock=clock,
        sleep=clock.sleep,
        stop=stop,
        patience=ApplyPatience(),
        keep_going=keep_going,
    )


def stop_after(door: Door, writes: int) -> Callable[[], bool]:
    return lambda: len(door.sent) >= writes


def journal_lines(directory: Path) -> list[Sequence[dict[str, Any]]]:
    paths = sorted((directory / ".reconciler" / TENANT).glob("apply-*.jsonl"))
    return [
        [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
        for path in paths
    ]
