"""The command line as such: exit codes of usage, help, versions, formats of faults, nothing that
looks like a crash.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

import reconciler
from reconciler.cli.main import COMMANDS, program
from reconciler.errors import Interrupted
from reconciler.tenants.simulated import Simulator
from tests.cli.sample import STRANGER, teams_document, tenant_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


def test_the_version(run: Run) -> None:
    assert run("--version") == (0, f"reconciler {reconciler.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), *((command, "--help") for command in COMMANDS)]
)
def test_help_names_every_command_and_option(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == (0 if arguments else 64)
    assert "Usage: reconciler" in ran.out + ran.err
    if len(arguments) < 2:
        assert all(f"\n  {command} " in ran.out + ran.err for command in COMMANDS)


def test_the_list_of_commands_has_their_own_short_helps() -> None:
    ctx = click.Context(program)
    commands = {name: program.get_command(ctx, name) for name in program.list_commands(ctx)}
    assert {name: command and command.short_help for name, command in commands.items()} == COMMANDS


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("plna", "plan"), ("paln", "plan"), ("Plan", "plan"), ("tset", "test"), ("aply", "apply")],
)
def test_a_mistyped_command_is_answered_with_the_one_it_may_mean(
    run: Run, typed: str, meant: str
) -> None:
    ran = run(typed)
    assert ran.code == 64
    assert ran.err.endswith(f"Error: No such command '{typed}'. Did you mean '{meant}'?\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("explain", "--user", "adele.vance"), "'--meetings-of'"),
        (("explain", "--application", "crm"), "'--app'"),
        (("plan", "--capture", "c.json"), "'--tenant'"),
        (("apply", "--minutes", "30"), "'--settle'"),
        (("plan", "--alow", "x"), "'--allow'"),
    ],
)
def test_an_option_that_does_not_exist_is_answered_with_the_one_that_takes_that(
    run: Run, typed: tuple[str, ...], meant: str
) -> None:
    ran = run(*typed)
    assert ran.code == 64
    assert ran.err.endswith(f"Error: No such option '{typed[1]}'. Did you mean {meant}?\n")


def test_what_is_given_without_an_option_is_no_other_option(run: Run) -> None:
    """A plan to apply is not an approved one."""
    assert "--approved" not in run("apply", "--plan", "plan.json").err


def test_a_word_that_is_like_no_command_is_answered_with_none(run: Run) -> None:
    ran = run("frobnicate")
    assert (ran.code, "Did you mean" in ran.err) == (64, False)


def test_help_loads_no_command() -> None:
    probe = (
        "import sys\nfrom reconciler.cli.main import program\n"
        "program.main(['--help'], standalone_mode=False)\n"
        "print(*(name for name in sys.modules if name.startswith('reconciler.')), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = ran.stderr.split()
    assert "reconciler.cli.main" in loaded
    assert not [name for name in loaded if name.startswith("reconciler.cli.commands")]


@pytest.mark.parametrize("module", ["reconciler.errors", "reconciler.cli.main", "click"])
def test_an_interrupt_during_the_first_imports_is_no_crash(module: str) -> None:
    probe = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            sys.meta_path.remove(self)\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from reconciler.__main__ import main\n"
        "main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (Interrupted.exit_code, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("plan", "--nonsense"),
        ("plan", "--format", "pdf"),
        ("show",),
        ("show", "missing.json"),
        ("apply", "missing.json", "--auto-approve"),
        ("fetch", "policies"),
        ("schema", "Nonsense"),
        ("plan", "--product", "teams"),
        ("plan", "--format", "powershell"),
        ("plan", "--only", "nonsense"),
        ("apply", "--auto-approve", "--tenant", "live"),
        ("plan", "--tenant", "sim:"),
        ("plan", "--tenant", "missing.json"),
        ("apply",),
        ("apply", "--auto-approve"),
        ("fetch", "--tenant", "tenant.json", "--out", "capture.json"),
    ],
)
def test_usage_errors_exit_64_with_a_message(
    run: Run, folder: Path, arguments: tuple[str, ...]
) -> None:
    ran = run(*arguments)
    assert ran.code == 64, ran
    assert "Error: " in ran.err
    assert "Traceback" not in ran.err
    assert not (folder / ".reconciler").exists()


ZEROS = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "--app", ZEROS, "--mailbox", "adele.vance"),
        ("explain", "--app", "crm", "--mailbox", ZEROS),
        ("who", ZEROS),
        ("reach", "--app", ZEROS),
        ("list", "--app", ZEROS),
        ("plan", "--only", f"application/{ZEROS}"),
        ("plan", "--skip", f"teams.grant/user:{ZEROS}"),
        ("plan", "--allow", f"tenant-wide:teams.application/{ZEROS}"),
        ("diagnose", "-", "--app", ZEROS, "--user", "adele.vance"),
        ("init", "new", "--tenant-id", ZEROS, "--organization", "contoso.onmicrosoft.com"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_the_id_of_nothing_is_refused_wherever_it_is_typed(
    run: Run, folder: Path, arguments: tuple[str, ...]
) -> None:
    ran = run(*arguments, stdin="403")
    assert ran.code == 64
    assert f"`{ZEROS}` does not identify an object: write the real id" in ran.err
    assert not (folder / "new").exists()


@pytest.mark.parametrize("odd", ["\udcff", "\ud800x", "anna\udc80@contoso.com"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "--mailbox", "adele.vance", "--app"),
        ("explain", "--app", "crm", "--mailbox"),
        ("explain", "--app", "crm", "--meetings-of"),
        ("who",),
        ("list", "--policy"),
        ("plan", "--only"),
        ("plan", "--allow"),
        ("diagnose", "-", "--app", "crm", "--user"),
    ],
    ids=" ".join,
)
def test_what_is_not_unicode_is_the_fault_of_who_typed_it(
    run: Run, folder: Path, arguments: tuple[str, ...], odd: str
) -> None:
    ran = run(*arguments, odd, stdin="403")
    assert ran.code == 64
    assert f"{odd!a} is not valid Unicode text: type it again" in ran.err


def test_live_needs_a_document_that_says_how_to_sign_in(run: Run, folder: Path) -> None:
    ran = run("plan", "--tenant", "live")
    assert ran.code == 1
    assert "add `spec.connect.teams`" in ran.err
    assert "add `spec.connect.exchange`" in ran.err


def test_without_tenant_the_documents_must_be_for_the_bundled_one(run: Run, folder: Path) -> None:
    (folder / "other.yaml").write_text(tenant_document(STRANGER))
    other = run("plan", "other.yaml")
    assert other.code == 64
    assert STRANGER in other.err
    (folder / "none.yaml").write_text(teams_document("A", "{applications: []}"))
    none = run("plan", "none.yaml")
    assert none.code == 64
    assert "no Tenant document" in none.err


def test_the_environment_may_name_the_tenant(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("RECONCILER_TENANT", "missing/capture.json")
        ran = run("plan")
    assert ran.code == 64
    assert "missing/capture.json" in ran.err


def test_a_file_that_cannot_be_written_is_no_defect(run: Run, folder: Path) -> None:
    ran = run("plan", "--out", "missing/folder/plan.json")
    assert ran.code == 1
    assert "missing/folder/" in ran.err
    assert "defect" not in ran.err


def test_faults_of_documents_are_a_report_in_the_format_asked_for(run: Run, folder: Path) -> None:
    (folder / "policies" / "bad.yaml").write_text(
        teams_document("B", "{applications: [], nonsense: 1}")
    )
    text = run("plan")
    assert text.code == 3
    assert text.out.startswith("policies/bad.yaml:5:")
    assert text.out.endswith("1 error in 1 file.\n")
    listed = run("plan", "--format", "json")
    assert listed.code == 3
    assert [row["rule"] for row in json.loads(listed.out)["findings"]] == ["schema.unknown-key"]


def test_an_unexpected_fault_asks_for_a_report_and_shows_its_traceback_only_when_asked(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "capture", lambda *_: 1 / 0)
        quiet = run("plan")
        patch.setenv("RECONCILER_TRACEBACK", "1")
        loud = run("plan")
    assert quiet.code == loud.code == 1
    assert "ZeroDivisionError" in quiet.err
    assert "RECONCILER_TRACEBACK=1" in quiet.err
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err


def test_an_interrupted_command_exits_130(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "capture", interrupt)
        ran = run("plan")
    assert (ran.code, ran.err.strip()) == (130, "Interrupted.")


def test_the_schemas_are_printed(run: Run) -> None:
    assert "allOf" in json.loads(run("schema").out)
    for kind in (
        "Tenant",
        "application",
        "TeamsApplicationAccessPolicy",
        "ExchangeApplicationAccessPolicy",
        "capture",
        "plan",
    ):
        assert json.loads(run("schema", kind).out)["title"]


def test_validate_and_its_rules(run: Run, folder: Path) -> None:
    ran = run("validate")
    assert (ran.code, ran.out.splitlines()[0], ran.err) == (0, "17 documents are valid.", "")
    listed = run("validate", "--format", "json")
    assert (listed.code, json.loads(listed.out)["findings"], listed.err) == (0, [], "")
    assert "yaml.duplicate-key: A duplicate key\n" in run("validate", "--rules").out
    assert {"id", "title", "why"} == set(
        json.loads(run("validate", "--rules", "--format", "json").out)["rules"][0]
    )
    (folder / "policies" / "bad.yaml").write_text("a\tb")
    assert run("validate").code == run("validate", "--format", "json").code == 3


def _process(folder: Path, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reconciler", *arguments]
    return subprocess.run(command, cwd=folder, text=True, check=False, capture_output=True, **more)  # type: ignore[call-overload, no-any-return]


def test_as_a_process_reports_go_to_standard_output_and_messages_to_standard_error(
    folder: Path,
) -> None:
    planned = _process(folder, "plan", "--out", "plan.json", "--detailed-exitcode")
    assert (planned.returncode, planned.stderr) == (2, "")
    applied = _process(
        folder, "apply", "plan.json", "--auto-approve", "--tenant", "sim:tenant.json"
    )
    assert applied.returncode == 0, applied.stderr
    assert applied.stdout.startswith("SIMULATED TENANT")
    assert (
        "Apply complete! Policies: 3 added, 3 changed, 1 destroyed. Grants: 4 added, 1 moved, 1 removed.\n"
        in applied.stdout
    )
    assert "[13/13] done" in applied.stderr
    assert "done" not in applied.stdout.replace("done.", "")
    usage = _process(folder, "plan", "--nonsense")
    assert (usage.returncode, usage.stdout) == (64, "")


def test_a_reader_that_goes_away_is_no_fault(folder: Path) -> None:
    script = f"{sys.executable} -m reconciler validate --rules | head -c 1"
    ran = subprocess.run(
        ["/bin/sh", "-c", script], cwd=folder, text=True, check=False, capture_output=True
    )
    assert ran.stderr == ""


def test_a_terminal_without_the_letters_still_gets_a_report(folder: Path) -> None:
    (folder / "policies" / "letters.yaml").write_text(
        teams_document("Zoë", "{applications: []}"), encoding="utf-8"
    )
    ran = _process(folder, "plan", env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert ran.returncode == 0, ran.stderr
    assert "Zo\\xeb" in ran.stdout
