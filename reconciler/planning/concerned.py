"""Which faults of documents stop a plan of a part (`--only`), before names have become ids."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.documents import Kind
from reconciler.planning.selection import Selection, selection_of_addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.documents import ApplicationDocument, Documents
    from reconciler.model.findings import Finding

_APPLICATION = "application"


class Concerned(Struct, frozen=True):
    """What faults may concern: `others` is what is selected beside whole applications that shall reach
    nobody, which are in `quarantined`; None if nothing is.

    A quarantine takes an application out of all lists and policies, whatever the documents say of
    them: it is carried out while documents that do not name the application are broken.
    """

    documents: Documents
    others: Selection | None
    quarantined: tuple[ApplicationDocument, ...]

    def is_blocked_by(self, finding: Finding, text: str | None) -> bool:
        """Whether an error stops the plan.

        Args:
            finding: the error.
            text: the document that it is in, or what of its file could not be read as documents;
                None if nobody knows it.
        """
        if self.others is not None and self.others.concerns(finding):
            return True
        if not self.quarantined:
            return False
        if text is None or finding.subject.startswith(f"{Kind.TENANT}/"):
            return True
        if not finding.subject and self.documents.tenant is None:
            return True  # it may be the Tenant document
        return any(_is_named(application, text) for application in self.quarantined)

    def is_blocked_by_names(self, finding: Finding) -> bool:
        """Whether an error stops the plan that shows only when names are ids: it is in a policy."""
        return self.is_blocked_by(finding, _applications(self.documents, finding.subject))


def concerned(only: Sequence[str], skip: Sequence[str], documents: Documents) -> Concerned:
    """What faults may concern that shows before a capture tells what names mean.

    Args:
        only: values of `--only` as they were typed.
        skip: values of `--skip`; what is skipped is read all the same.
        documents: those without a fault.
    """
    named = {text: application for text in only if (application := _whole(text, documents))}
    further = [text for text in only if text not in named]
    others = selection_of_addresses(further, skip) if further or not named else None
    return Concerned(documents, others, tuple(named.values()))


def _whole(text: str, documents: Documents) -> ApplicationDocument | None:
    """The application that an address stands for, by name or client id, if it shall reach nobody."""
    kind, _, typed = text.partition("/")
    if kind.lower().rpartition(".")[2] != _APPLICATION:
        return None
    name = typed.strip().casefold()
    return next(
        (
            document
            for document in documents.applications
            if document.quarantined and name in (document.name.casefold(), document.application)
        ),
        None,
    )


def _is_named(application: ApplicationDocument, text: str) -> bool:
    """Whether a text of YAML has an application's name or client id in it, whatever is around it."""
    words = " ".join(text.casefold().split())
    names = (re.escape(application.name.casefold()), application.application)
    return re.search(rf"(?<![\w-])(?:{'|'.join(names)})(?![\w-])", words) is not None


def _applications(documents: Documents, subject: str) -> str | None:
    """The applications that a policy's document names, as client ids."""
    teams = ((f"{Kind.TEAMS_POLICY}/{each.name}", each.applications) for each in documents.teams)
    exchange = (
        (f"{Kind.EXCHANGE_POLICY}/{each.name}", each.applications) for each in documents.exchange
    )
    named = dict(chain(teams, exchange))
    return " ".join(named[subject] or ()) if subject in named else None
