"""Access tests on a plan's outcome: a plan that would leave one failing is not applicable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.access import testing
from reconciler.guids import GUID
from reconciler.planning.naming import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.access.testing import Expected, Result
    from reconciler.model.addresses import Provider
    from reconciler.model.documents import AccessTestDocument, Documents
    from reconciler.model.observed import Observed, State
    from reconciler.model.test_results import AccessTestResult


class JudgedTests(Struct, frozen=True):
    """The results of access tests on a plan's outcome.

    `allow`: none of them makes the plan inapplicable. `ids`: what they mention.
    """

    rows: tuple[AccessTestResult, ...]
    allow: bool
    ids: frozenset[str]


def judged(
    tests: Sequence[AccessTestDocument],
    observed: Observed,
    outcome: Mapping[Provider, State],
    *,
    selected: bool,
    quarantined: frozenset[str] = frozenset(),
) -> JudgedTests:
    """Run the tests of documents on what a plan leads to.

    Args:
        tests: the tests.
        observed: the tenant before the plan.
        outcome: the products that were read, as the plan leaves them.
        selected: it is a plan of a part, by `--only` or `--skip`. What fails before it in the same
            way does not block it: the rest of the documents may be what mends it.
        quarantined: applications that shall reach nobody: that a test expects otherwise does not
            block the plan.
    """
    expected = testing.expectations_of(tests)
    results = testing.judge_observed(expected, replace(observed, states=outcome))
    earlier = testing.judge_observed(expected, observed) if selected else results
    rows = tuple(
        result.row(
            excused=not result.passed
            and (
                (selected and before.verdict == result.verdict)
                or is_suspended(result.expected, quarantined)
            )
        )
        for result, before in zip(results, earlier, strict=True)
    )
    return JudgedTests(rows, all(row.passed or row.excused for row in rows), _ids(results))


def is_suspended(expected: Expected, quarantined: frozenset[str]) -> bool:
    """Whether an expectation is of an application that shall reach nobody meanwhile."""
    return expected.application in quarantined and expected.access == "granted"


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
