"""The only place that prints: reports to standard output, what is said about the run to standard
error.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import click

from reconciler.cli import collecting, streams
from reconciler.errors import ReconcilerError
from reconciler.files import write_atomically
from reconciler.reports.lines import Line, Tone, paragraph, plain_text
from reconciler.reports.wrapping import NO_TERMINAL, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

    from rich.console import Console

    from reconciler.reports.outline import Outline

STYLES: Mapping[Tone, str] = {
    Tone.PLAIN: "",
    Tone.HEADING: "bold",
    Tone.ADD: "green",
    Tone.CHANGE: "yellow",
    Tone.REMOVE: "red",
    Tone.WARNING: "yellow",
    Tone.FAULT: "bold red",
    Tone.EVERYONE: "bold red",
    Tone.WIDENS: "red",
    Tone.MOVES: "yellow",
    Tone.NARROWS: "green",
}
MIN_COLUMNS = 40
"""Narrower terminals wrap by themselves."""


class Unprinted(ReconcilerError):
    """Standard output takes no report.

    `reader_gone`: whoever read it wants no more, and needs not be told.
    """

    def __init__(self, fault: OSError) -> None:
        self.reader_gone = isinstance(fault, BrokenPipeError)
        super().__init__(
            f"cannot write to standard output: {fault.strerror or fault}; use a terminal, a pipe"
            " or a file with free space, then run the command again"
        )


_FILE: ContextVar[list[bytes] | None] = ContextVar("_FILE", default=None)
"""What goes into a file instead of standard output."""


@contextmanager
def into(path: Path | None) -> Iterator[None]:
    """Let reports go into a file, written as a whole at the end and its owner's alone if it is new;
    to standard output if it is None.

    Raises:
        OSError: the file cannot be written.
    """
    if path is None:
        yield
        return
    pieces: list[bytes] = []
    token = _FILE.set(pieces)
    try:
        yield
    finally:
        _FILE.reset(token)
    write_atomically(path, pieces, private=True)


def report(lines: Iterable[Line]) -> None:
    """Print a report; nothing where standard output is for the envelope of the run alone.

    Raises:
        Unprinted: standard output does not take it.
    """
    if collecting.current().quiet:
        return
    if (pieces := _FILE.get()) is not None:
        pieces.append(encoded(plain_text(lines)))
        return
    try:
        _print(lines, sys.stdout)
    except OSError as fault:
        streams.give_up(sys.stdout)
        raise Unprinted(fault) from fault


def outline(value: Outline, *, ids: bool = False) -> None:
    """Print a report as text, no wider than where it goes.

    Raises:
        Unprinted: standard output does not take it.
    """
    from reconciler.reports.outline import outline_lines  # noqa: PLC0415  lazy: not of every command

    report(outline_lines(value, Layout(columns(sys.stdout), ids=ids)))


def outline_markdown_page(
    value: Outline, max_bytes: int | None = None, *, ids: bool = False
) -> None:
    """Print a report as Markdown of at most so many bytes.

    Raises:
        Unprinted: standard output does not take it.
    """
    # lazy: six modules
    from reconciler.reports.markdown.limits import MAX_BYTES  # noqa: PLC0415
    from reconciler.reports.markdown.outlines import outline_markdown  # noqa: PLC0415

    raw(outline_markdown(value, max_bytes or MAX_BYTES, ids=ids))


def outlined(value: Outline, form: str, max_bytes: int | None = None, *, ids: bool = False) -> None:
    """Print a report in the format that was asked for: `text`, `markdown` or `html`; `json` is in the
    envelope.

    Raises:
        Unprinted: standard output does not take it.
    """
    if form == "markdown":
        outline_markdown_page(value, max_bytes, ids=ids)
    elif form == "html":
        from reconciler.reports import html  # noqa: PLC0415  lazy: only this format needs it

        raw(html.outline_page(value))
    else:
        outline(value, ids=ids)


def outline_done(value: Outline, form: str) -> None:
    """Print a report of what cannot be undone any more: on standard error if need be, and it never
    fails, so that the exit code stays.
    """
    from reconciler.reports.outline import outline_lines  # noqa: PLC0415  lazy: as above

    try:
        outlined(value, form)
    except Unprinted:
        notice(outline_lines(value))


def notice(lines: Iterable[Line]) -> None:
    """Print something about the run that is not part of a report.

    Where nobody takes it, the run goes on without.
    """
    try:
        _print(_without_people(lines), sys.stderr)
    except OSError:
        streams.give_up(sys.stderr)


def _without_people(lines: Iterable[Line]) -> Iterable[Line]:
    """What is said about a run, in which nobody is named where that was asked for."""
    redaction = collecting.current().redaction
    if redaction is None:
        return lines
    return [Line(redaction.message(line.text), line.tone) for line in lines]


def say(message: str, tone: Tone = Tone.PLAIN) -> None:
    """Print a message about the run; each of its lines is a line of its own."""
    notice(paragraph(message, tone=tone))


def raw(content: str) -> None:
    """Print a report that is not lines for people: JSON, a script.

    Whatever takes it gets UTF-8 with LF, whatever the console's encoding is; only a terminal gets
    letters as it shows them, with those that it lacks marked.

    Raises:
        Unprinted: standard output does not take it.
    """
    if not collecting.current().quiet:
        raw_last(content)


def raw_last(content: str) -> None:
    """As `raw`, also where standard output is for the envelope of the run, which this prints.

    Raises:
        Unprinted: standard output does not take it.
    """
    if (pieces := _FILE.get()) is not None:
        pieces.append(encoded(content))
        return
    try:
        _print_raw(content)
    except OSError as fault:
        streams.give_up(sys.stdout)
        raise Unprinted(fault) from fault


def _print_raw(content: str) -> None:
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None or sys.stdout.isatty():
        click.echo(content, nl=False)
        return
    sys.stdout.flush()
    binary.write(encoded(content))
    binary.flush()


def encoded(content: str) -> bytes:
    """A report as bytes; half of a surrogate pair, which has no UTF-8, is marked."""
    return content.encode("utf-8", "backslashreplace")


def colours(stream: TextIO) -> bool:
    """Whether colour is wanted: on a terminal that has it, unless NO_COLOR (no-color.org) says
    otherwise; where there is none, if FORCE_COLOR (force-color.org) or CLICOLOR_FORCE
    (bixense.com/clicolors) asks for it.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if any(
        os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    ):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def animated(stream: TextIO) -> bool:
    """Whether progress may move: on a terminal only. What asks for colour in the log of a pipeline
    does not ask for lines that overwrite each other.
    """
    return colours(stream) and stream.isatty()


