"""Access tests: what is expected, held against the evaluators.

What they cannot decide never passes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, assert_never

from msgspec import Struct

from reconciler.audiences.verdicts import Denied, Depends, Granted
from reconciler.errors import CaptureFault
from reconciler.kinds.exchange import mailbox_access
from reconciler.kinds.exchange.scopes import is_mailbox, scope_coverage
from reconciler.kinds.teams import effective_policy
from reconciler.kinds.teams.groups import group_coverage
from reconciler.model.documents import Access
from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.audiences.verdicts import Reason, Verdict
    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.documents import AccessTestDocument, Located
    from reconciler.model.observed import Observed

KINDS: Mapping[Provider, str] = {"exchange": "mailbox", "teams": "user"}
"""The kind of subject that each product's access is about."""
DEPENDS = "depends"


class Unnamed(StrEnum):
    """Why a subject cannot be judged: its name leads to nobody, or to nobody of the right kind."""

    USER_ABSENT = "user-absent"
    USER_UNKNOWN = "user-unknown"
    MAILBOX_ABSENT = "mailbox-absent"
    MAILBOX_UNKNOWN = "mailbox-unknown"
    NOT_A_MAILBOX = "not-a-mailbox"


Answer: TypeAlias = "Verdict | Unnamed"


class Expected(NamedTuple):
    """One expectation of a test.

    `subject` in lower case: an object id, or as written. `written` says where; a plan file does not
    know that.
    """

    test: str
    application: str
    product: Provider
    subject: str
    access: Access
    written: Located | None = None


class Result(Struct, frozen=True):
    """An expectation and the answer.

    `subject` is the object id of whom it is about, or the expectation's text if it leads to nobody.
    """

    expected: Expected
    subject: str
    answer: Answer

    @property
    def verdict(self) -> str:
        """`granted`, `denied` or `depends`."""
        match self.answer:
            case Granted():
                return Access.GRANTED.value
            case Denied():
                return Access.DENIED.value
            case Depends() | Unnamed():
                return DEPENDS
        assert_never(self.answer)

    @property
    def passed(self) -> bool:
        """Whether what is expected is certain."""
        return self.verdict == self.expected.access

    def mentions(self) -> Iterator[str]:
        """Every address of the way that leads to the answer."""
        if not isinstance(self.answer, Unnamed):
            yield from (reason.address for reason in self.answer.path)

    def row(self, *, excused: bool = False) -> dict[str, Json]:
        """The result as a plan file has it.

        `excused`: it fails, but as it did before a plan of a part, so it does not stand in the way.
        """
        return {
            "application": self.expected.application,
            "excused": excused,
            "expected": self.expected.access.value,
            "name": self.expected.test,
            "passed": self.passed,
            "subject": {"id": self.subject, "kind": KINDS[self.expected.product]},
            "verdict": self.verdict,
            "why": _why(self.answer),
        }


def of_documents(tests: Iterable[AccessTestDocument]) -> tuple[Expected, ...]:
    """The expectations of documents."""
    return tuple(
        Expected(
            test.name,
            one.application,
            one.product,
            one.subject.text.lower(),
            one.access,
            one.subject,
        )
        for test in tests
        for one in test.expectations
    )


def of_rows(rows: Iterable[Any]) -> tuple[Expected, ...]:
    """The expectations of a plan file's rows.

    Raises:
        KeyError, TypeError, ValueError: a row is not one that `Result.row` makes.
    """
    products = {kind: product for product, kind in KINDS.items()}
    return tuple(
        Expected(
            _text(row["name"]),
            _text(row["application"]),
            products[row["subject"]["kind"]],
            _text(row["subject"]["id"]),
            Access(row["expected"]),
        )
        for row in rows
    )


def request(expected: Iterable[Expected]) -> CaptureRequest:
    """What has to be read to judge expectations: their products, and whom they name."""
    wanted = tuple(expected)
    users = {one.subject for one in wanted if one.product == "teams"}
    mailboxes = {one.subject for one in wanted if one.product == "exchange"}
    return CaptureRequest(
        frozenset(one.product for one in wanted), tuple(sorted(users)), tuple(sorted(mailboxes))
    )


def judge(expected: Iterable[Expected], observed: Observed) -> tuple[Result, ...]:
    """Judge expectations on a state of a tenant: as it was read, or as a plan will leave it.

    Raises:
        CaptureFault: the state lacks a product that an expectation is about.
    """
    judged = {"exchange": _exchange(observed), "teams": _teams(observed)}
    return ordered(judged[one.product](one) for one in expected)


def ordered(results: Iterable[Result]) -> tuple[Result, ...]:
    """Results in an order that does not depend on that of the documents."""
    return tuple(
        sorted(
            results,
            key=lambda one: (
                one.expected.test.casefold(),
                one.expected[:3],
                one.subject,
                one.expected[3:5],
            ),
        )
    )


def _teams(observed: Observed) -> Callable[[Expected], Result]:
    groups, state = group_coverage(observed.directory), observed.teams

    def result(one: Expected) -> Result:
        if state is None:
            raise _unread("teams")
        user = one.subject if one.subject in state.users else _user(observed, one.subject)
        if isinstance(user, Unnamed):
            return Result(one, one.subject, user)
        return Result(
            one,
            user,
            effective_policy.user_verdict(
                state, one.application, user, lambda group: groups(group).covers(user)
            ),
        )

    return result


def _exchange(observed: Observed) -> Callable[[Expected], Result]:
    scopes, state = scope_coverage(observed.directory), observed.exchange

    def result(one: Expected) -> Result:
        if state is None:
            raise _unread("exchange")
        mailbox = _mailbox(observed, one.subject)
        if isinstance(mailbox, Unnamed):
            return Result(one, one.subject, mailbox)
        return Result(
            one,
            mailbox,
            mailbox_access.mailbox_verdict(
                state, one.application, lambda scope: scopes(scope).covers(mailbox)
            ),
        )

    return result


def _unread(product: Provider) -> CaptureFault:
    return CaptureFault(
        f"the capture has no complete reading of {product}, which the access tests need: fetch it"
        " again"
    )


def _user(observed: Observed, name: str) -> str | Unnamed:
    directory = observed.directory
    user = name if name in directory.users else directory.users_by_upn.get(name)
    return user or (Unnamed.USER_ABSENT if name in directory.absent else Unnamed.USER_UNKNOWN)


def _mailbox(observed: Observed, name: str) -> str | Unnamed:
    directory = observed.directory
    recipient = directory.recipients.get(directory.recipients_by_address.get(name, name))
    if recipient is None:
        return Unnamed.MAILBOX_ABSENT if name in directory.absent else Unnamed.MAILBOX_UNKNOWN
    return recipient.id if is_mailbox(recipient) else Unnamed.NOT_A_MAILBOX


def _why(answer: Answer) -> Json:
    match answer:
        case Granted(path, decided_by) | Denied(path, decided_by):
            return {"decided_by": decided_by, "path": _path(path), "unknown": []}
        case Depends(path, unknown):
            return {"decided_by": None, "path": _path(path), "unknown": list(unknown)}
        case Unnamed():
            return {"decided_by": None, "path": [], "unknown": [answer.value]}
    assert_never(answer)


def _path(path: Iterable[Reason]) -> list[Json]:
    return [
        {"address": reason.address, "asked": reason.asked.value, "holds": reason.holds}
        for reason in path
    ]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
