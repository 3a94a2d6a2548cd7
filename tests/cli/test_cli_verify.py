"""`reconciler verify` on the simulated sample."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.cli import verifying
from reconciler.tenants.simulated import Simulator
from tests.cli.sample import ROOT, teams_document, tenant_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran, Run

BOT = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
SIM = ("--tenant", "sim:tenant.json")
EXCHANGE = "exchange.policy/"


@pytest.fixture
def applied(run: Run, folder: Path) -> Path:
    """The sample's plan, applied."""
    assert run("plan", "--out", "plan.json", *SIM, cwd=folder).code == 0
    assert run("apply", "plan.json", "--auto-approve", *SIM, cwd=folder).code == 0
    return folder


@pytest.fixture
def verify(run: Run, folder: Path) -> Callable[..., Ran]:
    def command(*arguments: str) -> Ran:
        return run("verify", *arguments, *SIM, cwd=folder)

    return command


def answer(ran: Ran) -> dict[str, Any]:
    envelope = json.loads(ran.out)
    assert envelope["command"] == "verify"
    assert envelope["exit_code"] == ran.code
    verification: dict[str, Any] = envelope["verification"]
    return verification


def edit_tenant(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "tenant.json"
    Simulator(path).close()
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def list_another_application(folder: Path, policy: str) -> None:
    """Somebody adds an application to the list of a policy by hand."""

    def change(content: dict[str, Any]) -> None:
        [row] = [row for row in content["teams"]["policies"] if row["Identity"] == f"Tag:{policy}"]
        row["AppIds"].append(OTHER)

    edit_tenant(folder, change)


def show_before(folder: Path) -> None:
    """The tenant is as it was before the apply."""
    shutil.copy(ROOT / "reconciler/tenants/contoso.json", folder / "tenant.json")


def journal() -> Path:
    [path] = Path(os.environ["RECONCILER_STATE_DIR"]).rglob("apply-*.jsonl")
    return path


def moved_journal(folder: Path, edit: Callable[[str], str] = str) -> str:
    """The journal somewhere else, and nothing where it was."""
    named = folder.parent / f"{folder.name}.jsonl"
    named.write_text(edit(journal().read_text(encoding="utf-8")), encoding="utf-8")
    journal().unlink()
    return str(named)


# --- what is told apart


def test_what_was_applied_is_accepted_visible_and_effective(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    assert applied.exists()
    ran = verify("plan.json", "--format", "json")
    assert ran.code == 0
    verification = answer(ran)
    assert verification["verified"]
    assert (verification["done"], verification["steps"]) == (13, 13)
    rows = verification["objects"]
    assert {(row["accepted"], row["visible"]) for row in rows} == {("accepted", "visible")}
    effective = {row["address"].startswith(EXCHANGE): row["effective"] for row in rows}
    assert effective == {True: "confirmed", False: "unseen"}


def test_each_policy_is_probed_inside_and_outside_of_its_scope(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    assert applied.exists()
    rows = answer(verify("plan.json", "--format", "json"))["objects"]
    [denied] = [row for row in rows if "ce5c8458" in row["address"]]
    assert [(probe["side"], probe["granted"]) for probe in denied["probes"]] == [
        ("inside", False),
        ("outside", True),
    ]
    said = verify("plan.json").out
    assert "ticket-sync on board@contoso.com, inside: joni.sherman@contoso.com denied" in said


def test_where_no_mailbox_is_known_it_says_so(applied: Path, verify: Callable[..., Ran]) -> None:
    def nobody_knows(content: dict[str, Any]) -> None:
        for row in content["directory"]["recipients"]:
            if row["primary"].lower() == "crm-mailboxes@contoso.com":
                row["members"] = None

    edit_tenant(applied, nobody_knows)
    ran = verify("plan.json")
    assert "crm on crm-mailboxes@contoso.com, inside: not asked, because no mailbox" in ran.out


def test_without_the_plan_the_documents_say_what_should_be_there(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    ran = verify()
    assert ran.code == 0
    assert "Compared with the documents" in ran.out
    text = (applied / "policies/teams/webinars.yaml").read_text(encoding="utf-8")
    edited = text.replace("applications: [", "applications: [attendance-reports, ")
    (applied / "policies/teams/webinars.yaml").write_text(edited, encoding="utf-8")
    assert verify().code == 0  # the apply did not touch it
    (applied / "policies/exchange").rename(applied / "elsewhere")
    ran = verify()
    assert ran.code == 7
    assert "3 in no document" in ran.out
    assert "Name the plan that was applied" in ran.out
    assert verify("plan.json").code == 0


def test_a_journal_without_addresses_is_completed_by_the_plan(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    assert applied.exists()
    path = journal()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    bare = [{key: line[key] for key in line if key != "address"} for line in lines]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in bare), encoding="utf-8")
    assert len(answer(verify("plan.json", "--format", "json"))["objects"]) == 13


def test_a_tenant_that_shows_what_was_before_is_not_verified(
    run: Run, applied: Path, verify: Callable[..., Ran]
) -> None:
    show_before(applied)
    ran = verify("plan.json")
    assert ran.code == 7
    assert "NOT VERIFIED: of 13 objects, 13 not visible." in ran.out
    assert "NO, as before the plan" in ran.out
    assert "should hold Test-policy after step 13, has no policy now" in ran.out
    without = verify()
    assert without.code == 7
    assert "13 objects not as the documents say: not visible yet, changed since" in without.out
    assert run("drift", *SIM, cwd=applied).code == 2


def test_what_somebody_changed_since_is_named(
    run: Run, applied: Path, verify: Callable[..., Ran]
) -> None:
    list_another_application(applied, "Test-policy")
    ran = verify("plan.json")
    assert ran.code == 7
    assert "NOT VERIFIED: of 13 objects, 1 changed since by somebody else." in ran.out
    assert f"should not list {OTHER} after step 13, lists it now" in ran.out
    assert "See by `reconciler drift` what somebody changed" in ran.out
    assert OTHER in run("drift", "--ids", *SIM, cwd=applied).out
    assert f"- {OTHER[:8]}" in run("plan", *SIM, cwd=applied).out


def test_what_others_changed_beside_it_is_told_and_does_not_count(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    list_another_application(applied, "Webinars")
    ran = verify("plan.json")
    assert ran.code == 0
    assert "Changed since the plan was made, and not by it" in ran.out


def test_what_a_later_apply_changed_is_not_held_against_this_one(
    run: Run, applied: Path, verify: Callable[..., Ran]
) -> None:
    file = next((applied / "policies/teams").glob("*est*.yaml"))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("description here", "another one"), encoding="utf-8")
    assert run("plan", "--out", "later.json", *SIM, cwd=applied).code == 0
    assert run("apply", "later.json", "--auto-approve", *SIM, cwd=applied).code == 0
    ran = verify("plan.json")
    assert ran.code == 0
    assert "a later apply changed it" in ran.out
    newest = answer(verify("--format", "json"))
    assert newest["steps"] == 1


def test_exchange_that_says_otherwise_is_not_effective(
    applied: Path, verify: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert applied.exists()
    monkeypatch.setattr(Simulator, "verdict", lambda *_: True)
    ran = verify("plan.json")
    assert ran.code == 7
    assert "not effective" in ran.out
    assert "inside: joni.sherman@contoso.com granted, but the policies mean denied" in ran.out


def test_an_apply_that_stopped_half_way_is_verified_as_far_as_it_went(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    steps = journal().read_text(encoding="utf-8").splitlines(keepends=True)
    done = [line for line in steps if json.loads(line).get("step", 1) <= 2 and "end" not in line]
    named = moved_journal(applied, lambda _: "".join(done))
    show_before(applied)
    ran = verify("plan.json", "--journal", named)
    assert ran.code == 6
    assert "APPLIED IN PART. NOT VERIFIED: of 2 objects, 2 not visible." in ran.out
    assert "The apply did not end by itself" in ran.out
    assert "Apply the same plan again" in ran.out


# --- waiting


class Time:
    """Passes only when somebody waits."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.then: list[Callable[[], object]] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.then:
            self.then.pop(0)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    passing = Time(verifying.time.time())
    monkeypatch.setattr(verifying, "time", passing)
    return passing


def test_it_waits_until_the_tenant_shows_it(
    applied: Path, verify: Callable[..., Ran], clock: Time
) -> None:
    tenant = applied / "tenant.json"
    Simulator(tenant).close()
    written = tenant.read_bytes()
    show_before(applied)
    ran = verify("plan.json", "--timeout", "0")
    assert "let verify wait longer with --timeout" in ran.out
    began = clock.now
    clock.then = [lambda: None, lambda: tenant.write_bytes(written)]
    ran = verify("plan.json", "--timeout", "30")
    assert ran.code == 0, ran.out
    assert "0 of 13 objects visible. Looking again at" in ran.err
    assert clock.now - began == 2 * 300


def test_the_deadline_ends_the_wait(applied: Path, verify: Callable[..., Ran], clock: Time) -> None:
    show_before(applied)
    began = clock.now
    assert verify("plan.json", "--timeout", "5").code == 7
    assert clock.now - began == 5 * 60


def test_what_somebody_changed_is_not_waited_for(
    applied: Path, verify: Callable[..., Ran], clock: Time
) -> None:
    list_another_application(applied, "Test-policy")
    began = clock.now
    assert verify("plan.json", "--timeout", "60").code == 7
    assert clock.now == began


def test_an_interrupt_ends_the_wait(applied: Path, verify: Callable[..., Ran], clock: Time) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    show_before(applied)
    clock.then = [interrupt]
    ran = verify("plan.json", "--timeout", "60")
    assert ran.code == 130
    assert "Interrupted" in ran.err


# --- quarantine


def test_a_quarantined_application_in_a_list_is_told_first(
    run: Run, applied: Path, verify: Callable[..., Ran]
) -> None:
    file = applied / "policies/applications.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("spec:\n", "spec:\n  quarantine: true\n", 1), encoding="utf-8")
    ran = verify("plan.json")
    assert ran.code == 7
    report = ran.out.splitlines()
    assert report[2].startswith("QUARANTINED, AND LET IN TODAY: scheduling-bot in the list of Glob")
    assert "Plan and apply the quarantine" in ran.out
    assert "QUARANTINED, AND LET IN TODAY" in run("plan", *SIM, cwd=applied).out
    assert answer(verify("plan.json", "--format", "json"))["quarantine"]


# --- wrong inputs


def test_without_a_journal_there_is_nothing_to_verify(
    run: Run, folder: Path, verify: Callable[..., Ran]
) -> None:
    assert run("plan", "--out", "plan.json", *SIM, cwd=folder).code == 0
    for arguments in (("plan.json",), ()):
        ran = verify(*arguments)
        assert ran.code == 1
        assert "there is nothing to verify: no journal here mentions an apply of" in ran.err
        assert "--journal FILE" in ran.err


def test_a_plan_without_steps_has_nothing_to_verify(
    run: Run, applied: Path, verify: Callable[..., Ran]
) -> None:
    """As in a pipeline that plans, applies and verifies whatever there is."""
    assert run("plan", "--out", "nothing.json", *SIM, cwd=applied).code == 0
    assert run("apply", "nothing.json", "--auto-approve", *SIM, cwd=applied).code == 0
    ran = verify("nothing.json")
    assert ran.code == 0
    assert "Nothing to verify: the plan has no steps." in ran.out


def test_a_journal_from_elsewhere_is_named(applied: Path, verify: Callable[..., Ran]) -> None:
    named = moved_journal(applied)
    assert verify("plan.json").code == 1
    assert verify("plan.json", "--journal", named).code == 0
    assert verify("--journal", named).code == 0


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace("596ade3a-1abe", "11111111-1abe"), "and this is 596ade3a-1abe"),
        (lambda text: text.replace("plan:", "plan:0"), "name the journal of this plan"),
        (lambda text: text.replace('"simulated"', '"live"'), "name one of a simulated tenant"),
        (lambda _: "nothing\n", "is not the journal of an apply"),
    ],
    ids=["another tenant", "another plan", "a live tenant", "no journal"],
)
def test_a_journal_of_something_else_is_refused(
    applied: Path, verify: Callable[..., Ran], edit: Callable[[str], str], said: str
) -> None:
    ran = verify("plan.json", "--journal", moved_journal(applied, edit))
    assert ran.code == 5
    assert said in ran.err


def test_a_journal_with_lines_that_cannot_be_read_tells_nothing(
    run: Run, applied: Path, verify: Callable[..., Ran]
) -> None:
    path = journal()
    first, *others = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join((first, "garbage\n", *others)), encoding="utf-8")
    ran = verify("plan.json")
    assert ran.code == 1
    assert "lines of this journal cannot be read" in ran.err
    assert run("drift", *SIM, cwd=applied).code in {0, 2}


def test_a_capture_cannot_be_verified(run: Run, applied: Path) -> None:
    assert run("fetch", "--out", "capture.json", *SIM, cwd=applied).code == 0
    ran = run("verify", "plan.json", "--tenant", "capture.json", cwd=applied)
    assert ran.code == 64
    assert "a capture shows a moment that has passed" in ran.err
    assert run("verify", "plan.json", *SIM, cwd=applied).code == 0


def test_without_plan_and_documents_nothing_says_what_to_expect(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    (applied / "policies").rename(applied / "elsewhere")
    assert verify("plan.json").code == 0
    ran = verify()
    assert ran.code == 64
    assert "name the plan that was applied (PLAN.json), or the documents (--path)" in ran.err


def test_documents_of_another_tenant_are_refused(applied: Path, verify: Callable[..., Ran]) -> None:
    other = applied / "other.yaml"
    other.write_text(
        tenant_document("11111111-2222-4333-8444-555555555555")
        + teams_document("New", f"{{applications: [{BOT}]}}"),
        encoding="utf-8",
    )
    ran = verify("plan.json", "--path", "other.yaml")
    assert ran.code == 64
    assert "name documents of the same tenant with --path" in ran.err
    assert verify("plan.json", "--path", "policies").code == 0


def test_documents_without_a_tenant_do_not_say_whose_journals_count(
    applied: Path, verify: Callable[..., Ran]
) -> None:
    (applied / "only.yaml").write_text(
        teams_document("New", f"{{applications: [{BOT}]}}"), encoding="utf-8"
    )
    ran = verify("--path", "only.yaml")
    assert ran.code == 64
    assert "the documents have no Tenant document" in ran.err
