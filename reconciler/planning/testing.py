"""Access tests on a plan's outcome: a plan that would leave one failing is not applicable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.access import testing
from reconciler.guids import GUID
from reconciler.planning.naming import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.access.testing import Result
    from reconciler.model.addresses import Provider
    from reconciler.model.documents import AccessTestDocument, Documents
    from reconciler.model.observed import Observed, State
    from reconciler.model.plans import Plan
    from reconciler.model.requests import CaptureRequest


def request(tests: Iterable[AccessTestDocument]) -> CaptureRequest:
    """What has to be read for the tests of documents."""
    return testing.request(testing.of_documents(tests))


def tested(
    plan: Plan,
    documents: Documents,
    observed: Observed,
    outcome: Mapping[Provider, State],
    *,
    selected: bool,
) -> Plan:
    """Run the tests of documents on what a plan leads to, and put the results into the plan.

    Args:
        plan: the plan.
        documents: what it was made from.
        observed: the tenant before it.
        outcome: the products that it has read, as it leaves them.
        selected: it is a plan of a part, by `--only` or `--skip`. What fails before it in the same
            way does not stand in its way: the rest of the documents may be what mends it.
    """
    if not documents.tests:
        return plan
    after = replace(observed, states=outcome)
    expected = testing.of_documents(documents.tests)
    results = testing.judge(expected, after)
    earlier = testing.judge(expected, observed) if selected else results
    rows = tuple(
        result.row(excused=selected and not result.passed and before.verdict == result.verdict)
        for result, before in zip(results, earlier, strict=True)
    )
    passed = all(row.passed or row.excused for row in rows)
    return replace(
        plan,
        tests=rows,
        applicable=plan.applicable and passed,
        names={**plan.names, **named(documents, observed, results)},
    )


def named(documents: Documents, observed: Observed, results: Iterable[Result]) -> dict[str, str]:
    """A name for every id that the results mention and the documents or the reading name."""
    texts = (
        text
        for result in results
        for text in (result.expected.application, result.subject, *result.mentions())
    )
    return names(
        documents,
        observed,
        (),
        (),
        mentioned={object_id for text in texts for object_id in GUID.findall(text)},
    )
