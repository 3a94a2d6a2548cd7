"""The state that a plan leads to: of documents and a reading, all of it; of a plan file, what the
file carries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.access.explaining import Known
from reconciler.errors import TamperedPlan
from reconciler.kinds.exchange import target as exchange_target
from reconciler.kinds.exchange.states import GUARD_SCOPE
from reconciler.kinds.teams import target as teams_target
from reconciler.kinds.teams.states import GROUPS
from reconciler.model.addresses import name_key
from reconciler.model.documents import AccessRight, Kind
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

    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed
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
    teams, exchange = resolved(documents, observed, PlanOptions())
    prune = documents.tenant is not None and Kind.TEAMS_POLICY in documents.tenant.prune
    holding = selection((), ()).holding
    after_teams, after_exchange = observed.teams, observed.exchange
    if after_teams is not None:
        aim = teams_target.target(
            teams, after_teams, observed.directory, prune=prune, holding=holding
        )
        after_teams = teams_target.state_reached(after_teams, aim)
    if after_exchange is not None:
        after_exchange = exchange_target.state_reached(
            after_exchange, exchange_target.target(exchange, after_exchange, holding=holding)
        )
    return Known(after_teams, after_exchange, observed.directory), len(teams.unresolved) + len(
        exchange.unresolved
    )


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
    section = cast("Mapping[str, object] | None", plan.baseline.get("exchange"))
    return Known(
        teams=None if plan.baseline.get("teams") is None else _teams(standing, _spelled(plan)),
        exchange=None if section is None else _exchange(standing),
        directory=NOTHING_KNOWN,
        grants=frozenset(name.removeprefix(_USER) for name in standing if name.startswith(_USER)),
        applications=frozenset(section or ()) - {GUARD_SCOPE},
    )


def _spelled(plan: Plan) -> Mapping[str, str]:
    """Names of policies as the service spells them, or shall."""
    section = cast("Mapping[str, Mapping[str, Mapping[str, str] | None]]", plan.baseline["teams"])
    stored = {key: row["identity"] for key, row in section["policies"].items() if row is not None}
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
