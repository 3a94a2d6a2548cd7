"""`reconciler doctor`: what a live tenant needs, and what of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler import documents
from reconciler.cli import collecting, live, options, printing, sources
from reconciler.errors import ReconcilerError
from reconciler.model.addresses import PROVIDERS
from reconciler.reports import examinations
from reconciler.tenants.live.examining import Health, examine_tenant

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.target_tenant import TargetTenant
    from reconciler.tenants.live.examining import Check


@click.command(
    "doctor", cls=options.Reporting, short_help="Check the requirements of `--tenant live`."
)
@options.documents
@options.text_or_json
def command(*, paths: tuple[Path, ...]) -> int:
    """Check the requirements of `--tenant live`: PowerShell, modules, credentials, sign-in, roles.

    Nothing is changed.

    Each PATH is a YAML file or a folder of them, with a Tenant document; `policies` by default.
    Values of credentials are never shown.

    Exit codes: 0 ready to read, 1 something is missing.
    """
    target = _target(paths)
    products = (
        PROVIDERS
        if target is None
        else tuple(name for name in PROVIDERS if name in target.connect) or PROVIDERS
    )
    checks: list[Check] = []
    for check in examine_tenant(target, live.begin(paths), products):
        checks.append(check)
        printing.report(examinations.check_lines(check))
    collecting.add_part("checks", examinations.check_rows(checks))
    printing.report(examinations.readiness_lines(checks))
    return ReconcilerError.exit_code if any(check.health is Health.FAULT for check in checks) else 0


def _target(paths: tuple[Path, ...]) -> TargetTenant | None:
    """The tenant of the documents, whatever else is wrong with them; without any documents only
    what is installed can be checked.
    """
    if paths == options.DEFAULT_PATHS and not paths[0].exists():
        return None
    return sources.target_of_documents(documents.examine_documents(paths).documents)
