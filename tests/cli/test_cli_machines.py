"""What machines read: UTF-8 with LF whatever the console is, private files, and inputs that are no
regular files.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from reconciler.reports import findings as findings_report

if TYPE_CHECKING:
    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
NAME = "Büro-Łódź"
ENCODINGS = ("cp1252", "ascii", "utf-16", "cp437:strict")


def _bytes(folder: Path, encoding: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A command whose standard output is a pipe of a console with this encoding."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )


@pytest.fixture
def polish(run: Run, folder: Path) -> Path:
    """A folder with a plan whose letters no console of old has."""
    (folder / "policies" / "polish.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\n"
        f"metadata: {{name: {NAME}}}\n"
        "spec:\n  description: „Vertrieb“ in Łódź\n"
        "  applications: [8ae3fc5c-5742-444e-8a49-249b37b774b7]\n",
        encoding="utf-8",
    )
    assert run("plan", "--out", "plan.json", *SIM).code == 0
    return folder


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "command",
    [
        ("show", "plan.json", "--format", "json"),
        ("show", "plan.json", "--format", "powershell", "--product", "teams"),
        ("test", "--plan", "plan.json", "--format", "junit"),
        ("test", "--plan", "plan.json", "--format", "json"),
        ("schema", "plan"),
    ],
)
def test_a_pipe_gets_the_same_utf8_whatever_the_encoding(
    polish: Path, encoding: str, command: tuple[str, ...]
) -> None:
    told, expected = _bytes(polish, encoding, *command), _bytes(polish, "utf-8", *command)
    assert told.returncode == expected.returncode
    assert told.stdout == expected.stdout
    assert told.stdout.decode("utf-8")
    assert b"\r" not in told.stdout


def test_the_script_and_the_json_say_what_was_reviewed(polish: Path) -> None:
    script = _bytes(
        polish, "cp1252", "show", "plan.json", "--format", "powershell", "--product", "teams"
    )
    assert f"-Identity:'{NAME}'" in script.stdout.decode("utf-8")
    assert "-Description:'„Vertrieb“ in Łódź'" in script.stdout.decode("utf-8")
    shown = _bytes(polish, "cp1252", "show", "plan.json", "--format", "json")
    assert (polish / "plan.json").read_bytes().rstrip(b"\n") in shown.stdout


def test_what_people_read_marks_the_letters_that_the_console_lacks(polish: Path) -> None:
    told = _bytes(polish, "cp1252", "show", "plan.json")
    assert told.returncode == 0
    assert "Büro-\\u0141ód\\u017a".encode("cp1252") in told.stdout


@pytest.mark.parametrize(
    "form", [("json",), ("powershell", "--product", "teams"), ("text",)], ids=" ".join
)
def test_show_writes_to_a_file_what_it_would_print(
    run: Run, polish: Path, form: tuple[str, ...]
) -> None:
    printed = run("show", "plan.json", "--format", *form)
    (polish / "out.txt").write_text("of yesterday", encoding="utf-8")
    wrote = run("show", "plan.json", "--format", *form, "--out", "out.txt")
    assert (wrote.code, wrote.out, wrote.err) == (0, "", "")
    assert (polish / "out.txt").read_bytes() == printed.out.encode()


def test_show_leaves_the_file_as_it_was_when_there_is_nothing_to_write(
    run: Run, polish: Path
) -> None:
    (polish / "out.txt").write_text("of yesterday", encoding="utf-8")
    (polish / "plan.json").write_text("{}", encoding="utf-8")
    assert run("show", "plan.json", "--out", "out.txt").code == 5
    assert (polish / "out.txt").read_text(encoding="utf-8") == "of yesterday"
    refused = run("show", "plan.json", "--out", "./plan.json")
    assert refused.code == 64
    assert "the plan that is shown would be overwritten" in refused.err
    assert (polish / "plan.json").read_text(encoding="utf-8") == "{}"


def test_plans_are_their_owners_alone_and_old_files_keep_their_mode(run: Run, polish: Path) -> None:
    (polish / "shared.json").touch()
    (polish / "shared.json").chmod(0o640)
    old = os.umask(0o022)
    try:
        run("plan", "--out", "shared.json", "--json-into", "also.json", *SIM)
        run("show", "plan.json", "--out", "shown.txt")
    finally:
        os.umask(old)
    modes = {
        name: stat.S_IMODE((polish / name).stat().st_mode)
        for name in ("plan.json", "also.json", "shown.txt", "shared.json")
    }
    assert modes == {
        "plan.json": 0o600,
        "also.json": 0o600,
        "shown.txt": 0o600,
        "shared.json": 0o640,
    }


@pytest.mark.parametrize("tenant", ["sim:.", "sim:/dev/zero", "sim:fifo", "fifo", "/dev/zero"])
def test_a_tenant_is_a_regular_file(run: Run, folder: Path, tenant: str) -> None:
    os.mkfifo(folder / "fifo")
    ran = run("plan", "--tenant", tenant)
    assert (ran.code, ran.out) == (64, "")
    assert f"--tenant {tenant}: not a regular file" in ran.err


@pytest.mark.parametrize("plan", ["fifo", "/dev/zero"])
@pytest.mark.parametrize("command", ["show", "apply", "rehearse"])
def test_a_plan_is_a_regular_file(run: Run, folder: Path, plan: str, command: str) -> None:
    os.mkfifo(folder / "fifo")
    ran = run(command, plan, *(("--auto-approve",) if command == "apply" else ()))
    assert ran.code == 1
    assert f"{plan}: not a regular file" in ran.err
    assert "defect" not in ran.err


@pytest.mark.parametrize("value", ['"\\ud800"', '["\\udc00"]', '{"\\ud83d":1}', '"\\ude00\\ud83d"'])
def test_half_of_a_surrogate_pair_in_a_plan_is_a_change_to_it(
    run: Run, polish: Path, value: str
) -> None:
    whole = (polish / "plan.json").read_text(encoding="utf-8")
    for changed in (
        whole.replace('"held":[]', f'"held":{value}', 1),
        whole.replace(f'"{NAME}"', value, 1),
    ):
        assert changed != whole
        (polish / "plan.json").write_text(changed, encoding="utf-8")
        ran = run("show", "plan.json")
        assert ran.code == 5, ran
        assert "defect" not in ran.err


def test_junit_says_why_faulty_documents_were_not_tested(run: Run, folder: Path) -> None:
    (folder / "policies" / "faulty.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {name: t}\nspec: 3\n",
        encoding="utf-8",
    )
    ran = run("test", "--format", "junit", *SIM)
    assert ran.code == 3
    suites = ET.fromstring(ran.out)  # noqa: S314  what this process wrote
    assert int(suites.attrib["errors"]) == len(suites.findall(".//error")) >= 1
    case = suites.find(".//testcase")
    assert case is not None
    assert case.attrib["file"] == str(Path("policies") / "faulty.yaml")


@pytest.mark.parametrize("form", ["text", "json"])
def test_findings_are_printed_up_to_a_bound_and_counted_beyond(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(findings_report, "MOST", 3)
    for number in range(5):
        (folder / "policies" / f"f{number}.yaml").write_text("3\n", encoding="utf-8")
    ran = run("validate", "--format", form)
    assert ran.code == 3
    assert "2 more findings not shown: correct these first" in ran.out
    if form == "json":
        assert len(json.loads(ran.out)["findings"]) == 4
    else:
        assert len(ran.out.splitlines()) == 5
        assert "5 errors in 5 files." in ran.out
