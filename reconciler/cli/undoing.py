"""A plan that was applied, on its way to being undone: what its journal says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access.declared_at import positions
from reconciler.applying import earlier, state
from reconciler.cli import loading, sources
from reconciler.cli.tenant_journals import journal_origin, state_key, tell_ignored
from reconciler.cli.working import working
from reconciler.errors import Refused
from reconciler.model.addresses import Address
from reconciler.planning import undoing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.model.histories import PlanHistory
    from reconciler.planning.making import PlanOptions
    from reconciler.planning.planfile import SealedPlan


class Undoes(Struct, frozen=True):
    """A plan that shall be undone, and what journals say of it."""

    plan: SealedPlan
    history: PlanHistory


def applied_plan(
    loaded: SealedPlan,
    file: Path,
    source: sources.Source,
    journal: Path | None,
    journals: Path | None,
) -> Undoes:
    """A plan with what journals say of it.

    Args:
        loaded: the plan.
        file: where it lies.
        source: the tenant that it was applied to.
        journal: a journal that a person names.
        journals: where a person put journals.

    Raises:
        TamperedPlan: the journal that was named is not of this plan.
        Refused: no journal says that the plan was applied.
        ReconcilerError: a journal cannot be read.
    """
    directories = state.prepared(
        state_key(source, loaded.plan.tenant.tenant_id),
        state.base(os.environ),
        tenant_id=loaded.plan.tenant.tenant_id,
        journals=journals,
    )
    origin = journal_origin(source)
    history = earlier.history(directories, loaded.digest, origin, tell_ignored, journal)
    if history is None or not (history.done or history.uncertain):
        raise Refused(
            f"{file}: no journal says that a step of {loaded.digest} was done in this tenant. If it was"
            " applied elsewhere, name its journal with --journal FILE; if the file was changed since,"
            " name the one that was applied; if it was not applied, there is nothing to undo"
        )
    return Undoes(loaded, history)


def made_undo(
    undoes: Undoes, paths: Sequence[Path], source: sources.Source, options: PlanOptions
) -> loading.Made:
    """Plan to undo a plan.

    Args:
        undoes: the plan, and what journals say of it.
        paths: documents.
        source: the tenant.
        options: consents and selection.

    Raises:
        ReconcilerError: any fault of the documents, the tenant, the plan or the options.
    """
    wanted = loading.documents(paths, options)
    plan = undoes.plan.plan
    request = undoing.undo_request(plan, wanted, options)
    observed = sources.observe_source(source, request, plan.tenant.tenant_id)
    with working("Planning"):
        made_plan = undoing.make_undo(undoes.plan, undoes.history, wanted, observed, options)
        addresses = [change.address for change in made_plan.changes]
        addresses += (Address(note.address) for note in made_plan.warnings)
        places = positions(wanted, observed.directory, addresses)
        return loading.Made(made_plan, source, places, wanted, observed)
