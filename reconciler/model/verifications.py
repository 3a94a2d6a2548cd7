"""What became of an apply, as `verify` sees it: for each object that it changed, whether the service
took the write, whether readings show it, and whether it is in effect.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.addresses import Address, Provider


class Acceptance(StrEnum):
    """Whether the service took the last write to an object, by the journal."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Visibility(StrEnum):
    """Whether a reading shows what was written.

    `NOT_YET`: it shows what was there before. `OTHERWISE`: it shows neither. `DIFFERS`: it is not
    what the documents say, where no plan tells what was written. `SUPERSEDED`: a later apply wrote
    to it. `UNJUDGED`: nothing says what it should be.
    """

    VISIBLE = "visible"
    NOT_YET = "not-yet"
    OTHERWISE = "otherwise"
    DIFFERS = "differs"
    SUPERSEDED = "superseded"
    UNJUDGED = "unjudged"


class Effectiveness(StrEnum):
    """Whether a change is in effect, as far as the service says.

    `PENDING`: it may not be enforced yet. `UNSEEN`: nothing tells.
    """

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    PENDING = "pending"
    UNSEEN = "unseen"


class ProbeSide(StrEnum):
    """Where the mailbox of a probe is, seen from the scope of a policy."""

    INSIDE = "inside"
    OUTSIDE = "outside"


class Probe(Struct, frozen=True):
    """One question to Exchange's own check about a policy.

    Attributes:
        side: Where the mailbox is.
        mailbox: Its primary address; None if nobody knows one there, so that nothing was asked.
        expected: Whether the policies, as read, let the application in.
        granted: What Exchange says; None if it was not asked or not understood.
        text: What it said, if that was not understood.
    """

    side: ProbeSide
    mailbox: str | None = None
    expected: bool | None = None
    granted: bool | None = None
    text: str = ""

    @property
    def contradicts(self) -> bool:
        """Whether Exchange says otherwise than the policies mean."""
        return self.granted is not None and self.granted is not self.expected


class VerifyRemark(StrEnum):
    """What else is to be said of an object."""

    ASSIGNMENT_AGREES = "assignment-agrees"
    ASSIGNMENT_CONTRADICTS = "assignment-contradicts"
    ASSIGNMENT_NOT_ASKED = "assignment-not-asked"
    ASSIGNMENT_UNCLEAR = "assignment-unclear"
    EVERY_APPLICATION = "every-application"
    NO_CHECK = "no-check"
    OVER_LIMIT = "over-limit"


class VerifiedObject(Struct, frozen=True):
    """An object that an apply changed.

    Attributes:
        address: Its address.
        provider: Its product.
        accepted: Whether the service took the last write.
        accepted_at: When that was written into the journal, in seconds since 1970.
        enforced_by: When the service has usually enforced it.
        visible: Whether the reading shows it.
        effect: Whether it is in effect.
        differences: What the reading shows instead, in sentences.
        probes: What Exchange's own check says.
        remark: What else is to be said.
        detail: The service's or the reading's own words for it.
    """

    address: Address
    provider: Provider
    accepted: Acceptance
    accepted_at: float
    enforced_by: float
    visible: Visibility
    effect: Effectiveness
    differences: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    remark: VerifyRemark | None = None
    detail: str = ""

    @property
    def may_become(self) -> bool:
        """Whether time alone may make it visible and effective."""
        return self.visible in _WAITING or (
            self.visible is Visibility.VISIBLE
            and self.effect in {Effectiveness.CONTRADICTED, Effectiveness.PENDING}
        )

    @property
    def verified(self) -> bool:
        """Whether nothing contradicts, and enough time has passed."""
        if self.accepted is Acceptance.REFUSED:
            return False
        return self.visible in _FINE and self.effect in {
            Effectiveness.CONFIRMED,
            Effectiveness.UNSEEN,
        }


_WAITING = frozenset({Visibility.NOT_YET, Visibility.DIFFERS})
_FINE = frozenset({Visibility.VISIBLE, Visibility.SUPERSEDED})


class Verification(Struct, frozen=True):
    """What became of an apply.

    Attributes:
        objects: What it changed, the wrong ones first.
        besides: What else of the plan's baseline has changed since, in sentences.
        read_at: When the tenant was read, as the reading says.
        seen_at: The same in seconds since 1970.
    """

    objects: tuple[VerifiedObject, ...]
    besides: tuple[str, ...]
    read_at: str
    seen_at: float

    @property
    def verified(self) -> bool:
        """Whether all of it is."""
        return all(each.verified for each in self.objects)
