"""Documents + a reading of the tenant + options -> a plan.

A pure function: same content, same plan, whatever the order of anything (law 2).
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, Struct
from msgspec.structs import asdict, replace

from reconciler import __version__
from reconciler.canonical import digest
from reconciler.errors import CaptureFault, DocumentFaults
from reconciler.kinds.facts import in_turn
from reconciler.kinds.product import PlanContext
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import PROVIDERS, Provider
from reconciler.model.baselines import Baseline
from reconciler.model.codes import STILL_OPEN, ChangeReason, Held, WarningCode
from reconciler.model.documents import Limits
from reconciler.model.plans import (
    FORMAT_VERSION,
    Inputs,
    Note,
    Plan,
    PlanLimits,
    PlanTenant,
    Step,
    Tool,
)
from reconciler.planning import access_deltas, checking, interim_access, quarantine, testing
from reconciler.planning.concerned import concerned
from reconciler.planning.consenting import compared_consent, consented, given_consents
from reconciler.planning.doubtful_readings import reading_refusals, reading_warnings
from reconciler.planning.naming import names
from reconciler.planning.numbering import numbered_steps
from reconciler.planning.partial import PlannedSide, refusals_of_parts, with_held
from reconciler.planning.requests import products
from reconciler.planning.selection import (
    assert_consents,
    assert_known,
    is_consent,
    known_addresses,
    selection,
)
from reconciler.planning.serial import desired_json, summary
from reconciler.planning.typed_names import TypedNames
from reconciler.planning.unresolved import unresolved_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.kinds.product import ProductPlan
    from reconciler.model.access_rows import GapRow
    from reconciler.model.desired import Desired, DesiredState
    from reconciler.model.documents import Documents
    from reconciler.model.findings import Finding
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Change
    from reconciler.planning.concerned import Concerned
    from reconciler.planning.purposes import Purpose
    from reconciler.planning.selection import Selection
    from reconciler.planning.testing import JudgedTests


GroupChanges = Literal["in-place", "remove-add"]
_NOT_CHOSEN = (
    Held.RESTS_ON_OPAQUE,
    Held.RESTS_ON_ABSENT,
    Held.REVOCATION,
    Held.GROUP_ABSENT,
    *STILL_OPEN,
    Held.CHANGED_SINCE,
    Held.OTHER_HOLDERS,
    Held.SCOPE_GONE,
    Held.SUBJECT_GONE,
    Held.WOULD_REACH_MORE,
    Held.SHUT_OUT,
)
"""Why something is held that no option leaves out."""


class PlanOptions(Struct, frozen=True):
    """What the command line adds: consents `RULE:ADDRESS`, addresses to plan alone or to leave out,
    and how a group's grant changes.

    `group_changes`: `in-place` grants a group that holds a policy another one, `remove-add` takes it away
    first.
    """

    allow: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    group_changes: GroupChanges = "in-place"


class Given(Struct, frozen=True):
    """What a plan is made of; `desired` is what the documents declare for this very tenant, or what
    its purpose wants.
    """

    documents: Documents
    observed: Observed
    options: PlanOptions
    chosen: Selection
    desired: Desired
    purpose: Purpose | None = None


def make_plan(
    documents: Documents,
    observed: Observed,
    options: PlanOptions,
    desired: Desired | None = None,
) -> Plan:
    """Make the plan.

    Args:
        documents: validated documents.
        observed: a complete reading of the tenant for the products that the documents need.
        options: consents and selection.
        desired: what `resolve_desired` gave for all of these, if somebody asked it already.

    Raises:
        DocumentFaults: two names of the documents turn out to be the same user or scope.
        CaptureFault: the reading is of another tenant, or lacks a product.
        UsageFault: an address or a consent of the options is malformed or names nothing.
    """
    given = given_for(documents, observed, options, desired)
    made = with_held(product_plans(given), given.chosen)
    partial = refusals_of_parts(made, given.chosen)
    return _judged(given, made, partial)


def plan_toward(
    desired: Desired,
    documents: Documents,
    observed: Observed,
    options: PlanOptions,
    purpose: Purpose,
) -> Plan:
    """Make a plan that leads to another state than the documents declare; these say what binds it:
    limits, access tests, the scope of guards, how one signs in.

    Args:
        desired: what shall be, by product.
        documents: validated documents.
        observed: a complete reading of the tenant for the products concerned.
        options: consents, by ids; what they leave out is left out of `desired`.
        purpose: what the plan is for.
    """
    given = Given(documents, observed, options, selection((), ()), desired, purpose)
    return _judged(given, product_plans(given), purpose.refusals)


def _judged(given: Given, made: Sequence[PlannedSide], besides: tuple[Note, ...]) -> Plan:
    """Judge the access tests on what products planned, and put everything together; `besides` is
    refused beside what products refuse.
    """
    parts = [part.plan for part in made]
    outcome = {part.provider: part.outcome for part in parts}
    options = given.options
    tests = testing.judged(
        given.documents,
        given.observed,
        outcome,
        selected=bool(options.only or options.skip),
        holds=[note for part in parts for note in part.held],
    )
    return _composed(given, parts, tests, besides)


def given_for(
    documents: Documents,
    observed: Observed,
    options: PlanOptions,
    desired: Desired | None = None,
) -> Given:
    """What a plan is made of: names are ids, in the options too. Takes what `make_plan` takes.

    Raises:
        DocumentFaults, CaptureFault, UsageFault: as `plan`.
    """
    if desired is None:
        desired = resolve_desired(documents, observed, options)
    options = _with_ids(options, documents, observed, desired)
    assert_consents(options.allow)
    chosen = selection(options.only, options.skip)
    assert_known(chosen, desired, observed)
    return Given(documents, observed, options, chosen, desired)


def resolve_desired(documents: Documents, observed: Observed, options: PlanOptions) -> Desired:
    """The desired state that documents declare for a tenant: names are ids.

    Raises:
        DocumentFaults, CaptureFault, UsageFault: as `plan`.
    """
    _assert_tenant(documents, observed)
    return _resolve(documents, observed, concerned(options.only, options.skip, documents))


def _with_ids(
    options: PlanOptions, documents: Documents, observed: Observed, desired: Desired
) -> PlanOptions:
    """The options with ids for the names that people type."""
    if not (options.only or options.skip or options.allow):
        return options
    names = TypedNames(documents, observed, known_addresses(desired, observed))
    return replace(
        options,
        only=names.selected(options.only, "--only"),
        skip=names.selected(options.skip, "--skip"),
        allow=names.consents(options.allow, is_consent),
    )


def product_plans(given: Given, limits: Limits | None = None) -> tuple[PlannedSide, ...]:
    """The plans of the products that were read, in the order in which their steps run.

    Args:
        given: what they are made of.
        limits: what they are checked against, if not the limits of the Tenant document.
    """
    context = PlanContext(
        given.observed.directory,
        given.chosen.holding,
        given.documents.tenant,
        regranting=given.options.group_changes == "in-place",
        consents=frozenset(
            map(compared_consent, given_consents(given.documents, given.options.allow))
        ),
        other_limits=limits,
    )
    sides = (
        (name, given.desired[name], given.observed.states[name])
        for name in in_turn()
        if name in given.observed.states
    )
    return tuple(
        PlannedSide(desired, state, context, PRODUCTS[name].plan(desired, state, context))
        for name, desired, state in sides
    )


def _composed(
    given: Given, parts: Sequence[ProductPlan], tests: JudgedTests, partial: tuple[Note, ...]
) -> Plan:
    """Put the products' plans together into one plan; `partial` are refusals of a plan of a part."""
    documents, observed, purpose = given.documents, given.observed, given.purpose
    changes = _changes(parts, purpose)
    gaps, steps = _numbered(parts)
    baseline = reduce(Baseline.with_others, (part.baseline for part in parts), Baseline())
    refused = (*_refused(observed, parts, baseline, steps), *partial)
    notes = _plan_notes(given, parts, refused)
    deltas = {part.provider: part.access for part in parts}
    mentioned = chain(access_deltas.access_ids(deltas), interim_access.ids(gaps), tests.ids)
    return Plan(
        format_version=FORMAT_VERSION,
        tool=Tool("reconciler", __version__),
        tenant=PlanTenant(observed.tenant_id, observed.organization),
        connect=documents.tenant.connect if documents.tenant is not None else {},
        applicable=not notes.refusals and not notes.unresolved and tests.allow,
        held=notes.held,
        inputs=_inputs(given),
        baseline=baseline,
        changes=changes,
        steps=steps,
        unmanaged=notes.unmanaged,
        displaced=_notes(parts, lambda part: part.displaced),
        unresolved=notes.unresolved,
        consents=notes.consents,
        refusals=notes.refusals,
        warnings=notes.warnings,
        names=names(documents, observed, changes, notes.named(), mentioned=mentioned),
        summary={**summary(changes, notes.unmanaged, steps), **access_deltas.access_sizes(deltas)},
        limits=_limits(documents),
        widened=tuple(sorted(row for part in parts for row in part.widened)),
        narrowed=tuple(sorted(row for part in parts for row in part.narrowed)) or UNSET,
        undoes=UNSET if purpose is None else purpose.undoes,
        access=access_deltas.access_delta(deltas, baseline, steps),
        gaps=gaps,
        tests=tests.rows,
    )


