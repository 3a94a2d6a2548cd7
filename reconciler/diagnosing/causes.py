"""What an error, the policies of the tenant, the documents and the journals say together."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.audiences.verdicts import Denied, Depends, Granted
from reconciler.diagnosing.signs import GATE_PRODUCTS
from reconciler.kinds.facts import facts
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    ExchangePolicyAddress,
    TeamsGroupGrantAddress,
    TeamsTenantGrantAddress,
    parse_address,
    teams_user_grant,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.applying.recent import JournalledWrite
    from reconciler.audiences.questions import Question
    from reconciler.audiences.verdicts import Verdict
    from reconciler.diagnosing.signs import Sign
    from reconciler.model.addresses import Address, Provider

_MINUTE = 60


class RefusalCause(StrEnum):
    """Why the application was refused, and so what ends it."""

    DENIED = "denied-by-policy"
    NOT_APPLIED = "not-applied"
    WAITING = "waiting"
    LET_THROUGH = "let-through"
    UNDECIDED = "undecided"
    WRONG_ID = "wrong-id"
    NOT_OURS = "not-ours"
    UNKNOWN = "unknown"


class Delay(Struct, frozen=True):
    """The last change of what decides, and until when (seconds since 1970) it may not be enforced.

    `over`: that time has passed.
    """

    write: JournalledWrite
    until: float
    over: bool


def cause_of(
    sign: Sign | None,
    now: Verdict | None,
    after: Verdict | None,
    delay: Delay | None,
    *,
    other: bool = False,
) -> RefusalCause:
    """What refused.

    Args:
        sign: the kind of the error; None if it is not known.
        now: the verdict on the tenant as it is; None if nobody was asked about.
        after: once the documents are applied; None without documents.
        delay: the last journalled change of what decides, if there is a recent one.
        other: whether the error names somebody else than was asked about, so that what the policies
            say of those explains nothing.
    """
    if other:
        return RefusalCause.WRONG_ID
    if sign is None:
        return RefusalCause.UNKNOWN
    if sign.gate not in GATE_PRODUCTS or now is None:
        return RefusalCause.NOT_OURS
    match now:
        case Granted():
            waiting = delay is not None and not delay.over
            return RefusalCause.WAITING if waiting else RefusalCause.LET_THROUGH
        case Denied():
            return RefusalCause.NOT_APPLIED if isinstance(after, Granted) else RefusalCause.DENIED
        case Depends():
            return RefusalCause.UNDECIDED


def last_delay(
    question: Question,
    product: Provider,
    now: Verdict,
    writes: Sequence[JournalledWrite],
    at: float,
) -> Delay | None:
    """The last change of what decides a question.

    Args:
        question: who was refused whom.
        product: whose policies decide.
        now: the verdict on the tenant as it is.
        writes: of applies, the latest first.
        at: the time now, in seconds since 1970.
    """
    wanted = {reason.address for reason in now.path}
    if product == "teams":  # a grant that was taken away is on no way any more
        wanted.add(teams_user_grant(question.subject))
    for write in writes:
        if write.address in wanted or _may_decide(write.address, question, product, now):
            until = write.at + facts(product).enforced_after * _MINUTE
            return Delay(write, until, over=until <= at)
    return None


def _may_decide(address: Address, question: Question, product: Provider, now: Verdict) -> bool:
    """Whether a write decided, though what it took away no longer leads to the verdict: a policy of the
    application, a grant of a group or of everyone where no direct grant of the user precedes it.
    """
    match parse_address(address):
        case ExchangePolicyAddress(application):
            return product == "exchange" and application in {
                question.application,
                EVERY_APPLICATION,
            }
        case TeamsGroupGrantAddress() | TeamsTenantGrantAddress():
            return product == "teams" and not _is_direct(question, now)
        case _:
            return False


def _is_direct(question: Question, now: Verdict) -> bool:
    own = teams_user_grant(question.subject)
    return any(reason.address == own and reason.holds for reason in now.path)
