"""The envelope at the end of a run: printed by `--format json`, written by `--json-into`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from reconciler import __version__
from reconciler.cli import faults, printing
from reconciler.errors import ReconcilerError
from reconciler.files import write_atomically
from reconciler.model.outputs import (
    EXIT_NAMES,
    OUTPUT_VERSION,
    Output,
    OutputDigests,
)
from reconciler.model.plans import Tool
from reconciler.reports import summaries
from reconciler.reports.lines import Tone
from reconciler.reports.outputs import output_findings, output_tests, output_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.cli.collecting import Collected
    from reconciler.model.findings import Finding
    from reconciler.model.plans import PlanTenant
    from reconciler.model.test_results import AccessTestResult


def deliver(collected: Collected, code: int) -> int:
    """Write and print the envelope of a run, and give its exit code: what cannot be written is a
    fault of its own, unless something worse happened, or something that cannot be undone.
    """
    text = output_text(_output(collected, code), _plan(collected))
    failing = [fault for fault in _delivered(collected, text) if fault]
    if not failing or code or collected.applied is not None:
        return code
    return ReconcilerError.exit_code


def envelope(collected: Collected, code: int) -> bytes:
    """The envelope of a run that ends with an exit code."""
    return printing.encoded(output_text(_output(collected, code), _plan(collected)))


def _delivered(collected: Collected, text: str) -> Iterator[bool]:
    """Whether anything went wrong, for each place that the envelope goes to."""
    if collected.json_into is not None:
        yield _written(collected, text)
    if collected.quiet:
        yield _printed(collected, text)


def _written(collected: Collected, text: str) -> bool:
    file = collected.json_into
    assert file is not None  # noqa: S101  narrows
    if not collected.began and not _replaceable(file):
        printing.say(
            f"Error: --json-into {file}: not written, because the file exists and is not the report"
            " of an earlier run: correct the command line",
            Tone.FAULT,
        )
        return True
    try:
        write_atomically(file, [printing.encoded(text)], private=True)
    except OSError as fault:
        faults.unexpected(fault)
        return True
    return False


def _replaceable(file: Path) -> bool:
    """Whether nothing is lost with a file: where the command line could not be read, it is
    unknown whether the run reads it.
    """
    if not file.is_file():
        return True
    try:
        return "exit_name" in json.loads(file.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _printed(collected: Collected, text: str) -> bool:
    try:
        with printing.into(collected.out):
            printing.raw_last(text)
    except printing.Unprinted as fault:
        faults.say_fault(fault)
        return True
    except OSError as fault:
        faults.unexpected(fault)
        return True
    return False


def _output(collected: Collected, code: int) -> Output:
    tested = collected.tested
    return Output(
        command=collected.command,
        error=error_of(collected) or UNSET,
        exit_code=code,
        exit_name=EXIT_NAMES[code],
        findings=output_findings(_findings(collected)),
        format_version=OUTPUT_VERSION,
        names=UNSET if tested is None else tested.names,
        simulated=_simulated(collected),
        summary=_summary(collected),
        tenant=_tenant(collected),
        tests=output_tests(_rows(collected), () if tested is None else tested.positions),
        tool=Tool("reconciler", __version__),
        applied=UNSET if collected.applied is None else collected.applied,
        digests=_digests(collected),
        **collected.parts,
    )


def _plan(collected: Collected) -> Iterable[bytes]:
    """The bytes of the plan file, if the run made or shows a plan."""
    if collected.plan is None or not collected.shown:
        return ()
    from reconciler.planning import planfile  # noqa: PLC0415  lazy: it is there where a plan is

    redacted = collected.redaction is not None
    return planfile.chunks(collected.plan, collected.digests if redacted else None)


def error_of(collected: Collected) -> str:
    """Why the run ends; where people are redacted, without them."""
    redaction = collected.redaction
    return collected.error if redaction is None else redaction.message(collected.error)


def _findings(collected: Collected) -> Iterator[Finding]:
    """Faults of the documents; where people are redacted, without them."""
    redaction = collected.redaction
    for finding in collected.findings or ():
        yield finding if redaction is None else redaction.finding(finding)


def _tenant(collected: Collected) -> PlanTenant | UnsetType:
    if collected.plan is not None:
        return collected.plan.tenant
    return UNSET if collected.tenant is None else collected.tenant


def _simulated(collected: Collected) -> bool | UnsetType:
    if collected.plan is not None:
        return collected.plan.inputs.source == "simulated"
    if collected.tested is not None:
        return collected.tested.simulated
    return UNSET if collected.simulated is None else collected.simulated


def _digests(collected: Collected) -> OutputDigests | UnsetType:
    digests = collected.digests
    return UNSET if digests is None else OutputDigests(digests.content_digest, digests.digest)


def _rows(collected: Collected) -> Sequence[AccessTestResult]:
    """Results of the run; of a plan, those that it was made with."""
    if collected.tested is not None:
        return collected.tested.rows
    return () if collected.plan is None else collected.plan.tests


def _summary(collected: Collected) -> Mapping[str, int]:
    """Only what the run knows: nothing that was not looked at is 0."""
    plan, applied, findings = collected.plan, collected.applied, collected.findings
    judged = plan is not None or collected.tested is not None
    return {
        **({} if findings is None else summaries.findings_summary(findings)),
        **(summaries.tests_summary(_rows(collected)) if judged else {}),
        **({} if plan is None else summaries.plan_summary(plan)),
        **({} if plan is None or applied is None else summaries.applied_summary(plan, applied)),
    }
