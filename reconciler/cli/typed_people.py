"""Who is meant by a name of a user or mailbox as people type it: an object id, an address, a name, or
how one begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.questions import Question
from reconciler.errors import UsageFault
from reconciler.guids import GUID
from reconciler.kinds.exchange.scopes import has_mailbox
from reconciler.model.access_rows import SubjectKind
from reconciler.model.observed import User
from reconciler.reports.recipients import recipient_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.observed import Directory, Recipient

_MOST_CANDIDATES = 10
"""People whom a message names of those whom a typed name may mean."""


def is_partial(typed: str) -> bool:
    """Whether a name is neither an address nor an object id."""
    name = typed.strip().lower()
    return "@" not in name and not GUID.fullmatch(name)


def subjects_of(typed: str, directory: Directory) -> list[Question]:
    """Who is meant by a name of a user or mailbox: a user, a mailbox, or somebody who is both, as
    questions that have no application yet.

    Raises:
        UsageFault: nobody is, several people are, or a recipient that has no mailbox.
    """
    users = _meant(typed, SubjectKind.USER, directory)
    mailboxes = _meant(typed, SubjectKind.MAILBOX, directory)
    with_mailbox = [each for each in mailboxes if has_mailbox(directory.recipients[each])]
    meant = sorted({*users, *with_mailbox})
    if len(meant) > 1:
        raise _several(typed, meant, directory)
    if not meant and mailboxes:
        raise UsageFault(_without_mailbox(typed, mailboxes[0], directory))
    if not meant and GUID.fullmatch(name := typed.strip().lower()):
        users = with_mailbox = [name]
    elif not meant:
        raise UsageFault(
            f"no user and no mailbox is called {typed!r}: write a user principal name, an address or an"
            " object id"
        )
    kinds = ((SubjectKind.USER, users), (SubjectKind.MAILBOX, with_mailbox))
    return [Question("", kind, subject, resolved=True) for kind, ids in kinds for subject in ids]


def subject_of(typed: str, kind: SubjectKind, directory: Directory) -> str:
    """The object id of the user, or of the mailbox, who is meant by a name; the name itself, lower-case,
    if the reading knows nobody of it.

    Raises:
        UsageFault: the tenant has no such user or mailbox, several people are meant, or a recipient
            that has no mailbox.
    """
    name = typed.strip().lower()
    meant = _meant(typed, kind, directory)
    if kind is SubjectKind.MAILBOX:
        with_mailbox = [each for each in meant if has_mailbox(directory.recipients[each])]
        if meant and not with_mailbox:
            raise UsageFault(_without_mailbox(typed, meant[0], directory))
        meant = with_mailbox
    if not is_partial(name):
        meant = [*(directory.two_meanings(name) or meant)]
    if len(meant) > 1:
        raise _several(typed, sorted(meant), directory, kind)
    if not meant and name in directory.absent:
        raise UsageFault(f"{kind.value} {typed!r} not found in the tenant: correct the name")
    return meant[0] if meant else name


def _meant(typed: str, kind: SubjectKind, directory: Directory) -> list[str]:
    """Those whose id, address or display name it is; else those of whom one of these, or a word of
    the display name, begins so. An address or an object id is nobody else's.
    """
    people: Mapping[str, User] | Mapping[str, Recipient]
    if kind is SubjectKind.USER:
        people, by_name = directory.users, directory.users_by_upn
    else:
        people, by_name = directory.recipients, directory.recipients_by_address
    name = typed.strip().lower()
    exact = by_name.get(name, name)
    if exact in people and directory.two_meanings(name) is None:
        return [exact]
    called = [each for each, person in people.items() if name in _short_names(person)]
    if called or not is_partial(name):
        return called
    return [
        each
        for each, person in people.items()
        if any(begun.startswith(name) for begun in _beginnings(person))
    ]


def _beginnings(person: User | Recipient) -> Iterator[str]:
    """What the names of somebody begin with: addresses, and each word of the display name."""
    yield from _short_names(person)
    yield from person.display_name.lower().split()


def _short_names(person: User | Recipient) -> frozenset[str]:
    """What somebody is called, lower-case: addresses, with and without domain, and display name."""
    addresses = {person.upn.lower()} if isinstance(person, User) else person.addresses
    return frozenset(
        {
            *addresses,
            *(address.partition("@")[0] for address in addresses),
            person.display_name.lower(),
        }
    ) - {""}


def _shown(object_id: str, directory: Directory, kind: SubjectKind = SubjectKind.USER) -> str:
    """A name for people, with the object id; of a mailbox with its address."""
    user, recipient = directory.users.get(object_id), directory.recipients.get(object_id)
    person = recipient or user if kind is SubjectKind.MAILBOX else user or recipient
    if person is None:
        return object_id
    address = person.upn if isinstance(person, User) else person.primary
    named = f"{person.display_name} <{address}>" if person.display_name else address
    return f"{named} ({object_id})"


def _several(
    typed: str, ids: Sequence[str], directory: Directory, kind: SubjectKind = SubjectKind.USER
) -> UsageFault:
    """Everybody who may be meant, and how to say who is."""
    user, recipient = directory.two_meanings(typed.strip().lower()) or ("", "")
    if user in directory.users and recipient in directory.recipients:
        return UsageFault(
            f"{typed!r} is the principal name of {_shown(user, directory)} and an address of"
            f" {_shown(recipient, directory, SubjectKind.MAILBOX)}: write the object id of the right one"
        )
    listed = ", ".join(_shown(each, directory, kind) for each in ids[:_MOST_CANDIDATES])
    more = len(ids) - _MOST_CANDIDATES
    tail = f" and {more} more" if more > 0 else ""
    then = "the whole address or the object id" if is_partial(typed) else "the object id"
    return UsageFault(f"{typed!r} may be {len(ids)}: {listed}{tail}. Write {then}")


def _without_mailbox(typed: str, object_id: str, directory: Directory) -> str:
    words = recipient_words(directory.recipients[object_id].type)
    shown = _shown(object_id, directory, SubjectKind.MAILBOX)
    return (
        f"{typed!r} is {words}, {shown}, which has no mailbox of its own: ask about the mailbox of one of"
        " its members"
    )
