"""Files that are none, and files that nobody meant: every option that names a file says what is the
matter with it, and waits for nobody.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from reconciler.documents import file_trees
from reconciler.files import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
READ = {
    "documents": ("validate", "{}"),
    "capture": ("plan", "--tenant", "{}"),
    "simulated tenant": ("plan", "--tenant", "sim:{}"),
    "rehearsed tenant": ("rehearse", "plan.json", "--tenant", "sim:{}"),
    "plan shown": ("show", "{}"),
    "plan compared with": ("show", "plan.json", "--against", "{}"),
    "plan applied": ("apply", "{}", "--auto-approve", *SIM),
    "plan approved": ("apply", "plan.json", "--approved", "{}", "--auto-approve", *SIM),
    "plan undone": ("undo", "{}", *SIM),
    "journal": ("undo", "plan.json", "--journal", "{}", *SIM),
    "plan explained": ("explain", "--plan", "{}", "--app", "a", "--mailbox", "b"),
    "capture explained": ("explain", "--capture", "{}", "--app", "a", "--mailbox", "b"),
    "error": ("diagnose", "{}", *SIM),
}
WRITTEN = {
    "plan": ("plan", *SIM, "--out", "{}"),
    "capture": ("fetch", *SIM, "--out", "{}"),
    "rendering": ("show", "plan.json", "--out", "{}"),
    "envelope": ("plan", *SIM, "--json-into", "{}"),
    "patch": ("drift", *SIM, "--patch", "{}"),
    "folder": ("export", *SIM, "--out-dir", "{}"),
    "artefacts": ("ci", "plan", *SIM, "--out", "{}"),
    "tenant": ("apply", "plan.json", "--auto-approve", "--tenant", "sim:{}"),
}


@pytest.fixture
def planned(run: Run, folder: Path) -> Path:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    return folder


@pytest.fixture
def unfit(planned: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Beside a pipe, a socket and links that lead in a circle, files longer than any that is read."""
    os.mkfifo(planned / "pipe")
    for name, length in (("long", MOST_BYTES), ("long.yaml", file_trees.MOST_BYTES)):
        with (planned / name).open("wb") as file:
            file.truncate(length + 1)
    (planned / "circle").symlink_to("circle")
    monkeypatch.chdir(planned)  # the path of a socket has to be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        yield planned


def _said(run: Run, command: tuple[str, ...], name: str) -> str:
    ran = run(*(each.format(name) for each in command))
    said = ran.out + ran.err
    assert ran.code in {1, 3, 5, 64}, said
    assert "defect" not in said
    assert "folder exists" not in said
    return said


@pytest.mark.usefixtures("unfit")
@pytest.mark.parametrize("name", ["pipe", "socket"])
def test_what_is_no_file_is_not_read(run: Run, name: str) -> None:
    for what, command in READ.items():
        said = _said(run, command, name)
        assert name in said
        assert "not a regular file" in said or what == "rehearsed tenant"


@pytest.mark.usefixtures("unfit")
def test_a_file_longer_than_any_of_ours_is_not_read(run: Run) -> None:
    for what in READ.keys() - {"documents", "error"}:
        assert "long: " in (said := _said(run, READ[what], "long"))
        assert "longer than 1024 MiB" in said


@pytest.mark.usefixtures("unfit")
def test_a_document_longer_than_any_is_not_read(run: Run) -> None:
    assert "long.yaml:1:1: $: cannot read the file: longer than 64 MiB" in _said(
        run, READ["documents"], "long.yaml"
    )


def test_an_error_that_is_a_shell_s_pipe_is_read(run: Run, folder: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"error": {"code": "nothing known"}}')
    os.close(writing)
    try:
        assert "nothing known" in run("diagnose", f"/dev/fd/{reading}", *SIM).out
    finally:
        os.close(reading)


@pytest.mark.usefixtures("unfit")
def test_nothing_is_written_where_something_else_is(run: Run) -> None:
    for what, command in WRITTEN.items():
        assert "circle" in _said(run, command, "circle")
        assert "File name too long" in _said(run, command, "n" * 300)
        if what != "tenant":
            assert "socket" in _said(run, command, "socket")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b"{}}", "line 1, column 3: Extra data"),
        (b"\xff\xfe{", "byte 0 is not valid UTF-8"),
        (b"[" * 20_000, "nested too deeply"),
    ],
)
def test_what_keeps_a_plan_from_being_json_is_said_with_its_place(
    run: Run, folder: Path, content: bytes, why: str
) -> None:
    (folder / "plan.json").write_bytes(content)
    ran = run("show", "plan.json")
    assert (ran.code, ran.out) == (5, "")
    assert f"plan.json: not a plan file ({why})" in ran.err


def test_a_tenant_that_cannot_be_rehearsed_on_is_called_by_its_own_name(
    run: Run, planned: Path
) -> None:
    (planned / "broken.json").write_text("[")
    ran = run("rehearse", "plan.json", "--tenant", "sim:broken.json")
    assert ran.code == 1
    assert ran.err.startswith("Error: broken.json:1:2: invalid JSON: ")


def test_a_machine_without_memory_is_no_defect(
    run: Run, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("reconciler.planning.reviewed.load", exhausted)
    ran = run("show", "plan.json")
    assert ran.code == 1
    assert ran.err.startswith("Error: out of memory: ")
    assert "defect" not in ran.err
