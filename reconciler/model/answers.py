"""What commands answer to a machine: members of the envelope that one command has."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from reconciler.model.addresses import Provider

_Count: TypeAlias = Annotated[int, Meta(ge=0)]

VerdictWord: TypeAlias = Literal["granted", "denied", "depends"]
"""An answer; `depends` on what is not known."""


class NamedId(Struct, frozen=True):
    """An id and what people call it; null if that is not known."""

    id: str
    name: str | None


class AskedSubject(Struct, frozen=True):
    """Who a question is about; not `resolved`: `id` is the text of the question."""

    id: str
    kind: str
    name: str | None
    resolved: bool


class AnswerReason(Struct, frozen=True):
    """One question on the way to a verdict: what was asked of which object, whether that holds, and
    where the documents declare it; null is not known.
    """

    address: str
    asked: str
    declared_at: str | None
    holds: bool | None


class AnswerAdvice(Struct, frozen=True):
    """What would change a verdict."""

    address: str
    declared_at: str | None
    remedy: str


class ExplanationAnswer(Struct, frozen=True, omit_defaults=True):
    """Why an application reaches somebody, or not.

    Attributes:
        application: Who asks for access.
        basis: The state that it is about: desired, plan, capture or now.
        decided_by: The object that the verdict hangs on; null if it is not decided.
        path: The way to the verdict.
        permission: Of a mailbox: a permission that the application's document lists and that such
            policies govern, empty if it lists others only; null if no document tells.
        subject: Whom.
        unknown: Addresses of what would decide it.
        verdict: The answer.
        would_change: What would change it.
        quarantined: The documents let the application reach nobody; absent if they do not.
    """

    application: NamedId
    basis: str
    decided_by: str | None
    path: tuple[AnswerReason, ...]
    permission: str | None
    subject: AskedSubject
    unknown: tuple[str, ...]
    verdict: VerdictWord
    would_change: tuple[AnswerAdvice, ...]
    quarantined: bool = False


class RehearsedRun(Struct, frozen=True):
    """One run of a rehearsal.

    Attributes:
        again: The plan had to be applied once more.
        as_it_must: Whether it ended as it must.
        converged: The tenant ended in the state that the plan leads to.
        gaps: Indexes of the plan's gaps that were open where it stopped.
        place: After which step of the plan the tenant was; null: in no state of the plan.
        said: What the apply that did not converge said.
        step: The step that was disturbed; 0 is none.
        trouble: What went wrong.
    """

    again: bool
    as_it_must: bool
    converged: bool
    gaps: tuple[_Count, ...]
    place: _Count | None
    said: str
    step: _Count
    trouble: str


class RehearsalAnswer(Struct, frozen=True):
    """What `rehearse` tried, and how each run ended.

    Attributes:
        already: How many steps the tenant showed from the start.
        complete: Whether every step was disturbed.
        passed: Whether every run ended as it must.
        runs: The runs.
        sampled: The steps that were disturbed.
        steps: How many the plan has.
        where: On what tenant.
    """

    already: _Count
    complete: bool
    passed: bool
    runs: tuple[RehearsedRun, ...]
    sampled: tuple[_Count, ...]
    steps: _Count
    where: str


class ListedGrant(Struct, frozen=True):
    """A group that holds a policy, and whether documents manage that."""

    group: str
    managed: bool
    rank: _Count


class ListedObject(Struct, frozen=True):
    """A policy with its grants.

    Attributes:
        address: Its address.
        applications: Client ids.
        description: Empty if blank.
        everyone: Whether everyone without a grant has it.
        groups: Groups that hold it.
        managed: Whether documents manage it.
        missing: Whether it is held although it does not exist.
        name: As the service has it; of Exchange the name of its scope.
        product: The product.
        right: Of Exchange: AccessRight.
        scope: Of Exchange: the object id of its scope.
        understood: Whether what was read could be understood.
        users: Object ids of those who hold it directly.
        users_managed: How many of those grants documents manage.
    """

    address: str
    applications: tuple[str, ...]
    description: str
    everyone: bool
    groups: tuple[ListedGrant, ...]
    managed: bool
    missing: bool
    name: str
    product: str
    right: str
    scope: str
    understood: bool
    users: tuple[str, ...]
    users_managed: _Count


class ListedCounts(Struct, frozen=True):
    """How much there is of a product, and how much of it documents manage."""

    grants: _Count
    grants_managed: _Count
    policies: _Count
    policies_managed: _Count
    product: Provider


class ListAnswer(Struct, frozen=True):
    """What a tenant has.

    Attributes:
        counts: By product; of all that there is, whatever is shown.
        names: Ids to names, for people.
        objects: Policies with their grants, as far as they were asked for.
        read_at: When it was read, ISO 8601.
    """

    counts: tuple[ListedCounts, ...]
    names: dict[str, str]
    objects: tuple[ListedObject, ...]
    read_at: str


class ReachAnswerRow(Struct, frozen=True):
    """Some of those whom an application reaches.

    Attributes:
        after: Whether it reaches them once the documents are applied; null without documents.
        certain: Whether that is certain of all of them.
        declared_at: Where the documents declare the rule.
        excepted: Object ids of groups and scopes whose members are not among them.
        ids: Object ids of people; of a group or scope its own; of everyone none.
        kind: user, mailbox, group-members or everyone.
        now: Whether it reaches them now.
        product: The product.
        rule: Address of what lets it.
        size: How many are surely reached, where that is known.
    """

    after: bool | None
    certain: bool
    declared_at: str | None
    excepted: tuple[str, ...]
    ids: tuple[str, ...]
    kind: str
    now: bool
    product: str
    rule: str
    size: _Count | None


class ReachAnswer(Struct, frozen=True, omit_defaults=True):
    """What an application reaches. `permission`: as of an explanation of a mailbox; `quarantined`: as
    of any.
    """

    application: NamedId
    names: dict[str, str]
    permission: str | None
    rows: tuple[ReachAnswerRow, ...]
    quarantined: bool = False


class WhoAnswerRow(Struct, frozen=True):
    """What an application may do with somebody.

    Attributes:
        after: The verdict once the documents are applied; null without documents.
        application: The application.
        now: The verdict now.
        permission: Of a mailbox, as of an explanation.
        product: The product.
        rule: Address of what decides it, after the documents if there are any; null if nothing does.
    """

    after: VerdictWord | None
    application: NamedId
    now: VerdictWord
    permission: str | None
    product: str
    rule: str | None


class WhoAnswer(Struct, frozen=True):
    """Which applications reach somebody.

    Attributes:
        denied: How many others that are known do not.
        rows: Those that reach the subject, or may, now or after the documents.
        subjects: Whom the name leads to: a user, a mailbox, or both.
    """

    denied: _Count
    rows: tuple[WhoAnswerRow, ...]
    subjects: tuple[AskedSubject, ...]


class DriftedObject(Struct, frozen=True):
    """An unmanaged object that is not known as it is, or an entry that is not needed.

    Attributes:
        address: Its address.
        after: What it is; of one that was accepted, the parts that differ.
        before: What these parts were when it was accepted.
        reason: Why it was accepted.
        state: unmanaged-new, accepted-changed, accepted-gone or accepted-declared.
    """

    address: str
    after: dict[str, Any]
    before: dict[str, Any]
    reason: str
    state: str


class DriftAnswer(Struct, frozen=True):
    """How a tenant differs from what is known of it; what documents say otherwise is in the plan.

    Attributes:
        accepted: How many unmanaged objects are as they were accepted.
        clean: Whether everything was read and nothing differs.
        differing: How many objects the plan would change, holds, or does not find.
        not_read: Products, and addresses of names, that were not read.
        objects: Unmanaged objects that are new, changed or gone, and entries that are not needed.
    """

    accepted: _Count
    clean: bool
    differing: _Count
    not_read: tuple[str, ...]
    objects: tuple[DriftedObject, ...]


class DiagnosedError(Struct, frozen=True):
    """An error as it was received.

    Attributes:
        codes: The outermost first.
        form: What it came in: body, response, batch or text.
        messages: The outermost first.
        status: The HTTP status; null if it does not say.
    """

    codes: tuple[str, ...]
    form: str
    messages: tuple[str, ...]
    status: int | None


class DiagnosedChange(Struct, frozen=True):
    """The last change of what decides, as a journal has it.

    Attributes:
        address: What was changed.
        at: When, ISO 8601.
        certain: Whether it is known to have happened.
        journal: The file.
        step: The step of its plan.
        wait_until: When it is usually enforced, ISO 8601.
    """

    address: str
    at: str
    certain: bool
    journal: str
    step: _Count
    wait_until: str


class SuggestedLine(Struct, frozen=True):
    """The change of one line of a file.

    Attributes:
        after: The line as it will be; null: it goes.
        before: The line as it is; null: the new one comes after it.
        file: The file.
        line: Its number, from 1.
    """

    after: str | None
    before: str | None
    file: str
    line: _Count


class SuggestedEdit(Struct, frozen=True):
    """One way to let the application in by the documents.

    Attributes:
        address: The object that it concerns.
        declared_at: Where the documents declare it; null if they do not.
        document: The lines of a new document, where there is no line to change.
        file: The file at whose end that may be; empty: a new one.
        lines: Lines to change, all of them.
        loses: Client ids that the user loses by it.
        obstacle: Why there is neither; null if there is one.
        remedy: What it does, as `would_change` of an explanation has it.
    """

    address: str
    declared_at: str | None
    document: tuple[str, ...]
    file: str
    lines: tuple[SuggestedLine, ...]
    loses: tuple[str, ...]
    obstacle: str | None
    remedy: str


class DiagnosisAnswer(Struct, frozen=True):
    """Why an application was refused.

    Attributes:
        cause: Why, in a word.
        change: The last journalled change of what decides; null if there is no recent one.
        edits: Ways to let it in by the documents.
        error: The error.
        explanations: Of each product that was asked, why the application reaches the subject on the
            tenant as it is, or not.
        gate: What refused; null if the error is not known.
        other_application: The client id that the error names, if it is not the one of the question.
        other_user: Whom the error names likewise.
        sign: The kind of the error; null if it is not known.
    """

    cause: str
    change: DiagnosedChange | None
    edits: tuple[SuggestedEdit, ...]
    error: DiagnosedError
    explanations: tuple[ExplanationAnswer, ...]
    gate: str | None
    other_application: str | None
    other_user: str | None
    sign: str | None


class VerifyProbe(Struct, frozen=True):
    """What Exchange's own check says of one mailbox.

    Attributes:
        expected: Whether the policies let the application in; null: nothing was asked.
        granted: What Exchange says; null: nothing was asked, or not understood.
        mailbox: Its primary address; null: nobody is surely on that side.
        side: inside or outside of the scope.
        text: What was said, if that was not understood.
    """

    expected: bool | None
    granted: bool | None
    mailbox: str | None
    side: str
    text: str


class VerifiedRow(Struct, frozen=True):
    """An object that an apply changed.

    Attributes:
        accepted: accepted, refused, or unknown where no answer came.
        accepted_at: When that was journalled.
        address: The object.
        detail: Words of the service or of the reading, beside `remark`.
        differences: What the tenant shows instead.
        effective: confirmed, contradicted, pending, or unseen where nothing tells.
        enforced_by: When the service has usually enforced it.
        probes: What Exchange's own check says.
        remark: What else is to be said, as a code; null: nothing.
        visible: visible, not-yet, otherwise, differs (from the documents), superseded (by a later
            apply) or unjudged.
    """

    accepted: str
    accepted_at: str
    address: str
    detail: str
    differences: tuple[str, ...]
    effective: str
    enforced_by: str
    probes: tuple[VerifyProbe, ...]
    remark: str | None
    visible: str


class VerificationAnswer(Struct, frozen=True):
    """What became of an apply.

    Attributes:
        besides: What else the plan rests on and has changed since.
        compared_with: plan or documents.
        done: How many steps are done.
        in_part: Steps of the plan were not done.
        journal: The file that tells of the apply.
        objects: What it changed, the wrong ones first.
        plan: The digest of its plan.
        quarantine: What lets quarantined applications in.
        read_at: When the tenant was read.
        steps: How many steps the plan has; 0 where the journal does not say.
        verified: All of it is accepted and visible, nothing contradicts, and enough time has passed.
    """

    besides: tuple[str, ...]
    compared_with: str
    done: _Count
    in_part: bool
    journal: str
    objects: tuple[VerifiedRow, ...]
    plan: str
    quarantine: tuple[str, ...]
    read_at: str
    steps: _Count
    verified: bool
