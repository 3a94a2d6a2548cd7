"""Rules about Teams policies: Global, ranks, groups, users, the tenant-wide grant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.characters import folded
from reconciler.documents import rules
from reconciler.documents.checks_names import Claim, clashes
from reconciler.documents.shape_messages import shown
from reconciler.documents.trees import json_path
from reconciler.model.addresses import GLOBAL, name_key
from reconciler.model.documents import Kind, Listing
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.drafts import Draft
    from reconciler.documents.trees import Steps

MOST_GROUPS = 64
"""Groups that Teams takes per policy type, over all policies (New-CsGroupPolicyAssignment page)."""

_GRANTS = ("spec", "grants")
_GROUPS: Steps = (*_GRANTS, "groups")
_USERS_FROM: Steps = (*_GRANTS, "usersFrom")
_TENANT: Steps = (*_GRANTS, "tenant")
_ENSURE: Steps = ("spec", "ensure")


class Roster(Struct, frozen=True):
    """The users that one policy lists, from the document and from its file."""

    draft: Draft
    listings: tuple[Listing, ...]


def teams_findings(drafts: Sequence[Draft]) -> Iterator[Finding]:
    """Judge all Teams policies but for their users."""
    policies = [draft for draft in drafts if draft.kind is Kind.TEAMS_POLICY]
    for draft in policies:
        if _is_global(draft):
            yield from _global(draft)
    yield from _groups(policies)
    yield from _tenant_grants(policies)


def user_findings(rosters: Sequence[Roster]) -> Iterator[Finding]:
    """Judge users that are listed more than once.

    Users are compared by text: what one id and one UPN have in common shows later.
    """
    yield from _shared_files(rosters)
    rosters = _each_file_once(rosters)
    keys = [folded(listing.texts) for roster in rosters for listing in roster.listings]
    if len(set().union(*keys)) < sum(map(len, keys)):
        yield from _repeated_users(rosters)


def _shared_files(rosters: Sequence[Roster]) -> Iterator[Finding]:
    """Say once that two policies name the same file, not once for each of its users."""
    claims = [
        (os.path.realpath(listing.file), Claim(roster.draft, _USERS_FROM))
        for roster in rosters
        for listing in roster.listings
        if listing.path == json_path(_USERS_FROM)
    ]
    yield from clashes(claims, rules.TWO_POLICIES, _same_file)


def _each_file_once(rosters: Sequence[Roster]) -> list[Roster]:
    seen: set[str] = set()
    kept = []
    for roster in rosters:
        listings = [
            one
            for one in roster.listings
            if one.path != json_path(_USERS_FROM) or os.path.realpath(one.file) not in seen
        ]
        seen |= {os.path.realpath(one.file) for one in listings}
        kept.append(Roster(roster.draft, tuple(listings)))
    return kept


def _is_global(draft: Draft) -> bool:
    return draft.name is not None and name_key(draft.name) == GLOBAL


def _global(draft: Draft) -> Iterator[Finding]:
    if draft.at(*_ENSURE) == "absent":
        yield draft.finding(
            rules.GLOBAL_ABSENT,
            _ENSURE,
            "the service never deletes Global: declare `applications: []` to revoke",
        )
    if draft.has(*_GRANTS):
        message = (
            "Global holds for everyone without a grant and takes none: list its applications, or"
            " grant another policy"
        )
        yield draft.finding(rules.GLOBAL_GRANTS, _GRANTS, message, key=True)


def _groups(policies: Sequence[Draft]) -> Iterator[Finding]:
    entries = [
        (draft, index, item) for draft in policies for index, item in _items(draft.at(*_GROUPS))
    ]
    claims = [Claim(draft, (*_GROUPS, index)) for draft, index, _ in entries]
    groups = [
        (_key(claim.draft.at(*claim.steps, "group")), Claim(claim.draft, (*claim.steps, "group")))
        for claim in claims
    ]
    ranks = [
        (claim.draft.at(*claim.steps, "rank"), Claim(claim.draft, (*claim.steps, "rank")))
        for claim in claims
    ]
    yield from clashes([each for each in groups if each[0]], rules.DUPLICATE_GROUP, _same_group)
    yield from clashes(
        [each for each in ranks if type(each[0]) is int], rules.DUPLICATE_RANK, _same_rank
    )
    if len(claims) > MOST_GROUPS:
        yield from _too_many(claims)


def _items(value: Json) -> Iterator[tuple[int, Json]]:
    return iter(enumerate(value)) if isinstance(value, list) else iter(())


def _key(group: Json) -> str:
    return group.lower() if isinstance(group, str) else ""


def _too_many(claims: list[Claim]) -> Iterator[Finding]:
    """Every policy with groups is in doubt: which of them is one too many, nobody knows."""
    message = (
        f"{len(claims)} groups in all policies, Teams takes {MOST_GROUPS}: remove some, or gather"
        " their members in fewer groups"
    )
    for draft in {id(claim.draft): claim.draft for claim in claims}.values():
        yield draft.finding(rules.TOO_MANY_GROUPS, _GROUPS, message, key=True)


def _tenant_grants(policies: Sequence[Draft]) -> Iterator[Finding]:
    granted = [Claim(draft, _TENANT) for draft in policies if draft.at(*_TENANT) is True]
    yield from clashes(((None, claim) for claim in granted), rules.TWO_TENANT_GRANTS, _same_tenant)
    managed = [
        draft
        for draft in policies
        if _is_global(draft)
        and (draft.has("spec", "applications") or draft.has("spec", "description"))
    ]
    for draft in managed:
        rival = next(
            (
                claim
                for claim in sorted(granted, key=lambda claim: claim.position)
                if claim.draft is not draft
            ),
            None,
        )
        if rival:
            yield from _both_manage_global(draft, rival)


def _both_manage_global(draft: Draft, rival: Claim) -> Iterator[Finding]:
    here = Claim(draft, ("metadata", "name"))
    there = (
        f"`Global` is also managed by the tenant-wide grant at {rival.position}: keep one of"
        " the two"
    )
    yield draft.finding(rules.TENANT_GRANT_AND_GLOBAL, here.steps, there)
    message = f"the grant writes into `Global`, which {here.position} manages: keep one of the two"
    yield rival.draft.finding(rules.TENANT_GRANT_AND_GLOBAL, rival.steps, message)


def _same_group(claim: Claim, other: Claim) -> str:
    return (
        f"{shown(claim.draft.at(*claim.steps))} is also granted at {other.position}: a group holds"
        " one policy, remove one"
    )


def _same_file(claim: Claim, other: Claim) -> str:
    name = shown(other.draft.name)
    return (
        f"{shown(claim.draft.at(*claim.steps))} also lists the users of {name} at {other.position}:"
        " a user holds one policy, split the file"
    )


def _same_rank(claim: Claim, other: Claim) -> str:
    return (
        f"rank {claim.draft.at(*claim.steps)} is also used at {other.position}: ranks order the"
        " groups of all policies, number them anew"
    )


def _same_tenant(claim: Claim, other: Claim) -> str:
    del claim
    return f"another policy is granted tenant-wide at {other.position}: keep one"


class _Entry(Struct, frozen=True):
    roster: Roster
    listing: Listing
    at: int

    @property
    def position(self) -> Position:
        return Position(
            self.listing.file, self.listing.lines[self.at], self.listing.columns[self.at]
        )

    def finding(self, rule: rules.Rule, message: str) -> Finding:
        path = self.listing.path
        steps = f"{path}[{self.at}]" if path == json_path((*_GRANTS, "users")) else path
        return Finding(self.position, steps, rule.id, message, subject=self.roster.draft.subject)


def _repeated_users(rosters: Sequence[Roster]) -> Iterator[Finding]:
    places: dict[str, list[_Entry]] = {}
    for roster in rosters:
        for listing in roster.listings:
            for index, text in enumerate(listing.texts):
                places.setdefault(text.lower(), []).append(_Entry(roster, listing, index))
    for entries in places.values():
        if len(entries) > 1:
            yield from _user_clash(sorted(entries, key=lambda entry: entry.position))


def _user_clash(entries: list[_Entry]) -> Iterator[Finding]:
    """Within one policy the later place is reported; between policies every place, as both
    documents are in doubt.
    """
    first = entries[0]
    for entry in entries[1:]:
        if entry.roster is first.roster:
            yield entry.finding(rules.DUPLICATE_USER, _twice(entry, first))
    other = next((entry for entry in entries if entry.roster is not first.roster), None)
    if other:
        yield first.finding(rules.TWO_POLICIES, _elsewhere(first, other))
        yield from (
            entry.finding(rules.TWO_POLICIES, _elsewhere(entry, first))
            for entry in entries
            if entry.roster is not first.roster
        )


def _twice(entry: _Entry, first: _Entry) -> str:
    return (
        f"{shown(entry.listing.texts[entry.at])} stands twice, first at {first.position}:"
        " remove one"
    )


def _elsewhere(entry: _Entry, other: _Entry) -> str:
    text = shown(entry.listing.texts[entry.at])
    return (
        f"{text} is also listed for {shown(other.roster.draft.name)} at {other.position}: a user"
        " holds one policy, remove one"
    )
