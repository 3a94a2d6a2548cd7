"""Drift at the edge: documents, the tenant, and the plan that would lead back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access.declared_at import positions
from reconciler.cli import ages, collecting, loading, options, showing, sources
from reconciler.cli.working import working
from reconciler.errors import CHANGES_PENDING, SUCCESS, ReconcilerError
from reconciler.guids import GUID
from reconciler.model.addresses import GLOBAL, Address, teams_policy
from reconciler.model.codes import DriftCode
from reconciler.planning import making, naming, requests
from reconciler.planning.drift import Drift, drift
from reconciler.planning.planfile import SealedPlan
from reconciler.planning.selection import assert_consents
from reconciler.reports.drift_annotations import drift_annotations
from reconciler.reports.drifts import (
    DriftTold,
    drift_answer,
    drift_outline,
)
from reconciler.reports.remedies import shell_word
from reconciler.reports.review.composing import review
from reconciler.reports.review.naming import Naming
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.desired import Desired
    from reconciler.model.documents import Documents
    from reconciler.model.findings import Position
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Note, Plan
    from reconciler.model.requests import CaptureRequest
    from reconciler.model.since import Since
    from reconciler.planning.since import EarlierDocuments
    from reconciler.reports.annotated import Annotated
    from reconciler.reports.outline import Outline

_CODES = frozenset(DriftCode)


class Drifted(Struct, frozen=True):
    """A drift, and what it was told by.

    Attributes:
        drift: The drift.
        documents: The documents.
        observed: The tenant.
        source: Where it was read.
        names: Names for ids of unmanaged objects.
        places: Where the documents declare what differs.
        allow: Consents of the command line.
        only: The product that is asked about; None: all.
        since: How the documents compare with those of an earlier commit.
    """

    drift: Drift
    documents: Documents
    observed: Observed
    source: sources.Source
    names: Mapping[str, str]
    places: Mapping[str, Position]
    allow: tuple[str, ...]
    only: Provider | None = None
    since: Since | None = None


class DriftOptions(Struct, frozen=True):
    """What was typed beside PATHs and `--tenant`.

    Attributes:
        allow: Consents.
        only: The product that is asked about beside those that documents name; None: all.
        earlier: The documents of an earlier commit, to compare with.
    """

    allow: tuple[str, ...] = ()
    only: Provider | None = None
    earlier: EarlierDocuments | None = None


def drifted(paths: Sequence[Path], tenant: str | None, typed: DriftOptions) -> Drifted:
    """Hold a tenant against documents and what they accept.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
    """
    allow = typed.allow
    documents = loading.documents(paths, making.PlanOptions(allow=allow))
    source = sources.choose(tenant, sources.target_of_documents(documents), paths)
    tenant_id = documents.tenant.tenant_id if documents.tenant is not None else None
    request = whole_request(documents, source, allow, typed.only)
    observed = sources.observe_source(source, request, tenant_id)
    if typed.only is not None:
        observed = replace(
            observed,
            states={
                name: state for name, state in observed.states.items() if name in request.products
            },
        )
    with working("Comparing"):
        value, _ = drift_of(documents, observed, allow, typed.only)
        plan = value.plan
        notes = (*value.objects, *value.declared, *value.unread)
        ids = {*_ids(notes)} - plan.names.keys()
        names = naming.known(ids, documents, observed)
        places = _places(documents, observed, plan)
        drift_value = Drifted(value, documents, observed, source, names, places, allow, typed.only)
    return drift_value if typed.earlier is None else _compared(drift_value, typed.earlier)


def _compared(made: Drifted, earlier: EarlierDocuments) -> Drifted:
    """The same beside the documents of an earlier commit.

    Raises:
        UsageFault: as the plan itself.
    """
    from reconciler.planning.since import compared_with  # noqa: PLC0415  lazy: only --since

    options = making.PlanOptions(allow=made.allow)
    with working("Comparing with the earlier documents"):
        plan = made.drift.plan
        since = compared_with(earlier, made.documents, made.observed, options, plan)
    return replace(made, since=since)


def drift_of(
    documents: Documents,
    observed: Observed,
    allow: tuple[str, ...],
    only: Provider | None = None,
) -> tuple[Drift, Desired]:
    """Hold a reading of a tenant against documents; also what these declare for it.

    `only`: the product that is asked about beside those that the documents name; None: all.

    Raises:
        ReconcilerError: any fault of both that shows only together.
    """
    options = making.PlanOptions(allow=allow)
    desired = making.resolve_desired(documents, observed, options)
    plan = making.make_plan(documents, observed, options, desired)
    accepted = () if documents.tenant is None else documents.tenant.accepted
    left_out = _left_out(documents, only)
    return drift(plan, observed, desired, accepted, left_out), desired


def _left_out(documents: Documents, only: Provider | None) -> frozenset[Provider]:
    """The products that nobody asks about."""
    if only is None:
        return frozenset()
    return requests.every_product() - requests.products(documents) - {only}


def whole_request(
    documents: Documents,
    source: sources.Source,
    allow: tuple[str, ...],
    only: Provider | None = None,
) -> CaptureRequest:
    """Everything that can be read, so that nothing unmanaged stays unseen; with `only`, of this
    product and of those that the documents name.
    """
    wanted = {only} if only is not None else requests.reachable(documents)
    named = requests.products(documents)
    if isinstance(source, sources.CaptureFile):
        request = requests.capture_request(documents, names=False, allow=allow)
        return request if only is None else replace(request, products=named | wanted)
    request = requests.capture_request(documents, allow=allow)
    products = request.products if only is None else named
    return replace(
        request,
        products=products | wanted,
        everything=isinstance(source, sources.SimulatedTenant),
    )


def called(address: str, documents: Documents, observed: Observed) -> str:
    """What people call an object; empty where its address says it."""
    names = naming.known({*GUID.findall(address.lower())}, documents, observed)
    if not names:
        return ""
    phrase = Naming(names).address(address)
    return Layout(1 << 16, advising=False).text(phrase)


def _places(documents: Documents, observed: Observed, plan: Plan) -> Mapping[str, Position]:
    changed = [change.address for change in plan.changes]
    changed.append(teams_policy(GLOBAL))  # declares a tenant-wide grant
    notes = (*plan.unresolved, *plan.held)
    changed += [Address(note.address) for note in notes if "text" in note.details]
    changed += [teams_policy(document.name) for document in documents.teams]
    places = positions(documents, observed.directory, changed)
    if documents.tenant is not None:
        places |= {entry.address: entry.position for entry in documents.tenant.accepted}
        places[""] = documents.tenant.position
    return places


def _ids(notes: Sequence[Note]) -> list[str]:
    return GUID.findall("\n".join(_texts(notes)).lower())


def _texts(notes: Sequence[Note]) -> Iterator[str]:
    for note in notes:
        yield note.address
        yield from _strings([*note.details.values()])


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _strings([*value.values()])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)


class DriftReport(Struct, frozen=True):
    """The report of a drift: for people, and at the places of files."""

    outline: Outline
    annotated: Annotated


def drift_report(
    made: Drifted, sealed: SealedPlan, *, redact: str | None, where: str, folder: str
) -> DriftReport:
    """The report of a drift, which is also collected for machines.

    Args:
        made: the drift.
        sealed: its plan, with the digests.
        redact: `names`, if nobody is to be named.
        where: PATHs and `--tenant`, to be typed again.
        folder: where documents are.
    """
    whole, places, since = _told_plan(made, sealed.plan, redact)
    notes = [note for note in whole.unmanaged if note.code in _CODES]
    shown = replace(
        whole, unmanaged=tuple(note for note in whole.unmanaged if note.code not in _CODES)
    )
    drift_told = DriftTold(
        unread=_of(notes, DriftCode.NOT_READ),
        objects=_of(notes, DriftCode.NEW, DriftCode.CHANGED, DriftCode.GONE),
        declared=_of(notes, DriftCode.DECLARED),
        accepted=made.drift.accepted,
        differing=made.drift.differing,
        where=where,
        folder=folder,
        only=made.only if _left_out(made.documents, made.only) else None,
    )
    plan = sealed.plan if redact is None else shown
    showing.collect_plan(SealedPlan(plan, sealed.digests), shown=True)
    collecting.add_part("drift", drift_answer(drift_told, clean=made.drift.clean))
    if since is not None:
        collecting.add_part("since", since)
    reviewed = review(shown, sealed.digests, places, since)
    names = Naming(shown.names, _ids(notes))
    return DriftReport(
        drift_outline(reviewed, drift_told, names),
        drift_annotations(reviewed, drift_told, names, places),
    )


def _told_plan(
    made: Drifted, plan: Plan, redact: str | None
) -> tuple[Plan, Mapping[str, Position], Since | None]:
    """The plan with the notes of the drift among its own, so that people are called the same in both;
    where the documents declare what differs; and how they compare with earlier ones.
    """
    notes = (*made.drift.objects, *made.drift.declared, *made.drift.unread)
    whole = replace(plan, unmanaged=(*plan.unmanaged, *notes), names={**plan.names, **made.names})
    if redact is None:
        return whole, made.places, made.since
    from reconciler.reports.redaction import Redaction  # noqa: PLC0415  lazy: seldom asked for

    redaction = Redaction(whole)
    collecting.current().redaction = redaction
    since = None if made.since is None else redaction.since(made.since)
    return redaction.plan(), redaction.places(made.places), since


def _of(notes: Sequence[Note], *codes: DriftCode) -> tuple[Note, ...]:
    return tuple(note for note in notes if note.code in codes)


class ShownDrift(Struct, frozen=True):
    """A drift with its report, and the exit code that it means."""

    made: Drifted
    report: DriftReport
    exit_code: int


def shown_drift(
    paths: Sequence[Path],
    tenant: str | None,
    typed: DriftOptions,
    *,
    redact: str | None,
    max_age: int | None,
    files: Sequence[Path] = (),
) -> ShownDrift:
    """Hold a tenant against documents, and make the report.

    Args:
        paths: documents.
        tenant: `--tenant`.
        typed: what was typed beside them.
        redact: `names`, if nobody is to be named.
        max_age: hours that the reading may be old.
        files: where the plan that leads back is written.

    Raises:
        ReconcilerError: any fault of the documents, the tenant or the options.
    """
    assert_consents(typed.allow)
    made = drifted(paths, tenant, typed)
    ages.check_age(made.drift.plan, max_age)
    sources.assert_spared(made.source, paths, files)
    report = drift_report(
        made,
        loading.sealed_plan(made.drift.plan, *files),
        redact=redact,
        where=where_words(paths, options.DEFAULT_PATHS, tenant),
        folder=str(paths[0]),
    )
    if made.drift.unread:
        return ShownDrift(made, report, ReconcilerError.exit_code)
    return ShownDrift(made, report, CHANGES_PENDING if made.drift.differs else SUCCESS)


def where_words(paths: Sequence[Path], default: Sequence[Path], tenant: str | None) -> str:
    """PATHs and `--tenant` as they are typed again."""
    words = [] if tuple(paths) == tuple(default) else [shell_word(str(path)) for path in paths]
    if tenant is not None:
        words += ["--tenant", shell_word(tenant)]
    return " ".join(words)
