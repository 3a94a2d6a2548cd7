"""Two plans beside one another: what an approval of one does not cover of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.cli import collecting, printing, showing
from reconciler.errors import SUCCESS, TamperedPlan, UsageFault
from reconciler.planning import approval, approved_part
from reconciler.reports import comparisons

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.showing import PlanFormat
    from reconciler.planning.planfile import SealedPlan


def compared(approved: SealedPlan, file: Path, loaded: SealedPlan, form: PlanFormat) -> int:
    """Print what the approval of a plan does not cover of another one; the exit code says whether
    it covers it.

    Raises:
        UsageFault: the format is not one that a comparison has.
    """
    differing = approval.differences(approved.plan, loaded.plan)
    showing.collect_plan(loaded, shown=False)
    collecting.add_part("differences", differing)
    match form:
        case "text":
            names = {**approved.plan.names, **loaded.plan.names}
            detailed = approval.object_differences(approved.plan, loaded.plan)
            lines = [*comparisons.comparison(detailed, names, str(file))]
            if differing and not approved_part.beyond_approval(approved.plan, loaded.plan):
                lines.append(comparisons.possible_part(str(file)))
            printing.report(lines)
        case "json":
            pass  # they are in the envelope
        case "markdown" | "html" | "powershell":
            raise UsageFault("--against takes --format text or json")
        case _:
            assert_never(form)
    return TamperedPlan.exit_code if differing else SUCCESS
