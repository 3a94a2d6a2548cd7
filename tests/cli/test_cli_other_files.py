"""A file of ours where another kind is expected is called what it is, with the command that takes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Run

COMMANDS = [("show",), ("rehearse",), ("apply", "--tenant", "sim:tenant.json", "--auto-approve")]


@pytest.fixture
def here(folder: Path, run: Run) -> Path:
    assert run("fetch", "--out", "c 1.json").code == 0
    return folder


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("file", "called", "then"),
    [
        ("c 1.json", "not a plan but a capture", "reconciler plan --tenant 'c 1.json'"),
        (
            "tenant.json",
            "not a plan but a simulated tenant",
            "reconciler plan --tenant sim:tenant.json",
        ),
    ],
)
def test_a_capture_or_a_tenant_is_no_plan(
    run: Run, command: tuple[str, ...], file: str, called: str, then: str
) -> None:
    ran = run(command[0], file, *command[1:])
    assert ran.code == 5
    assert f"{file}: {called}" in ran.err
    assert then in ran.err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("file", ["c 1.json", "tenant.json"])
def test_nobody_is_asked_to_approve_what_is_no_plan(run: Run, file: str) -> None:
    """Not even where there is nobody to ask."""
    ran = run("apply", file)
    assert ran.code == 5
    assert f"{file}: not a plan but a" in ran.err
    assert "approval" not in ran.err


@pytest.mark.usefixtures("here")
def test_what_the_message_says_about_a_capture_works(run: Run) -> None:
    assert run("plan", "--tenant", "c 1.json", "--out", "plan.json").code == 0
    assert run("show", "plan.json").code == 0


@pytest.fixture
def kept(here: Path, run: Run) -> Path:
    """Beside the capture: a plan, the output of a plan in two formats, a journal, and a plan of which
    two versions were merged.
    """
    assert run("plan", "--out", "plan.json").code == 0
    (here / "printed.json").write_text(run("plan", "--format", "json").out, encoding="utf-8")
    (here / "page.html").write_text(run("plan", "--format", "html").out, encoding="utf-8")
    assert run("apply", "plan.json", "--auto-approve", "--tenant", "sim:other.json").code == 0
    (journal,) = Path(os.environ["RECONCILER_STATE_DIR"]).glob("*/*.jsonl")
    (here / "journal.jsonl").write_bytes(journal.read_bytes())
    sides = (here / "plan.json").read_text("utf-8"), (here / "c 1.json").read_text("utf-8")
    merged = f"<<<<<<< HEAD\n{sides[0]}=======\n{sides[1]}>>>>>>> main\n"
    (here / "merged.json").write_text(merged, encoding="utf-8")
    return here


WANTED = {
    "a plan": (("show", "{}"), ("verify", "{}"), ("test", "--plan", "{}")),
    "a capture": (
        ("plan", "--tenant", "{}"),
        ("drift", "--tenant", "{}"),
        ("explain", "--app", "crm", "--mailbox", "adele.vance", "--capture", "{}"),
    ),
    "a simulated tenant": (("plan", "--tenant", "sim:{}"), ("fetch", "--tenant", "sim:{}")),
    "a document": (("validate", "{}"), ("plan", "{}")),
    "the journal of an apply": (("undo", "plan.json", "--journal", "{}"),),
}
OTHERS = {
    "plan.json": ("a plan", "reconciler show plan.json"),
    "printed.json": ("what --format json printed", "`reconciler plan --out FILE` keeps a plan"),
    "page.html": ("a page of --format html", "open it in a browser"),
    "tenant.json": ("a simulated tenant", "reconciler plan --tenant sim:tenant.json"),
    "journal.jsonl": ("the journal of an apply", "--journal to `reconciler undo`"),
    "policies/tenant.yaml": ("a document", "reconciler plan policies"),
    "merged.json": ("two files in one, because of a merge conflict", "keep one side of it"),
}


@pytest.mark.parametrize("file", OTHERS)
def test_a_file_of_another_kind_is_called_what_it_is(run: Run, kept: Path, file: str) -> None:
    called, then = OTHERS[file]
    for wanted, commands in WANTED.items():
        # YAML takes other texts for documents, and says of each what is wrong with it
        is_text = wanted == "a document" and not file.endswith(("plan.json", "printed.json"))
        for command in () if called == wanted or is_text else commands:
            words = [word.format(file) for word in command]
            options = ("--out", "new.json") if command[0] == "fetch" else ()
            ran = run(*words, *options)
            assert ran.code in {1, 3, 5}, words
            assert f"not {wanted} but {called}" in ran.out + ran.err, words
            assert then in ran.out + ran.err, words
    assert not (kept / "new.json").exists()


def test_any_other_object_is_not_taken_for_an_old_plan(run: Run, folder: Path) -> None:
    (folder / "other.json").write_text('{"name": "x"}', encoding="utf-8")
    ran = run("show", "other.json")
    assert (ran.code, "not a plan file (no format_version)" in ran.err) == (5, True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("paln", "plan"), ("shwo", "show"), ("aply", "apply"), ("explian", "explain")),
        *(("Plan", "plan"), ("VERIFY", "verify"), ("unod", "undo"), ("drfit", "drift")),
    ],
)
def test_a_mistyped_command_is_answered_with_what_it_may_have_meant(
    run: Run, typed: str, meant: str
) -> None:
    ran = run(typed)
    assert (ran.code, f"Did you mean '{meant}'?" in ran.err) == (64, True)
