"""What is said about a name in a document that was not found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.codes import Unfound

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoteAdvice(Struct, frozen=True):
    """What is so, and what to do about it, with details: `{in}`, `{policies:policy|policies}`."""

    what: str
    then: str
    first: bool = False
    """Whether what to do is said before what consents: there is a better way than to consent."""


ABSENT_SCOPE = NoteAdvice(
    "The tenant has no such recipient, so the policy is neither created nor removed, and its"
    " application is held:",
    "Correct the scope, or create the group or mailbox; then plan again. A policy on a group that was"
    " deleted is addressed by that group's object id.",
)
"""Of a scope that a document names and the tenant does not have."""

GUEST = (
    "A guest is listed by the object id, or by a name with #EXT#, such as"
    " anna_partner.com#EXT#@contoso.onmicrosoft.com."
)
"""How the user principal name of a guest is made of the mail address (Microsoft Entra B2B)."""

UNFOUND: Mapping[str, NoteAdvice] = {
    Unfound.USER_ABSENT: NoteAdvice(
        "The tenant has no such user:",
        "If the person was renamed, write the new name or the object id: a name that is taken out of"
        " the list takes the grant with it. If the account was deleted, take it out. As long as it is"
        f" left out by --skip, nobody's direct grant is taken away. {GUEST}",
    ),
    Unfound.USER_UNCLEAR: NoteAdvice(
        "What was read of this name is not understood, so whose it is is not known:",
        "Correct the users that have it, listed under Held, or write the object id of the right one.",
    ),
    Unfound.USER_UNKNOWN: NoteAdvice(
        "The capture does not cover this user:",
        "Make a new capture (reconciler fetch), or write the user's object id.",
    ),
    Unfound.USER_AMBIGUOUS: NoteAdvice(
        "This is the principal name of one user and an address of another's mailbox:",
        "Write the object id of the right user",
    ),
    Unfound.GROUP_ABSENT: NoteAdvice(
        "The tenant has no recipient with this address:",
        "Correct the address, write the group's object id, or create the group",
    ),
    Unfound.GROUP_UNCLEAR: NoteAdvice(
        "What was read of this address, or of who has it, is not understood:",
        "Correct the recipients that have it, listed under Held, or write the object id of the right"
        " one.",
    ),
    Unfound.GROUP_UNKNOWN: NoteAdvice(
        "The capture does not cover this address:",
        "Make a new capture (reconciler fetch) that reads Exchange too, or write the group's object"
        " id",
    ),
    Unfound.GROUP_NOT_GROUP: NoteAdvice(
        "This recipient is not a group that a Teams policy can be assigned to:",
        "Write the address or object id of a security, Microsoft 365 or distribution group",
    ),
    Unfound.SCOPE_ABSENT: ABSENT_SCOPE,
    Unfound.SCOPE_UNCLEAR: NoteAdvice(
        "What was read of this address, or of who has it, is not understood:",
        "Correct the recipients that have it, listed under Held, or write the object id of the right"
        " one.",
    ),
    Unfound.SCOPE_UNKNOWN: NoteAdvice(
        "The capture does not cover this scope:",
        "Make a new capture (reconciler fetch).",
    ),
    Unfound.SCOPE_AMBIGUOUS: NoteAdvice(
        "This is an address of one mailbox and the principal name of another user:",
        "Write the object id of the right mailbox or group",
    ),
    Unfound.SCOPE_NOT_PRINCIPAL: NoteAdvice(
        "This recipient is {what it is}, and not a security principal, which a scope must be:",
        "{instead}",
    ),
}
