"""The tenants of a repository at the edge: which are chosen, and a process for the run of each."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, assert_never

import click
import msgspec
from click.core import ParameterSource
from msgspec import UNSET, Struct, UnsetType

from reconciler.cli import collecting, printing
from reconciler.cli.working import working
from reconciler.documents.raw_documents import nearest
from reconciler.documents.tenant_folders import tenant_folders
from reconciler.errors import DocumentFaults, ReconcilerError, UsageFault
from reconciler.model.addresses import name_key
from reconciler.model.findings import Severity
from reconciler.model.outputs import (
    EXIT_NAMES,
    OutputDigests,
    OutputFleetRow,
    OutputTenant,
)
from reconciler.powershell.door.homes import temporary_folder
from reconciler.processes.running import Bounds, Ended, Unfinished
from reconciler.processes.side_by_side import Outcome, side_by_side
from reconciler.reports import findings, fleets
from reconciler.reports.lines import Line, Tone, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import FrameType

    from reconciler.documents.tenant_folders import TenantFolder, TenantFolders

COMMANDS: Final = ("plan", "drift", "validate", "test")
"""What runs for several tenants at once: commands that change none."""
TENANT: Final = "{tenant}"
"""Stands for a tenant's name in the options of what runs."""
_BOUNDS: Final = Bounds(6 * 3600.0, 256 * 1024 * 1024)
_FILES: Final = ("out", "patch")
"""Parameters that name a file which is written."""
_KEPT_OF_COMPLAINTS: Final = 2000
_QUIET: Final = 60.0
"""Seconds between two lines that tell that the runs go on."""


def found_tenants(paths: Sequence[Path]) -> TenantFolders:
    """The tenants at or below the paths; what could not be looked at is envelope.

    Raises:
        UsageFault: there is none.
    """
    folders = tenant_folders(paths)
    if folders.findings:
        collecting.current().findings = folders.findings
        printing.notice(findings.finding_lines(folders.findings))
    if not folders.tenants:
        where = ", ".join(map(str, paths))
        raise UsageFault(
            f"no Tenant document found at or below {where}: write one"
            " into the folder of each tenant"
        )
    return folders


def chosen_tenants(
    tenants: Sequence[TenantFolder], only: Sequence[str], skip: Sequence[str]
) -> tuple[TenantFolder, ...]:
    """Those of the tenants that are meant.

    Raises:
        UsageFault: there is no tenant of a name, or none is left.
    """
    names = {name_key(tenant.name): tenant.name for tenant in tenants}
    for option, typed in (("--only", only), ("--skip", skip)):
        for name in typed:
            if name_key(name) not in names:
                meant = nearest(name, sorted(names.values()))
                raise UsageFault(
                    f"{option} {name}: no tenant of this name{meant}; `reconciler"
                    " tenants` lists them"
                )
    wanted = {*map(name_key, only)} or {*names}
    left = wanted - {*map(name_key, skip)}
    if not left:
        raise UsageFault("--only and --skip leave no tenant: drop one of them")
    return tuple(tenant for tenant in tenants if name_key(tenant.name) in left)


def trouble(tenant: TenantFolder) -> str:
    """What is wrong with the name of a tenant; empty if nothing is."""
    if tenant.namesake is None:
        return ""
    return (
        f"the Tenant documents in {tenant.folder.as_posix()} and {tenant.namesake.as_posix()} have"
        " the same name, and `spec.tenants` could not tell them apart: rename one"
    )


def output_tenant(tenant: TenantFolder) -> OutputTenant:
    """A tenant for a machine."""
    return OutputTenant(
        folder=tenant.folder.as_posix(),
        name=tenant.name,
        organization=tenant.organization,
        paths=_spelled(tenant.paths),
        tenant_id=tenant.tenant_id,
    )


class FleetRun(NamedTuple):
    """What runs: a command with its options, for which tenants, and how many at a time."""

    words: tuple[str, ...]
    tenants: tuple[TenantFolder, ...]
    at_once: int

    def of(self, tenant: TenantFolder) -> tuple[str, ...]:
        """The command with its options for one tenant."""
        return tuple(word.replace(TENANT, tenant.word) for word in self.words)


def assert_runnable(run: FleetRun) -> None:
    """See to it that what is wrong with the command is told once, before anything runs.

    Raises:
        UsageFault: it is not one that runs for several tenants, or its options are wrong.
    """
    if not run.words or run.words[0] not in COMMANDS:
        named = f"`{run.words[0]}` does not run for several tenants" if run.words else "no command"
        raise UsageFault(
            f"{named}: write `--` and one of {', '.join(COMMANDS)}, with its options, as"
            " in `reconciler fleet policies -- plan --detailed-exitcode`"
        )
    first, *others = (_parameters(run.of(tenant)) for tenant in run.tenants[:2])
    if first["paths"]:
        raise UsageFault(
            "write PATHs before `--`: each tenant's run gets those that are read for it"
        )
    if first.get("form", "text") != "text":
        raise UsageFault(
            f"--format {first['form']} after `--`: each run prints text; write `--format` before `--` to"
            " choose the format of the summary"
        )
    for name in _FILES:
        if any(first.get(name) is not None and first[name] == other[name] for other in others):
            raise UsageFault(
                f"--{name} {first[name]}: every tenant would write this file; put"
                f" {TENANT} into its name, as in --{name} {TENANT}.json"
            )


