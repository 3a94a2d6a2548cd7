"""`reconciler export`: what a tenant has, as documents that plan to no changes."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import collecting, exporting, options, printing
from reconciler.cli.accepting import AcceptAsked, accept
from reconciler.errors import Refused
from reconciler.exporting.choosing import ExportWanted
from reconciler.model.outputs import OutputExport, OutputRemark
from reconciler.planning.selection import assert_consents
from reconciler.reports import exports


@click.command("export", cls=options.Reporting, short_help="Write what a tenant has as documents.")
@click.argument(
    "paths", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[PATH]..."
)
@options.tenant
@click.option(
    "--out-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder to write to. Without it nothing is written, which needs --suggest.",
)
@click.option(
    "--only", multiple=True, metavar="ADDRESS", help="Write only this object. Repeatable."
)
@click.option(
    "--app",
    "applications",
    multiple=True,
    metavar="APP",
    help="Write only the policies of this application: its name in the documents, or its client id.",
)
@click.option(
    "--policy", "policies", multiple=True, metavar="NAME", help="Write only this Teams policy."
)
@click.option(
    "--force",
    is_flag=True,
    help="Rewrite documents that differ from the tenant; comments in them are lost.",
)
@click.option(
    "--suggest",
    is_flag=True,
    help="List what is worth a look: objects that are gone, empty, unused or duplicated.",
)
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="ADDRESS",
    help=(
        "Write what this unmanaged object is into `spec.accepted` of the Tenant document, and nothing"
        " else, so that `drift` takes it as known. Repeatable; needs --reason."
    ),
)
@click.option("--reason", metavar="WHY", help="With --accept: why the object exists.")
@click.option(
    "--grants",
    type=click.Choice(["free"]),
    help="With --accept: who holds the Teams policy may change.",
)
@options.allow
@options.text_or_json
def command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    out_dir: Path | None,
    only: tuple[str, ...],
    applications: tuple[str, ...],
    policies: tuple[str, ...],
    force: bool,
    suggest: bool,
    accepted: tuple[str, ...],
    reason: str | None,
    grants: str | None,
    allow: tuple[str, ...],
) -> int:
    """Write what a tenant has as documents, one file per policy or application; a plan of them has no
    changes. Documents in DIR that already say what the tenant has are left untouched.

    Each PATH is a YAML file or a folder of them; by default `policies`, if it exists. They determine
    the tenant and the names of applications.

    Exit codes: 0 written; 3 faults in the documents; 4 documents differ from the tenant and were
    kept.
    """
    assert_consents(allow)
    paths = paths or tuple(path for path in options.DEFAULT_PATHS if path.is_dir())
    wanted = ExportWanted(only, applications, policies)
    if accepted:
        if reason is None:
            raise click.UsageError("--accept requires --reason WHY")
        if out_dir or wanted != ExportWanted() or force or suggest:
            raise click.UsageError(
                "--accept writes to the Tenant document alone: leave the other options out"
            )
        return _accept(AcceptAsked(paths, tenant, accepted, reason, grants == "free", allow))
    if reason is not None or grants is not None:
        raise click.UsageError("--reason and --grants require --accept ADDRESS")
    if out_dir is None and not suggest:
        raise click.UsageError("--out-dir DIR is required")
    return _export(
        exporting.ExportAsked(paths, out_dir, tenant, wanted, allow, force=force, suggest=suggest)
    )


def _export(asked: exporting.ExportAsked) -> int:
    done = exporting.run_export(asked)
    collecting.add_part("export", _output(done))
    printing.report(
        exports.export_lines(done.observed, done.export, done.paths, done.removed, kept=done.kept)
    )
    folder = str(asked.folder)
    exporting.assert_complete(done, exports.comparing(folder, asked.tenant))
    if asked.folder is not None:
        printing.report([exports.closing_line(folder, asked.tenant)])
    return 0


def _accept(asked: AcceptAsked) -> int:
    done = accept(asked)
    collecting.add_part("export", OutputExport((done.file,) if not done.lines else (), 0, (), ()))
    simulated = collecting.current().simulated is True
    printing.report(
        exports.accepted_lines(done.addresses, done.file, done.lines, simulated=simulated)
    )
    if done.lines:
        raise Refused(
            f"{done.file} is not written in a way that can be edited safely: paste the lines above"
            " under `accepted:` in `spec`"
        )
    return 0


def _output(done: exporting.ExportDone) -> OutputExport:
    return OutputExport(
        files=done.paths,
        kept=done.kept,
        remarks=tuple(
            OutputRemark(
                address=remark.address,
                code=remark.code.value,
                message=exports.remark_text(remark, done.export.names),
                names=remark.names,
            )
            for remark in done.export.remarks
        ),
        removed=done.removed,
    )
