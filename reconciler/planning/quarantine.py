"""Quarantined applications in a whole plan: the checker judges that they reach nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import application_address
from reconciler.model.baselines import Baseline, with_empty_group
from reconciler.model.codes import STILL_OPEN, RefusalRule
from reconciler.model.plans import Note
from reconciler.planning import checking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.kinds.product import ProductPlan
    from reconciler.model.plans import Step


def still_reaching_refusals(
    parts: Sequence[ProductPlan], baseline: Baseline, steps: tuple[Step, ...]
) -> Iterator[Note]:
    """A quarantined application that the checker sees reach somebody in the end, by the steps or in
    the whole state that they lead to, and of which no product says that it is still open.
    """
    if not baseline.shut_out():
        return
    reaching = set(checking.still_reaching(baseline, steps))
    for part in parts:
        (section,) = PRODUCTS[part.provider].sections((part.outcome,)) or (Baseline(),)
        outcome = with_empty_group(section, baseline)
        reaching |= {each for each in checking.still_reaching(outcome) if each[0] == part.provider}
    stated = {
        (part.provider, note.details.get("application"))
        for part in parts
        for note in part.held
        if note.code in STILL_OPEN
    }
    for provider, application in sorted(reaching - stated):
        yield Note(RefusalRule.STILL_REACHING, application_address(provider, application), {})
