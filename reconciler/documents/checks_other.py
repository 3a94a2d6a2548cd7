"""Rules about Exchange policies and the Tenant document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.documents import rules
from reconciler.documents.checks_names import Applications, Claim, clashes
from reconciler.documents.shape_messages import shown
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import AccessRight, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.documents.drafts import Draft
    from reconciler.model.findings import Finding


def exchange_findings(drafts: Sequence[Draft], known: Applications) -> Iterator[Finding]:
    """Judge Exchange policies: one document for each application and scope, and no accidental
    confinement of every application.
    """
    policies = [draft for draft in drafts if draft.kind is Kind.EXCHANGE_POLICY]
    keys = (pair for draft in policies for pair in _keys(draft, known))
    yield from clashes(keys, rules.DUPLICATE_SCOPE, _same_key)
    for draft in policies:
        if draft.at("spec", "accessRight") == AccessRight.RESTRICT and not draft.has(
            "spec", "allowEveryApplication"
        ):
            yield from _every_application(draft)


def tenant_findings(drafts: Sequence[Draft]) -> Iterator[Finding]:
    """Judge that there is one Tenant document at most."""
    claims = ((None, Claim(draft, ("kind",))) for draft in drafts if draft.kind is Kind.TENANT)
    yield from clashes(claims, rules.SECOND_TENANT, _same_tenant)


def _keys(draft: Draft, known: Applications) -> Iterator[tuple[object, Claim]]:
    """The (application, scope) pairs of a document; one that it lists twice is a fault of its list,
    not of the pair.
    """
    scope = draft.at("spec", "scope")
    seen: set[str] = set()
    for steps, text in draft.texts("spec", "applications"):
        application = known.resolve(text) or text.lower()
        if isinstance(scope, str) and application not in seen:
            seen.add(application)
            yield (application, scope.lower()), Claim(draft, steps)


def _every_application(draft: Draft) -> Iterator[Finding]:
    for steps, text in draft.texts("spec", "applications"):
        if text == EVERY_APPLICATION:
            message = (
                "`*` with RestrictAccess confines every application, future ones too: add"
                " `allowEveryApplication: true` if that is meant"
            )
            yield draft.finding(rules.EVERY_APPLICATION, steps, message)


def _same_key(claim: Claim, other: Claim) -> str:
    what = f"{shown(claim.draft.at(*claim.steps))} on {shown(claim.draft.at('spec', 'scope'))}"
    return (
        f"{what} is also declared at {other.position}: the service keeps one policy for both,"
        " remove one"
    )


def _same_tenant(claim: Claim, other: Claim) -> str:
    del claim
    return (
        f"another Tenant document stands at {other.position}: one run, one tenant, remove one or"
        " name fewer PATHs"
    )
