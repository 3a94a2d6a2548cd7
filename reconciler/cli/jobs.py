"""A job of a pipeline: one command whose artefacts, summary, outputs and annotations are there
whatever its outcome, a fault of the tool among them.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access.rules import EVERY_RULE
from reconciler.cli import annotating, collecting, enveloping, faults, platforms, printing, sources
from reconciler.errors import (
    CHANGES_PENDING,
    SUCCESS,
    DocumentFaults,
    ReconcilerError,
    UsageFault,
)
from reconciler.files import write_atomically
from reconciler.model.outputs import OutputJob
from reconciler.reports import annotated, findings, junit, sarif
from reconciler.reports.jobs import failure_outline, job_outputs
from reconciler.reports.markdown.limits import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import click

    from reconciler.cli.platforms import JobOrigin
    from reconciler.reports.annotated import Annotated

PLAN: Final = "plan.json"
EVENTS: Final = "events.jsonl"
RECORD: Final = "job.json"
SUMMARY: Final = "summary.md"
_FINDINGS, _TESTS, _OUTPUT = "findings.sarif", "junit.xml", "output.json"
_PAGES = ("plan", "drift", "apply")
ARTEFACTS: Final = frozenset(
    {
        *(PLAN, EVENTS, RECORD, SUMMARY, _FINDINGS, _TESTS, _OUTPUT),
        *(f"{page}.{kind}" for page in _PAGES for kind in ("md", "html")),
    }
)
"""The files that a job may leave in its folder; those of an earlier one are removed."""


class JobOptions(Struct, frozen=True):
    """How a job is run.

    Attributes:
        name: What it does: plan, apply or drift.
        folder: Where its artefacts go.
        redacted: Nobody is named, and there is no JSON.
        changes_are: The exit code of changes, and of drift.
        origin: The platform.
    """

    name: str
    folder: Path
    redacted: bool
    changes_are: int
    origin: JobOrigin


class Job:
    """A job on its way: what its command leaves here is rendered at the end.

    Attributes:
        options: How it is run.
        shows: What prints the report that is its page, in the format of the run and of at most so
            many bytes; of one that came to nothing what went wrong.
        found: What is annotated beside faults of the documents and access tests.
        refused: What beside the plan's own refusals makes it not applicable.
        covered: Whether an approval covers the plan; None if nobody asked.
    """

    def __init__(self, options: JobOptions) -> None:
        self.options = options
        self.shows: dict[str, Callable[[str, int], None]] = {}
        self.found: Annotated | None = None
        self.refused = False
        self.covered: bool | None = None

    def file(self, name: str) -> Path:
        """A file in its folder."""
        return self.options.folder / name

    def plan_file(self) -> Path | None:
        """Where the plan goes; None where there is no JSON."""
        return None if self.options.redacted else self.file(PLAN)


def run_job(options: JobOptions, ctx: click.Context, body: Callable[[Job], int]) -> int:
    """Run a command as a job, and give its exit code.

    Raises:
        UsageFault: the folder cannot be used.
    """
    _prepare(options.folder, ctx.params)
    job = Job(options)
    code = _caught(lambda: body(job), ctx)
    if code == CHANGES_PENDING:
        code = options.changes_are
    return _finished(job, code)


def _prepare(folder: Path, params: Mapping[str, Any]) -> None:
    """Make the folder, and remove what an earlier job left: nobody may take it for this one's.

    Raises:
        UsageFault: the command reads one of these files.
    """
    read = [
        path
        for name, value in params.items()
        if name != "out"
        for path in (value if isinstance(value, tuple) else (value,))
        if hasattr(path, "is_file")
    ]
    tenant = sources.file_of(params.get("tenant"))
    artefacts = [folder / name for name in sorted(ARTEFACTS)]
    for path in (*read, *(() if tenant is None else (tenant,))):
        if any(each.exists() and path.exists() and each.samefile(path) for each in artefacts):
            raise UsageFault(
                f"--out {folder}: {path} has the name of an artefact and would be"
                " overwritten: choose another folder"
            )
    folder.mkdir(parents=True, exist_ok=True)
    for each in artefacts:
        each.unlink(missing_ok=True)


def _caught(body: Callable[[], int], ctx: click.Context) -> int:
    """Run a command; say what stops it, as of any command."""
    try:
        return body()
    except ReconcilerError as fault:
        return faults.report_fault(fault, ctx)
    # as the last line of defence of every command
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001
        return faults.ended_by(fault)


def _finished(job: Job, code: int) -> int:
    """Write everything and tell the platform; what of that fails is a fault of its own, unless
    something worse happened, or something that cannot be undone.
    """
    failing = [fault for fault in _leave(job, code) if fault]
    kept = code != SUCCESS or collecting.current().applied is not None
    return code if kept or not failing else ReconcilerError.exit_code


def _leave(job: Job, code: int) -> Iterator[bool]:
    """Leave one thing after the other; gives of each whether it went wrong."""
    platform = job.options.origin.platform
    yield _tried(lambda: _write_pages(job))
    value = _annotations(job)
    yield _tried(lambda: _write_findings(job, value, code))
    values = job_outputs(
        collecting.current().plan,
        collecting.current().digests,
        code,
        refused=job.refused,
        covered=job.covered,
    )
    yield _tried(lambda: _write_envelope(job, code, values))
    yield _tried(lambda: platforms.show_summary(platform, job.file(SUMMARY)))
    form = annotating.chosen_format(platform)
    if form is not None:
        yield _tried(lambda: annotating.annotate(value, form))
    yield _tried(lambda: platforms.set_outputs(platform, values))


def _tried(action: Callable[[], None]) -> bool:
    """Whether an action fails, which is said."""
    collected = collecting.current()
    before = collected.error
    try:
        action()
    except ReconcilerError as fault:
        faults.say_fault(fault)
    # whatever is wrong with one artefact, the others are left
    except Exception as fault:  # noqa: BLE001
        faults.unexpected(fault)
    else:
        return False
    collected.error = before or collected.error
    return True


@contextmanager
def _in_format(form: str) -> Iterator[None]:
    """Let reports be printed in a format, whatever the run prints."""
    collected = collecting.current()
    before, collected.form = collected.form, form
    try:
        yield
    finally:
        collected.form = before


def _write_pages(job: Job) -> None:
    collected = collecting.current()
    shows = job.shows or {job.options.name: partial(_failure, job)}
    first = next(iter(shows.values()))
    written = [(f"{name}.md", "markdown", MAX_BYTES, show) for name, show in shows.items()]
    written += [(f"{name}.html", "html", MAX_BYTES, show) for name, show in shows.items()]
    written.append((SUMMARY, "markdown", platforms.SUMMARY_BYTES, first))
    for name, form, limit, show in written:
        with _in_format(form), printing.into(job.file(name)):
            show(form, limit)
    if collected.error and job.shows:
        _add_error(job)


def _add_error(job: Job) -> None:
    """Say at the end of the summary why the run ended, where a plan says something else."""
    from reconciler.reports.markdown.outlines import outline_markdown  # noqa: PLC0415  lazy: six modules

    collected = collecting.current()
    outline = failure_outline(job.options.name, enveloping.error_of(collected), ())
    text = outline_markdown(outline, MAX_BYTES)
    file = job.file(SUMMARY)
    write_atomically(file, [file.read_bytes(), b"\n", printing.encoded(text)], private=True)


def _failure(job: Job, form: str, limit: int) -> None:
    """What is shown of a run that came to no report."""
    collected = collecting.current()
    shown = faults.shown_findings(tuple(collected.findings or ()))
    lines = [line.text for line in findings.finding_lines(shown)]
    outline = failure_outline(job.options.name, enveloping.error_of(collected), lines)
    printing.outlined(outline, form, limit if form == "markdown" else None)


def _annotations(job: Job) -> Annotated:
    """Everything that somebody has to know: faults of the documents, access tests, drift, and why the
    run ended.
    """
    collected = collecting.current()
    parts = []
    every_finding = faults.shown_findings(tuple(collected.findings or ()))
    if every_finding:
        parts.append(annotated.of_findings(job.options.name, every_finding, EVERY_RULE))
    if collected.tested is not None and collected.tested.rows:
        parts.append(annotated.of_tests(collected.tested))
    if job.found is not None:
        parts.append(job.found)
    if collected.error and not (every_finding and _told_by_findings(collected.error)):
        parts.append(annotated.of_failure(job.options.name, enveloping.error_of(collected)))
    value = annotated.combined(job.options.name, f"reconciler {collected.command}", parts)
    return value if value.summary else replace(value, summary="Nothing is wrong.")


def _told_by_findings(error: str) -> bool:
    return error == str(DocumentFaults(tuple(collecting.current().findings or ())))


def _write_findings(job: Job, value: Annotated, code: int) -> None:
    tested = collecting.current().tested
    successful = code in {SUCCESS, CHANGES_PENDING} or collecting.current().plan is not None
    log = sarif.sarif_log(value, EVERY_RULE, successful=successful)
    write_atomically(job.file(_FINDINGS), [printing.encoded(log)], private=True)
    listed = tested is not None and bool(tested.rows)
    text = (
        junit.tests_junit(tested)
        if tested is not None and listed
        else junit.annotations_junit(value)
    )
    write_atomically(job.file(_TESTS), [printing.encoded(text)], private=True)


def _write_envelope(job: Job, code: int, values: Mapping[str, str]) -> None:
    platform = job.options.origin.platform
    names = {each.name for each in job.options.folder.iterdir()} & ARTEFACTS
    if not job.options.redacted:
        names.add(_OUTPUT)
    collecting.add_part("job", OutputJob(tuple(sorted(names)), values, platform.value))
    if not job.options.redacted:
        content = enveloping.envelope(collecting.current(), code)
        write_atomically(job.file(_OUTPUT), [content], private=True)
