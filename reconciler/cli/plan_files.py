"""Plan files for the commands that need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.working import working
from reconciler.planning import reviewed

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.planning.planfile import SealedPlan


def plan_file(file: Path) -> SealedPlan:
    """Read a plan file.

    Raises:
        TamperedPlan: it is not what was written.
    """
    with working("Reading the plan"):
        return reviewed.load(file)
