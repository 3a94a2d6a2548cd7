"""A question about access, what it is answered from, and what would change the answer."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.access_rows import SubjectKind
    from reconciler.model.addresses import Address, Provider
    from reconciler.model.observed import Directory, State


class Remedy(StrEnum):
    """What would change a verdict; each concerns one object."""

    LIST = "list-application"
    UNLIST = "unlist-application"
    GRANT = "grant-policy"
    GRANT_OTHER = "grant-other-policy"
    JOIN_SCOPE = "join-scope"
    REPLACE_SCOPE = "replace-scope"
    ADD_SCOPE = "add-scope"
    LEAVE_SCOPE = "leave-scope"
    RESTRICT = "restrict"
    DENY = "deny"
    LEARN = "learn"


class Advice(Struct, frozen=True):
    """A remedy and the address that it concerns."""

    remedy: Remedy
    address: Address


class Question(Struct, frozen=True):
    """May an application (client id, lower-case) reach a user's meetings, or a mailbox?

    `subject` is an object id, or a name that nothing resolves.
    """

    application: str
    kind: SubjectKind
    subject: str
    resolved: bool


class Known(Struct, frozen=True):
    """What a question is answered from.

    Attributes:
        states: The state of each product of which something is known.
        directory: Who is in groups and scopes.
        told: For a product whose state is known in part, the ids that it is complete for: users of
            Teams, applications of Exchange.
    """

    states: Mapping[Provider, State]
    directory: Directory
    told: Mapping[Provider, frozenset[str]] = MappingProxyType({})

    def tells(self, provider: Provider, object_id: str) -> bool:
        """Whether the state of a product is complete for a user or an application."""
        return provider not in self.told or object_id in self.told[provider]


class Explanation(Struct, frozen=True):
    """The answer to a question: the verdict, and what would change it."""

    question: Question
    verdict: Verdict
    advice: tuple[Advice, ...]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every address that it mentions."""
        return (
            *(reason.address for reason in self.verdict.path),
            *(advice.address for advice in self.advice),
        )