class _PlanNotes(Struct, frozen=True):
    """What a plan says beside its changes and steps; `consents` are those that were used."""

    unmanaged: tuple[Note, ...]
    held: tuple[Note, ...]
    unresolved: tuple[Note, ...]
    warnings: tuple[Note, ...]
    refusals: tuple[Note, ...]
    consents: tuple[str, ...]

    def named(self) -> Sequence[Note]:
        """The notes whose ids are shown with names."""
        return (*self.unmanaged, *self.held, *self.unresolved, *self.warnings)


def _plan_notes(given: Given, parts: Sequence[ProductPlan], refused: Sequence[Note]) -> _PlanNotes:
    unresolved, held_names, absent = unresolved_notes(given.desired, given.chosen)
    purpose = given.purpose
    aside = () if purpose is None else purpose.held
    held_notes = _sorted_notes((*_notes(parts, lambda part: part.held), *held_names, *aside))
    used = frozenset(consent for part in parts for consent in part.consented)
    refusals, consents, unused = consented(
        given.documents,
        given.options.allow,
        refused,
        used,
        in_part=bool(given.options.only or given.options.skip or held_notes or unresolved),
    )
    warnings = [
        note
        for note in _warnings(given.observed, parts, unused, held_notes)
        if note.code != WarningCode.LEFT_SHUT
        or note.details["application"] not in given.documents.quarantined
    ]
    besides = () if purpose is None else purpose.warnings
    return _PlanNotes(
        unmanaged=_notes(parts, lambda part: part.unmanaged) if purpose is None else (),
        held=held_notes,
        unresolved=_sorted_notes(unresolved),
        warnings=_sorted_notes((*warnings, *absent, *besides)),
        refusals=refusals,
        consents=consents,
    )


