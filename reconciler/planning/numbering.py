"""Steps of all products as a plan has them: numbered, each with the text that will run."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.errors import UnfitText
from reconciler.model.addresses import provider_of
from reconciler.model.plans import Step
from reconciler.powershell.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.plans import ParameterValue, StepDraft


def numbered_steps(
    drafts: Iterable[StepDraft], gaps: Mapping[int, tuple[int, ...]]
) -> tuple[Step, ...]:
    """Number the steps of both products; `gaps` has indexes of gaps by step."""
    return tuple(
        Step(
            id=number,
            address=draft.address,
            provider=provider_of(draft.address),
            cmdlet=draft.invocation.cmdlet,
            parameters=cast("Mapping[str, ParameterValue]", draft.invocation.parameters),
            text=_text(draft),
            reason=draft.reason,
            temporary=draft.temporary,
            gaps=gaps.get(number, ()),
        )
        for number, draft in enumerate(drafts, 1)
    )


def _text(draft: StepDraft) -> str:
    try:
        return render(draft.invocation)
    except UnfitText as error:
        raise UnfitText(
            f"{draft.address}: {error}; correct this text in the documents, or clean it in the"
            " tenant, then plan again"
        ) from error
