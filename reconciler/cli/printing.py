"""The only place that prints: reports to standard output, what is said about the run to standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.reports.lines import Line, Tone, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from rich.console import Console

STYLES: Mapping[Tone, str] = {
    Tone.PLAIN: "",
    Tone.HEADING: "bold",
    Tone.ADD: "green",
    Tone.CHANGE: "yellow",
    Tone.REMOVE: "red",
    Tone.WARNING: "yellow",
    Tone.FAULT: "bold red",
}


def report(lines: Iterable[Line]) -> None:
    """Print a report."""
    _print(lines, sys.stdout)


def notice(lines: Iterable[Line]) -> None:
    """Print something about the run that is no part of a report."""
    _print(lines, sys.stderr)


def say(message: str, tone: Tone = Tone.PLAIN) -> None:
    """Print a message about the run; each of its lines is a line of its own."""
    notice(Line(line, tone) for line in message.split("\n"))


def raw(content: str) -> None:
    """Print a report that is not lines for people: JSON, a script."""
    click.echo(content, nl=False)


def colours(stream: TextIO) -> bool:
    """Whether colour is wanted: on a terminal that has it, unless NO_COLOR (no-color.org) says otherwise."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(stream: TextIO) -> Console:
    """A rich console that changes nothing about a text but its colour."""
    from rich.console import Console  # noqa: PLC0415  lazy: only on a terminal

    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _print(lines: Iterable[Line], stream: TextIO) -> None:
    if colours(stream):
        coloured(lines, console(stream))
    else:
        click.echo(text(lines), file=stream, nl=False)


def coloured(lines: Iterable[Line], target: Console) -> None:
    """Print lines in the colours of their tones; without them it is the same text."""
    from rich.text import Text  # noqa: PLC0415  lazy: only on a terminal

    for line in lines:
        target.print(Text(line.printed(), style=STYLES[line.tone]), soft_wrap=True)
