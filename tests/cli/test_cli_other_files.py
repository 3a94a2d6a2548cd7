"""A file of ours that is not a plan is called what it is, with the command that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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
def test_what_the_message_says_about_a_capture_works(run: Run) -> None:
    assert run("plan", "--tenant", "c 1.json", "--out", "plan.json").code == 0
    assert run("show", "plan.json").code == 0


def test_any_other_object_is_not_taken_for_an_old_plan(run: Run, folder: Path) -> None:
    (folder / "other.json").write_text('{"name": "x"}', encoding="utf-8")
    ran = run("show", "other.json")
    assert (ran.code, "not a plan file (no format_version)" in ran.err) == (5, True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("paln", "plan"), ("shwo", "show"), ("aply", "apply"), ("explian", "explain")],
)
def test_a_mistyped_command_is_answered_with_what_it_may_have_meant(
    run: Run, typed: str, meant: str
) -> None:
    ran = run(typed)
    assert (ran.code, f"Did you mean '{meant}'?" in ran.err) == (64, True)
