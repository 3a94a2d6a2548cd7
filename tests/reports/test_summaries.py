"""The figures of the envelope are those of the plan's changes, counted again by hand, and those of
the closing lines.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from reconciler.model import figures
from reconciler.model.access_rows import AccessDelta
from reconciler.model.addresses import TEAMS_TENANT_GRANT, Address
from reconciler.model.applied import Applied
from reconciler.model.findings import Finding, Position, Severity
from reconciler.model.plans import Action, Change
from reconciler.reports import summaries
from tests.reports.golden_cases import CASES, Case, reviewed
from tests.reports.test_figures import CHANGES, _change, _step
from tests.strategies.plans import empty_plan, of_annotation

RENAMED = frozenset("yz")
REPLACED = st.lists(st.sampled_from(["w", "x", "y", "z"]), unique=True)


def _pair(name: str) -> tuple[Change, Change]:
    kind = "teams.policy/" if name in RENAMED else "exchange.policy/app@"
    old, new = (f"{kind}{end}-{name}" for end in ("old", "new"))
    return (
        replace(_change(old, (Action.DELETE,)), replaces=Address(new)),
        replace(_change(new, (Action.CREATE,)), replaces=Address(old)),
    )


@given(CHANGES, REPLACED)
def test_each_object_counts_once_and_the_closing_lines_count_both_ends(
    changes: tuple[Change, ...], replaced: list[str]
) -> None:
    every_change = (*changes, *(change for name in replaced for change in _pair(name)))
    plan = empty_plan(
        changes=every_change, summary=figures.plan_figures(every_change, (), ()).as_mapping()
    )
    told = summaries.plan_summary(plan)
    renamed = len(RENAMED.intersection(replaced))
    by_hand: Counter[str] = Counter(
        {"policies.replaced": len(replaced) - renamed, "policies.renamed": renamed}
    )
    words = {Action.CREATE: "added", Action.UPDATE: "changed", Action.DELETE: "removed"}
    for change in changes:
        if change.address == TEAMS_TENANT_GRANT:
            by_hand["policies.changed"] += 1
            continue
        noun = "grants" if change.address.startswith("teams.grant/") else "policies"
        word = "replaced" if len(change.actions) > 1 else words[change.actions[0]]
        if noun == "grants" and word in {"changed", "replaced"}:
            word = "moved"
        by_hand[f"{noun}.{word}"] += 1
    assert {
        name: number for name, number in told.items() if name.startswith(("policies", "grants"))
    } == {
        name: by_hand[name]
        for name in (
            *("grants.added", "grants.moved", "grants.removed"),
            *("policies.added", "policies.changed", "policies.removed"),
            *("policies.renamed", "policies.replaced"),
        )
    }
    both = told["policies.replaced"] + told["policies.renamed"]
    assert plan.summary["policies_create"] == told["policies.added"] + both
    assert plan.summary["policies_delete"] == told["policies.removed"] + both
    assert plan.summary["policies_update"] == told["policies.changed"]


@given(of_annotation(AccessDelta))
def test_applications_are_counted_by_what_they_gain_and_lose(access: AccessDelta) -> None:
    told = summaries.plan_summary(empty_plan(access=access))
    everyone = {row.application for row in access.tenant_wide}
    assert told["everyone"] == len(everyone)
    assert told["widens"] == len(everyone | {row.application for row in access.gained})
    assert told["narrows"] == len({row.application for row in access.lost})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_machine_is_told_what_a_person_is_told(case: Case) -> None:
    verdict = reviewed(case).verdict
    told = summaries.plan_summary(case.plan)
    products = verdict.products
    assert told["policies.added"] == sum(product.policies.added for product in products)
    assert told["policies.changed"] == sum(product.policies.changed for product in products)
    assert told["policies.removed"] == sum(product.policies.removed for product in products)
    assert told["policies.replaced"] == sum(product.policies.replaced for product in products)
    assert told["policies.renamed"] == sum(product.policies.renamed for product in products)
    assert told["grants.added"] == sum(product.grants.added for product in products)
    assert told["grants.moved"] == sum(product.grants.changed for product in products)
    assert told["grants.removed"] == sum(product.grants.removed for product in products)
    assert (told["steps"], told["unmanaged"]) == (
        verdict.figures.steps,
        verdict.figures.unmanaged,
    )
    assert (told["refusals"], told["unresolved"]) == (verdict.refused, verdict.unresolved)
    if verdict.access is not None:
        assert {name: told[name] for name in ("everyone", "widens", "narrows")} == (
            to_builtins(verdict.access)
        )
    tests = summaries.tests_summary(case.plan.tests)
    assert (tests["tests.passed"], tests["tests.total"]) == (verdict.tests_passed, verdict.tests)
    assert tests["tests.failed"] + tests["tests.undecided"] == verdict.tests_failed


def test_what_is_not_computed_is_not_nought() -> None:
    assert not {"everyone", "widens", "narrows"} & summaries.plan_summary(empty_plan()).keys()


@given(CHANGES, REPLACED)
def test_a_whole_apply_finished_what_the_plan_announced(
    changes: tuple[Change, ...], replaced: list[str]
) -> None:
    every_change = (*changes, *(change for name in replaced for change in _pair(name)))
    steps = tuple(_step(number, change.address) for number, change in enumerate(every_change, 1))
    plan = empty_plan(changes=every_change, steps=steps)
    done = tuple(step.id for step in steps)
    applied = Applied(done, 0, None, None, (), converged=True, moved=())
    announced = summaries.plan_summary(plan)
    told = summaries.applied_summary(plan, applied)
    assert told == {name: announced[name.removeprefix("applied.")] for name in told}
    assert len(told) == 9


def test_findings_are_counted_by_severity() -> None:
    at = Position("a.yaml", 1, 1)
    findings = [
        Finding(at, "$", "yaml.tab", "a tab", severity)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.ERROR)
    ]
    assert summaries.findings_summary(findings) == {"findings.errors": 2, "findings.warnings": 1}
