"""Documents + a reading of the tenant + options -> a plan.

A pure function: same content, same plan, whatever the order of anything (law 2).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from reconciler.canonical import Json, digest
from reconciler.errors import CaptureFault, DocumentFaults, UnfitText
from reconciler.kinds.exchange import desired as exchange_desired
from reconciler.kinds.teams import desired as teams_desired
from reconciler.model.addresses import Provider, provider_of
from reconciler.model.codes import Warned
from reconciler.model.documents import Documents, Kind
from reconciler.model.plans import Inputs, Note, Plan, Step
from reconciler.model.requests import CaptureRequest
from reconciler.planning import checking, passages, reaching, testing
from reconciler.planning.naming import names
from reconciler.planning.parts import product_parts
from reconciler.planning.selection import assert_consents, assert_known, selection
from reconciler.planning.serial import desired_json, summary
from reconciler.powershell.rendering import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.model.desired import DesiredExchange, DesiredTeams, Unresolved
    from reconciler.model.findings import Finding
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Draft
    from reconciler.planning.parts import Part
    from reconciler.planning.selection import Selection


GroupChanges = Literal["in-place", "remove-add"]


class PlanOptions(Struct, frozen=True):
    """What the command line adds: consents `RULE:ADDRESS`, addresses to plan alone or to leave out,
    and how a group's grant changes.

    `group_changes`: `in-place` grants anew what a group holds already, `remove-add` takes it away
    first.
    """

    allow: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    group_changes: GroupChanges = "in-place"


def products(documents: Documents) -> frozenset[Provider]:
    """The products that the documents, `prune` or tests name: a capture has to be complete for
    these (law 1).
    """
    prune = documents.tenant.prune if documents.tenant is not None else ()
    named: dict[Provider, bool] = {
        "teams": bool(documents.teams) or Kind.TEAMS_POLICY in prune,
        "exchange": bool(documents.exchange),
    }
    return (
        frozenset(provider for provider, needed in named.items() if needed)
        | testing.request(documents.tests).products
    )


def reachable(documents: Documents) -> frozenset[Provider]:
    """The products that can be read at all: those that `spec.connect` says how to sign in to, or
    both where it says neither.
    """
    connect = documents.tenant.connect if documents.tenant is not None else {}
    both: tuple[Provider, ...] = ("teams", "exchange")
    return frozenset(provider for provider in both if provider in connect) or frozenset(both)


def capture_request(documents: Documents, *, names: bool = True) -> CaptureRequest:
    """What has to be read to plan these documents, with every name that they want resolved; users,
    of whom there are many, in no order.

    Args:
        documents: validated documents.
        names: whether anybody will look the names up; what a capture file knows is known.
    """
    read = products(documents) or reachable(
        documents
    )  # that the documents name no product is no reason to say unread that nothing differs
    if not names:
        return CaptureRequest(read)
    users = dict.fromkeys(
        chain.from_iterable(
            listing.texts for document in documents.teams for listing in document.users or ()
        )
    )
    recipients = {document.scope.text for document in documents.exchange}
    if documents.tenant is not None and documents.tenant.guard_scope is not None:
        recipients.add(documents.tenant.guard_scope.text)
    groups = {grant.group for document in documents.teams for grant in document.groups or ()}
    tested = testing.request(documents.tests)
    return CaptureRequest(
        read,
        users=tuple(users | dict.fromkeys(tested.users)),
        recipients=tuple(sorted(recipients.union(tested.recipients))),
        groups=tuple(sorted(groups)),
    )


def plan(documents: Documents, observed: Observed, options: PlanOptions) -> Plan:
    """Make the plan.

    Args:
        documents: validated documents.
        observed: a complete reading of the tenant for the products that the documents need.
        options: consents and selection.

    Raises:
        DocumentFaults: two names of the documents turn out to be the same user or scope.
        CaptureFault: the reading is of another tenant, or lacks a product.
        UsageFault: an address of the options is none.
    """
    assert_consents(options.allow)
    chosen = selection(options.only, options.skip)
    desired = resolved(documents, observed, options)
    assert_known(chosen, desired, observed)
    parts = product_parts(
        documents, observed, desired, chosen, regranting=options.group_changes == "in-place"
    )
    made = _composed(documents, observed, desired, parts, (options, chosen))
    outcome = {part.provider: part.outcome for part in parts}
    return testing.tested(
        made, documents, observed, outcome, selected=bool(options.only or options.skip)
    )


def resolved(
    documents: Documents, observed: Observed, options: PlanOptions
) -> tuple[DesiredTeams, DesiredExchange]:
    """The desired state that documents declare for a tenant: names are ids.

    Raises:
        DocumentFaults, CaptureFault, UsageFault: as `plan`.
    """
    _assert_tenant(documents, observed)
    return _resolve(documents, observed, selection(options.only, options.skip))


def _composed(
    documents: Documents,
    observed: Observed,
    desired: tuple[DesiredTeams, DesiredExchange],
    parts: Sequence[Part],
    choice: tuple[PlanOptions, Selection],
) -> Plan:
    """Put the products' parts together into one plan."""
    options, chosen = choice
    changes = tuple(
        sorted(
            (change for part in parts for change in part.changes), key=lambda change: change.address
        )
    )
    gaps, steps = _numbered(parts)
    unresolved, held_names = _unresolved((*desired[0].unresolved, *desired[1].unresolved), chosen)
    baseline: dict[str, Json] = {part.provider: part.baseline for part in parts}
    refusals, consents, unused = _consented(documents, options, _refused(parts, baseline, steps))
    held = _sorted_notes((*_notes(parts, lambda part: part.held), *held_names))
    unmanaged = _notes(parts, lambda part: part.unmanaged)
    deltas = {part.provider: part.access for part in parts}
    return Plan(
        tenant_id=observed.tenant_id,
        organization=observed.organization,
        connect=documents.tenant.connect if documents.tenant is not None else {},
        applicable=not refusals and not unresolved,
        held=held,
        inputs=_inputs(documents, observed, desired),
        baseline=baseline,
        changes=changes,
        steps=steps,
        unmanaged=unmanaged,
        displaced=_notes(parts, lambda part: part.displaced),
        unresolved=unresolved,
        consents=consents,
        refusals=refusals,
        warnings=_warnings(parts, unused, held),
        names=names(
            documents,
            observed,
            changes,
            (*unmanaged, *held, *unresolved),
            mentioned=reaching.ids(deltas),
        ),
        summary={**summary(changes, unmanaged, steps), **reaching.figures(deltas)},
        access=reaching.access(deltas),
        gaps=gaps,
    )


