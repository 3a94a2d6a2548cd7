"""Drafts without a fault to the documents of the model. Nothing is judged here any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.documents.checks_tests import SUBJECTS
from reconciler.documents.drafts import at
from reconciler.documents.trees import json_path
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import (
    Access,
    AccessRight,
    AccessTestDocument,
    ApplicationDocument,
    Documents,
    ExchangePolicyDocument,
    Expectation,
    GroupGrant,
    Kind,
    Limits,
    Located,
    TeamsPolicyDocument,
    TenantDocument,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeVar

    from reconciler.documents.checks_names import Applications
    from reconciler.documents.drafts import Draft
    from reconciler.model.documents import Listing

    Built = TypeVar(
        "Built",
        TenantDocument,
        ApplicationDocument,
        TeamsPolicyDocument,
        ExchangePolicyDocument,
        AccessTestDocument,
    )

Listings = dict[int, tuple["Listing", ...]]
"""The listings of a draft's users, by the draft's `id`."""

_LIMITS = {
    "max_deletes": ("policies", "maxDeletes"),
    "max_delete_percent": ("policies", "maxDeletePercent"),
    "max_removals": ("grants", "maxRemovals"),
    "max_removal_percent": ("grants", "maxRemovalPercent"),
}
_PEOPLES_TEXT = "displaced:"


def build(drafts: Sequence[Draft], known: Applications, listings: Listings) -> Documents:
    """Build the documents of faultless drafts.

    Args:
        drafts: documents that keep every rule.
        known: the declared applications, for the references.
        listings: the users of each Teams policy that lists some.
    """
    tenants = _of_kind(drafts, Kind.TENANT, _tenant)
    return Documents(
        tenant=tenants[0] if tenants else None,
        applications=_of_kind(drafts, Kind.APPLICATION, _application),
        teams=_of_kind(
            drafts, Kind.TEAMS_POLICY, lambda draft: _teams_policy(draft, known, listings)
        ),
        exchange=_of_kind(
            drafts, Kind.EXCHANGE_POLICY, lambda draft: _exchange_policy(draft, known)
        ),
        tests=_of_kind(drafts, Kind.ACCESS_TEST, lambda draft: _access_test(draft, known)),
    )


def _of_kind(
    drafts: Iterable[Draft], kind: Kind, one: Callable[[Draft], Built]
) -> tuple[Built, ...]:
    built = (one(draft) for draft in drafts if draft.kind is kind)
    return tuple(sorted(built, key=lambda document: (document.name.casefold(), document.name)))


def _tenant(draft: Draft) -> TenantDocument:
    spec = _spec(draft)
    return TenantDocument(
        name=draft.name or "",
        tenant_id=spec["tenantId"].lower(),
        organization=spec.get("organization"),
        prune=tuple(sorted(Kind(kind) for kind in spec.get("prune", ()))),
        consents=tuple(sorted(map(_consent, spec.get("consents", ())))),
        limits=_limits(spec.get("limits", {})),
        guard_scope=_located(draft, "exchange", "guardScope"),
        connect=spec.get("connect", {}),
        position=draft.position(()),
    )


def _application(draft: Draft) -> ApplicationDocument:
    spec = _spec(draft)
    return ApplicationDocument(
        draft.name or "",
        spec["appId"].lower(),
        tuple(sorted(spec.get("permissions", ()))),
        draft.position(()),
    )


def _teams_policy(draft: Draft, known: Applications, listings: Listings) -> TeamsPolicyDocument:
    spec = _spec(draft)
    grants = spec.get("grants", {})
    return TeamsPolicyDocument(
        name=draft.name or "",
        absent="ensure" in spec,
        description=_description(spec),
        applications=_applications(spec["applications"], known) if "applications" in spec else None,
        tenant="tenant" in grants,
        groups=_groups(draft, grants["groups"]) if "groups" in grants else None,
        users=listings.get(id(draft)),
        position=draft.position(()),
    )


def _exchange_policy(draft: Draft, known: Applications) -> ExchangePolicyDocument:
    spec = _spec(draft)
    return ExchangePolicyDocument(
        name=draft.name or "",
        absent="ensure" in spec,
        applications=_applications(spec["applications"], known),
        scope=Located(spec["scope"], draft.position(("spec", "scope")), "$.spec.scope"),
        right=AccessRight(spec["accessRight"]) if "accessRight" in spec else None,
        description=_description(spec),
        position=draft.position(()),
    )


def _access_test(draft: Draft, known: Applications) -> AccessTestDocument:
    expected = (
        _expectation(draft, index, said, known) for index, said in enumerate(_spec(draft)["expect"])
    )
    ordered = sorted(
        expected,
        key=lambda one: (one.application, one.product, one.subject.text.lower(), one.access),
    )
    return AccessTestDocument(draft.name or "", tuple(ordered), draft.position(()))


def _expectation(
    draft: Draft, index: int, said: Mapping[str, Any], known: Applications
) -> Expectation:
    key = next(key for key in SUBJECTS if key in said)
    steps = ("spec", "expect", index, key)
    return Expectation(
        application=known.resolve(said["application"]) or "",
        product=SUBJECTS[key],
        subject=Located(said[key], draft.position(steps), json_path(steps)),
        access=Access(said["access"]),
    )


def _spec(draft: Draft) -> Mapping[str, Any]:
    spec: Any = draft.at("spec")
    return spec  # type: ignore[no-any-return]  # the schema has said that it is a map


def _description(spec: Mapping[str, Any]) -> str | None:
    """None if the document does not say it; null and blanks are an empty description."""
    if "description" not in spec:
        return None
    text = spec["description"] or ""
    return str(text) if text.strip(" ") else ""


def _applications(texts: Iterable[str], known: Applications) -> tuple[str, ...]:
    return tuple(
        sorted(
            EVERY_APPLICATION if text == EVERY_APPLICATION else known.resolve(text) or ""
            for text in texts
        )
    )


def _groups(draft: Draft, items: Sequence[Mapping[str, Any]]) -> tuple[GroupGrant, ...]:
    grants = (
        GroupGrant(
            item["group"].lower(),
            item["rank"],
            item.get("label"),
            draft.position(("spec", "grants", "groups", index)),
        )
        for index, item in enumerate(items)
    )
    return tuple(sorted(grants, key=lambda grant: grant.rank))


def _limits(written: Mapping[str, Any]) -> Limits:
    said = {field: at(dict(written), way) for field, way in _LIMITS.items()}
    return Limits(**{field: int(str(value)) for field, value in said.items() if value is not None})


def _consent(text: str) -> str:
    """Ids in lower case, as addresses spell them; a policy's name stays as it is."""
    return text if text.startswith(_PEOPLES_TEXT) else text.lower()


def _located(draft: Draft, *way: str) -> Located | None:
    text = draft.at("spec", *way)
    return (
        Located(text, draft.position(("spec", *way)), "$.spec." + ".".join(way))
        if isinstance(text, str)
        else None
    )
