"""One question answered for a person: the verdict, the way to it, and what would change it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from reconciler.audiences.membership import NOBODY
from reconciler.audiences.subjects import SubjectKind
from reconciler.audiences.verdicts import Asked, Denied, Depends, Granted, Reason
from reconciler.kinds.exchange import mailbox_access
from reconciler.kinds.exchange.scopes import scope_coverage
from reconciler.kinds.teams import effective_policy
from reconciler.kinds.teams.groups import group_coverage
from reconciler.model.addresses import (
    GLOBAL,
    exchange_application,
    exchange_policy,
    teams_policy,
    teams_user_grant,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.addresses import Address
    from reconciler.model.observed import Directory, ExchangeState, TeamsState


class Remedy(StrEnum):
    """What would change a verdict; each concerns one object."""

    LIST = "list-application"
    UNLIST = "unlist-application"
    GRANT = "grant-policy"
    GRANT_OTHER = "grant-other-policy"
    JOIN_SCOPE = "join-scope"
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
        teams: The Teams side; None if nothing is known of it.
        exchange: The Exchange side; None if nothing is known of it.
        directory: Who is in groups and scopes.
        grants: The users whose direct grant `teams` tells; None: it tells everybody's.
        applications: The applications whose policies `exchange` tells; None: it tells everyone's.
    """

    teams: TeamsState | None
    exchange: ExchangeState | None
    directory: Directory
    grants: frozenset[str] | None = None
    applications: frozenset[str] | None = None


class Explanation(Struct, frozen=True):
    """The answer to a question."""

    question: Question
    verdict: Verdict
    advice: tuple[Advice, ...]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every address that it mentions."""
        return (
            *(reason.address for reason in self.verdict.path),
            *(one.address for one in self.advice),
        )


def explain(question: Question, known: Known) -> Explanation:
    """Answer a question; what is not known makes it depend, it is never guessed."""
    if question.kind is SubjectKind.USER:
        verdict = _teams(question, known)
        advice = _teams_advice(question, known.teams, verdict)
    else:
        verdict = _exchange(question, known)
        advice = _exchange_advice(question, known.exchange, verdict)
    return Explanation(question, verdict, tuple(dict.fromkeys(advice)))


def _teams(question: Question, known: Known) -> Verdict:
    grant = teams_user_grant(question.subject)
    if known.teams is None or not question.resolved:
        return Depends((Reason(Asked.DIRECT_GRANT, grant, holds=None),), (grant,))
    members = group_coverage(known.directory)
    return effective_policy.user_verdict(
        known.teams,
        question.application,
        question.subject,
        lambda group: members(group).covers(question.subject),
        direct_known=known.grants is None or question.subject in known.grants,
    )


def _exchange(question: Question, known: Known) -> Verdict:
    owner = exchange_application(question.application)
    if known.exchange is None or not (
        known.applications is None or question.application in known.applications
    ):
        return Depends((Reason(Asked.RESTRICTED, owner, holds=None),), (owner,))
    return mailbox_access.mailbox_verdict(
        known.exchange, question.application, _covers(question, known.directory)
    )


def _covers(question: Question, directory: Directory) -> Callable[[str], bool | None]:
    """Whether a scope covers the mailbox.

    One that nothing resolves can be in any scope that covers anybody.
    """
    covered = scope_coverage(directory)
    if question.resolved:
        return lambda scope: covered(scope).covers(question.subject)
    return lambda scope: False if covered(scope) == NOBODY else None


def _teams_advice(
    question: Question, state: TeamsState | None, verdict: Verdict
) -> Iterator[Advice]:
    match verdict:
        case Granted():
            yield from (
                Advice(Remedy.UNLIST, reason.address)
                for reason in verdict.path
                if reason.asked is Asked.LISTED
            )
            yield Advice(Remedy.GRANT_OTHER, teams_user_grant(question.subject))
        case Denied():
            listing = [] if state is None else sorted(_listing(state, question.application))
            yield from (Advice(Remedy.GRANT, address) for address in listing)
            yield from (
                Advice(Remedy.LIST, reason.address)
                for reason in verdict.path
                if reason.asked is Asked.LISTED
            )
        case Depends():
            yield from (Advice(Remedy.LEARN, address) for address in verdict.unknown)
        case _:
            assert_never(verdict)


def _listing(state: TeamsState, application: str) -> Iterator[Address]:
    """Policies that can be granted and list the application."""
    return (
        teams_policy(policy.name)
        for key, policy in state.policies.items()
        if application in policy.applications and key != GLOBAL
    )


def _exchange_advice(
    question: Question, state: ExchangeState | None, verdict: Verdict
) -> Iterator[Advice]:
    owner = exchange_application(question.application)
    covering = [
        reason.address
        for reason in verdict.path
        if reason.holds and reason.asked is not Asked.RESTRICTED
    ]
    match verdict:
        case Granted():
            yield from (Advice(Remedy.LEAVE_SCOPE, address) for address in covering)
            yield Advice(Remedy.DENY if covering else Remedy.RESTRICT, owner)
        case Denied():
            restricts = (
                {}
                if state is None
                else mailbox_access.limits_of(state, question.application).restricts
            )
            yield from (Advice(Remedy.LEAVE_SCOPE, address) for address in covering)
            joinable = [] if covering else sorted(restricts.values())
            yield from (Advice(Remedy.JOIN_SCOPE, exchange_policy(*key)) for key in joinable)
        case Depends():
            yield from (Advice(Remedy.LEARN, address) for address in verdict.unknown)
        case _:
            assert_never(verdict)
