"""What an apply says on its way and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.applying.events import (
    PlanLocated,
    ReadingReason,
    ReadingTenant,
    Retrying,
    StepDone,
    StepFailed,
    StepStarted,
    WaitingForProcess,
    WaitingToReadAgain,
    WentOn,
)
from reconciler.model.applied import Applied, StepFailure
from reconciler.reports import progress
from reconciler.reports.lines import plain_text
from tests.reports import samples
from tests.reports.samples import change, step

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.plans import Plan


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    flip = change("exchange.policy/a@s", "delete", "create")
    changes = [
        flip,
        change("teams.policy/A", "create"),
        change("teams.policy/B", "update"),
        change("teams.grant/user:u", "create"),
    ]
    addresses = (
        "exchange.policy/a@s",
        "exchange.policy/a@s",
        "teams.policy/A",
        "teams.policy/B",
        "teams.grant/user:u",
    )
    return samples.plan(
        tmp_path,
        {
            "changes": changes,
            "steps": [step(number, address) for number, address in enumerate(addresses, 1)],
        },
    )


def _applied(**fields: object) -> Applied:
    rest: dict[str, object] = {
        "done": (),
        "already": 0,
        "failed": None,
        "unknown": None,
        "not_tried": (),
        "converged": False,
        "moved": (),
    }
    return Applied(**(rest | fields))  # type: ignore[arg-type]


def test_complete_and_converged(plan: Plan) -> None:
    told = plain_text(
        samples.applied_lines(plan, _applied(done=(1, 2, 3, 4, 5), converged=True), simulated=True)
    )
    assert told.startswith("SIMULATED TENANT")
    assert "Converged:" in told
    assert told.endswith(
        "\nApply complete! Policies: 2 added, 1 changed, 1 destroyed."
        " Grants: 1 added, 0 moved, 0 removed.\n"
    )


def test_a_policy_counts_in_the_apply_that_finishes_it(plan: Plan) -> None:
    told = plain_text(
        samples.applied_lines(
            plan, _applied(done=(2, 3), already=1, not_tried=(4, 5)), simulated=False
        )
    )
    assert told.endswith(
        "\nApply stopped: 3 of 5 steps done. Policies: 2 added, 0 changed, 1 destroyed."
        " Grants: 0 added, 0 moved, 0 removed.\n"
    )
    resumed = plain_text(
        samples.applied_lines(
            plan, _applied(done=(4, 5), already=3, converged=True), simulated=False
        )
    )
    assert resumed.endswith(
        "\nApply complete! Policies: 0 added, 1 changed, 0 destroyed."
        " Grants: 1 added, 0 moved, 0 removed.\n"
    )
    assert (
        "Apply complete! Policies: 0 added, 0 changed, 0 destroyed."
        " Grants: 0 added, 0 moved, 0 removed."
    ) in plain_text(
        samples.applied_lines(plan, _applied(already=5, converged=True), simulated=False)
    )


@pytest.mark.parametrize(
    ("fields", "verified"),
    [
        ({"done": (1, 2, 3, 4, 5)}, True),
        ({"done": (1, 2, 3, 4, 5), "trouble": "the tenant could not be read"}, True),
        ({"already": 5, "moved": ("teams.policy/A",)}, True),
        ({"done": (1, 2, 3, 4, 5), "converged": True}, False),
        ({"done": (1, 2), "unknown": 3, "not_tried": (4, 5)}, True),
    ],
    ids=["not-converged", "not-read", "moved", "test-failed", "unknown"],
)
def test_only_what_is_complete_and_verified_is_called_so(
    plan: Plan, fields: dict[str, object], *, verified: bool
) -> None:
    told = plain_text(
        samples.applied_lines(plan, _applied(**fields), simulated=False, verified=verified)
    )
    assert "Apply complete!" not in told
    ending = told.splitlines()[-1]
    assert ending.startswith(("Applied, but not verified. Policies: ", "Apply stopped: 2 of 5 "))


def test_a_failure_shows_each_step_under_what_became_of_it(plan: Plan) -> None:
    failure = StepFailure(
        3,
        plan.steps[2].address,
        "denied",
        "no \x1b[2J\n::error::rights",
        "plan again with --skip teams.policy/A",
    )
    told = plain_text(
        samples.applied_lines(
            plan, _applied(done=(2,), already=1, failed=failure, not_tried=(4, 5)), simulated=False
        )
    )
    places = [
        told.index(part)
        for part in (
            "Done before this run: 1 step\n",
            "Done: 1 step\n",
            "Failed: 1 step\n",
            "Not tried: 2 steps\n",
        )
    ]
    assert places == sorted(places)
    assert [
        told.index(f"{number}  Set-It -Number:{number}  # ") for number in range(1, 6)
    ] == sorted(told.index(f"{number}  Set-It -Number:{number}  # ") for number in range(1, 6))
    assert (
        "      denied: no \\u{1B}[2J\\u{A}::error::rights\n      plan again with --skip"
        " teams.policy/A\n" in told
    )
    assert "Apply stopped: 2 of 5 steps done." in told
    assert "Converged" not in told


@pytest.mark.parametrize(
    ("fault", "said"),
    [("unknown", "not understood: Vorgang"), ("denied", "denied: Vorgang")],
)
def test_an_error_of_no_known_class_is_quoted_as_not_understood(
    plan: Plan, fault: str, said: str
) -> None:
    failure = StepFailure(3, plan.steps[2].address, fault, "Vorgang abgelehnt", "plan again")
    value = _applied(done=(1, 2), failed=failure, not_tried=(4, 5))
    told = plain_text(samples.applied_lines(plan, value, simulated=False))
    assert f"      {said} abgelehnt\n" in told
    line = progress.progress_line(StepFailed(plan.steps[2], fault, "Vorgang abgelehnt"), 5)
    assert line.text == f"[3/5] {said} abgelehnt"


def test_what_went_on_names_every_failed_step_and_what_it_left_out(plan: Plan) -> None:
    failures = tuple(
        StepFailure(
            number, plan.steps[number - 1].address, "denied", "no \x1b[2Jrights", "--skip it"
        )
        for number in (1, 3)
    )
    value = _applied(done=(4, 5), refused=failures, left_out=(2,))
    told = plain_text(samples.applied_lines(plan, value, simulated=False))
    places = [
        told.index(part)
        for part in (
            "Done: 2 steps\n",
            "Failed: 2 steps\n",
            "      exchange.policy/a@s",
            "      teams.policy/A",
            "Left out, because they depend on a failed step: 1 step\n",
            "This plan cannot be resumed.",
            "shows what was done",
            "\nApplied in part: 2 of 5 steps done. Policies: 0 added, 1 changed, 0 destroyed.",
        )
    ]
    assert places == sorted(places)
    assert told.count("      denied: no \\u{1B}[2Jrights\n") == 2
    assert "same plan" not in told
    stopped = _applied(done=(4,), refused=failures, left_out=(2,), not_tried=(5,), moved=("x",))
    told = plain_text(samples.applied_lines(plan, stopped, simulated=False))
    assert "Apply stopped: 1 of 5 steps done." in told
    assert "same plan" not in told


def test_an_unknown_outcome_is_no_failure(plan: Plan) -> None:
    told = plain_text(
        samples.applied_lines(
            plan,
            _applied(
                done=(1,), unknown=2, not_tried=(3, 4, 5), trouble="the tenant cannot be read"
            ),
            simulated=False,
        )
    )
    assert "Unknown: " in told
    assert "Failed" not in told
    assert "the tenant cannot be read" in told


def test_not_verified_names_what_differs(plan: Plan) -> None:
    told = plain_text(
        samples.applied_lines(
            plan, _applied(done=(1, 2, 3, 4, 5), moved=("teams.policy/A",)), simulated=False
        )
    )
    assert "Not verified:" in told
    assert "    teams.policy/A\n" in told


def test_long_lists_of_steps_are_cut(tmp_path: Path) -> None:
    plan = samples.plan(
        tmp_path, {"steps": [step(number, "teams.policy/A") for number in range(1, 31)]}
    )
    told = plain_text(
        samples.applied_lines(
            plan, _applied(done=tuple(range(1, 30)), not_tried=(30,)), simulated=False
        )
    )
    assert "    ... and 9 more\n" in told


def test_each_event_is_one_line(plan: Plan) -> None:
    one = plan.steps[0]
    told = [
        (
            ReadingTenant(frozenset({"teams", "exchange"}), ReadingReason.BASELINE),
            "Reading exchange and teams to check that nothing has changed since the plan.",
        ),
        (
            ReadingTenant(frozenset(), ReadingReason.LOOKUP),
            "Reading the directory to look up what the next step names.",
        ),
        (PlanLocated(0, 5), "Nothing has changed since the plan was made."),
        (PlanLocated(2, 5), "2 of 5 steps already done; continuing from there."),
        (StepStarted(one, 1), "[1/5] Set-CsApplicationAccessPolicy for exchange.policy/a@s"),
        (
            StepStarted(one, 2),
            "[1/5] Set-CsApplicationAccessPolicy for exchange.policy/a@s (attempt 2)",
        ),
        (StepDone(one, 1.26, seen=False), "[1/5] done after 1.3 s"),
        (
            StepDone(one, 1.0, seen=True),
            "[1/5] done after 1.0 s; no answer came, but the tenant shows it",
        ),
        (StepFailed(one, "denied", "x\n::error::"), "[1/5] denied: x\\u{A}::error::"),
        (WentOn(one, 0), "[1/5] Going on without this step."),
        (
            WentOn(one, 2),
            "[1/5] Going on without this step, and without 2 steps that depend on it.",
        ),
        (
            Retrying(one, "throttled", "too many.", 30.0),
            "[1/5] throttled: too many. Trying again in 30 s.",
        ),
        (
            WaitingToReadAgain(ReadingReason.OUTCOME, 10.0, 3),
            (
                "Not visible yet. Reading again in 10 s to see whether a step took effect, 3 times"
                " at most."
            ),
        ),
        (
            WaitingForProcess((7,), 1.0),
            "Process 7 of an earlier apply is still running and may be writing. Checking again in 1 s.",
        ),
    ]
    assert [progress.progress_line(event, 5).printed() for event, _ in told] == [
        line for _, line in told
    ]


def test_trouble_of_several_lines_is_told_line_by_line(plan: Plan) -> None:
    told = plain_text(
        samples.applied_lines(
            plan,
            _applied(
                done=(1,),
                not_tried=(2, 3, 4, 5),
                trouble="two faults:\nApply complete!\n::error::x",
            ),
            simulated=False,
        )
    )
    assert "\nError:\n    two faults:\n      Apply complete!\n      \\u{3A}:error::x\n" in told