def _limits(documents: Documents) -> PlanLimits:
    limits = Limits() if documents.tenant is None else documents.tenant.limits
    return PlanLimits(**asdict(limits))


def _changes(parts: Sequence[ProductPlan], purpose: Purpose | None) -> tuple[Change, ...]:
    changes = (change for part in parts for change in part.changes)
    if purpose is not None:
        changes = (replace(change, reason=ChangeReason.UNDONE) for change in changes)
    return tuple(sorted(changes, key=lambda change: change.address))


def _refused(
    observed: Observed,
    parts: Sequence[ProductPlan],
    baseline: Baseline,
    steps: tuple[Step, ...],
) -> tuple[Note, ...]:
    """What the products refuse, what the checker finds beyond that, and a doubtful reading."""
    refusals = _notes(parts, lambda part: part.refusals)
    violations = checking.violations(baseline, steps)
    unsafe = checking.refusals_of_violations(violations, refusals, baseline.shut_out())
    reaching = quarantine.still_reaching_refusals(parts, baseline, steps)
    return (*refusals, *unsafe, *reaching, *reading_refusals(observed))


def _assert_tenant(documents: Documents, observed: Observed) -> None:
    if documents.tenant is not None and documents.tenant.tenant_id != observed.tenant_id:
        raise CaptureFault(
            f"the documents are for tenant {documents.tenant.tenant_id}"
            f" ({documents.tenant.position}), but the capture is of {observed.tenant_id}: fetch"
            " the right tenant"
        )
    needed = products(documents)
    for provider in PROVIDERS:
        if provider in needed and provider not in observed.states:
            raise CaptureFault(
                f"the capture is not complete for {provider}, which the documents need: fetch again"
            )


