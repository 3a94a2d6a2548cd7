"""What `explain` is asked, from what it answers, and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access.declared_at import positions
from reconciler.access.explaining import explain
from reconciler.audiences.questions import Explanation, Known, Question
from reconciler.cli import collecting, loading, plan_files, sources, surveying, typed_people
from reconciler.guids import GUID
from reconciler.kinds.exchange.facts import MAILBOX_PERMISSIONS
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import teams_group_grant
from reconciler.model.requests import CaptureRequest
from reconciler.planning import making, naming, outcomes, requests
from reconciler.reports import explanations
from reconciler.reports.explanations import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.model.addresses import Provider
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Directory, Observed
    from reconciler.reports.outline import Outline


class Asking(Struct, frozen=True):
    """What was typed: an application, and a user or a mailbox."""

    application: str
    user: str | None
    mailbox: str | None

    @property
    def product(self) -> Provider:
        """The product that the question is about."""
        return "exchange" if self.user is None else "teams"

    @property
    def is_partial(self) -> bool:
        """Whether who is asked about is not named in full."""
        return typed_people.is_partial(self.user or self.mailbox or "")


class Basis(Struct, frozen=True):
    """What a question is answered from; `kind` is for machines, `source` the end of a sentence.

    A plan file brings `names` of its own.
    """

    known: Known
    kind: str
    source: str
    documents: Documents | None
    observed: Observed | None
    names: Mapping[str, str]
    simulated: bool


def basis_of_documents(paths: Sequence[Path], tenant: str | None, asked: Asking) -> Basis:
    """The tenant once the documents are applied.

    Raises:
        ReconcilerError: any fault of the documents or the tenant.
    """
    wanted = loading.documents(paths, making.PlanOptions())
    target = sources.target_of_documents(wanted)
    source = sources.choose(tenant, target, paths)
    # A live tenant is not read whole for a name that was not written out.
    everything = asked.is_partial and not isinstance(source, sources.LiveTenant)
    request = replace(_request(requests.capture_request(wanted), asked), everything=everything)
    observed = sources.observe_source(source, request, None if target is None else target.tenant_id)
    knowledge, unresolved = outcomes.after_documents(wanted, observed)
    missing = (
        f" (names in them that were not found: {unresolved}; reconciler plan lists them)"
        if unresolved
        else ""
    )
    return Basis(
        knowledge,
        "desired",
        f"once the documents are applied{missing}",
        wanted,
        observed,
        {},
        observed.source == "simulated",
    )


def basis_of_now(paths: Sequence[Path], tenant: str | None, asked: Asking) -> Basis:
    """The tenant as it is.

    Raises:
        ReconcilerError: any fault of the documents or the tenant.
    """
    named = surveying.documents_beside(paths)
    target = None if named is None else sources.target_of_documents(named)
    source = sources.choose(tenant, target, paths)
    request = CaptureRequest(frozenset({asked.product}), tolerated=_consented(named))
    everything = asked.is_partial and not isinstance(source, sources.LiveTenant)
    observed = sources.observe_source(
        source,
        replace(_request(request, asked), everything=everything),
        None if target is None else target.tenant_id,
    )
    return Basis(
        Known(observed.states, observed.directory),
        "now",
        f"as it was read {observed.taken_at}",
        named,
        observed,
        {},
        observed.source == "simulated",
    )


def basis_of_plan(paths: Sequence[Path], file: Path) -> Basis:
    """A plan's outcome, as far as its file tells.

    Raises:
        ReconcilerError: any fault of the plan file or the documents.
    """
    plan = plan_files.plan_file(file).plan
    source = f"once the plan {file} is applied, based on the file alone"
    return Basis(
        outcomes.after_plan(plan),
        "plan",
        source,
        surveying.documents_beside(paths),
        None,
        plan.names,
        plan.inputs.source == "simulated",
    )


def basis_of_capture(paths: Sequence[Path], file: Path, asked: Asking) -> Basis:
    """A tenant as it was captured.

    Raises:
        ReconcilerError: any fault of the capture or the documents.
    """
    named = surveying.documents_beside(paths)
    observed = sources.observe_source(
        sources.CaptureFile(file),
        CaptureRequest(frozenset({asked.product}), tolerated=_consented(named)),
        None,
    )
    knowledge = Known(observed.states, observed.directory)
    return Basis(
        knowledge,
        "capture",
        f"as captured {observed.taken_at}",
        named,
        observed,
        {},
        simulated=False,
    )


def answer(basis: Basis, asked: Asking) -> Outline:
    """The answer, which is collected for the envelope too."""
    answered = explained(explain(_question(basis, asked), basis.known), basis)
    collecting.current().simulated = basis.simulated
    collecting.add_part("explanation", explanations.explanation_answer(answered))
    return explanations.explanation_outline(answered)


def explained(explanation: Explanation, basis: Basis) -> Explained:
    """An explanation with what it takes to tell it."""
    documents, question = basis.documents, explanation.question
    return Explained(
        explanation,
        basis.kind,
        basis.source,
        _names(basis, explanation),
        {}
        if documents is None
        else positions(documents, basis.known.directory, explanation.addresses),
        basis.simulated,
        permission_of(documents, question),
        _effective_at(explanation, basis.known.directory),
        quarantined=documents is not None and question.application in documents.quarantined,
    )


def _effective_at(explanation: Explanation, directory: Directory) -> str:
    """When the effective assignment was read on which an answer rests; empty if it rests on none."""
    answer = directory.effective.get(explanation.question.subject)
    if answer is None or explanation.question.kind is not SubjectKind.USER:
        return ""
    asked = {teams_group_grant(group) for group in answer.members}
    rests = any(reason.address in asked for reason in explanation.verdict.path)
    return answer.taken_at if rests else ""


def permission_of(documents: Documents | None, question: Question) -> str | None:
    """Of a mailbox: a permission of the application that access policies govern, empty if its
    document lists others only; None if no document tells.
    """
    declared = () if documents is None else documents.applications
    listed = [
        permission
        for document in declared
        if document.application == question.application
        for permission in document.permissions
    ]
    if question.kind is not SubjectKind.MAILBOX or not listed:
        return None
    return min((name for name in listed if name in MAILBOX_PERMISSIONS), default="")


def _consented(documents: Documents | None) -> frozenset[Provider]:
    return frozenset() if documents is None else requests.consented_warnings(documents)


def _request(request: CaptureRequest, asked: Asking) -> CaptureRequest:
    users = request.users if asked.user is None else (*request.users, asked.user)
    recipients = (
        request.recipients if asked.mailbox is None else (*request.recipients, asked.mailbox)
    )
    return replace(
        request,
        products=request.products | {asked.product},
        users=users,
        recipients=recipients,
        effective=(*request.effective, *(() if asked.user is None else (asked.user,))),
    )


def _question(basis: Basis, asked: Asking) -> Question:
    application = surveying.application_of(asked.application, basis.documents)
    kind = SubjectKind.MAILBOX if asked.user is None else SubjectKind.USER
    typed = asked.user or asked.mailbox or ""
    subject = typed_people.subject_of(typed, kind, basis.known.directory)
    return Question(application, kind, subject, resolved=bool(GUID.fullmatch(subject)))


def _names(basis: Basis, explanation: Explanation) -> Mapping[str, str]:
    """Names for the ids of the answer; a plan file brings its own."""
    ids = {name_id for text in explanation.addresses for name_id in GUID.findall(text)} | {
        explanation.question.application,
        explanation.question.subject,
    }
    if basis.observed is not None:
        return naming.known(ids, basis.documents, basis.observed)
    declared = {} if basis.documents is None else naming.declared(basis.documents)
    return {**basis.names, **declared}
