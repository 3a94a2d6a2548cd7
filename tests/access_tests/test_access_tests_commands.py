"""`test`, `validate`, `plan` and `apply`: where tests are run, what that means for the exit code,
and what is told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from reconciler import canonical
from reconciler.cli import testing as cli_testing
from reconciler.errors import Refused, TenantFault
from reconciler.planning import planfile
from reconciler.tenants.simulated import Simulator
from tests.access_tests.documents import BOT, CRM, SIM, only, write
from tests.applying.locked import apply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

HELD = "crm mailbox adele.vance@contoso.com granted"
WRONG = "crm mailbox isaiah.langer@contoso.com granted"
BOARD = "crm mailbox zoe.lindqvist@contoso.com granted"
SERVICE = "53c5584d-7e21-4eb4-bdb6-b8ff045cbe4a"
RECORDER = "b121101c-4e6a-4065-bdfd-5defe877976c"


def _plan(folder: Path) -> dict:
    return json.loads((folder / "plan.json").read_text(encoding="utf-8"))


def test_the_sample_passes_its_tests_once_it_is_applied(run: Run, folder: Path) -> None:
    before = run("test", *SIM)
    assert before.code == 3, "meeting-service has no policy yet"
    assert before.out.startswith("SIMULATED TENANT")
    assert "FAILED     meeting-service-acts-for-its-user-only: " in before.out
    planned = run("plan", *SIM, "--out", "plan.json")
    assert planned.code == 0
    assert "; access tests: 5 of 5 pass." in planned.out
    applied = run("apply", "plan.json", "--auto-approve", *SIM)
    assert applied.code == 0, applied.err
    assert "\nAccess tests on the tenant, read again: 5 passed.\n" in applied.out
    after = run("test", *SIM)
    assert (after.code, after.out.splitlines()[-1]) == (0, "5 passed.")
    assert run("test", "--tenant", "capture.json").code == 64
    run("fetch", *SIM, "--out", "capture.json")
    assert run("test", "--tenant", "capture.json").code == 0


def test_every_expectation_is_reported_with_its_way(run: Run, folder: Path) -> None:
    only(folder, HELD, BOARD)
    out = run("test", *SIM).out
    assert "    passed     mine: " in out
    assert "    FAILED     mine: " in out
    assert "mine: crm is not blocked from the mailbox Zo" in out.replace("\n      ", " ")
    assert "expected not blocked, found denied" in out
    assert (
        "      a RestrictAccess policy covers the mailbox: crm on crm-mailboxes@contoso.com" in out
    )
    assert "      a DenyAccess policy covers the mailbox: " in out
    assert out.endswith("\n1 passed, 1 failed.\n")


def test_a_plan_whose_outcome_fails_a_test_is_not_applicable(run: Run, folder: Path) -> None:
    write(folder, WRONG)
    ran = run("plan", *SIM, "--out", "plan.json")
    assert ran.code == 3
    assert "Access tests on the outcome: 5 passed, 1 failed.\n  FAILED     mine: " in ran.out
    assert "This plan is not applicable" in ran.out
    assert _plan(folder)["applicable"] is False
    assert [row["name"] for row in _plan(folder)["tests"] if not row["passed"]] == ["mine"]
    before = (folder / "tenant.json").read_bytes()
    for command in (
        ("apply", "plan.json", "--auto-approve", *SIM),
        ("apply", "--auto-approve", *SIM),
    ):
        refused = run(*command)
        assert refused.code == 3
        assert "fails an access test" in refused.err
    assert (folder / "tenant.json").read_bytes() == before
    assert run("plan", *SIM, "--detailed-exitcode").code == 3


def test_an_apply_without_the_command_line_refuses_too(run: Run, folder: Path) -> None:
    write(folder, WRONG)
    run("plan", *SIM, "--out", "plan.json")
    with pytest.raises(Refused, match="access test mine"):
        apply(
            planfile.load_plan(folder / "plan.json"),
            Simulator(folder / "tenant.json"),
            state_dir=folder,
            tell=lambda _: None,
        )


def test_a_refusal_outranks_a_failing_test(run: Run, folder: Path) -> None:
    write(folder, WRONG)
    tenant = folder / "policies" / "tenant.yaml"
    tenant.write_text(
        "\n".join(
            line
            for line in tenant.read_text().splitlines()
            if "tenant-wide" not in line and "consents" not in line
        )
    )
    assert run("plan", *SIM, "--out", "plan.json").code == 4
    assert run("apply", "plan.json", "--auto-approve", *SIM).code == 4


def test_what_depends_makes_a_plan_not_applicable(run: Run, folder: Path) -> None:
    only(
        folder,
        "crm mailbox board@contoso.com denied",
        "crm mailbox nobody-at-all@contoso.com denied",
        "crm meetingsOf nobody-at-all@contoso.com denied",
    )
    ran = run("plan", *SIM)
    assert ran.code == 3
    assert "0 passed, 3 undecided.\n" in ran.out
    assert "without a mailbox of its own" in ran.out
    assert ran.out.count("expected denied, found not decided") == 3
    assert "mailbox not found" in ran.out
    assert "user not found" in ran.out


def test_a_capture_that_never_looked_decides_nothing(run: Run, folder: Path) -> None:
    run("fetch", *SIM, "--out", "capture.json")
    only(
        folder,
        "crm meetingsOf joni.sherman@contoso.com denied",
        "crm mailbox marketing@contoso.com denied",
    )
    ran = run("test", "--tenant", "capture.json")
    assert ran.code == 3
    assert ran.out.count("fetch again with these documents") == 2
    assert run("plan", "--tenant", "capture.json").code == 3
    only(folder, "crm meetingsOf joni.sherman@contoso.com denied")
    run("fetch", *SIM, "--out", "capture.json")
    assert run("test", "--tenant", "capture.json").code == 0


def test_tests_alone_make_a_product_needed(run: Run, folder: Path) -> None:
    """Law 1: without Exchange documents, a test that names a mailbox still needs a complete reading
    of Exchange.
    """
    (folder / "policies" / "exchange").rename(folder / "aside")
    run("fetch", *SIM, "--out", "capture.json")
    write(folder, f"{CRM} mailbox zoe.lindqvist@contoso.com denied")
    for command in ("plan", "test"):
        ran = run(command, "--tenant", "capture.json")
        assert ran.code == 1
        assert "exchange" in ran.err
    assert run("plan", *SIM).code == 0


def test_documents_alone_decide_what_no_tenant_can_change(run: Run, folder: Path) -> None:
    only(folder, f"meeting-service meetingsOf {SERVICE} granted", HELD)
    ran = run("test", "--desired")
    assert ran.code == 3, "what depends never passes"
    assert ran.out.startswith("Access tests on the documents alone\n")
    assert ran.out.endswith("1 passed, 1 undecided.\n")
    assert run("validate").code == 0
    told = run("validate").out
    assert (
        "Access tests: 1 holds in any tenant, 1 cannot be decided by the documents alone: run"
        " `plan` or `test`.\n    mine: " in told
    )
    only(folder, f"meeting-service meetingsOf {SERVICE} granted")
    assert run("test", "--desired").code == 0
    assert run("validate").out.endswith("1 holds in any tenant, all decided.\n")


def test_validate_fails_for_a_test_that_the_documents_contradict(run: Run, folder: Path) -> None:
    write(folder, f"scheduling-bot meetingsOf {SERVICE} granted")
    ran = run("validate")
    assert ran.code == 3
    assert "policies/mine.yaml:7:" in ran.out
    assert "[access-test.failed]" in ran.out
    (finding,) = json.loads(run("validate", "--format", "json").out)["findings"]
    assert (finding["rule"], finding["subject"]) == ("access-test.failed", "AccessTest/mine")
    assert "access-test.failed: " in run("validate", "--rules").out


def test_validate_runs_no_test_on_faulty_documents(run: Run, folder: Path) -> None:
    write(folder, f"scheduling-bot meetingsOf {SERVICE} granted")
    (folder / "policies" / "bad.yaml").write_text("kind: Nothing\n")
    assert "access-test" not in run("validate").out


def test_a_plan_shows_its_own_results(run: Run, folder: Path) -> None:
    run("plan", *SIM, "--out", "plan.json")
    ran = run("test", "--plan", "plan.json")
    assert ran.code == 0
    assert ran.out.startswith("SIMULATED TENANT")
    assert "Access tests on the outcome of plan.json\n" in ran.out
    write(folder, WRONG)
    run("plan", *SIM, "--out", "plan.json")
    assert run("test", "--plan", "plan.json").code == 3
    assert run("show", "plan.json").out.count("FAILED     mine: ") == 1


@pytest.mark.parametrize(
    "grounds",
    [
        ("--desired", *SIM),
        ("--desired", "--plan", "plan.json"),
        ("--plan", "plan.json", *SIM),
        ("policies", "--plan", "plan.json"),
    ],
)
def test_one_ground_at_a_time(run: Run, folder: Path, grounds: tuple[str, ...]) -> None:
    run("plan", *SIM, "--out", "plan.json")
    assert run("test", *grounds).code == 64


def test_no_tests_ask_no_tenant(run: Run, folder: Path) -> None:
    only(folder, HELD)
    (folder / "policies" / "mine.yaml").unlink()
    ran = run("test", "--tenant", "nowhere.json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("No access tests: the documents have none.\n")
    assert "Access tests" not in run("plan", *SIM).out
    assert run("validate").out == "15 documents are valid.\n"


def test_json_tells_the_same_with_places(run: Run, folder: Path) -> None:
    only(folder, HELD, WRONG)
    told = json.loads(run("test", *SIM, "--format", "json").out)
    assert told["simulated"] is True
    assert [row["passed"] for row in told["tests"]] == [True, False]
    assert [row["position"]["line"] for row in told["tests"]] == [7, 8]
    assert "position" not in json.loads(_shown_plan(run))["tests"][0], "a plan holds no places"
    assert told["names"][CRM] == "crm"


def _shown_plan(run: Run) -> str:
    run("plan", *SIM, "--out", "plan.json")
    return run("test", "--plan", "plan.json", "--format", "json").out


def test_junit_has_a_case_for_each_expectation(run: Run, folder: Path) -> None:
    only(folder, HELD, BOARD, "crm mailbox board@contoso.com denied")
    ran = run("test", *SIM, "--format", "junit")
    assert ran.code == 3
    root = ET.fromstring(ran.out)  # noqa: S314  our own text
    (suite,) = root
    assert (
        root.tag,
        suite.get("tests"),
        suite.get("failures"),
        suite.get("errors"),
        suite.get("skipped"),
    ) == (
        "testsuites",
        "3",
        "2",
        "0",
        "0",
    )
    assert suite.get("name", "").startswith("SIMULATED TENANT")
    cases = {case.get("line"): case for case in suite}
    assert {case.get("classname") for case in suite} == {"mine"}
    assert {case.get("file") for case in suite} == {"policies/mine.yaml"}
    assert [child.tag for child in cases["7"]] == ["system-out"]
    assert {failure.get("type") for failure in suite.iter("failure")} == {"failed", "undecided"}
    assert "a DenyAccess policy covers the mailbox" in "".join(suite.itertext())


def test_a_plan_of_a_part_is_not_refused_for_what_fails_before_it_too(
    run: Run, folder: Path
) -> None:
    skip = ("--skip", "teams.policy/MY-APP-POLICY")
    belonging = run("plan", *SIM, *skip).out.partition("as well, add: ")[2].partition("\n")[0]
    ran = run("plan", *SIM, *skip, *belonging.split(), "--out", "plan.json")
    assert ran.code == 0
    assert "4 passed, 1 excused.\n" in ran.out
    assert _plan(folder)["applicable"] is True
    # our own text
    root = ET.fromstring(run("test", "--plan", "plan.json", "--format", "junit").out)  # noqa: S314
    assert root.get("skipped") == "1"
    assert run("test", "--plan", "plan.json").code == 0
    applied = run("apply", "plan.json", "--auto-approve", *SIM)
    assert applied.code == 0, "it was approved with this test failing"
    assert "read again: 4 passed, 1 excused.\n" in applied.out


def test_a_plan_of_a_part_is_refused_for_what_it_makes_fail(run: Run, folder: Path) -> None:
    """Held without its own policy, the service user falls to Global, which the rest of the plan
    opens to scheduling-bot.
    """
    write(folder, f"scheduling-bot meetingsOf {SERVICE} denied")
    assert run("plan", *SIM).code == 0
    ran = run("plan", *SIM, "--skip", "teams.policy/MY-APP-POLICY")
    assert ran.code == 4, "the whole plan does not let scheduling-bot reach the user"
    assert "1 failed" in ran.out


def test_a_test_that_fails_after_an_apply_exits_7(run: Run, folder: Path) -> None:
    """Nothing that the plan rests on moved, but a mailbox left the scope between plan and apply."""
    run("plan", *SIM, "--out", "plan.json")
    state = json.loads((folder / "tenant.json").read_text())
    for recipient in state["directory"]["recipients"]:
        if recipient["primary"] == "crm-mailboxes@contoso.com":
            recipient["members"] = []
    (folder / "tenant.json").write_text(json.dumps(state))
    ran = run("apply", "plan.json", "--auto-approve", *SIM)
    assert ran.code == 7
    assert (
        "\nAccess tests on the tenant, read again: 4 passed, 1 failed.\n    FAILED    "
        " sales-systems-stay-in-sales: " in ran.out
    )
    assert ran.out.splitlines()[-1].startswith("Applied, but not verified. Policies: "), (
        "it was applied, and that is told too"
    )
    assert "Apply complete!" not in ran.out
    assert "an access test fails" in ran.err
    assert run("apply", "plan.json", "--auto-approve", *SIM).code == 7, (
        "with nothing left to do it still fails"
    )


def test_tests_that_cannot_be_run_after_an_apply_are_no_pass(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("plan", *SIM, "--out", "plan.json")

    def broken(*_: object) -> None:
        raise TenantFault("the line is dead")

    with monkeypatch.context() as patch:
        patch.setattr(cli_testing, "_again", broken)
        ran = run("apply", "plan.json", "--auto-approve", *SIM)
    assert ran.code == 7
    assert "not run, because the tenant could not be read:\n    the line is dead\n" in ran.out
    assert "run `reconciler test`" in ran.err


def test_a_plan_file_with_rows_that_mean_nothing_is_refused(run: Run, folder: Path) -> None:
    run("plan", *SIM, "--out", "plan.json")
    raw = json.loads((folder / "plan.json").read_bytes())
    raw["tests"] = [{"name": "mine"}]
    body = {key: value for key, value in raw.items() if key != "digest"}
    (folder / "plan.json").write_bytes(
        canonical.dumps({**body, "digest": f"plan:{canonical.digest(body)}"}) + b"\n"
    )
    for command in (
        ("test", "--plan", "plan.json"),
        ("apply", "plan.json", "--auto-approve", *SIM),
        ("show", "plan.json"),
    ):
        assert run(*command).code == 5


def test_a_reading_names_everybody_in_the_scopes(folder: Path) -> None:
    """Who is in no scope is certain only if it is known who is no group."""
    from reconciler.model.requests import CaptureRequest

    raw = Simulator(folder / "tenant.json").capture(
        CaptureRequest(frozenset({"exchange"}), recipients=("crm-mailboxes@contoso.com",))
    )
    known = {row["primary"] for row in raw["directory"]["recipients"]}
    assert {
        "inside-sales@contoso.com",
        "diego.siciliani@contoso.com",
        "zoe.lindqvist@contoso.com",
    } <= known


def test_names_stand_for_ids(run: Run, folder: Path) -> None:
    only(
        folder,
        f"{BOT} meetingsOf diego.siciliani@contoso.com denied",
        f"{RECORDER} meetingsOf diego.siciliani@contoso.com granted",
    )
    out = run("plan", *SIM, "--format", "json").out
    assert {BOT, "ba90fed8-0625-46e8-ab8c-ef52dd948f51"} <= json.loads(out)["plan"]["names"].keys()
    assert "scheduling-bot is denied the meetings of Diego Siciliani" in run("test", *SIM).out