def _refused(
    parts: Sequence[Part], baseline: Mapping[str, Json], steps: tuple[Step, ...]
) -> tuple[Note, ...]:
    """What the products refuse, and what the checker finds beyond that."""
    told = _notes(parts, lambda part: part.refusals)
    return (*told, *checking.refusals(checking.violations(baseline, steps), explained=told))


def _assert_tenant(documents: Documents, observed: Observed) -> None:
    if documents.tenant is not None and documents.tenant.tenant_id != observed.tenant_id:
        raise CaptureFault(
            f"the documents are for tenant {documents.tenant.tenant_id}"
            f" ({documents.tenant.position}), the capture is of {observed.tenant_id}: capture the"
            " right tenant"
        )
    for provider, state in (("teams", observed.teams), ("exchange", observed.exchange)):
        if provider in products(documents) and state is None:
            raise CaptureFault(
                f"the capture has no complete reading of {provider}, which the documents need:"
                " fetch it again"
            )


def _resolve(
    documents: Documents, observed: Observed, chosen: Selection
) -> tuple[DesiredTeams, DesiredExchange]:
    """Names become ids; the faults that show only now are reported all at once."""
    holders = observed.teams.users if observed.teams is not None else {}
    keys = observed.exchange.policies.keys() if observed.exchange is not None else ()
    teams, teams_findings = teams_desired.resolve(documents.teams, observed.directory, holders)
    exchange, exchange_findings = exchange_desired.resolve(
        documents.exchange, observed.directory, keys
    )
    findings: list[Finding] = [
        one for one in (*teams_findings, *exchange_findings) if chosen.concerns(one)
    ]
    if findings:
        raise DocumentFaults(findings)
    return teams, exchange


