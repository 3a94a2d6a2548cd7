"""What a job of a pipeline says when there is no other report, and the outputs of its step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.outputs import EXIT_NAMES
from reconciler.model.plans import Action
from reconciler.reports import summaries
from reconciler.reports.lines import Tone
from reconciler.reports.outline import Chapter, Item, Outline
from reconciler.reports.review.value import Name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.plans import Plan
    from reconciler.planning.planfile import PlanDigests


def failure_outline(command: str, error: str, lines: Sequence[str]) -> Outline:
    """A run that ended with an error.

    Args:
        command: the command.
        error: why, in words; may have several lines.
        lines: what is wrong with documents.
    """
    first, *others = error.split("\n")
    return Outline(
        command=command,
        simulated=False,
        headline=("The run failed: ", Name(first)),
        tone=Tone.FAULT,
        details=tuple(Item((Name(text),)) for text in others),
        chapters=(
            (Chapter(("What is wrong",), tuple(Item((Name(text),)) for text in lines)),)
            if lines
            else ()
        ),
    )


def job_outputs(
    plan: Plan | None,
    digests: PlanDigests | None,
    code: int,
    *,
    refused: bool,
    covered: bool | None = None,
) -> Mapping[str, str]:
    """The outputs of a step, by name; of what the run does not know an empty text.

    Args:
        plan: the plan that the run is about.
        digests: its digests.
        code: the exit code.
        refused: whether something beside the plan's own refusals makes it not applicable.
        covered: whether an approval covers the plan; None if nobody asked.
    """
    figures = {} if plan is None else summaries.plan_summary(plan)
    deleted = () if plan is None else plan.changes
    return {
        "applicable": str(plan is not None and plan.applicable and not refused).lower(),
        "changes": "" if plan is None else str(len(plan.changes)),
        "content_digest": "" if digests is None else digests.content_digest,
        "covered": "" if covered is None else str(covered).lower(),
        "deletes": (
            "" if plan is None else str(sum(Action.DELETE in change.actions for change in deleted))
        ),
        "exit_code": str(code),
        "exit_name": EXIT_NAMES[code].value,
        "plan_digest": "" if digests is None else digests.digest,
        "widens": str(figures["widens"]) if "widens" in figures else "",
    }
