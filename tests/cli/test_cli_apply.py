"""`apply`: who may say yes, to what, and what is told afterwards."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler import canonical
from reconciler.cli import executing
from reconciler.model.addresses import teams_policy
from reconciler.model.applied import Applied, StepFailure
from reconciler.planning import approval
from reconciler.tenants.protocol import Failed, Fault
from reconciler.tenants.simulated import Simulator
from reconciler.tenants.simulated.storing import SMALL
from tests.cli.sample import STRANGER, teams_document, tenant_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.model.plans import Invocation
    from reconciler.tenants.protocol import Outcome
    from tests.conftest import Ran, Run

SIM = ("--tenant", "sim:tenant.json")


def _digests(folder: Path) -> tuple[str, str]:
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return plan["digest"], plan["content_digest"]


def test_yes_and_nothing_else_is_consent(type_: Callable[..., Ran], run: Run, folder: Path) -> None:
    before = (folder / "tenant.json").read_bytes()
    for answer in ("no\n", "y\n", "Yes please\n", ""):
        ran = type_("apply", *SIM, answer=answer)
        assert (ran.code, (folder / "tenant.json").read_bytes()) == (1, before)
        assert "nothing was changed" in ran.err
    agreed = type_("apply", *SIM, answer="yes\n")
    assert agreed.code == 0, agreed.err
    assert "Plan: 3 to add" in agreed.out
    assert agreed.out.endswith(
        "\nApply complete! Policies: 3 added, 3 changed, 1 destroyed. Grants: 4 added, 1 moved, 1 removed.\n"
    )
    assert "\nNo changes. " in run("plan", *SIM).out


def test_the_bundled_tenant_is_copied_on_the_first_write(
    type_: Callable[..., Ran], run: Run, folder: Path
) -> None:
    run("plan", "--out", "plan.json")
    state = folder / ".reconciler" / "tenant.json"
    assert not state.exists()
    ran = type_("apply", "plan.json", answer="yes\n")
    assert ran.code == 0, ran.err
    assert state.exists()
    assert "\nNo changes. " in run("plan").out
    assert "0 added, 0 changed, 0 destroyed" in type_("apply", answer="").out, (
        "nothing to do is nothing to ask"
    )


def test_a_simulator_that_nobody_typed_is_not_applied_to_without_asking(
    run: Run, folder: Path
) -> None:
    run("plan", "--out", "plan.json")
    ran = run("apply", "plan.json", "--auto-approve")
    assert ran.code == 64
    assert "sim:FILE" in ran.err
    assert not (folder / ".reconciler").exists()


def test_without_a_terminal_somebody_must_have_approved(run: Run, folder: Path) -> None:
    run("plan", "--out", "plan.json")
    for command in (("apply", "plan.json", *SIM), ("apply", *SIM)):
        ran = run(*command, stdin="yes\n")
        assert (ran.code, ran.out) == (64, "")
        assert "--auto-approve" in ran.err


def test_a_capture_file_is_never_written_to(run: Run, folder: Path) -> None:
    run("fetch", "--out", "capture.json", *SIM)
    run("plan", "--out", "plan.json")
    ran = run("apply", "plan.json", "--auto-approve", "--tenant", "capture.json")
    assert ran.code == 64
    assert "a capture file is read-only" in ran.err


@pytest.mark.parametrize("which", [0, 1])
def test_only_the_approved_plan_is_applied(run: Run, folder: Path, which: int) -> None:
    run("plan", "--out", "plan.json")
    wrong = run("apply", "plan.json", "--auto-approve", *SIM, "--digest", "plan:" + "0" * 64)
    assert wrong.code == 5
    assert _digests(folder)[which] in wrong.err
    right = run("apply", "plan.json", "--auto-approve", *SIM, "--digest", _digests(folder)[which])
    assert right.code == 0, right.err
    assert "deliberate" not in right.err


def test_without_a_digest_it_says_what_is_not_noticed(run: Run, folder: Path) -> None:
    run("plan", "--out", "plan.json")
    assert "deliberate" in run("apply", "plan.json", "--auto-approve", *SIM).err


def test_an_offline_plan_binds_a_plan_of_the_moment_by_what_it_does(run: Run, folder: Path) -> None:
    run("fetch", "--out", "capture.json", *SIM)
    run("plan", "--out", "plan.json", "--tenant", "capture.json")
    ran = run("apply", "--auto-approve", *SIM, "--digest", _digests(folder)[1])
    assert ran.code == 0, ran.err
    again = run("apply", "--auto-approve", *SIM, "--digest", _digests(folder)[1])
    assert again.code == 5


@pytest.mark.parametrize(
    "option",
    [("--path", "policies"), ("--allow", "limits:teams.policy"), ("--only", "x"), ("--skip", "x")],
)
def test_what_makes_a_plan_does_not_go_with_a_plan(
    run: Run, folder: Path, option: tuple[str, str]
) -> None:
    run("plan", "--out", "plan.json")
    assert run("apply", "plan.json", "--auto-approve", *SIM, *option).code == 64


def test_documents_elsewhere_and_options_of_planning(run: Run, folder: Path) -> None:
    (folder / "policies").rename(folder / "elsewhere")
    analytics = "exchange.application/e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"
    skipped = ("--skip", analytics)
    ran = run(
        "apply", "--path", "elsewhere", "--auto-approve", *SIM, *skipped, "--state-dir", "state"
    )
    assert ran.code == 0, ran.err
    assert (folder / "state").is_dir()
    assert not (folder / ".reconciler").exists()
    planned = json.loads(run("plan", "elsewhere", *SIM, "--format", "json").out)
    changed = [change["address"] for change in planned.get("plan", planned)["changes"]]
    policies = analytics.replace("application", "policy")
    assert changed
    assert all(address.startswith(policies) for address in changed)


def test_a_tenant_that_moved_is_left_alone(run: Run, folder: Path) -> None:
    run("plan", "--out", "plan.json")
    tenant = json.loads((folder / "tenant.json").read_text(encoding="utf-8"))
    for policy in tenant["teams"]["policies"]:
        if policy["Identity"].endswith("Test-policy"):
            policy["AppIds"] = []
    (folder / "tenant.json").write_text(json.dumps(tenant), encoding="utf-8")
    before = (folder / "tenant.json").read_bytes()
    ran = run("apply", "plan.json", "--auto-approve", *SIM)
    assert ran.code == 5
    assert "teams.policy/test-policy" in ran.err.lower()
    assert (folder / "tenant.json").read_bytes() == before


def test_nothing_to_apply(run: Run, folder: Path) -> None:
    (folder / "none.yaml").write_text(tenant_document())
    ran = run("apply", "--path", "none.yaml", "--auto-approve", *SIM)
    assert ran.code == 0, ran.err
    assert "\nNo changes. " in ran.out
    assert "Apply complete! Policies: 0 added, 0 changed, 0 destroyed. Grants: 0" in ran.out


def _answering(outcome: Outcome) -> Callable[..., Outcome]:
    """A tenant that answers the fifth write with `outcome` and does every other one."""
    real, writes = Simulator.run, []

    def run(self: Simulator, invocation: Invocation, text: str) -> Outcome:
        writes.append(text)
        return outcome if len(writes) == 5 else real(self, invocation, text)

    return run


def test_a_refused_step_stops_the_apply_and_says_how_to_go_on(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", _answering(Failed(Fault.DENIED, "no rights\n::error::x")))
        ran = run("apply", "--auto-approve", *SIM)
    assert ran.code == 6
    for part in (
        "Done: 4 steps\n",
        "Failed: 1 step\n",
        "Not tried: 8 steps\n",
        "Apply stopped: 4 of 13 steps done. Policies: 2 added, 1 changed, 1 destroyed. ",
        "--skip teams.policy/MY-APP-POLICY",
    ):
        assert part in ran.out
    assert "\n::error::" not in ran.out + ran.err
    assert "denied: no rights" in ran.err
    assert run("apply", "--auto-approve", *SIM).code == 0


def _refusing(user: str) -> Callable[..., Outcome]:
    """A tenant that grants nothing to one user."""
    real = Simulator.run

    def run(self: Simulator, invocation: Invocation, text: str) -> Outcome:
        if user in text:
            return Failed(Fault.INVALID, "User can't be granted this policy\n::error::x")
        return real(self, invocation, text)

    return run


def _granted(folder: Path) -> tuple[str, str]:
    """The last user but one whom the sample's plan grants something, with the name for people."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    users = [
        step["parameters"]["Identity"]
        for step in plan["steps"]
        if step["cmdlet"].startswith("Grant-") and "Identity" in step["parameters"]
    ]
    return users[-2], plan["names"][users[-2]]