def _numbered(parts: Sequence[Part]) -> tuple[list[Json], tuple[Step, ...]]:
    gaps, within = passages.gaps(part.ordered for part in parts)
    return gaps, _steps((draft for part in parts for draft in part.ordered.drafts), within)


def _steps(drafts: Iterable[Draft], gaps: Mapping[int, tuple[int, ...]]) -> tuple[Step, ...]:
    """Number the steps of both products; `gaps` has indexes of gaps by step."""
    return tuple(
        Step(
            id=number,
            address=draft.address,
            provider=provider_of(draft.address),
            cmdlet=draft.invocation.cmdlet,
            parameters=draft.invocation.parameters,
            text=_text(draft),
            reason=draft.reason,
            temporary=draft.temporary,
            gaps=gaps.get(number, ()),
        )
        for number, draft in enumerate(drafts, 1)
    )


def _text(draft: Draft) -> str:
    try:
        return render(draft.invocation)
    except UnfitText as error:
        raise UnfitText(
            f"{draft.address}: {error}; write this text anew in the documents, or clean it in the"
            " tenant, then plan again"
        ) from error


def _unresolved(
    names_: Iterable[Unresolved], chosen: Selection
) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    """Names that stand in the way, and names that are held."""
    blocking, held = [], []
    for one in names_:
        why = chosen.holding(one.address)
        if why is None:
            blocking.append(Note(one.reason, one.address, {"text": one.text, "in": one.policy}))
        else:
            held.append(Note(why.value, one.address, {"text": one.text}))
    return _sorted_notes(blocking), tuple(held)


def _consented(
    documents: Documents, options: PlanOptions, refusals: Sequence[Note]
) -> tuple[tuple[Note, ...], tuple[str, ...], tuple[Note, ...]]:
    """Refusals that no consent lifts, the consents that were used, and a warning for each that was
    not.
    """
    standing = documents.tenant.consents if documents.tenant is not None else ()
    given = {_consent(text): text for text in (*standing, *options.allow)}
    asked = {
        _consent(str(note.details["allow"])): note for note in refusals if "allow" in note.details
    }
    used = tuple(sorted(str(note.details["allow"]) for key, note in asked.items() if key in given))
    unused = tuple(
        Note(Warned.UNUSED_CONSENT, text, {})
        for key, text in sorted(given.items())
        if key not in asked
    )
    left = tuple(note for note in refusals if _consent(str(note.details.get("allow"))) not in given)
    return left, used, unused


def _consent(text: str) -> str:
    """Consents are compared without case, as the names in them are."""
    return text.lower()


def _warnings(
    parts: Sequence[Part], unused: Sequence[Note], held: Sequence[Note]
) -> tuple[Note, ...]:
    relying = passages.reliances(part.ordered for part in parts)
    return _sorted_notes(
        (*_notes(parts, lambda part: part.warnings), *relying, *unused, *_held_warning(held))
    )


def _held_warning(held: Sequence[Note]) -> tuple[Note, ...]:
    return (Note(Warned.HELD, "plan", {"objects": len(held)}),) if held else ()


def _inputs(
    documents: Documents, observed: Observed, desired: tuple[DesiredTeams, DesiredExchange]
) -> Inputs:
    return Inputs(
        documents_digest=digest(desired_json(documents.tenant, *desired)),
        capture_digest=observed.digest,
        capture_taken_at=observed.taken_at,
        source=observed.source,
    )


def _order(note: Note) -> tuple[str, str, str]:
    return (note.address, note.code, str(sorted(note.details.items())))


def _sorted_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(sorted(notes, key=_order))


def _notes(parts: Iterable[Part], of: Callable[[Part], Iterable[Note]]) -> tuple[Note, ...]:
    return _sorted_notes(note for part in parts for note in of(part))
