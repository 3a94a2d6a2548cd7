"""Who is reached, as rows of a plan file: single people, a group's members, the holders of a policy,
everyone. A tenant is never enumerated.

Teams: `group-members` and `everyone` mean those who hold no policy directly, neither before nor
after, because a direct grant outranks both. `policy-holders` hold the policy directly: after the
transition where access is gained, before it where access is lost.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from reconciler.model.addresses import Provider

StepNumber: TypeAlias = Annotated[int, Meta(ge=1)]
"""The number of a step in its plan, from 1."""


class SubjectKind(StrEnum):
    """Kinds of subjects, from one to all."""

    USER = "user"
    MAILBOX = "mailbox"
    GROUP_MEMBERS = "group-members"
    POLICY_HOLDERS = "policy-holders"
    EVERYONE = "everyone"


class Certainty(StrEnum):
    """Certain: every subject of the row, whoever is in the groups.

    Possible: some of them, which depends on who is in them.
    """

    CERTAIN = "certain"
    POSSIBLE = "possible"


class SubjectPart(Struct, frozen=True, order=True):
    """A named set of subjects.

    `id` is an object id, for policy holders the policy's name, for everyone empty.
    """

    kind: SubjectKind
    id: str


class Subject(Struct, frozen=True, order=True, omit_defaults=True, rename={"excepted": "except"}):
    """A named set of subjects without others; the file has `id` and `except` only where they say
    something.
    """

    kind: SubjectKind
    id: str = ""
    excepted: tuple[SubjectPart, ...] = ()


class AccessRow(Struct, frozen=True, order=True):
    """An application (client id, or `*`: every application without a policy of its own) and
    subjects.
    """

    application: str
    subject: Subject
    certainty: Certainty
    provider: Provider


class TenantWideRow(AccessRow, frozen=True, order=True):
    """An application that comes to reach everyone, but for the excepted; `was` is whom it reached
    before.
    """

    was: tuple[Subject, ...]


class Direction(StrEnum):
    """Whether access is gained or lost."""

    GAINED = "gained"
    LOST = "lost"


class UnpopulatedRow(Struct, frozen=True, order=True):
    """A group whose members an application gains or loses, and of whom the reading knows that there
    are none, or none who do not have it anyway.
    """

    application: str
    direction: Direction
    group: str
    provider: Provider


class AccessDelta(Struct, frozen=True):
    """Who is reached after a transition and was not before, the other way round, which applications
    come to reach everyone, and groups that would be in one of the first two and have nobody who
    counts; each sorted by product.
    """

    gained: tuple[AccessRow, ...]
    lost: tuple[AccessRow, ...]
    tenant_wide: tuple[TenantWideRow, ...]
    unpopulated: tuple[UnpopulatedRow, ...]

    def of(self, provider: Provider) -> AccessDelta:
        """The rows of one product."""
        return AccessDelta(
            tuple(row for row in self.gained if row.provider == provider),
            tuple(row for row in self.lost if row.provider == provider),
            tuple(row for row in self.tenant_wide if row.provider == provider),
            tuple(row for row in self.unpopulated if row.provider == provider),
        )


class GapSubject(
    Struct, frozen=True, omit_defaults=True, rename={"together": "and", "excepted": "except"}
):
    """Whom an application misses: a subject; `together` are further groups, of those who are in all
    of them.
    """

    kind: SubjectKind
    id: str = ""
    together: tuple[str, ...] = ()
    excepted: tuple[SubjectPart, ...] = ()


class GapRow(Struct, frozen=True):
    """An application and those whom it reaches before and after a plan, and not after these steps.

    `proved`: every order of the steps that hang together was looked at. `reason` is a code.
    """

    application: str
    certainty: Certainty
    proved: bool
    reason: str
    steps: tuple[StepNumber, ...]
    subject: GapSubject
