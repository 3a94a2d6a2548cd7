"""The state that a plan leads to: of documents and a reading, all of it; of a plan file, what the
file carries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.questions import Known
from reconciler.errors import TamperedPlan
from reconciler.kinds.product import PlanContext
from reconciler.kinds.products import PRODUCTS
from reconciler.model.observed import NOTHING_KNOWN
from reconciler.planning.making import PlanOptions, resolve_desired
from reconciler.planning.prefixes import advance, baseline_snapshot
from reconciler.planning.selection import selection

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed, State
    from reconciler.model.plans import Plan


def after_documents(documents: Documents, observed: Observed) -> tuple[Known, int]:
    """The state of a tenant once the documents are applied, without what they name and nothing
    resolves, and how many such names there are.

    Raises:
        DocumentFaults: two names of the documents turn out to be the same user or scope.
        CaptureFault: the reading is of another tenant, or lacks a product.
    """
    desired = resolve_desired(documents, observed, PlanOptions())
    context = PlanContext(observed.directory, selection((), ()).holding, documents.tenant)
    after = {
        name: PRODUCTS[name].outcome(desired[name], state, context)
        for name, state in observed.states.items()
    }
    unresolved = sum(len(wanted.unresolved) for wanted in desired.values())
    return Known(after, observed.directory), unresolved


def after_plan(plan: Plan) -> Known:
    """What a plan file alone tells about the state after its last step: no memberships, and only
    what its steps touch.

    Raises:
        TamperedPlan: its steps do not follow from its baseline.
    """
    try:
        return _followed(plan)
    except (KeyError, TypeError, ValueError) as error:
        raise TamperedPlan(
            f"a step of the plan does not follow from the plan's baseline ({error!r}); plan again"
        ) from error


def _followed(plan: Plan) -> Known:
    snapshot = baseline_snapshot(plan.baseline)
    for step in plan.steps:
        advance(snapshot, step)
    states: dict[Provider, State] = {}
    described: dict[Provider, frozenset[str]] = {}
    for name, product in PRODUCTS.items():
        followed = product.told_state(plan.baseline, plan.steps, snapshot)
        if followed is not None:
            states[name], described[name] = followed
    return Known(states, NOTHING_KNOWN, described)
