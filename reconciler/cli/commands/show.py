"""`reconciler show`: a saved plan, in any format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options, showing
from reconciler.planning import planfile

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider


@click.command("show", short_help="Show a saved plan.")
@click.argument("plan", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.formats("text", "json", "powershell")
@options.product
def command(*, plan: Path, form: str, product: Provider | None) -> int:
    """Show a saved plan after verifying its digests.

    Exit codes: 0 success, 5 the plan was modified, or its version is not supported.
    """
    showing.show(planfile.load(plan), form, product, then=showing.advice(plan))
    return 0
