"""Standard streams that are full, closed or without a reader: the exit code still tells what
happened to the tenant.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.cli import printing
from tests.cli.sample import teams_document

if TYPE_CHECKING:
    from tests.conftest import Run

APPLY = "apply --auto-approve --tenant sim:tenant.json plan.json"
MENTIONS_A_DEFECT = ("defect", "Traceback", "AttributeError", "Exception ignored")
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")


def _shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which `reconciler` is a command."""
    script = f'reconciler() {{ "{sys.executable}" -m reconciler "$@"; }}\n{line}'
    ran = subprocess.run(
        ["/bin/bash", "-c", script], cwd=folder, text=True, check=False, capture_output=True
    )
    assert not any(word in ran.stdout + ran.stderr for word in MENTIONS_A_DEFECT), ran
    return ran


@pytest.fixture
def planned(run: Run, folder: Path) -> Path:
    assert run("plan", "--out", "plan.json", "--tenant", "sim:tenant.json").code == 0
    return folder


@full
def test_an_apply_whose_report_finds_no_room_tells_it_on_standard_error(planned: Path) -> None:
    ran = _shell(planned, f"reconciler {APPLY} >/dev/full")
    assert ran.returncode == 0, ran
    assert "Apply complete!" in ran.stderr


@pytest.mark.parametrize("away", [">&-", "| true; exit ${PIPESTATUS[0]}"])
def test_an_apply_whose_reader_is_gone_tells_it_on_standard_error(planned: Path, away: str) -> None:
    ran = _shell(planned, f"reconciler {APPLY} {away}")
    assert ran.returncode == 0, ran
    assert "Apply complete!" in ran.stderr


@full
@pytest.mark.parametrize(
    "away", [">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full", ">&- 2>/dev/full"]
)
def test_an_apply_that_nobody_hears_is_done_all_the_same(planned: Path, away: str) -> None:
    ran = _shell(planned, f"reconciler {APPLY} {away}")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert "\nNo changes. " in _shell(planned, "reconciler plan --tenant sim:tenant.json").stdout


@full
def test_an_apply_that_stopped_keeps_its_code(planned: Path) -> None:
    script = (
        "import sys\n"
        "from reconciler.tenants.protocol import Failed, Fault\n"
        "from reconciler.tenants.simulated import Simulator\n"
        "Simulator.run = lambda *_: Failed(Fault.DENIED, 'no rights')\n"
        "from reconciler.__main__ import main\n"
        f"sys.argv = ['reconciler', *{APPLY.split()}]\n"
        "main()\n"
    )
    (planned / "denied.py").write_text(script)
    ran = _shell(
        planned, f"PYTHONPATH={Path(__file__).parents[2]} {sys.executable} denied.py >/dev/full"
    )
    assert ran.returncode == 6, ran
    assert "Apply stopped: 0 of" in ran.stderr


@full
def test_a_plan_that_cannot_be_shown_is_not_applied(folder: Path) -> None:
    before = (folder / "tenant.json").read_bytes()
    ran = _shell(folder, "reconciler apply --auto-approve --tenant sim:tenant.json >/dev/full")
    assert ran.returncode == 1
    assert "nothing was changed" in ran.stderr
    assert (folder / "tenant.json").read_bytes() == before


@full
@pytest.mark.parametrize("away", [">&-", ">/dev/full"])
@pytest.mark.parametrize(
    "command",
    ["plan", "plan --format json", "validate", "validate --rules", "show --help", "--version"],
)
def test_a_report_that_cannot_be_written_says_what_to_do(
    folder: Path, command: str, away: str
) -> None:
    ran = _shell(folder, f"reconciler {command} {away}")
    assert ran.returncode == 1, ran
    assert ran.stderr.startswith("Error: ")
    assert "standard output" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@full
@pytest.mark.parametrize("option", ["--out", "--json-into"])
def test_a_file_that_finds_no_room_is_named(run: Run, folder: Path, option: str) -> None:
    ran = run("plan", option, "/dev/full", "--tenant", "sim:tenant.json", cwd=folder)
    assert (ran.code, ran.out == "") == (1, option == "--out")
    assert ran.err == (
        "Error: /dev/full: No space left on device; make room, or write to another place\n"
    )


@full
def test_faults_of_documents_that_cannot_be_written_say_so(folder: Path) -> None:
    (folder / "policies" / "bad.yaml").write_text(teams_document("B", "{nonsense: 1}"))
    ran = _shell(folder, "reconciler plan >/dev/full")
    assert ran.returncode == 1
    assert "cannot write to standard output" in ran.stderr


@pytest.mark.parametrize("command", ["plan", "validate --rules", "schema plan"])
def test_a_reader_that_has_gone_needs_no_word(folder: Path, command: str) -> None:
    ran = _shell(folder, f"reconciler {command} | true; exit ${{PIPESTATUS[0]}}")
    assert (ran.returncode, ran.stderr) in {(1, ""), (0, "")}


@full
@pytest.mark.parametrize(
    ("command", "code"), [("nonsense", 64), ("plan missing", 64), ("plan --tenant live", 1)]
)
def test_messages_that_nobody_takes_change_no_code(folder: Path, command: str, code: int) -> None:
    assert _shell(folder, f"reconciler {command} 2>&-").returncode == code
    assert _shell(folder, f"reconciler {command} 2>/dev/full").returncode == code


def test_without_standard_input_nobody_can_be_asked(planned: Path) -> None:
    ran = _shell(planned, "reconciler apply plan.json --tenant sim:tenant.json <&-")
    assert ran.returncode == 64
    assert "--auto-approve" in ran.stderr


@pytest.mark.parametrize("typed", ["##vso[task.x]y", "::error::x", "a\n::error::x", "\x1b[2J"])
def test_what_was_typed_commands_no_runner_and_no_terminal(run: Run, typed: str) -> None:
    for arguments in (
        (typed,),
        ("plan", f"--{typed}"),
        ("plan", "--format", typed),
        ("show", typed),
        ("schema", typed),
    ):
        ran = run(*arguments)
        assert ran.code == 64
        assert "Error: " in ran.err
        assert "##vso[" not in ran.err
        assert "\x1b" not in ran.err
        assert not any(line.lstrip().startswith("::") for line in ran.err.splitlines())


def test_a_message_of_several_lines_is_told_line_by_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printing.say("Error: first\nsecond\n::error::third")
    assert capsys.readouterr().err == "Error: first\n  second\n  \\u{3A}:error::third\n"


def test_ctrl_c_while_the_command_is_loaded_is_no_crash(folder: Path) -> None:
    script = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from reconciler.__main__ import main\n"
        "main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, text=True, check=False, capture_output=True
    )
    assert (ran.returncode, ran.stderr) == (130, "")
