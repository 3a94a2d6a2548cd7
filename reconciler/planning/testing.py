"""Access tests on a plan's outcome: a plan that would leave one failing is not applicable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access import testing
from reconciler.guids import GUID
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.planning.naming import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.access.testing import Expected, Result
    from reconciler.model.addresses import Provider
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed, State
    from reconciler.model.plans import Note
    from reconciler.model.test_results import AccessTestResult


class JudgedTests(Struct, frozen=True):
    """The results of access tests on a plan's outcome.

    `allow`: none of them makes the plan inapplicable. `ids`: what they mention.
    """

    rows: tuple[AccessTestResult, ...]
    allow: bool
    ids: frozenset[str]


def judged(
    documents: Documents,
    observed: Observed,
    outcome: Mapping[Provider, State],
    *,
    selected: bool,
    holds: Sequence[Note] = (),
) -> JudgedTests:
    """Run the tests of documents on what a plan leads to.

    Args:
        documents: their tests; that one expects to be granted what a quarantined application shall
            not reach does not block the plan.
        observed: the tenant before the plan.
        outcome: the products that were read, as the plan leaves them.
        selected: it is a plan of a part, by `--only` or `--skip`. What fails before it in the same
            way does not block it: the rest of the documents may be what mends it.
        holds: what the plan leaves as it is. A test about it that fails before in the same way does
            not block the plan either: what is held is not a part of it.
    """
    expected = testing.expectations_of(documents.tests)
    results = testing.judge_observed(expected, replace(observed, states=outcome))
    is_part = selected or bool(holds)
    earlier = testing.judge_observed(expected, observed) if is_part else results
    rows = tuple(
        result.row(
            excused=not result.passed
            and (
                (before.verdict == result.verdict and (selected or _is_held(result, holds)))
                or is_suspended(result.expected, documents.quarantined)
            )
        )
        for result, before in zip(results, earlier, strict=True)
    )
    return JudgedTests(rows, all(row.passed or row.excused for row in rows), _ids(results))


def is_suspended(expected: Expected, quarantined: frozenset[str]) -> bool:
    """Whether an expectation is of an application that shall reach nobody meanwhile."""
    return expected.application in quarantined and expected.access == "granted"


def _is_held(result: Result, holds: Iterable[Note]) -> bool:
    """Whether something that is held bears on a verdict: it is on the way to it, or is what the test
    names, or concerns every application of the product.
    """
    mentioned = {*result.mentions()}
    about = {
        EVERY_APPLICATION,
        result.expected.application,
        result.subject,
        *GUID.findall(" ".join(mentioned)),
    }
    for note in holds:
        kind, _, name = note.address.partition("/")
        owner = name.partition("@")[0].rpartition(":")[2]
        is_of_product = kind.partition(".")[0] == result.expected.product
        if note.address in mentioned or (is_of_product and owner in about):
            return True
    return False


def names_in_results(
    documents: Documents, observed: Observed, results: Iterable[Result]
) -> dict[str, str]:
    """A name for every id that the results mention and the documents or the reading name."""
    return names(documents, observed, (), (), mentioned=_ids(results))


def _ids(results: Iterable[Result]) -> frozenset[str]:
    texts = (
        text
        for result in results
        for text in (result.expected.application, result.subject, *result.mentions())
    )
    return frozenset(object_id for text in texts for object_id in GUID.findall(text))
