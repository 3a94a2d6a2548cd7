"""`reconciler fleet`: a command for many tenants, on one machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli import collecting, fleets, options, printing
from reconciler.errors import DocumentFaults
from reconciler.model.outputs import OutputFleet
from reconciler.reports.fleets import fleet_outline, worst_exit_code

if TYPE_CHECKING:
    from pathlib import Path

_WORDS: Final = "reconciler.fleet.words"


class _Fleet(options.Reporting):
    """What is behind `--` is another command's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what is before `--`, and keep the rest."""
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[_WORDS] = tuple(args[end + 1 :])
        return super().parse_args(ctx, args[:end])


@click.command(
    "fleet",
    cls=_Fleet,
    short_help="Run a command for many tenants.",
    options_metavar="[OPTIONS]",
    epilog="After `--`: plan, drift, validate or test, with options; {tenant} stands for the tenant's name.",
)
@options.documents
@options.only_tenants
@options.skip_tenants
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many to run at a time. Default: the number of processors.",
)
@click.option(
    "--summary", is_flag=True, help="Print only the table, without the output of each run."
)
@options.formats("text", "markdown", "json")
@options.max_bytes
@click.pass_context
def command(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    jobs: int | None,
    summary: bool,
    form: str,
    max_bytes: int | None,
) -> int:
    """Run `plan`, `drift`, `validate` or `test` for every tenant of a repository, each in a separate
    process, and summarize: `reconciler fleet policies -- plan --out plans/{tenant}.json`.

    Each PATH is a folder; `policies` by default. `reconciler tenants` lists what is read for each
    tenant. A run that fails does not stop the others; the output of each is printed in one piece,
    in the order of the names.

    The exit code is the worst of them, from the best: 0, 2, 4, 3, 64, 1, 130.
    """
    options.assert_max_bytes_taken(max_bytes, form)
    folders = fleets.found_tenants(paths)
    run = fleets.FleetRun(
        ctx.meta[_WORDS],
        fleets.chosen_tenants(folders.tenants, only, skip),
        jobs or _processors(),
    )
    fleets.assert_runnable(run)
    quiet = summary or form != "text"
    fleet = OutputFleet(run.words, fleets.fleet_rows(run, blocks=not quiet))
    collecting.add_part("fleet", fleet)
    printing.outlined(fleet_outline(fleet), form, max_bytes)
    unread = [DocumentFaults.exit_code] if folders.findings else []
    return worst_exit_code([*(row.exit_code for row in fleet.rows), *unread])


def _processors() -> int:
    """Processors that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
