"""Whoever writes a new remedy adds a situation in which it is tried, or says why nobody can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.main import program
from tests import remedies as room
from tests.house.tree import ROOT, expect_none
from tests.remedies.printed import named_case, unprinted, words_of
from tests.remedies.texts import ELSEWHERE, NO_ADVICE, TRIED, UNTRIED, remedies

if TYPE_CHECKING:
    import pytest

PARTS = (*TRIED, *ELSEWHERE, *UNTRIED, *NO_ADVICE)

OF_GIT = frozenset({"--refetch", "--no-filter", "--git-dir"})


def test_every_remedy_is_tried_or_changes_nothing() -> None:
    expect_none([str(text) for text in remedies() if not any(part in text.text for part in PARTS)])


def test_every_part_is_one_of_a_remedy() -> None:
    written = [text.text for text in remedies()]
    expect_none([part for part in PARTS if not any(part in text for text in written)])


def test_every_situation_is_there() -> None:
    modules = Path(room.__path__[0]).glob("test_*.py")
    named = {name for module in modules for name in _tests(module.read_text(encoding="utf-8"))}
    words = {name.removeprefix("test_").replace("_", " ").lower() for name in named}
    expect_none(sorted({named_case(name)[0] for name in TRIED.values()} - words))


def test_every_case_that_is_named_is_there(request: pytest.FixtureRequest) -> None:
    """One that no test has would print its remedy in no run."""
    cases: dict[str, list[str]] = {}
    for item in request.session.items:
        for name in words_of(item):
            cases.setdefault(name, []).append(item.name.partition("[")[2])
    expect_none(
        [
            named
            for named in (*TRIED.values(), *ELSEWHERE.values())
            for name, case in [named_case(named)]
            if name in cases and not any(case in own for own in cases[name])
        ]
    )


def test_what_nothing_prints_is_found() -> None:
    """A text counts as printed whole, whatever is filled in and however a report breaks its lines."""
    part = "or let it wait longer with --timeout"
    whole = "Verify again after 10:00,\n   or let it wait longer\n  with --timeout."
    assert unprinted([part], ["nothing", whole]) == []
    assert unprinted([part], [part, whole.replace("longer", "")]) == [part]


def test_every_test_elsewhere_is_there() -> None:
    places = [place.split("::") for place in ELSEWHERE.values()]
    expect_none(
        [
            f"{file}::{name}"
            for file, name in places
            if named_case(name)[0] not in _tests((ROOT / file).read_text(encoding="utf-8"))
        ]
    )


def _tests(text: str) -> set[str]:
    return set(re.findall(r"^(?:def )?(test_\w+)", text, re.MULTILINE))


def test_every_command_and_option_of_a_remedy_exists() -> None:
    context = click.Context(program)
    commands = {name: program.get_command(context, name) for name in program.list_commands(context)}
    options = {
        option
        for command in commands.values()
        if command is not None
        for parameter in command.params
        for option in parameter.opts
    } | OF_GIT
    written = [
        (text, word)
        for text in remedies()
        for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text.text)
    ]
    expect_none([f"{text}: {word}" for text, word in written if word not in options])
    named = [
        (text, name)
        for text in remedies()
        for name in re.findall(r"(?:`|: |\()reconciler ([a-z]+)\b", text.text)
    ]
    expect_none([f"{text}: {name}" for text, name in named if name not in commands])
