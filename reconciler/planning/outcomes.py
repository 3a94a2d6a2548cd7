"""The state that a plan leads to: of documents and a reading, all of it; of a plan file, what the
file carries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.audiences.questions import Known
from reconciler.errors import TamperedPlan
from reconciler.kinds.product import PlanContext
from reconciler.kinds.products import PRODUCTS
from reconciler.kinds.teams.states import GROUPS
from reconciler.model.addresses import name_key
from reconciler.model.baselines import GUARD_SCOPE
from reconciler.model.documents import AccessRight
from reconciler.model.observed import (
    Directory,
    ExchangePolicy,
    ExchangeState,
    GroupAssignment,
    TeamsPolicy,
    TeamsState,
)
from reconciler.planning.making import PlanOptions, resolved
from reconciler.planning.prefixes import advance, baseline_standing
from reconciler.planning.selection import selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.addresses import Provider
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed, State
    from reconciler.model.plans import Plan
    from reconciler.planning.prefixes import Standing

NOTHING_KNOWN = Directory({}, {}, {}, frozenset(), {}, {})

_POLICY = "teams.policy/"
_USER = "teams.grant/user:"
_EXCHANGE = "exchange.policy/"


def of_documents(documents: Documents, observed: Observed) -> tuple[Known, int]:
    """The state of a tenant once the documents are applied, without what they name and nothing
    resolves, and how many such names there are.

    Raises:
        DocumentFaults: two names of the documents turn out to be the same user or scope.
        CaptureFault: the reading is of another tenant, or lacks a product.
    """
    desired = resolved(documents, observed, PlanOptions())
    context = PlanContext(observed.directory, selection((), ()).holding, documents.tenant)
    after = {
        name: PRODUCTS[name].outcome(desired[name], state, context)
        for name, state in observed.states.items()
    }
    unresolved = sum(len(wanted.unresolved) for wanted in desired.values())
    return Known(after, observed.directory), unresolved


def of_plan(plan: Plan) -> Known:
    """What a plan file alone tells about the state after its last step: no memberships, and only
    what its steps touch.

    Raises:
        TamperedPlan: its steps do not follow from its baseline.
    """
    try:
        return _followed(plan)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TamperedPlan(
            f"a step of the plan does not follow from what it rests on ({error!r}); make the plan"
            " again"
        ) from error


def _followed(plan: Plan) -> Known:
    standing = baseline_standing(plan)
    for step in plan.steps:
        advance(standing, step)
    exchange = plan.baseline.of_exchange()
    states: dict[Provider, State] = {}
    told: dict[Provider, frozenset[str]] = {}
    if plan.baseline.of_teams() is not None:
        states["teams"] = _teams(standing, _spelled(plan))
        users = (name.removeprefix(_USER) for name in standing if name.startswith(_USER))
        told["teams"] = frozenset(users)
    if exchange is not None:
        states["exchange"] = _exchange(standing)
        told["exchange"] = frozenset(exchange) - {GUARD_SCOPE}
    return Known(states, NOTHING_KNOWN, told)


def _spelled(plan: Plan) -> Mapping[str, str]:
    """Names of policies as the service spells them, or shall."""
    section = plan.baseline.of_teams()
    policies = {} if section is None else section.policies
    stored = {key: policy.identity for key, policy in policies.items() if policy is not None}
    created = (
        str(step.parameters["Identity"])
        for step in plan.steps
        if step.cmdlet == "New-CsApplicationAccessPolicy"
    )
    return stored | {name_key(name): name for name in created}


def _teams(standing: Standing, spelled: Mapping[str, str]) -> TeamsState:
    """Descriptions and who else holds a policy stand beside the lists under names of their own:
    only lists are sets.
    """
    lists = {
        name.removeprefix(_POLICY): value
        for name, value in standing.items()
        if name.startswith(_POLICY) and isinstance(value, frozenset)
    }
    rows = cast("tuple[tuple[str, str], ...]", standing[GROUPS])
    users = {
        name.removeprefix(_USER): policy
        for name, policy in standing.items()
        if name.startswith(_USER) and isinstance(policy, str)
    }
    policies = {
        key: TeamsPolicy(spelled.get(key, key), dict.fromkeys(listed, ""), "")
        for key, listed in lists.items()
    }
    return TeamsState(policies, tuple(GroupAssignment(*row) for row in rows), users, spelled)


def _exchange(standing: Standing) -> ExchangeState:
    found = {}
    for name, value in standing.items():
        if name.startswith(_EXCHANGE) and value is not None:
            application, _, scope = name.removeprefix(_EXCHANGE).partition("@")
            right = AccessRight(cast("tuple[str, str]", value)[0])
            found[application, scope] = ExchangePolicy(
                application, scope, "", right, "", "", "", ""
            )
    return ExchangeState(found)
