"""`reconciler doctor`: what a live tenant needs, and what of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reconciler.cli.sources import Meant
    from reconciler.reports.lines import Line
    from reconciler.tenants.live.examining import Check

FAULTY = 1


@click.command("doctor", short_help="Check what `--tenant live` needs.")
@options.documents
@options.formats("text", "json")
def command(*, paths: tuple[Path, ...], form: str) -> int:
    """Check what `--tenant live` needs: PowerShell, modules, credentials, sign-in, roles.

    Nothing is changed anywhere.

    Each PATH is a YAML file or a folder of them, with a Tenant document; `policies` by default.
    Values of credentials are never shown.

    Exit codes: 0 everything that reading needs is there, 1 something is missing.
    """
    from reconciler.cli import live, printing  # noqa: PLC0415  lazy: `--help` needs none of it
    from reconciler.tenants.live.examining import (  # noqa: PLC0415
        PRODUCTS,
        Health,
        examine,
    )

    meant = _meant(paths)
    settings = None if meant is None else live.settings(meant)
    products = (
        PRODUCTS
        if meant is None
        else tuple(one for one in PRODUCTS if one in meant.connect) or PRODUCTS
    )
    checks: list[Check] = []
    for check in examine(settings, live.begin(), products):
        checks.append(check)
        if form == "text":
            printing.report(_lines(check))
    if form == "json":
        printing.raw(_json(checks))
    else:
        printing.report(_verdict(checks))
    return FAULTY if any(check.health is Health.FAULT for check in checks) else 0


def _meant(paths: tuple[Path, ...]) -> Meant | None:
    """The tenant of the documents, whatever else is wrong with them; without any documents only
    what is installed can be checked.
    """
    from reconciler.cli import sources  # noqa: PLC0415  lazy: `--help` needs none of it
    from reconciler.documents import examine  # noqa: PLC0415  lazy: the same

    if paths == options.DEFAULT_PATHS and not paths[0].exists():
        return None
    return sources.of_documents(examine(paths).documents)


def _lines(check: Check) -> Iterator[Line]:
    from reconciler.reports.lines import (  # noqa: PLC0415
        Line,
        Tone,
    )
    from reconciler.tenants.live.examining import Health  # noqa: PLC0415  lazy: the same

    tones = {Health.OK: Tone.ADD, Health.WARNING: Tone.WARNING, Health.FAULT: Tone.FAULT}
    yield Line(
        f"{check.health.value:8}{check.about:9}{check.what}: {check.found}", tones[check.health]
    )
    if check.remedy:
        yield Line(f"{'':17}-> {check.remedy}")


def _verdict(checks: Iterable[Check]) -> Iterator[Line]:
    from reconciler.reports.lines import (  # noqa: PLC0415
        Line,
        Tone,
    )
    from reconciler.tenants.live.examining import Health  # noqa: PLC0415  lazy: the same

    found = {check.health for check in checks}
    yield Line()
    if Health.FAULT in found:
        yield Line("Something is missing; each line above says what to do about it.", Tone.FAULT)
    elif Health.WARNING in found:
        yield Line(
            "Ready to read and plan; the warnings above say what cannot be done.", Tone.WARNING
        )
    else:
        yield Line("Ready. Next: reconciler fetch --tenant live --out capture.json", Tone.HEADING)


def _json(checks: Iterable[Check]) -> str:
    import json  # noqa: PLC0415  lazy: `--help` needs none of it

    from reconciler.reports.json import printable  # noqa: PLC0415  lazy: the same

    return printable(
        json.dumps([_row(check) for check in checks], ensure_ascii=False, separators=(",", ":"))
        + "\n"
    )


def _row(check: Check) -> dict[str, Any]:
    return {
        "about": check.about,
        "found": check.found,
        "health": check.health.value,
        "remedy": check.remedy,
        "what": check.what,
    }
