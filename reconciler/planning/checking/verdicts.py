"""What the checker says: where a plan is not safe, and for whom."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.addresses import Address, Provider
    from reconciler.model.plans import Step


class ViolationKind(StrEnum):
    """What is wrong with a prefix of a plan."""

    EXPOSED = "exposed"
    """An application reaches somebody whom it reaches neither before the first step nor after the
    last.
    """
    REFUSED = "refused"
    """The service would refuse the step in the state that the steps before it leave."""
    UNKNOWN = "unknown"
    """The baseline does not hold what the step rests on, or the step has a form that no plan has.
    """
    OPAQUE = "opaque"
    """The step rests on an object that was read and that nobody understands."""
    AWAITED = "awaited"
    """The step rests on a policy that the documents declare and whose scope is not there."""


class Holders(Struct, frozen=True):
    """Users by their direct grant before the plan, at this moment and after it (policy keys, None:
    no direct grant).

    `groups`: they are members of these, as far as groups have grants at any time, and of no other;
    at most three are ever needed to show it.
    """

    before: str | None
    now: str | None
    after: str | None
    groups: tuple[str, ...] = ()


class Mailboxes(Struct, frozen=True):
    """Mailboxes that are in these scopes (object ids) and in no other scope of the application; at
    most three are ever needed.
    """

    scopes: tuple[str, ...]


Subject: TypeAlias = Holders | Mailboxes


class Violation(Struct, frozen=True):
    """One thing that is wrong after the step with this id; of one that lasts, the first step.

    `application` is a lower-case client id; `*` stands for an Exchange application without policies
    of its own. Application and subject are set if and only if somebody is exposed.
    """

    provider: Provider
    step: int
    address: Address
    why: ViolationKind
    application: str = ""
    subject: Subject | None = None


class Judging(Protocol):
    """One product's steps, followed one by one from a baseline."""

    def after(self, step: Step) -> Iterator[Violation]:
        """Do a step and say what is wrong after it; one that cannot be done changes nothing."""
        ...

    def admits(self, step: Step) -> bool:
        """Do a step only if nothing is wrong after it; say whether it was done."""
        ...


class Unfollowable(Exception):
    """A step that cannot be followed; `why` is REFUSED or UNKNOWN. Never leaves the checker."""

    def __init__(self, why: ViolationKind) -> None:
        super().__init__(why)
        self.why = why
