"""The lines of the documents that would let an application in: which file, which line, what to type.

What is offered reaches as few others as can be: the default of everyone is never widened here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.access.declared_at import positions
from reconciler.audiences.questions import Remedy
from reconciler.audiences.verdicts import Asked, Denied
from reconciler.exporting.exchange import scope_texts
from reconciler.exporting.line_edits import ItemEdit, with_item, with_row, without_item
from reconciler.exporting.plain_words import dashed, free
from reconciler.exporting.teams import user_label
from reconciler.exporting.texts import comment, flow_list, scalar
from reconciler.exporting.user_rows import commented, rows_of_users
from reconciler.kinds.exchange.scopes import is_mailbox
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    GLOBAL,
    TeamsPolicyAddress,
    exchange_policy,
    name_key,
    parse_address,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.documents import Kind
from reconciler.model.observed import ExchangeState, TeamsState, is_opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.audiences.questions import Advice, Explanation, Known
    from reconciler.model.addresses import Address
    from reconciler.model.documents import (
        Documents,
        ExchangePolicyDocument,
        Listing,
        TeamsPolicyDocument,
    )
    from reconciler.model.findings import Position

_USERS = ("spec", "grants", "users")
_APPLICATIONS = ("spec", "applications")


class Obstacle(StrEnum):
    """Why a remedy is not the change of a line."""

    UNDECLARED = "undeclared"
    NO_LIST = "no-list"
    MEMBERSHIP = "membership"
    SCOPE_GONE = "scope-gone"
    DENIED = "denied"
    BY_HAND = "by-hand"


class FileEdit(Struct, frozen=True):
    """The change of a line of a file."""

    file: str
    edit: ItemEdit


class NewDocument(Struct, frozen=True):
    """Lines of a document, and a file at whose end it may be; empty: a new one."""

    file: str
    lines: tuple[str, ...]


class Suggestion(Struct, frozen=True):
    """One way to let the application in.

    Attributes:
        remedy: What it does.
        address: The object that it concerns.
        edits: Lines to change, all of them.
        document: A new document, where there is no line to change.
        obstacle: Why it is neither.
        loses: Client ids that the user loses by it.
        place: Where the documents declare the object.
    """

    remedy: Remedy
    address: Address
    edits: tuple[FileEdit, ...] = ()
    document: NewDocument | None = None
    obstacle: Obstacle | None = None
    loses: tuple[str, ...] = ()
    place: Position | None = None


class Declared(Struct, frozen=True):
    """What suggestions are made from.

    Attributes:
        documents: The documents.
        known: What is known of the tenant once they are applied.
        read: The text of a file of theirs, by its name.
    """

    documents: Documents
    known: Known
    read: Callable[[str], str]

    def application(self, client_id: str) -> str:
        """An application as documents write it: by its name, if it has one."""
        names = (item.name for item in self.documents.applications if item.application == client_id)
        return next(names, client_id)

    def names_of(self, kind: Kind) -> frozenset[str]:
        """Names of documents that are taken, as `name_key`s."""
        documents = self.documents.teams if kind is Kind.TEAMS_POLICY else self.documents.exchange
        return frozenset(name_key(document.name) for document in documents)


def suggested(explanation: Explanation, declared: Declared) -> tuple[Suggestion, ...]:
    """How the documents would come to let the application in, the narrowest way first.

    Args:
        explanation: why the application is kept out once the documents are applied.
        declared: those documents.
    """
    if not isinstance(explanation.verdict, Denied):
        return ()
    if explanation.question.kind is SubjectKind.USER:
        return tuple(_of_teams(explanation, declared))
    return tuple(_of_exchange(explanation, declared))


# --- Teams


def _of_teams(explanation: Explanation, declared: Declared) -> Iterator[Suggestion]:
    state = declared.known.states.get("teams")
    if not isinstance(state, TeamsState):
        return
    made = [
        suggestion
        for advice in explanation.advice
        if (suggestion := _of_policy(advice, explanation, declared, state)) is not None
    ]
    granting = [suggestion for suggestion in made if suggestion.remedy is Remedy.GRANT]
    yield from granting
    if not any(suggestion.edits for suggestion in granting):
        yield _new_teams_document(explanation, declared, state)
    yield from (suggestion for suggestion in made if suggestion.remedy is not Remedy.GRANT)


def _of_policy(
    advice: Advice, explanation: Explanation, declared: Declared, state: TeamsState
) -> Suggestion | None:
    policy = parse_address(advice.address)
    if not isinstance(policy, TeamsPolicyAddress) or name_key(policy.name) == GLOBAL:
        return None
    document = next(
        (
            each
            for each in declared.documents.teams
            if name_key(each.name) == name_key(policy.name) and not each.absent
        ),
        None,
    )
    if document is None:
        return Suggestion(advice.remedy, advice.address, obstacle=Obstacle.UNDECLARED)
    if advice.remedy is Remedy.LIST:
        if document.tenant:
            return None  # the default of everyone takes its values
        return _listing(advice, explanation, declared, document)
    return _granting(advice, explanation, declared, state, document)


def _listing(
    advice: Advice, explanation: Explanation, declared: Declared, document: TeamsPolicyDocument
) -> Suggestion:
    place = document.position
    edit = with_item(
        declared.read(place.file),
        place.line,
        _APPLICATIONS,
        scalar(declared.application(explanation.question.application)),
    )
    return _suggestion(advice, [None if edit is None else FileEdit(place.file, edit)], place)


def _granting(
    advice: Advice,
    explanation: Explanation,
    declared: Declared,
    state: TeamsState,
    document: TeamsPolicyDocument,
) -> Suggestion:
    user = explanation.question.subject
    if not document.users:
        return Suggestion(
            advice.remedy, advice.address, obstacle=Obstacle.NO_LIST, place=document.position
        )
    edits = [_added(user, document.users, declared), *_taken_out(user, declared)]
    return _suggestion(
        advice, edits, document.position, _loses(explanation, declared, state, document)
    )


def _suggestion(
    advice: Advice,
    edits: Sequence[FileEdit | None],
    place: Position,
    loses: tuple[str, ...] = (),
) -> Suggestion:
    """All of the edits, or none: half of them would be a fault."""
    whole = tuple(edit for edit in edits if edit is not None)
    if len(whole) < len(edits):
        return Suggestion(
            advice.remedy, advice.address, obstacle=Obstacle.BY_HAND, loses=loses, place=place
        )
    return Suggestion(advice.remedy, advice.address, whole, loses=loses, place=place)


def _loses(
    explanation: Explanation,
    declared: Declared,
    state: TeamsState,
    document: TeamsPolicyDocument,
) -> tuple[str, ...]:
    """What the user has by the policy that decides and not by the one of a document."""
    stored = state.policies.get(name_key(document.name))
    kept = set(document.applications or (() if stored is None else stored.applications))
    return tuple(
        client_id for client_id in _effective(explanation, declared) if client_id not in kept
    )


def _effective(explanation: Explanation, declared: Declared) -> tuple[str, ...]:
    """Client ids in the policy that decides for the user, sorted."""
    state, verdict = declared.known.states.get("teams"), explanation.verdict
    if not isinstance(state, TeamsState) or not isinstance(verdict, Denied):
        return ()
    decided = parse_address(verdict.decided_by)
    if not isinstance(decided, TeamsPolicyAddress):
        return ()
    stored = state.policies.get(name_key(decided.name))
    listed = () if stored is None else stored.applications
    return tuple(sorted(client_id for client_id in listed if not is_opaque(client_id)))


def _added(user: str, listings: Sequence[Listing], declared: Declared) -> FileEdit | None:
    """The user at the end of the list of a policy: the one in the document, else its file."""
    listing = next((each for each in listings if each.path.endswith(".users")), listings[0])
    text = declared.read(listing.file)
    if listing.path.endswith(".users"):
        label = comment(user_label(declared.known.directory, user))
        edit = with_item(text, _line_of(listing), _USERS, user, label)
        return None if edit is None else FileEdit(listing.file, edit)
    rows = rows_of_users(listing.file, text, (user,), declared.known.directory)
    return None if rows is None else FileEdit(listing.file, with_row(text, rows[0]))


def _line_of(listing: Listing) -> int:
    return listing.lines[0] if listing.lines else 1


def _taken_out(user: str, declared: Declared) -> list[FileEdit | None]:
    """Edits that take the user out of the lists that have the user now: nobody can be in two."""
    listed = positions(declared.documents, declared.known.directory, [teams_user_grant(user)])
    return [_removed(place, declared) for place in listed.values()]


def _removed(place: Position, declared: Declared) -> FileEdit | None:
    """The row of a user out of the list that has it now."""
    text = declared.read(place.file)
    for document in declared.documents.teams:
        for listing in document.users or ():
            if listing.file != place.file or place.line not in listing.lines:
                continue
            if listing.path.endswith(".users"):
                places = list(zip(listing.lines, listing.columns, strict=True))
                index = places.index((place.line, place.column))
                edit = without_item(text, place.line, _USERS, index)
                return None if edit is None else FileEdit(place.file, edit)
            line = text.split("\n")[place.line - 1].removesuffix("\r")
            return FileEdit(place.file, ItemEdit(place.line, line, None))
    return None


def _new_teams_document(
    explanation: Explanation, declared: Declared, state: TeamsState
) -> Suggestion:
    """A policy for this user, with what the user has already: a policy replaces the one before."""
    question = explanation.question
    kept = () if _is_default(explanation) else _effective(explanation, declared)
    wanted = declared.application(question.application)
    taken = declared.names_of(Kind.TEAMS_POLICY) | state.policies.keys()
    name = free(dashed(wanted, "application"), taken)
    lines = (
        "apiVersion: reconciler/v1",
        f"kind: {Kind.TEAMS_POLICY.value}",
        f"metadata: {{name: {name}}}",
        "spec:",
        f"  applications: {flow_list([wanted, *map(declared.application, kept)])}",
        "  grants:",
        "    users:",
        f"      - {commented(question.subject, declared.known.directory)}",
    )
    removed = _taken_out(question.subject, declared)
    edits = tuple(edit for edit in removed if edit is not None)
    if len(edits) < len(removed):
        return Suggestion(Remedy.GRANT, teams_policy(name), obstacle=Obstacle.BY_HAND)
    return Suggestion(Remedy.GRANT, teams_policy(name), edits, NewDocument("", lines))


def _is_default(explanation: Explanation) -> bool:
    """Whether nothing but the default of everyone decides for the user."""
    return any(reason.asked is Asked.GLOBAL and reason.holds for reason in explanation.verdict.path)


# --- Exchange


def _of_exchange(explanation: Explanation, declared: Declared) -> Iterator[Suggestion]:
    closed = any(
        reason.asked is Asked.DENY_COVERS and reason.holds for reason in explanation.verdict.path
    )
    obstacles = {
        Remedy.JOIN_SCOPE: Obstacle.MEMBERSHIP,
        Remedy.REPLACE_SCOPE: Obstacle.SCOPE_GONE,
        Remedy.LEAVE_SCOPE: Obstacle.DENIED,
    }
    addresses = [advice.address for advice in explanation.advice]
    places = positions(declared.documents, declared.known.directory, addresses)
    for advice in explanation.advice:
        if advice.remedy in obstacles:
            yield Suggestion(
                advice.remedy,
                advice.address,
                obstacle=obstacles[advice.remedy],
                place=places.get(advice.address),
            )
    if not closed:
        yield from _new_exchange_document(explanation, declared)


def _new_exchange_document(explanation: Explanation, declared: Declared) -> Iterator[Suggestion]:
    """A RestrictAccess policy on the mailbox alone, where it can be a scope and the documents own
    the application: they would have to declare its other policies as well.
    """
    question, directory = explanation.question, declared.known.directory
    recipient = directory.recipients.get(question.subject)
    state = declared.known.states.get("exchange")
    if recipient is None or not (recipient.principal and is_mailbox(recipient)):
        return
    if not isinstance(state, ExchangeState):
        return
    address = exchange_policy(question.application, question.subject)
    owner = next(_owners(question.application, declared.documents), None)
    if owner is None:
        yield Suggestion(Remedy.ADD_SCOPE, address, obstacle=Obstacle.UNDECLARED)
        return
    wanted = declared.application(question.application)
    words = f"{wanted} {recipient.primary.partition('@')[0]}"
    name = free(dashed(words, "policy"), declared.names_of(Kind.EXCHANGE_POLICY))
    lines = (
        "---",
        "apiVersion: reconciler/v1",
        f"kind: {Kind.EXCHANGE_POLICY.value}",
        f"metadata: {{name: {name}}}",
        "spec:",
        f"  applications: {flow_list([wanted])}",
        f"  scope: {scalar(scope_texts(state, directory)(question.subject).text)}",
        "  accessRight: RestrictAccess",
    )
    document = NewDocument(owner.position.file, lines)
    yield Suggestion(Remedy.ADD_SCOPE, address, document=document)


def _owners(application: str, documents: Documents) -> Iterator[ExchangePolicyDocument]:
    return (
        document
        for document in documents.exchange
        if application in document.applications and not document.absent
    )
