"""The answer to one question, may this application reach this subject, with the way that leads
there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.addresses import Address


class Asked(StrEnum):
    """What the services' rules ask, in their order."""

    DIRECT_GRANT = "direct-grant"
    GROUP_GRANT = "group-grant"
    GLOBAL = "global"
    LISTED = "listed"
    DENY_COVERS = "deny-covers"
    RESTRICT_COVERS = "restrict-covers"
    RESTRICTED = "restricted"
    UNDERSTOOD = "understood"
    GOVERNED = "governed"
    SCOPE_FOUND = "scope-found"


class Reason(Struct, frozen=True):
    """One question on the way: what was asked of which object, and whether it holds; None is not
    known.
    """

    asked: Asked
    address: Address
    holds: bool | None


class Granted(Struct, frozen=True):
    """The application reaches the subject. `decided_by` is the object that the verdict hangs on."""

    path: tuple[Reason, ...]
    decided_by: Address


class Denied(Struct, frozen=True):
    """The application does not reach the subject.

    `decided_by` is the object that the verdict hangs on.
    """

    path: tuple[Reason, ...]
    decided_by: Address


class Depends(Struct, frozen=True):
    """What is known does not decide it.

    `unknown` are the objects whose members, or whose state, would.
    """

    path: tuple[Reason, ...]
    unknown: tuple[Address, ...]


Verdict: TypeAlias = Granted | Denied | Depends


class Unnamed(StrEnum):
    """Why a subject cannot be judged: its name leads to nobody, or to nobody of the right kind."""

    USER_ABSENT = "user-absent"
    USER_UNKNOWN = "user-unknown"
    MAILBOX_ABSENT = "mailbox-absent"
    MAILBOX_UNKNOWN = "mailbox-unknown"
    NOT_A_MAILBOX = "not-a-mailbox"


class Ambiguous(Struct, frozen=True):
    """A name of a subject that is the principal name of one and an address of another: their object
    ids, in this order.
    """

    meanings: tuple[str, str]


Answer: TypeAlias = Verdict | Unnamed | Ambiguous