def _parameters(words: Sequence[str]) -> Mapping[str, Any]:
    """The parameters of a command line, as the command itself reads them, `paths` whether any are
    typed; nothing runs.
    """
    from reconciler.cli.main import program  # noqa: PLC0415  a cycle: main loads commands

    with collecting.run_of_its_own() as collected:
        context = click.Context(program, info_name="reconciler")
        command = program.get_command(context, words[0])
        assert command is not None  # noqa: S101  narrows: it is one of COMMANDS
        parsed = command.make_context(words[0], list(words[1:]), parent=context)
        if collected.json_into is not None:
            raise UsageFault(
                "--json-into after `--`: write it before `--`; the file then has the result of every"
                " tenant's run"
            )
        typed = parsed.get_parameter_source("paths") is ParameterSource.COMMANDLINE
        return {**parsed.params, "form": collected.form, "paths": typed}


def fleet_rows(run: FleetRun, *, blocks: bool) -> tuple[OutputFleetRow, ...]:
    """Run the command for each tenant, and tell how each ended, in their order.

    Args:
        run: what runs.
        blocks: print what each says, as a whole.
    """
    runnable = [tenant for tenant in run.tenants if not trouble(tenant)]
    telling: AbstractContextManager[None] = (
        nullcontext()
        if blocks
        else working(f"Running {run.words[0]} for {len(runnable)} tenants", _QUIET)
    )
    with temporary_folder() as place, _ended_by_signals():
        commands = [
            _command(run.of(tenant), tenant, _envelope(place, tenant)) for tenant in runnable
        ]
        with (
            telling,
            side_by_side(commands, os.environ, Path.cwd(), _BOUNDS, run.at_once) as outcomes,
        ):
            ended = iter(outcomes)
            return tuple(
                _shown(tenant, None if trouble(tenant) else next(ended), place, blocks=blocks)
                for tenant in run.tenants
            )


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let what asks this process to end do what Ctrl-C does: end the others too."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    before = {number: signal.signal(number, stop) for number in numbers if number is not None}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _command(words: Sequence[str], tenant: TenantFolder, envelope: Path) -> tuple[str, ...]:
    """This program again, whatever lies in the working directory (`-P`)."""
    own = (sys.executable, "-P", "-m", "reconciler")
    return (*own, *words, "--json-into", str(envelope), "--", *_spelled(tenant.paths))


def _envelope(place: Path, tenant: TenantFolder) -> Path:
    return place / f"{tenant.word}.json"


def _shown(
    tenant: TenantFolder, outcome: Outcome | None, place: Path, *, blocks: bool
) -> OutputFleetRow:
    row = _row(tenant, outcome, place)
    if blocks:
        printing.report((fleets.block_heading(row),))
        if isinstance(outcome, Ended):
            printing.raw(_text(outcome.printed))
            complaints = _text(outcome.complaints).rstrip("\n")
            printing.notice(Line(f"{tenant.name}: {each}") for each in complaints.splitlines())
        elif row.error is not UNSET:
            printing.say(f"Error: {tenant.name}: {row.error}", Tone.FAULT)
        printing.report((Line(),))
    return row


class _RunFinding(Struct, frozen=True):
    file: str
    line: int
    column: int
    message: str
    rule: str
    severity: Severity


class _RunEnvelope(Struct, frozen=True):
    """What is read of a run's envelope."""

    exit_code: int
    findings: list[_RunFinding]
    summary: dict[str, int]
    digests: OutputDigests | UnsetType = UNSET
    error: str | UnsetType = UNSET


def _row(tenant: TenantFolder, outcome: Outcome | None, place: Path) -> OutputFleetRow:
    match outcome:
        case None:
            return _ended(tenant, DocumentFaults.exit_code, trouble(tenant))
        case OSError():
            return _ended(
                tenant, ReconcilerError.exit_code, f"cannot be started: {outcome.strerror}"
            )
        case Unfinished():
            return _ended(tenant, ReconcilerError.exit_code, f"the run {outcome}")
        case Ended():
            return _of_envelope(tenant, outcome, _envelope(place, tenant))
    assert_never(outcome)


def _of_envelope(tenant: TenantFolder, ended: Ended, file: Path) -> OutputFleetRow:
    """What a run says of itself; without that, or where it contradicts how the process ended, nothing
    is known.
    """
    try:
        envelope = msgspec.json.decode(file.read_bytes(), type=_RunEnvelope)
    except (OSError, msgspec.MsgspecError):
        envelope = None
    if envelope is None or envelope.exit_code != ended.code or ended.code not in EXIT_NAMES:
        last = _text(ended.complaints)[-_KEPT_OF_COMPLAINTS:].strip()
        code = ended.code if ended.code in EXIT_NAMES and ended.code else ReconcilerError.exit_code
        return _ended(tenant, code, last or f"the run ended with {ended.code} and said nothing")
    row = _ended(tenant, envelope.exit_code, _why(envelope))
    return msgspec.structs.replace(row, summary=envelope.summary, digests=envelope.digests)


def _why(envelope: _RunEnvelope) -> str:
    """What went wrong: the first fault of the documents, if it is that."""
    errors = [each for each in envelope.findings if each.severity is Severity.ERROR]
    if envelope.exit_code != DocumentFaults.exit_code or not errors:
        return "" if envelope.error is UNSET else envelope.error
    first = errors[0]
    place = f"{first.file}:{first.line}:{first.column}"
    # The summary counts all; those that are listed may be fewer.
    others = envelope.summary.get("findings.errors", len(errors)) - 1
    more = f", and {counted(others, 'more fault')}" if others else ""
    return f"{place}: {first.message} [{first.rule}]{more}"


def _ended(tenant: TenantFolder, code: int, error: str) -> OutputFleetRow:
    return OutputFleetRow(
        exit_code=code,
        exit_name=EXIT_NAMES[code],
        folder=tenant.folder.as_posix(),
        paths=_spelled(tenant.paths),
        summary={},
        tenant=tenant.name,
        error=error or UNSET,
    )


def _text(printed: bytes) -> str:
    return printed.decode("utf-8", "replace")


def _spelled(paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(path.as_posix() for path in paths)
