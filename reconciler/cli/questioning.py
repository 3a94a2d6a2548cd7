"""What `reach` and `who` are asked, and what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.access import reaching
from reconciler.access.declared_at import positions
from reconciler.audiences.questions import Question
from reconciler.cli import answering, surveying, typed_people
from reconciler.guids import GUID
from reconciler.model.access_rows import SubjectKind
from reconciler.reports.reaches import AskedTenant, Reaching

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from reconciler.access.reaching import ReachRow
    from reconciler.cli.surveying import Survey
    from reconciler.model.addresses import Address


def reach_of(
    paths: Sequence[Path], tenant: str | None, typed: str
) -> tuple[str, tuple[ReachRow, ...], AskedTenant, str | None]:
    """Whom an application reaches: its client id, the rows, remarks, and a permission for
    mailboxes as its document says.

    Raises:
        ReconcilerError: any fault of the documents or the tenant.
        UsageFault: the application is none.
    """
    seen = surveying.survey(paths, tenant)
    application = surveying.application_of(typed, seen.documents)
    rows = tuple(reaching.reach(application, seen.now, seen.after))
    ids = {application}
    for row in rows:
        ids.update(row.part.ids, reaching.excepted_ids(row.part.excepted))
    question = Question(application, SubjectKind.MAILBOX, "", resolved=False)
    permission = answering.permission_of(seen.documents, question)
    asked = _asked(seen, ids, [row.part.rule for row in rows])
    return application, rows, asked, permission


def reaching_somebody(
    paths: Sequence[Path], tenant: str | None, typed: str
) -> tuple[Reaching, AskedTenant]:
    """Who reaches somebody, with remarks.

    Raises:
        ReconcilerError: any fault of the documents or the tenant.
        UsageFault: nobody is called so, or several are.
    """
    seen = surveying.survey(paths, tenant, users=(typed,))
    subjects = typed_people.subjects_of(typed, seen.observed.directory)
    applications = surveying.every_application(seen)
    questions = [
        replace(subject, application=application)
        for subject in subjects
        for application in applications
    ]
    rows = tuple(reaching.who(questions, seen.now, seen.after))
    mailbox = Question("", SubjectKind.MAILBOX, "", resolved=False)
    permissions = {
        application: answering.permission_of(
            seen.documents, replace(mailbox, application=application)
        )
        for application in applications
    }
    rules = [rule for row in rows if (rule := reaching.decided_by(row.latest))]
    ids = {*applications, *(subject.subject for subject in subjects)}
    return Reaching(tuple(subjects), rows, permissions), _asked(seen, ids, rules)


def _asked(seen: Survey, ids: Iterable[str], rules: Sequence[Address]) -> AskedTenant:
    observed = seen.observed
    mentioned = {name_id for rule in rules for name_id in GUID.findall(rule)}
    read = observed.taken_at.replace("T", " ").replace("Z", " UTC")
    places = {}
    if seen.documents is not None:
        places = dict(positions(seen.documents, observed.directory, rules))
    return AskedTenant(
        simulated=seen.simulated,
        tenant_id=observed.tenant_id,
        organization=observed.organization,
        read=read,
        names=seen.names({*ids, *mentioned}),
        places=places,
        compared=seen.after is not None,
        unresolved=seen.unresolved,
        quarantined=frozenset() if seen.documents is None else seen.documents.quarantined,
    )
