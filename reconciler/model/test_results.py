"""Results of access tests, as rows of a plan file."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

from msgspec import Struct

from reconciler.model.addresses import Address
from reconciler.model.documents import Access

TestVerdict: TypeAlias = Literal["granted", "denied", "depends"]


class ResultKind(StrEnum):
    """What one subject of a product's access is."""

    MAILBOX = "mailbox"
    USER = "user"


class ResultSubject(Struct, frozen=True):
    """Who is reached: a user's meetings, or a mailbox.

    `id` is an object id, or the name as written, in lower case, if it leads to nobody; `written` is
    the name as written, in lower case.
    """

    id: str
    kind: ResultKind
    written: str


class ResultReason(Struct, frozen=True):
    """One question of the service's rules: what was asked (a code) of which object, and whether it
    holds; None is not known.
    """

    address: Address
    asked: str
    holds: bool | None


class ResultPath(Struct, frozen=True):
    """The way to a verdict.

    `decided_by` is the object that decides, None if nothing does. `unknown` are addresses of what
    would decide it, or a code that says why the name leads to nobody.
    """

    decided_by: Address | None
    path: tuple[ResultReason, ...]
    unknown: tuple[str, ...]


class AccessTestResult(Struct, frozen=True):
    """An expectation of an access test and how it comes out.

    `excused`: it fails, but as it did before a plan of a part or of something that it holds, or
    because its application is quarantined, so it does not block the plan. `passed`: what is expected is
    certain.
    """

    application: str
    excused: bool
    expected: Access
    name: str
    passed: bool
    subject: ResultSubject
    verdict: TestVerdict
    why: ResultPath
