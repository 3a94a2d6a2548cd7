"""What a plan says of its outcome is what holds after it; what documents decide alone, no tenant
decides otherwise.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from reconciler.access import declared, testing
from reconciler.captures import reading
from reconciler.documents import load_documents
from reconciler.model.plans import Invocation
from reconciler.planning import making, requests
from reconciler.tenants.protocol import Done
from reconciler.tenants.simulated import Simulator, bundled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.model.observed import Observed
    from reconciler.model.requests import CaptureRequest

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
STATE: dict[str, Any] = json.loads(bundled().read_text(encoding="utf-8"))
USERS = [row["upn"] for row in STATE["directory"]["users"]]
GROUPS = [row["id"] for row in STATE["directory"]["groups"]]
MAILBOXES = [
    row["primary"]
    for row in STATE["directory"]["recipients"]
    if row["type"] in {"UserMailbox", "SharedMailbox"}
]
SCOPES = [
    row["primary"]
    for row in STATE["directory"]["recipients"]
    if row["isValidSecurityPrincipal"] and not row["primary"].startswith("nobody")
]
APPS = sorted(
    {policy["AppId"].lower() for policy in STATE["exchange"]["policies"]}
    | {app.lower() for policy in STATE["teams"]["policies"] for app in policy["AppIds"]}
)
NAMES = ["Test-policy", "Webinars", "Fresh"]
WAYS = 24


def document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def some(chance: random.Random, of: list[str], most: int) -> list[str]:
    return chance.sample(of, chance.randint(0, most))


def documents(chance: random.Random) -> Iterator[dict[str, Any]]:
    """A random desired state for the bundled tenant, with a test of every third pair there is."""
    limits = {
        "policies": {"maxDeletes": 99, "maxDeletePercent": 100},
        "grants": {"maxRemovals": 99, "maxRemovalPercent": 100},
    }
    yield document(
        "Tenant",
        "contoso",
        {"tenantId": TENANT, "limits": limits, "exchange": {"guardScope": "nobody@contoso.com"}},
    )
    users, groups = some(chance, USERS, 8), some(chance, GROUPS, 3)
    for index, name in enumerate(NAMES):
        grants: dict[str, Any] = {
            "users": users[index::3],
            "groups": [{"group": one, "rank": groups.index(one) + 1} for one in groups[index::3]],
        }
        spec: dict[str, Any] = {"applications": some(chance, APPS, 3), "grants": grants}
        yield document(
            "TeamsApplicationAccessPolicy",
            name,
            {key: value for key, value in spec.items() if chance.random() < 0.8},
        )
    if chance.random() < 0.5:
        yield document(
            "TeamsApplicationAccessPolicy", "Global", {"applications": some(chance, APPS, 2)}
        )
    for scope in some(chance, SCOPES, 4):
        right = chance.choice(["RestrictAccess", "DenyAccess"])
        spec = {
            "applications": [*chance.sample(APPS, 2), *(["*"] if chance.random() < 0.3 else [])],
            "scope": scope,
            "accessRight": right,
        }
        yield document(
            "ExchangeApplicationAccessPolicy", scope, {**spec, "allowEveryApplication": True}
        )
    pairs = [
        (application, key, one)
        for application in APPS
        for key, several in (("mailbox", MAILBOXES), ("meetingsOf", USERS))
        for one in several
    ]
    expect = [
        {"application": app, key: one, "access": chance.choice(["granted", "denied"])}
        for app, key, one in chance.sample(pairs, len(pairs) // 3)
    ]
    yield document("AccessTest", "all", {"expect": expect})


def observe(tenant: Simulator, request: CaptureRequest) -> Observed:
    return reading.parse_capture(
        tenant.capture(request), source="simulated", tenant_id=TENANT, needs=request.products
    )


def test_a_verdict_on_the_outcome_is_the_verdict_after_the_apply(tmp_path: Path) -> None:
    judged = changed = declared_ones = 0
    for seed in range(WAYS):
        chance = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "all.yaml").write_text(
            "---\n".join(json.dumps(one) + "\n" for one in documents(chance)), encoding="utf-8"
        )
        wanted, tenant = (
            load_documents([folder]),
            Simulator(folder / "tenant.json", seed_from=bundled()),
        )
        before = observe(tenant, requests.capture_request(wanted))
        plan = making.make_plan(wanted, before, making.PlanOptions())
        assert not plan.unresolved
        if {note.code for note in plan.refusals} - {
            "tenant-wide",
            "displaced",
            "exposure",
            "empty-scope",
            "undeclared",
            "deny",
        }:
            continue
        for step in plan.steps:
            assert tenant.run(Invocation(step.cmdlet, step.parameters), step.text) == Done()
        expected = testing.of_rows(plan.tests)
        after = [
            one.row()
            for one in testing.judge_observed(
                expected, observe(tenant, testing.request_for_expectations(expected))
            )
        ]
        differing = [(one, row) for one, row in zip(after, plan.tests, strict=True) if one != row]
        assert not differing, f"seed {seed}: {differing[0]}"
        judged += len(after)
        changed += sum(
            one.verdict != row.verdict
            for one, row in zip(testing.judge_observed(expected, before), after, strict=True)
        )
        declared_ones += _agreeing(
            declared.judge_declared(wanted),
            testing.judge_observed(
                testing.expectations_of(wanted.tests),
                observe(tenant, requests.capture_request(wanted)),
            ),
        )
    print(
        f"{judged} verdicts on outcomes held after the apply, {changed} of them changed by it,"
        f" {declared_ones} decided by documents alone"
    )
    assert (judged > 1200, changed > 200, declared_ones > 80) == (True, True, True), (
        judged,
        changed,
        declared_ones,
    )


def _agreeing(alone: tuple[testing.Result, ...], after: tuple[testing.Result, ...]) -> int:
    """How many the documents decide; each of them as the tenant does."""
    found = {one.expected: one.verdict for one in after}
    decided = [one for one in alone if one.verdict != testing.DEPENDS]
    assert [one.verdict for one in decided] == [found[one.expected] for one in decided]
    return len(decided)


def test_shuffled_documents_make_the_same_rows(tmp_path: Path) -> None:
    rows = []
    for turn in range(3):
        chance = random.Random(7)
        several = list(documents(chance))
        random.Random(turn).shuffle(several)
        random.Random(turn).shuffle(
            next(one for one in several if one["kind"] == "AccessTest")["spec"]["expect"]
        )
        folder = tmp_path / str(turn)
        folder.mkdir()
        for index, one in enumerate(several):
            (folder / f"{index}.yaml").write_text(json.dumps(one), encoding="utf-8")
        wanted = load_documents([folder])
        observed = observe(
            Simulator(folder / "tenant.json", seed_from=bundled()), requests.capture_request(wanted)
        )
        rows.append(making.make_plan(wanted, observed, making.PlanOptions()).tests)
    assert rows[0] == rows[1] == rows[2]
    assert len(rows[0]) > 50
