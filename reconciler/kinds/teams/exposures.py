"""What an order of steps exposes on its way, and groups that it grants in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import to_builtins

from reconciler.model.addresses import teams_application
from reconciler.model.codes import RefusalRule, StepReason, WarningCode
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.canonical import Json
    from reconciler.kinds.ordering.orders import Ordered
    from reconciler.model.observed import TeamsState


def exposures(product: Ordered) -> Iterator[Note]:
    """A refusal for each application that reaches somebody on the way whom it reaches neither
    before nor after.
    """
    exposed: dict[str, list[Json]] = {}
    for pairs in product.exposures:
        exposed.setdefault(pairs.application, []).append(to_builtins(pairs.subject))
    for application in sorted(exposed):
        address = teams_application(application)
        yield Note(
            RefusalRule.EXPOSURE,
            address,
            {"allow": f"{RefusalRule.EXPOSURE}:{address}", "subjects": exposed[application]},
        )


def regrants(product: Ordered, observed: TeamsState) -> Iterator[Note]:
    """Groups that are granted another policy without losing their policy first, which Microsoft does not
    document.
    """
    standing = {assignment.group for assignment in observed.groups}
    drops = {
        str(draft.invocation.parameters.get("Group"))
        for draft in product.drafts
        if draft.reason == StepReason.DROP_GROUP
    }
    for draft in product.drafts:
        if (
            draft.reason == StepReason.MOVE_GROUP
            and draft.invocation.parameters["Group"] in standing - drops
        ):
            yield Note(WarningCode.REGRANTS_IN_PLACE, draft.address, {})
