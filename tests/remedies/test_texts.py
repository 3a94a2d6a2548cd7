"""Whoever writes a new remedy adds a situation in which it is tried."""

from __future__ import annotations

import re

import click

from reconciler.cli.main import program
from tests.house.tree import expect_none
from tests.remedies import test_situations
from tests.remedies.texts import OTHERS, TRIED, remedies

OF_GIT = frozenset({"--refetch", "--no-filter", "--git-dir"})


def test_every_remedy_is_tried_or_changes_nothing() -> None:
    parts = (*TRIED, *OTHERS)
    expect_none([str(text) for text in remedies() if not any(part in text.text for part in parts)])


def test_every_part_is_one_of_a_remedy() -> None:
    written = [text.text for text in remedies()]
    parts = (*TRIED, *OTHERS)
    expect_none([part for part in parts if not any(part in text for text in written)])


def test_every_situation_is_there() -> None:
    named = {name.removeprefix("test_").replace("_", " ") for name in vars(test_situations)}
    expect_none(sorted(set(TRIED.values()) - named))


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
