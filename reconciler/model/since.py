"""What a pull request changes in the documents, beside what a plan changes in a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from reconciler.canonical import Json
from reconciler.model.addresses import Address
from reconciler.model.plans import Note


class UndeclaredPart(StrEnum):
    """What of an object the documents declared and no longer do: all of it, the list of its
    applications, its grants to users, its grants to groups.
    """

    OBJECT = "object"
    APPLICATIONS = "applications"
    USERS = "users"
    GROUPS = "groups"


class NoLongerDeclared(Struct, frozen=True, order=True):
    """What the documents declared at the base and no longer do, and what stays in the tenant
    therefore; `grants`: how many, of an object all that it has. `seen`: whether the reading has it;
    otherwise its product was not read, because no document asks for it.
    """

    address: Address
    part: UndeclaredPart
    grants: Annotated[int, Meta(ge=0)] = 0
    seen: bool = True


class Weight(StrEnum):
    """Whether an edit takes protection away, adds some, or neither can be said of it."""

    WEAKENS = "weakens"
    STRENGTHENS = "strengthens"
    CHANGES = "changes"


class DecisiveEdit(Struct, frozen=True):
    """An edit of the documents that decides what a plan may do, or what is checked.

    Attributes:
        about: What it is in: `Tenant`, `Application/NAME` or `AccessTest/NAME`.
        setting: Which setting, as documents spell it; of an access test the expectation in words.
        before: What it was; null: it was not there.
        after: What it is; null: it is gone.
        weight: Whether it takes protection away.
    """

    about: str
    setting: str
    before: Json
    after: Json
    weight: Weight


class UnreadDocument(Struct, frozen=True, order=True):
    """A document of the base that cannot be compared, because it breaks a rule of today, or cannot
    be read; `subject` is `KIND/NAME`, empty where that is not known.
    """

    file: str
    line: Annotated[int, Meta(ge=1)]
    subject: str
    message: str


class Since(Struct, frozen=True):
    """Documents now, compared with those of an earlier commit; all addresses sorted.

    Attributes:
        ref: The name of a commit that was typed.
        commit: The merge base of it and of what is checked out, a whole hash.
        edited: Objects that the plan changes because the documents were edited: those of the base
            would not change them so.
        drifted: Objects that the plan changes as the documents of the base would: it was the tenant
            that changed.
        unclear: Objects of which that cannot be told, because documents or names of the base
            cannot be read or resolved today.
        undeclared: What the documents no longer declare and the plan does not delete.
        decisive: Edits of limits, consents, client ids, access tests and the like.
        beyond_limits: What the limits and consents of the base refuse and the plan does not.
        limits_judged: Whether that could be judged.
        unread: Documents of the base that are not compared.
        names: Client ids to the names of either documents, for people, of what the rest is about.
    """

    ref: str
    commit: Annotated[str, Meta(pattern="^[0-9a-f]{40,64}$")]
    edited: tuple[Address, ...]
    drifted: tuple[Address, ...]
    unclear: tuple[Address, ...]
    undeclared: tuple[NoLongerDeclared, ...]
    decisive: tuple[DecisiveEdit, ...]
    beyond_limits: tuple[Note, ...]
    limits_judged: bool
    unread: tuple[UnreadDocument, ...]
    names: Mapping[str, str]
