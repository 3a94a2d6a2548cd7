"""Rules about access tests: what they expect is said once, and can be true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.checks_names import Applications, Claim, clashes, expectations
from reconciler.documents.shape_messages import shown
from reconciler.model.addresses import name_key
from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.documents.drafts import Draft
    from reconciler.documents.trees import Steps
    from reconciler.model.addresses import Provider
    from reconciler.model.findings import Finding

SUBJECTS: dict[str, Provider] = {"mailbox": "exchange", "meetingsOf": "teams"}
"""The keys that say who is reached, and the product that decides it."""


class _Expected(Struct, frozen=True):
    """One expectation, as far as it can be read: what it is about, and what it expects."""

    about: tuple[str, str, str]
    access: str
    claim: Claim


def test_findings(drafts: Sequence[Draft], known: Applications) -> Iterator[Finding]:
    """Judge the expectations of all tests: within one test each once, and none against another one.

    Subjects are compared as written, without case; two names of one user or mailbox are told apart
    only by a reading of the tenant.
    """
    expected = [
        one for draft in drafts if draft.kind is Kind.ACCESS_TEST for one in _expected(draft, known)
    ]
    within = (((id(one.claim.draft), one.about, one.access), one.claim) for one in expected)
    yield from clashes(within, rules.DUPLICATE_EXPECTATION, _same)
    first = {(one.about, one.access): one for one in reversed(expected)}
    yield from clashes(
        ((one.about, one.claim) for one in first.values()), rules.CONTRADICTION, _opposite
    )


def _expected(draft: Draft, known: Applications) -> Iterator[_Expected]:
    for key, product in SUBJECTS.items():
        for steps in expectations(draft, key):
            application, access = _said(draft, steps, "application"), _said(draft, steps, "access")
            if application and access:
                about = (
                    known.resolve(application) or name_key(application),
                    product,
                    str(draft.at(*steps)).lower(),
                )
                yield _Expected(about, access, Claim(draft, (*steps[:-1], "access")))


def _said(draft: Draft, steps: Steps, key: str) -> str:
    text = draft.at(*steps[:-1], key)
    return text if isinstance(text, str) else ""


def _what(claim: Claim) -> str:
    said = claim.draft.at(*claim.steps[:-1])
    subject = next(said[key] for key in SUBJECTS if key in said) if isinstance(said, dict) else ""
    return f"{shown(claim.draft.at(*claim.steps[:-1], 'application'))} and {shown(subject)}"


def _same(claim: Claim, other: Claim) -> str:
    return f"this is expected of {_what(claim)} on line {other.position.line} already: remove one"


def _opposite(claim: Claim, other: Claim) -> str:
    return (
        f"{shown(claim.draft.at(*claim.steps))} is expected of {_what(claim)}, the opposite at"
        f" {other.position}: keep one"
    )