def test_what_does_not_depend_on_a_refused_step_is_carried_out_on_demand(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("plan", "--out", "plan.json", *SIM)
    user, name = _granted(folder)
    apply = ("apply", "plan.json", "--auto-approve", *SIM)
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", _refusing(user))
        ran = run(*apply, "--keep-going")
    assert ran.code == 6
    for part in (
        "Failed: 1 step\n",
        f"      teams.grant/user:{user} ({name})\n",
        "      invalid: User can't be granted this policy\\u{A}::error::x\n",
        f"--skip teams.grant/user:{user} ",
        "This plan cannot be resumed.",
        "then plan again",
        "The tenant, read again, shows what was done",
        "\nApplied in part: ",
    ):
        assert part in ran.out
    assert "Not tried" not in ran.out
    again = run(*apply)
    assert again.code == 5
    assert f"teams.grant/user:{user} ({name})" in again.err
    assert "plan again" in again.err
    rest = run("plan", "--out", "rest.json", *SIM)
    assert f"-Identity:'{user}'" in rest.out
    assert run("apply", "rest.json", "--auto-approve", *SIM).code == 0
    assert "\nNo changes. " in run("plan", *SIM).out


@pytest.mark.parametrize(("answer", "ending"), [("yes\n", "Applied in part"), ("\n", "stopped")])
def test_a_person_at_the_terminal_is_asked_whether_to_go_on(
    type_: Callable[..., Ran],
    run: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    ending: str,
) -> None:
    run("plan", "--out", "plan.json", *SIM)
    user, name = _granted(folder)
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", _refusing(user))
        ran = type_("apply", "plan.json", *SIM, answer=f"yes\n{answer}")
    assert ran.code == 6
    assert f"was refused: teams.grant/user:{user} ({name})\n" in ran.err
    assert " can go on without it; " in ran.err
    assert ending in ran.out.splitlines()[-1]


def _regranting(run: Run, folder: Path) -> tuple[dict[str, Any], ...]:
    """A plan in which a group loses its policy before it gets another one, and these two steps."""
    tenant = json.loads((folder / "tenant.json").read_text(encoding="utf-8"))
    row, *_others = tenant["teams"]["groupAssignments"]
    tenant["teams"]["groupAssignments"] = [row]
    (folder / "tenant.json").write_text(json.dumps(tenant), encoding="utf-8")
    grants = f"{{groups: [{{group: {row['GroupId']}, rank: 1}}]}}"
    (folder / "moving.yaml").write_text(
        tenant_document()
        + teams_document("Other", f"{{applications: [{STRANGER}], grants: {grants}}}")
        + teams_document(row["PolicyName"], "{grants: {groups: []}}")
    )
    command = ("plan", "moving.yaml", "--out", "plan.json", "--group-changes", "remove-add")
    planned = run(*command, *SIM)
    assert planned.code == 0, planned.out
    steps = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["steps"]
    drop, grant = (step for step in steps if "Group" in step["parameters"])
    return drop, grant


@pytest.mark.parametrize("keep_going", [(), ("--keep-going",)])
@pytest.mark.parametrize("refused", ["New-CsApplicationAccessPolicy", "-Rank:1"])
def test_a_group_between_two_policies_is_named_with_the_command_that_resumes(
    run: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: str,
    keep_going: tuple[str, ...],
) -> None:
    drop, grant = _regranting(run, folder)
    apply = ("apply", "plan.json", "--auto-approve", *SIM, *keep_going)
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", _refusing(refused))
        ran = run(*apply)
    assert ran.code == 6
    assert f"lost its policy in step {drop['id']}, and step {grant['id']}, which" in ran.out
    assert "correct the cause and apply the same plan again: a group has lost its policy" in ran.out
    assert not [word for word in ("--skip", "remove-add", "with --keep-going") if word in ran.out]
    command = f"reconciler {' '.join(apply)}"
    assert f"    Resume this plan: a new one may rank the group last.\n    {command}\n" in ran.out
    resumed = run(*command.split()[1:])
    assert (resumed.code, "Resume this plan" in resumed.out) == (0, False)


def test_a_group_between_two_policies_of_a_plan_without_a_file_is_named_with_the_step_to_run(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _drop, grant = _regranting(run, folder)
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", _refusing(grant["text"]))
        ran = run(
            *("apply", "--path", "moving.yaml", "--auto-approve", *SIM),
            *("--group-changes", "remove-add"),
        )
    assert ran.code == 6
    assert "run step" in ran.out
    advice = "".join(ran.out.partition("run step")[1:])
    assert f"  {grant['id']}  {grant['text']}  # " in advice
    assert "Resume this plan" not in ran.out


def test_the_exit_code_of_an_outcome() -> None:
    done = Applied((1,), 0, None, None, (), converged=True, moved=())
    assert executing.exit_code_of_apply(done) == 0
    assert executing.exit_code_of_apply(replace(done, converged=False)) == 7
    assert executing.exit_code_of_apply(replace(done, converged=False, not_tried=(2,))) == 6
    assert executing.exit_code_of_apply(replace(done, converged=False, unknown=2)) == 6
    failure = StepFailure(1, teams_policy("A"), "invalid", "no", "")
    refused = replace(done, done=(), converged=False, refused=(failure,))
    assert executing.exit_code_of_apply(refused) == 6


def _on_a_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """A process whose output and errors are a terminal of its own."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, "-m", "reconciler", *arguments]
    process = subprocess.Popen(
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(ours)
    return process.wait(), b"".join(pieces).decode()


def test_on_a_terminal_there_is_colour_and_a_bar(folder: Path) -> None:
    code, out = _on_a_terminal(folder, "apply", "--auto-approve", *SIM)
    assert code == 0, out
    assert "\x1b[32m" in out
    assert "13/13" in out
    assert "Apply complete!" in out


def test_a_narrow_terminal_cuts_the_name_of_the_step_and_not_the_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out = _on_a_terminal(folder, "apply", "--auto-approve", *SIM)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out)
    shown = [line for line in re.split(r"[\r\n]+", plain) if " left: " in line]
    assert any("…" in line for line in shown)
    for line in shown:
        assert len(line) <= 80
        assert re.search(r" \d+/13 \d+:\d\d:\d\d left: [-\d]", line)


def _signalled(folder: Path, *signals: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """An apply whose process sends itself signals on the first step, so that no clock decides."""
    sent = "".join(f"    os.kill(os.getpid(), signal.{name})\n" for name in signals)
    script = (
        f"import os, signal, sys\n{before}"
        "from reconciler.tenants.simulated import Simulator\n"
        "run, sent = Simulator.run, []\n"
        "def signalled(self, invocation, text):\n"
        "    sent.append(text) or len(sent) == 1 and send()\n"
        "    return run(self, invocation, text)\n"
        f"def send():\n{sent}"
        "Simulator.run = signalled\n"
        "from reconciler.cli.main import main\n"
        "sys.argv = ['reconciler', 'apply', '--auto-approve', '--tenant', 'sim:tenant.json']\n"
        "main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize(
    "signals",
    [["SIGINT"], ["SIGTERM"], ["SIGHUP"], ["SIGHUP", "SIGHUP"], ["SIGINT", "SIGHUP"]],
    ids=" ".join,
)
def test_a_signal_stops_after_the_step_in_flight(folder: Path, signals: list[str]) -> None:
    ran = _signalled(folder, *signals)
    assert ran.returncode == 130, ran.stderr
    assert "Finishing the step in flight" in ran.stderr
    assert "Done: 1 step\n" in ran.stdout
    assert "Not tried: 12 steps\n" in ran.stdout
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("default_signals")
def test_a_terminal_that_goes_stops_nothing_that_nohup_was_asked_to_keep(folder: Path) -> None:
    ran = _signalled(folder, "SIGHUP", before="signal.signal(signal.SIGHUP, signal.SIG_IGN)\n")
    assert ran.returncode == 0, ran.stderr
    assert "Apply complete!" in ran.stdout


@pytest.mark.usefixtures("default_signals")
def test_a_second_wish_stops_at_once(folder: Path) -> None:
    ran = _signalled(folder, "SIGINT", "SIGTERM")
    assert ran.returncode == 130, ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_when_all_is_said_changes_no_exit_code(folder: Path) -> None:
    script = (
        "import atexit, os, signal, sys\n"
        "from reconciler.cli.main import main\n"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "sys.argv = ['reconciler', 'plan', '--tenant', 'sim:tenant.json', '--detailed-exitcode']\n"
        "main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (2, "")


def test_a_simulated_tenant_whose_file_is_not_there_yet_begins_as_the_bundled_one(
    run: Run, folder: Path
) -> None:
    assert run("plan", "--out", "plan.json", "--tenant", "sim:new.json").code == 0
    assert not (folder / "new.json").exists()
    assert run("apply", "plan.json", "--auto-approve", "--tenant", "sim:new.json").code == 0
    assert "No changes." in run("plan", "--tenant", "sim:new.json").out


def test_a_large_simulated_tenant_is_one_file_again_after_an_apply(run: Run, folder: Path) -> None:
    """Or else a copy of the file would lack what was applied, and the old file put back would still
    have it.
    """
    raw = json.loads((folder / "tenant.json").read_bytes())
    (folder / "tenant.json").write_text(
        json.dumps({**raw, "padding": "x" * SMALL}), encoding="utf-8"
    )
    old = (folder / "tenant.json").read_bytes()
    assert run("plan", "--out", "plan.json", *SIM).code == 0
    assert run("apply", "plan.json", "--auto-approve", *SIM).code == 0
    assert not (folder / "tenant.json.log").exists()
    (folder / "copy.json").write_bytes((folder / "tenant.json").read_bytes())
    assert "No changes." in run("plan", "--tenant", "sim:copy.json").out
    (folder / "tenant.json").write_bytes(old)
    assert "Plan: 3 to add" in run("plan", *SIM).out


def test_one_more_ctrl_c_while_the_first_is_answered_is_no_crash(folder: Path) -> None:
    script = (
        "import sys\n"
        "from reconciler.cli import main, streams\n"
        "finish = streams.finish\n"
        "def once():\n    streams.finish = finish\n    raise KeyboardInterrupt\n"
        "streams.finish = once\n"
        "sys.argv = ['reconciler', '--version']\n"
        "main.main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (130, "")


def _approval(run: Run, folder: Path) -> None:
    """A plan that was approved, and one of edited documents."""
    assert run("plan", "--out", "approved.json", *SIM).code == 0
    (folder / "policies" / "more.yaml").write_text(teams_document("More", "{applications: []}"))
    assert run("plan", "--out", "plan.json", *SIM).code == 0


def test_a_plan_that_an_approval_does_not_cover_is_refused_and_says_what_differs(
    run: Run, folder: Path
) -> None:
    _approval(run, folder)
    refused = run("apply", "plan.json", "--auto-approve", *SIM, "--approved", "approved.json")
    assert (refused.code, refused.out) == (5, "")
    assert "teams.policy/More" in refused.err
    assert "--approved" in refused.err
    shown = run("show", "plan.json", "--against", "approved.json")
    assert shown.code == 5
    assert "teams.policy/More" in shown.out
    assert run("show", "plan.json", "--against", "approved.json", "--format", "json").code == 5
    usage = run("show", "plan.json", "--against", "approved.json", "--format", "powershell")
    assert usage.code == 64


def test_a_plan_that_an_approval_covers_is_applied(run: Run, folder: Path) -> None:
    assert run("fetch", "--out", "capture.json", *SIM).code == 0
    assert run("plan", "--out", "approved.json", "--tenant", "capture.json").code == 0
    assert run("plan", "--out", "plan.json", *SIM).code == 0
    assert run("show", "plan.json", "--against", "approved.json").code == 0
    applied = run("apply", "plan.json", "--auto-approve", *SIM, "--approved", "approved.json")
    assert applied.code == 0, applied.err


def test_a_plan_that_was_sealed_again_is_neither_shown_nor_applied(run: Run, folder: Path) -> None:
    """Whoever can write the file can seal it: what follows from its steps must still be there."""
    assert run("plan", "--out", "plan.json", *SIM).code == 0
    path = folder / "plan.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    for edit in (
        {"changes": []},
        {"access": None},
        {"applicable": False},
        {"summary": {}},
        {"steps": [{**whole["steps"][0], "text": "Get-Date"}, *whole["steps"][1:]]},
    ):
        raw = {**whole, **edit}
        raw["content_digest"] = f"content:{canonical.digest(approval.covered(raw))}"
        del raw["digest"]
        raw["digest"] = f"plan:{canonical.digest(raw)}"
        path.write_bytes(canonical.dumps(raw) + b"\n")
        for command in (("show", "plan.json"), ("apply", "plan.json", "--auto-approve", *SIM)):
            refused = run(*command)
            assert (refused.code, refused.out) == (5, ""), edit
            assert "plan again" in refused.err


def test_the_closing_words_of_an_apply_are_the_figures_of_its_plan(run: Run, folder: Path) -> None:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    summary = json.loads(run("show", "plan.json", "--format", "json").out)["plan"]["summary"]
    policies, grants = (
        [summary[f"{what}_{action}"] for action in ("create", "update", "delete")]
        for what in ("policies", "grants")
    )
    assert any(policies), "nothing is compared otherwise"
    assert any(grants), "nothing is compared otherwise"
    ran = run("apply", "plan.json", "--auto-approve", *SIM)
    assert ran.out.endswith(
        "\nApply complete! Policies: {} added, {} changed, {} destroyed."
        " Grants: {} added, {} moved, {} removed.\n".format(*policies, *grants)
    )


ANALYTICS = ("--only", "application/mailbox-analytics")


def _part(run: Run) -> None:
    """An approved plan, of which somebody did a part, and one of what is left."""
    assert run("plan", "--out", "approved.json", *SIM).code == 0
    ran = run("apply", "--auto-approve", *SIM, *ANALYTICS)
    assert ran.code == 0, ran.err
    assert run("plan", "--out", "plan.json", *SIM).code == 0


@pytest.mark.parametrize("filed", [False, True])
def test_what_is_left_of_an_approved_plan_is_covered(run: Run, folder: Path, filed: bool) -> None:
    _part(run)
    shown = run("show", "plan.json", "--against", "approved.json")
    assert shown.code == 5
    assert "nothing beyond approved.json" in shown.out
    plan = ("plan.json",) if filed else ()
    ran = run("apply", *plan, "--auto-approve", *SIM, "--approved", "approved.json")
    assert ran.code == 0, ran.err
    assert "It is a part of approved.json: 11 of 13 steps are left to do" in ran.err
    assert "only in the approved plan" in ran.err


def test_what_is_left_is_not_covered_where_the_tenant_moved_otherwise(
    run: Run, folder: Path
) -> None:
    _part(run)
    tenant = folder / "tenant.json"
    stored = tenant.read_text(encoding="utf-8")
    moved = stored.replace("Sales systems never reach a mailbox of the board.", "Not reviewed.")
    assert moved != stored
    tenant.write_text(moved, encoding="utf-8")
    refused = run("apply", "plan.json", "--auto-approve", *SIM, "--approved", "approved.json")
    assert (refused.code, refused.out) == (5, "")
    assert "is not where the approved plan's other steps lead to" in refused.err
    assert "Not reviewed." in refused.err
    assert tenant.read_text(encoding="utf-8") == moved


def test_a_consent_that_nobody_approved_is_named(run: Run, folder: Path) -> None:
    _approval(run, folder)
    refused = run("apply", "plan.json", "--auto-approve", *SIM, "--approved", "approved.json")
    assert "only in this plan" in refused.err
    assert "It was made from other documents." in refused.err
    assert "It has steps that the approved plan does not have" in refused.err


def test_what_differs_in_an_object_is_named_by_field(run: Run, folder: Path) -> None:
    assert run("plan", "--out", "approved.json", *SIM).code == 0
    document = folder / "policies" / "teams" / "my-app-policy.yaml"
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace("MY APP POLICY DESCRIPTION", "other"), encoding="utf-8")
    assert run("plan", "--out", "plan.json", *SIM).code == 0
    shown = run("show", "plan.json", "--against", "approved.json").out
    assert "teams.policy/MY-APP-POLICY: differs in parameters.Description, text" in shown
    assert "teams.policy/MY-APP-POLICY: differs in after.description\n" in shown
