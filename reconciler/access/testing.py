"""Access tests: what is expected, compared with what the evaluators say.

What they cannot decide never passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, assert_never

from msgspec import Struct

from reconciler.audiences.verdicts import Ambiguous, Denied, Depends, Granted, Unnamed
from reconciler.errors import CaptureFault
from reconciler.kinds.products import PRODUCTS
from reconciler.model.requests import CaptureRequest
from reconciler.model.test_results import (
    AccessTestResult,
    ResultKind,
    ResultPath,
    ResultReason,
    ResultSubject,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.audiences.verdicts import Answer, Reason
    from reconciler.model.addresses import Provider
    from reconciler.model.documents import Access, AccessTestDocument, Located
    from reconciler.model.findings import Position
    from reconciler.model.observed import Observed
    from reconciler.model.test_results import TestVerdict

KINDS: Mapping[Provider, ResultKind] = {
    name: ResultKind(product.subject_kind.value)
    for name, product in PRODUCTS.items()
    if product.subject_kind is not None
}
"""The kind of subject that each product's access is about, where tests ask about one."""
DEPENDS: Final = "depends"
AMBIGUOUS: Final = "ambiguous"
"""The code of a name that leads to two, whose object ids follow it."""


class Expected(NamedTuple):
    """One expectation of a test.

    `subject` in lower case: an object id, or as written. `text` is as written, "" if `subject` is.
    `written` says where; a plan file does not know that.
    """

    test: str
    application: str
    product: Provider
    subject: str
    access: Access
    written: Located | None = None
    text: str = ""


class Result(Struct, frozen=True):
    """An expectation and the answer.

    `subject` is the object id of whom it is about, or the expectation's text if it leads to nobody.
    """

    expected: Expected
    subject: str
    answer: Answer

    @property
    def verdict(self) -> TestVerdict:
        """`granted`, `denied` or `depends`."""
        match self.answer:
            case Granted():
                return "granted"
            case Denied():
                return "denied"
            case Depends() | Unnamed() | Ambiguous():
                return DEPENDS
        assert_never(self.answer)

    @property
    def passed(self) -> bool:
        """Whether what is expected is certain."""
        return self.verdict == self.expected.access

    def mentions(self) -> Iterator[str]:
        """Every address of the way that leads to the answer, and whom else the name may mean."""
        match self.answer:
            case Unnamed():
                return
            case Ambiguous(meanings):
                yield from meanings
            case Granted(path) | Denied(path) | Depends(path):
                yield from (reason.address for reason in path)

    def row(self, *, excused: bool = False) -> AccessTestResult:
        """The result as a plan file has it.

        `excused`: it fails, but as it did before a plan of a part or of something that it holds, or
        because its application is quarantined, so it does not block the plan.
        """
        return AccessTestResult(
            application=self.expected.application,
            excused=excused,
            expected=self.expected.access,
            name=self.expected.test,
            passed=self.passed,
            subject=ResultSubject(
                self.subject,
                KINDS[self.expected.product],
                self.expected.text or self.expected.subject,
            ),
            verdict=self.verdict,
            why=_why(self.answer),
        )


def expectations_of(tests: Iterable[AccessTestDocument]) -> tuple[Expected, ...]:
    """The expectations of documents."""
    return tuple(
        Expected(
            test.name,
            expectation.application,
            expectation.product,
            expectation.subject.text.lower(),
            expectation.access,
            expectation.subject,
        )
        for test in tests
        for expectation in test.expectations
    )


def of_rows(rows: Iterable[AccessTestResult]) -> tuple[Expected, ...]:
    """The expectations of a plan file's rows."""
    products = {kind: product for product, kind in KINDS.items()}
    return tuple(
        Expected(
            row.name,
            row.application,
            products[row.subject.kind],
            row.subject.id,
            row.expected,
            text=row.subject.written,
        )
        for row in rows
    )


def request_for_expectations(expected: Iterable[Expected]) -> CaptureRequest:
    """What has to be read to judge expectations: their products, and whom they name."""
    named: dict[Provider, set[str]] = {}
    for expectation in expected:
        named.setdefault(expectation.product, set()).add(expectation.subject)
    requests = [PRODUCTS[name].subjects(frozenset(who)) for name, who in named.items()]
    return CaptureRequest(
        frozenset(named),
        tuple(sorted({user for request in requests for user in request.users})),
        tuple(sorted({name for request in requests for name in request.recipients})),
        effective=tuple(sorted({user for request in requests for user in request.effective})),
    )


def judge_observed(expected: Iterable[Expected], observed: Observed) -> tuple[Result, ...]:
    """Judge expectations on a state of a tenant: as it was read, or as a plan will leave it.

    Raises:
        CaptureFault: the state lacks a product that an expectation is about.
    """
    judges: dict[Provider, Callable[[str, str], tuple[str, Answer]]] = {
        name: PRODUCTS[name].judge(state, observed.directory)
        for name, state in observed.states.items()
    }

    def result(expected: Expected) -> Result:
        if expected.product not in judges:
            raise CaptureFault(
                f"the capture is not complete for {expected.product}, which the access tests"
                " need: fetch again"
            )
        subject, answer = judges[expected.product](expected.application, expected.subject)
        return Result(expected, subject, answer)

    return sort_results(map(result, expected))


def sort_results(results: Iterable[Result]) -> tuple[Result, ...]:
    """Results in an order that does not depend on that of the documents."""
    return tuple(
        sorted(
            results,
            key=lambda result: (
                result.expected.test.casefold(),
                result.expected[:3],
                result.subject,
                result.expected[3:5],
            ),
        )
    )


def positions_of(results: Iterable[Result]) -> tuple[Position, ...]:
    """Where the expectations are written; nothing of those that a plan file has."""
    return tuple(
        result.expected.written.position
        for result in results
        if result.expected.written is not None
    )


def _why(answer: Answer) -> ResultPath:
    match answer:
        case Granted(path, decided_by) | Denied(path, decided_by):
            return ResultPath(decided_by, _path(path), ())
        case Depends(path, unknown):
            return ResultPath(None, _path(path), tuple(unknown))
        case Unnamed():
            return ResultPath(None, (), (answer.value,))
        case Ambiguous(meanings):
            return ResultPath(None, (), (AMBIGUOUS, *meanings))
    assert_never(answer)


def _path(path: Iterable[Reason]) -> tuple[ResultReason, ...]:
    return tuple(ResultReason(reason.address, reason.asked.value, reason.holds) for reason in path)
