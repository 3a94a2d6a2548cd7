"""A tenant as it is and as documents would leave it, for the commands that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access import reaching
from reconciler.audiences.questions import Known, Question
from reconciler.cli import collecting, loading, options, sources
from reconciler.cli.working import working
from reconciler.errors import UsageFault
from reconciler.guids import GUID
from reconciler.kinds.exchange.scopes import has_mailbox
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.observed import User
from reconciler.model.plans import PlanTenant
from reconciler.model.requests import CaptureRequest
from reconciler.planning import making, naming, outcomes, requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.model.desired import Desired
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Directory, Observed, Recipient

_MOST_CANDIDATES = 10
"""People or applications whom a message names of those whom a typed name may mean."""


class Survey(Struct, frozen=True):
    """A tenant and the documents beside it.

    Attributes:
        observed: The tenant.
        now: What is known of it.
        after: The same once the documents are applied; None without documents.
        documents: The documents; None if there are none.
        unresolved: How many names in them were not found.
    """

    observed: Observed
    now: Known
    after: Known | None
    documents: Documents | None
    unresolved: int = 0

    @property
    def simulated(self) -> bool:
        """Whether the tenant is a simulated one."""
        return self.observed.source == "simulated"

    def desired(self) -> Desired | None:
        """What the documents want, with ids; None without documents.

        Raises:
            DocumentFaults: two names turn out to be the same.
        """
        if self.documents is None:
            return None
        return making.resolve_desired(self.documents, self.observed, making.PlanOptions())

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """Names for people of these ids, as far as anything tells."""
        wanted = set(ids)
        known_names = naming.of_ids(self.observed, wanted)
        if self.documents is not None:
            declared = naming.declared(self.documents)
            known_names |= {
                name_id: name for name_id, name in declared.items() if name_id in wanted
            }
        return {name_id: name for name_id, name in sorted(known_names.items()) if name}


def survey(
    paths: Sequence[Path], tenant: str | None, *, users: Sequence[str] = (), after: bool = True
) -> Survey:
    """Read the tenant, and the documents if there are any.

    Args:
        paths: documents; the default folder may be missing.
        tenant: `--tenant`.
        users: names of people who are asked about, for a live tenant.
        after: whether anybody asks what the documents would change.

    Raises:
        ReconcilerError: any fault of the documents or the tenant.
    """
    documents = documents_beside(paths)
    target = None if documents is None else sources.target_of_documents(documents)
    source = sources.choose(tenant, target, paths)
    request = _request(documents, users, everything=not isinstance(source, sources.LiveTenant))
    observed = sources.observe_source(source, request, None if target is None else target.tenant_id)
    collected = collecting.current()
    collected.tenant = PlanTenant(observed.tenant_id, observed.organization)
    collected.simulated = observed.source == "simulated"
    now = Known(observed.states, observed.directory)
    if documents is None or not after:
        return Survey(observed, now, None, documents)
    with working("Comparing the documents"):
        later, unresolved = outcomes.after_documents(documents, observed)
    return Survey(observed, now, later, documents, unresolved)


def documents_beside(paths: Sequence[Path]) -> Documents | None:
    """Documents that may be missing: without a PATH, and without the default one, there are none.

    Raises:
        DocumentFaults, UsageFault: the documents have faults, or a PATH does not exist.
    """
    if tuple(paths) == options.DEFAULT_PATHS and not options.DEFAULT_PATHS[0].exists():
        return None
    return loading.documents(paths, making.PlanOptions())


def _request(
    documents: Documents | None, users: Sequence[str], *, everything: bool
) -> CaptureRequest:
    if documents is None:
        request = CaptureRequest(requests.every_product())
    else:
        request = requests.capture_request(documents)
        request = replace(request, products=request.products | requests.reachable(documents))
    return replace(
        request,
        users=(*request.users, *users),
        recipients=(*request.recipients, *users),
        everything=everything,
    )


def application_of(text: str, documents: Documents | None) -> str:
    """The client id of an application: its name in the documents, or a client id, in any case.

    Raises:
        UsageFault: it is neither.
    """
    name = text.lower()
    if name == EVERY_APPLICATION or GUID.fullmatch(name):
        return name
    declared = () if documents is None else documents.applications
    matching = [item for item in declared if item.name.lower() == name]
    if not matching:
        names = ", ".join(item.name for item in declared) or "none"
        raise UsageFault(
            f"{text!r} is not a client id, and no document declares an application with that name;"
            f" declared: {names}"
        )
    return matching[0].application


def subjects_of(typed: str, directory: Directory) -> list[Question]:
    """Who is meant by a name of a user or mailbox: a user, a mailbox, or somebody who is both, as
    questions that have no application yet.

    Raises:
        UsageFault: nobody is, several people are, or a recipient that has no mailbox.
    """
    users = _meant(typed, directory.users, directory.users_by_upn, directory)
    mailboxes = _meant(typed, directory.recipients, directory.recipients_by_address, directory)
    with_mailbox = [each for each in mailboxes if has_mailbox(directory.recipients[each])]
    meant = sorted({*users, *with_mailbox})
    if len(meant) > 1:
        raise UsageFault(_several(typed, meant, directory))
    if not meant and GUID.fullmatch(typed.strip().lower()):
        users = with_mailbox = [typed.strip().lower()]
    elif not meant:
        raise UsageFault(_nobody(typed, mailboxes, directory))
    kinds = ((SubjectKind.USER, users), (SubjectKind.MAILBOX, with_mailbox))
    return [Question("", kind, subject, resolved=True) for kind, ids in kinds for subject in ids]


def _meant(
    typed: str,
    people: Mapping[str, User] | Mapping[str, Recipient],
    by_name: Mapping[str, str],
    directory: Directory,
) -> list[str]:
    """Those whose id, address or display name it is; else those of whom one of these, or a word of
    the display name, begins so.
    """
    name = typed.strip().lower()
    exact = by_name.get(name, name)
    if exact in people and directory.two_meanings(name) is None:
        return [exact]
    called = [each for each, person in people.items() if name in short_names(person)]
    return called or [
        each
        for each, person in people.items()
        if any(begun.startswith(name) for begun in _beginnings(person))
    ]


def _beginnings(person: User | Recipient) -> Iterator[str]:
    """What the names of somebody begin with: addresses, and each word of the display name."""
    yield from short_names(person)
    yield from person.display_name.lower().split()


def short_names(person: User | Recipient) -> frozenset[str]:
    """What somebody is called, lower-case: addresses, with and without domain, and display name."""
    addresses = {person.upn.lower()} if isinstance(person, User) else person.addresses
    return frozenset(
        {
            *addresses,
            *(address.partition("@")[0] for address in addresses),
            person.display_name.lower(),
        }
    ) - {""}


def shown_person(object_id: str, directory: Directory) -> str:
    """A name for people, with the object id."""
    person = directory.users.get(object_id) or directory.recipients.get(object_id)
    if person is None:
        return object_id
    address = person.upn if isinstance(person, User) else person.primary
    named = f"{person.display_name} <{address}>" if person.display_name else address
    return f"{named} ({object_id})"


def _several(typed: str, ids: Sequence[str], directory: Directory) -> str:
    listed = ", ".join(shown_person(each, directory) for each in ids[:_MOST_CANDIDATES])
    more = len(ids) - _MOST_CANDIDATES
    tail = f" and {more} more" if more > 0 else ""
    return f"{typed!r} may be {len(ids)}: {listed}{tail}. Write the whole address or the object id"


def _nobody(typed: str, others: Sequence[str], directory: Directory) -> str:
    if others:
        return (
            f"{typed!r} is {shown_person(others[0], directory)}, which has no mailbox of its own: ask"
            " about one of its members"
        )
    return (
        f"no user and no mailbox is called {typed!r}: write a user principal name, an address or an"
        " object id"
    )


def every_application(survey_of: Survey) -> list[str]:
    """Every application that a policy or a document names, sorted."""
    declared = () if survey_of.documents is None else survey_of.documents.applications
    named = reaching.named_applications((survey_of.now, survey_of.after))
    return sorted(named | {document.application for document in declared})