def columns(stream: TextIO) -> int:
    """How wide a report may be: COLUMNS, else as wide as the terminal, else NO_TERMINAL."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return max(MIN_COLUMNS, int(asked))
    if _FILE.get() is not None or not stream.isatty():
        return NO_TERMINAL
    return max(MIN_COLUMNS, shutil.get_terminal_size((NO_TERMINAL, 24)).columns)


def console(stream: TextIO) -> Console:
    """A rich console that changes nothing about a text but its colour."""
    from rich.console import Console  # noqa: PLC0415  lazy: only on a terminal

    # forced: whoever calls this has decided that there is colour
    return Console(
        file=stream, force_terminal=True, highlight=False, markup=False, emoji=False, soft_wrap=True
    )


def _print(lines: Iterable[Line], stream: TextIO) -> None:
    if colours(stream):
        coloured(lines, console(stream))
    else:
        click.echo(plain_text(lines), file=stream, nl=False)


def coloured(lines: Iterable[Line], target: Console) -> None:
    """Print lines in the colours of their tones; without them it is the same text."""
    from rich.segment import Segment, Segments  # noqa: PLC0415  lazy: only on a terminal

    for (
        line
    ) in lines:  # segments, because a `Text` loses blanks at its end where it fills the width
        piece = Segment(line.printed(), target.get_style(STYLES[line.tone] or "none"))
        target.print(Segments([piece], new_lines=True), soft_wrap=True, end="")