def _resolve(documents: Documents, observed: Observed, concern: Concerned) -> Desired:
    """Resolve names to ids; faults that show only now are reported together."""
    desired, faults = resolved_names(documents, observed)
    findings = [*filter(concern.is_blocked_by_names, faults)]
    if findings:
        raise DocumentFaults(findings)
    return desired


def resolved_names(documents: Documents, observed: Observed) -> tuple[Desired, list[Finding]]:
    """The desired state with names as ids, and the faults that show only then; of two names of one
    object the first counts.
    """
    desired: dict[Provider, DesiredState] = {}
    findings: list[Finding] = []
    for name, product in PRODUCTS.items():
        desired[name], faults = product.resolve(
            documents, observed.directory, observed.states.get(name)
        )
        findings += faults
    return desired, findings


def _numbered(parts: Sequence[ProductPlan]) -> tuple[tuple[GapRow, ...], tuple[Step, ...]]:
    gaps, within = interim_access.gaps(part.ordered for part in parts)
    return gaps, numbered_steps((draft for part in parts for draft in part.ordered.drafts), within)


def _warnings(
    observed: Observed,
    parts: Sequence[ProductPlan],
    unused: Sequence[Note],
    held_notes: Sequence[Note],
) -> tuple[Note, ...]:
    relying = interim_access.reliance_warnings(part.ordered for part in parts)
    return _sorted_notes(
        (
            *_notes(parts, lambda part: part.warnings),
            *relying,
            *unused,
            *_held_warning(held_notes),
            *reading_warnings(observed),
        )
    )


def _held_warning(held_notes: Sequence[Note]) -> Iterator[Note]:
    """How much is held by options, how much because it is not understood, and how many scopes are
    not there.
    """
    counts = Counter(note.code for note in held_notes)
    opaque, absent = counts.pop(Held.NOT_UNDERSTOOD, 0), counts.pop(Held.SCOPE_ABSENT, 0)
    chosen = counts.total() - sum(counts[code] for code in _NOT_CHOSEN)
    if counts[Held.SKIPPED] or counts[Held.NOT_SELECTED]:
        yield Note(WarningCode.HELD, "plan", {"objects": chosen})
    if opaque:
        yield Note(WarningCode.NOT_UNDERSTOOD, "plan", {"objects": opaque})
    if absent:
        yield Note(WarningCode.SCOPE_ABSENT, "plan", {"policies": absent})


def _inputs(given: Given) -> Inputs:
    declared = desired_json(given.documents.tenant, given.desired)
    return Inputs(
        documents_digest=digest(declared),
        capture_digest=given.observed.digest,
        capture_taken_at=given.observed.taken_at,
        source=given.observed.source,
    )


def _order(note: Note) -> tuple[str, str, str]:
    return (note.address, note.code, str(sorted(note.details.items())))


def _sorted_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(sorted(notes, key=_order))


def _notes(
    parts: Iterable[ProductPlan], of: Callable[[ProductPlan], Iterable[Note]]
) -> tuple[Note, ...]:
    return _sorted_notes(note for part in parts for note in of(part))
