"""What the documents alone decide about access, whatever the tenant has: only what no unmanaged
object and no membership can change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.access.rules import FAILED
from reconciler.access.testing import DEPENDS, KINDS, Result, expectations_of, sort_results
from reconciler.kinds.products import PRODUCTS
from reconciler.model.documents import Kind
from reconciler.model.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.documents import Documents


def judge_declared(documents: Documents) -> tuple[Result, ...]:
    """Judge the tests of documents on what they declare, as it will be once it is applied as a
    whole.

    A user is known by the very text that a policy lists, a mailbox by the very text of a scope:
    that two names mean one object only a tenant knows.

    Args:
        documents: documents without faults; with one left out, what it declares would be missing.
    """
    judges = {name: product.declared_verdicts(documents) for name, product in PRODUCTS.items()}
    return sort_results(
        Result(
            expected,
            expected.subject,
            judges[expected.product](expected.application, expected.subject),
        )
        for expected in expectations_of(documents.tests)
    )


def contradictions(results: Iterable[Result]) -> Iterator[Finding]:
    """A fault for each expectation of a document that is decided, and not as expected."""
    for result in results:
        expected = result.expected
        if expected.written is not None and not result.passed and result.verdict != DEPENDS:
            message = (
                f"expected `{expected.access}` for application {expected.application} and the"
                f" {KINDS[expected.product]} `{expected.written.text}`, but the documents make it"
                f" {result.verdict}: correct the test or what it contradicts"
            )
            yield Finding(
                expected.written.position,
                expected.written.path,
                FAILED.id,
                message,
                subject=f"{Kind.ACCESS_TEST}/{expected.test}",
            )
