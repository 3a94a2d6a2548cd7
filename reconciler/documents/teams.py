"""Documents of Teams policies: Global, groups, ranks and the tenant-wide grant; the users of all of
them are judged by `users`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from reconciler.documents import rules
from reconciler.documents.raw_documents import Claim, clashes, short_value
from reconciler.kinds.teams.facts import MOST_GROUPS, WITHOUT_GROUPS
from reconciler.model.addresses import GLOBAL, name_key
from reconciler.model.documents import GroupGrant, Kind, TeamsPolicyDocument
from reconciler.model.findings import Severity
from reconciler.model.live_limits import PLAIN_NAMES, policy_name_limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.applications import Applications
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.trees import Steps
    from reconciler.model.documents import Listing
    from reconciler.model.findings import Finding

EVERY_APPLICATION_REFUSED = "Teams has no policy for every application: list the applications"

_NAME: Steps = ("metadata", "name")
_GRANTS: Steps = ("spec", "grants")
_GROUPS: Steps = (*_GRANTS, "groups")
_CLOUD: Steps = ("spec", "connect", "cloud")
_TENANT: Steps = (*_GRANTS, "tenant")
_ENSURE: Steps = ("spec", "ensure")
_MOVED_FROM: Steps = ("spec", "movedFrom")
_TAG = "tag:"
_TEMPLATE = "default"


def check(documents: Sequence[RawDocument], _: Applications) -> Iterator[Finding]:
    """Global, groups, ranks and the tenant-wide grant; users are judged by `users`."""
    for document in documents:
        if _is_global(document):
            yield from _global(document)
    yield from _groups(documents)
    yield from _labels(documents)
    yield from _tenant_grants(documents)
    yield from _renamed(documents)


def check_cloud(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    """Groups can hold a policy in the cloud that the Tenant document names."""
    clouds = (document.at(*_CLOUD) for document in documents if document.kind is Kind.TENANT)
    cloud = next((cloud for cloud in clouds if cloud in WITHOUT_GROUPS), None)
    if cloud is None:
        return
    for document in documents:
        if document.kind is Kind.TEAMS_POLICY and document.at(*_GROUPS):
            message = (
                f"policies cannot be granted to groups in the cloud `{cloud}`, which the Tenant"
                " document names: grant to users, or tenant-wide"
            )
            yield document.finding(rules.GROUP_CLOUD, _GROUPS, message, key=True)


def _is_global(document: RawDocument) -> bool:
    return document.name is not None and name_key(document.name) == GLOBAL


def _global(document: RawDocument) -> Iterator[Finding]:
    if document.at(*_ENSURE) == "absent":
        message = "the service never deletes Global: to revoke access, declare `applications: []`"
        yield document.finding(rules.GLOBAL_ABSENT, _ENSURE, message)
    if document.has("spec", "grants"):
        message = (
            "Global applies to everyone without a grant and cannot be granted: list its"
            " applications, or grant another policy"
        )
        yield document.finding(rules.GLOBAL_GRANTS, _GRANTS, message, key=True)


def _groups(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    entries = [
        Claim(document, (*_GROUPS, index))
        for document in documents
        for index in range(_length(document.at(*_GROUPS)))
    ]
    groups = [Claim(entry.document, (*entry.steps, "group")) for entry in entries]
    ranks = [Claim(entry.document, (*entry.steps, "rank")) for entry in entries]
    ids = [(claim.value.lower(), claim) for claim in groups if isinstance(claim.value, str)]
    numbers = [(claim.value, claim) for claim in ranks if type(claim.value) is int]
    yield from clashes(
        ((group, claim) for group, claim in ids if group), rules.DUPLICATE_GROUP, _same_group
    )
    yield from clashes(numbers, rules.DUPLICATE_RANK, _same_rank)
    if len(entries) > MOST_GROUPS:
        yield from _too_many(entries)


def _length(value: Json) -> int:
    return len(value) if isinstance(value, list) else 0


def _too_many(entries: list[Claim]) -> Iterator[Finding]:
    """Report every policy with groups: nothing says which of them is one too many."""
    message = (
        f"{len(entries)} groups across all policies, Teams allows at most {MOST_GROUPS}: remove some,"
        " or move their members into fewer groups"
    )
    for document in {entry.document.start: entry.document for entry in entries}.values():
        yield document.finding(rules.TOO_MANY_GROUPS, _GROUPS, message, key=True)


def _same_group(claim: Claim, other: Claim) -> str:
    return (
        f"{short_value(claim.value)} is also granted at {other.position}; a group can have only one policy:"
        " remove one"
    )


def _same_rank(claim: Claim, other: Claim) -> str:
    return (
        f"rank {claim.value} is also used at {other.position}; ranks are unique across the groups of"
        " all policies: choose another rank"
    )


def _labels(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    """One label for two groups, which plans could not tell apart for people."""
    first: dict[str, Claim] = {}
    for document in documents:
        for index in range(_length(document.at(*_GROUPS))):
            claim = Claim(document, (*_GROUPS, index, "label"))
            group = document.at(*_GROUPS, index, "group")
            if not (isinstance(claim.value, str) and isinstance(group, str)):
                continue
            other = first.setdefault(claim.value.casefold(), claim)
            if str(other.document.at(*other.steps[:-1], "group")).lower() != group.lower():
                message = (
                    f"{short_value(claim.value)} is also the label of another group at"
                    f" {other.position}: plans would show both under one name; change one"
                )
                yield document.finding(
                    rules.GROUP_LABEL, claim.steps, message, severity=Severity.WARNING
                )


def _tenant_grants(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    granted = [Claim(document, _TENANT) for document in documents if document.at(*_TENANT) is True]
    granted.sort(key=lambda claim: claim.position)
    yield from clashes(((None, claim) for claim in granted), rules.TWO_TENANT_GRANTS, _both_granted)
    for document in documents:
        if _is_global(document) and (
            document.has("spec", "applications") or document.has("spec", "description")
        ):
            rivals = [claim for claim in granted if claim.document is not document]
            if rivals:
                yield from _both_manage_global(document, rivals[0])


def _both_granted(_: Claim, other: Claim) -> str:
    return f"another policy is also granted tenant-wide at {other.position}: keep one of them"


def _both_manage_global(document: RawDocument, rival: Claim) -> Iterator[Finding]:
    here = Claim(document, _NAME)
    message = (
        f"`Global` is also overwritten by the tenant-wide grant at {rival.position}: keep one of"
        " the two"
    )
    yield document.finding(rules.TENANT_GRANT_AND_GLOBAL, here.steps, message)
    message = (
        f"the tenant-wide grant overwrites `Global`, which is declared at {here.position}: keep"
        " one of the two"
    )
    yield rival.document.finding(rules.TENANT_GRANT_AND_GLOBAL, rival.steps, message)


def _renamed(documents: Sequence[RawDocument]) -> Iterator[Finding]:
    """A policy that is renamed is gone afterwards: nothing else declares it, or takes its place."""
    moved = [
        (name_key(name), Claim(document, _MOVED_FROM))
        for document in documents
        if isinstance(name := document.at(*_MOVED_FROM), str)
    ]
    yield from clashes(moved, rules.RENAMED, _both_renamed)
    declared = {name_key(each.name): each for each in documents if each.name}
    for old, claim in moved:
        message = _not_renamed(claim, old, declared.get(old))
        if message:
            yield claim.document.finding(rules.RENAMED, _MOVED_FROM, message)


def _not_renamed(claim: Claim, old: str, declared: RawDocument | None) -> str | None:
    """Why a policy cannot be renamed like that; None if it can."""
    if declared is claim.document:
        return (
            f"{short_value(claim.value)} is the name of this policy itself (the service ignores case):"
            " remove `movedFrom`"
        )
    if GLOBAL in {old, name_key(claim.document.name or "")}:
        return (
            "Global always exists and cannot be renamed: remove `movedFrom`, and list the applications"
            " of Global in a document of that name"
        )
    if old.startswith(_TAG):
        return f"{short_value(claim.value)} starts with `Tag:`, a prefix of the service: remove the prefix"
    if declared is None:
        return None
    return (
        f"{short_value(claim.value)} is also declared at {declared.position(_NAME)}: `movedFrom` deletes"
        " the policy that it names; remove one of the two"
    )


def _both_renamed(claim: Claim, other: Claim) -> str:
    return (
        f"{short_value(claim.value)} is also renamed at {other.position}; one policy takes the place of"
        " another: keep one `movedFrom`"
    )


def own_name(document: RawDocument, name: str) -> Iterator[Finding]:
    """A name that the service gives a meaning of its own."""
    if name_key(name) == _TEMPLATE:
        message = f"{short_value(name)} is the name of a template of the service: use another name"
        yield document.finding(rules.RESERVED_NAME, _NAME, message)
    elif name_key(name).startswith(_TAG):
        message = (
            f"{short_value(name)} starts with `Tag:`, a prefix of the service: remove the prefix"
        )
        yield document.finding(rules.RESERVED_NAME, _NAME, message)
    elif document.at(*_ENSURE) != "absent":
        yield from _not_queried(document, name)


def _not_queried(document: RawDocument, name: str) -> Iterator[Finding]:
    """A name that only an existing policy can have; separate accents have a rule of their own."""
    limit = policy_name_limit(normalize("NFC", name))
    if limit is not None:
        message = (
            f"{short_value(name)} contains {limit.characters}: the holders of such a policy cannot be"
            f" queried by its name. One that exists can be managed; to create one, use {PLAIN_NAMES}"
        )
        yield document.finding(rules.NAME_NOT_QUERIED, _NAME, message, severity=Severity.WARNING)


def build(
    document: RawDocument, applications: Applications, users: tuple[Listing, ...] | None
) -> TeamsPolicyDocument:
    """The policy of a document without a fault; `users` are those that it lists."""
    spec = document.spec
    grants = spec.get("grants", {})
    return TeamsPolicyDocument(
        name=document.name or "",
        absent="ensure" in spec,
        description=document.description,
        applications=applications.client_ids(spec["applications"])
        if "applications" in spec
        else None,
        tenant="tenant" in grants,
        groups=_group_grants(document, grants["groups"]) if "groups" in grants else None,
        users=users,
        position=document.position(()),
        moved_from=spec.get("movedFrom"),
        limited="tenants" in spec,
    )


def _group_grants(
    document: RawDocument, items: Sequence[Mapping[str, Any]]
) -> tuple[GroupGrant, ...]:
    grants = (
        GroupGrant(
            item["group"].lower(),
            item["rank"],
            item.get("label"),
            document.position(("spec", "grants", "groups", index)),
        )
        for index, item in enumerate(items)
    )
    return tuple(sorted(grants, key=lambda grant: grant.rank))
