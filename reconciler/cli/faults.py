"""What a person reads when a run ends early."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING, Final

import click

from reconciler.access.rules import EVERY_RULE
from reconciler.cli import annotating, collecting, options, printing
from reconciler.errors import DocumentFaults, Interrupted, ReconcilerError, UsageFault
from reconciler.files import UnfitFile
from reconciler.reports import annotated, findings
from reconciler.reports.lines import Line, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.findings import Finding

TRACEBACK = "RECONCILER_TRACEBACK"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a disk, or a quota, that has no room left."""
_NO_FILE: Final = "name a file, or one that can be made; there is something else of that name"
_NO_FOLDER: Final = "name a folder, or one that can be made; there is something else of that name"
_OF_NAMES: Final[Mapping[int, str]] = {
    errno.ENXIO: _NO_FILE,
    errno.EISDIR: _NO_FILE,
    errno.EEXIST: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
    errno.ELOOP: "the links lead in a circle: remove them, or name what they should lead to",
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""What to do about a name that cannot be used."""


def report_fault(fault: ReconcilerError, ctx: click.Context) -> int:
    """Say what is wrong, and give the exit code."""
    if isinstance(fault, DocumentFaults):
        try:
            _findings(fault, ctx)
        except printing.Unprinted as unprinted:
            return report_fault(unprinted, ctx)
    else:
        say_fault(fault)
        _annotate_failure(fault, ctx)
    return fault.exit_code


def say_fault(fault: ReconcilerError) -> None:
    """Say what is wrong, if anybody is there to read it."""
    if isinstance(fault, printing.Unprinted) and fault.reader_gone:
        collecting.current().error = str(fault)
    else:
        _say(str(fault))


def usage(fault: click.UsageError) -> None:
    """Say what click says of an invalid command line; what was typed may have come from
    others.
    """
    options.remember_typed(fault, sys.argv[1:])
    if isinstance(fault, click.NoSuchOption) and fault.ctx is not None:
        meant = options.called_otherwise(fault.option_name, fault.ctx.command)
        if meant:
            likely = " or ".join(map(repr, meant))
            fault = click.UsageError(f"{fault.message} Did you mean {likely}?", fault.ctx)
    collecting.current().error = fault.format_message()
    message = StringIO()
    fault.show(file=message)
    printing.notice(map(Line, message.getvalue().splitlines()))


def ended_by(fault: Exception | KeyboardInterrupt) -> int:
    """Say what ends a run that no command has said: an invalid command line, Ctrl-C, or what nobody
    thought of; gives the exit code.
    """
    match fault:
        case click.UsageError():
            usage(fault)
            return UsageFault.exit_code
        case click.Abort() | KeyboardInterrupt():
            collecting.current().error = "Interrupted."
            printing.say("Interrupted.")
            return Interrupted.exit_code
        case _:
            return unexpected(fault)


def unexpected(fault: Exception) -> int:
    """Say that something went wrong which nobody thought of; a file that cannot be used is not such
    thing.
    """
    if isinstance(fault, OSError):
        _say(_of_system(fault))
        return ReconcilerError.exit_code
    if isinstance(fault, MemoryError):
        _say(
            "out of memory: check that no file is far larger than it should be, or use a larger machine"
        )
        return ReconcilerError.exit_code
    _say(f"unexpected {type(fault).__name__}: {fault}")
    if os.environ.get(TRACEBACK):
        printing.say("".join(traceback.format_exception(fault)).rstrip("\n"))
    else:
        printing.say(
            f"This is a defect of reconciler. Please report it with what {TRACEBACK}=1 in the"
            " environment prints when you run this again."
        )
    return ReconcilerError.exit_code


def _of_system(fault: OSError) -> str:
    if fault.filename is None:
        return (
            f"{fault.strerror or fault}: check the free disk space, and that standard output"
            " and the files are writable"
        )
    return f"{fault.filename}: {fault.strerror}; {_advice(fault)}"


def _advice(fault: OSError) -> str:
    if isinstance(fault, UnfitFile):
        return fault.advice
    if fault.errno in _FULL:
        return "make room, or write to another place"
    return _OF_NAMES.get(fault.errno or 0, "check that the folder exists and is accessible")


def _say(message: str) -> None:
    collecting.current().error = message
    printing.say(f"Error: {message}", Tone.FAULT)


def _findings(fault: DocumentFaults, ctx: click.Context) -> None:
    collected = collecting.current()
    collected.findings, collected.error = fault.findings, str(fault)
    shown = shown_findings(fault.findings)
    if machine := annotating.chosen_format(collected.form):
        annotating.annotate(annotated.of_findings(_command(ctx), shown, EVERY_RULE), machine)
    else:
        printing.report(findings.finding_lines(shown))


def shown_findings(every_finding: Sequence[Finding]) -> Sequence[Finding]:
    """Faults of the documents; where people are redacted, without them."""
    redaction = collecting.current().redaction
    return every_finding if redaction is None else list(map(redaction.finding, every_finding))


def _annotate_failure(fault: ReconcilerError, ctx: click.Context) -> None:
    """Tell those who read annotations, too, that a run failed.

    Not as SARIF: a log without results would say that all is well, and close every alert.
    """
    machine = annotating.chosen_format(collecting.current().form)
    if machine is None or machine == "sarif" or isinstance(fault, printing.Unprinted):
        return
    with suppress(printing.Unprinted):  # the message on standard error has to do
        annotating.annotate(annotated.of_failure(_command(ctx), str(fault)), machine)


def _command(ctx: click.Context) -> str:
    return ctx.invoked_subcommand or ctx.info_name or ""
