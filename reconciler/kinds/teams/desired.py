"""Teams documents and a directory -> desired state with object ids, and the faults that show only
then.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.characters import folded
from reconciler.guids import GUID
from reconciler.kinds.near_addresses import near_addresses
from reconciler.kinds.teams.facts import GROUP_TYPES
from reconciler.kinds.teams.renamed import MOST_ALIKE, guesses
from reconciler.model.addresses import name_key, teams_group_grant, teams_user_grant
from reconciler.model.codes import Unfound
from reconciler.model.desired import DesiredTeams, DesiredTeamsPolicy, Unresolved
from reconciler.model.documents import Kind
from reconciler.model.findings import Finding, Position
from reconciler.model.observed import is_opaque

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.documents import GroupGrant, Listing, TeamsPolicyDocument
    from reconciler.model.observed import Directory

GROUP_TWICE = "group.duplicate"
LISTED_TWICE = "user.duplicate"
IN_TWO_POLICIES = "user.two-policies"
"""Rule ids of a group or user that turns out to be listed twice once names are ids; the rules of the
documents room, seen later.
"""

_GROUPS_PATH = "$.spec.grants.groups"

_LEFT_OUT = frozenset({Unfound.USER_ABSENT, Unfound.USER_UNCLEAR})
_GROUPS_LEFT_OUT = frozenset({Unfound.GROUP_ABSENT, Unfound.GROUP_UNCLEAR})


def resolve(
    documents: Sequence[TeamsPolicyDocument],
    directory: Directory,
    holders: Mapping[str, str],
    *,
    refuse_absent: bool = False,
    quarantined: frozenset[str] = frozenset(),
) -> tuple[DesiredTeams, tuple[Finding, ...]]:
    """Resolve the names of all Teams documents.

    Args:
        documents: validated documents.
        directory: what the capture knows; matching ignores case.
        holders: users with a direct grant in the tenant: an id among them exists, whoever looked
            for it.
        refuse_absent: a user who was looked for and is not there stops the plan; the plan goes on
            without such a row otherwise.
        quarantined: applications that shall be in no list.

    Returns:
        The desired state, and one finding for each user who is listed twice under two names.
    """
    reading = _Reading(directory, holders)
    reading.read(
        [(document, listing) for document in documents for listing in document.users or ()]
    )
    groups = _Groups(directory)
    groups.read(documents)
    moved = _moved(documents)
    unresolved = [
        *_with_guesses(reading, holders, directory, moved, refuse_absent=refuse_absent),
        *groups.unresolved,
    ]
    desired = DesiredTeams(
        policies=_policies(documents),
        groups=groups.granted,
        users=reading.users,
        tenant_grant=_tenant_grant(documents),
        unresolved=tuple(sorted(unresolved, key=lambda name: (name.address, name.policy))),
        not_looked_for=frozenset(reading.not_looked_for),
        moved=moved,
        quarantined=quarantined,
    )
    return desired, tuple(sorted((*reading.findings, *groups.findings)))


def _policies(documents: Sequence[TeamsPolicyDocument]) -> dict[str, DesiredTeamsPolicy]:
    """Policies by key; one that another takes the place of, too, unless it is declared itself."""
    old = {
        name_key(document.moved_from): _old(document, document.moved_from)
        for document in documents
        if document.moved_from is not None
    }
    return {**old, **{name_key(document.name): _policy(document) for document in documents}}


def _tenant_grant(documents: Sequence[TeamsPolicyDocument]) -> str | None:
    """The key of the policy that the whole tenant shall have."""
    return next((name_key(document.name) for document in documents if document.tenant), None)


def _policy(document: TeamsPolicyDocument) -> DesiredTeamsPolicy:
    return DesiredTeamsPolicy(
        name=document.name,
        absent=document.absent,
        description=document.description,
        applications=None if document.applications is None else frozenset(document.applications),
        owns_users=document.absent or document.users is not None,
        owns_groups=document.absent or document.groups is not None,
    )


def _moved(documents: Sequence[TeamsPolicyDocument]) -> dict[str, str]:
    """Keys of policies that take another's place, with the other's; one that is declared stays."""
    declared = {name_key(document.name) for document in documents}
    return {
        name_key(document.name): name_key(document.moved_from)
        for document in documents
        if document.moved_from is not None and name_key(document.moved_from) not in declared
    }


def _old(document: TeamsPolicyDocument, name: str) -> DesiredTeamsPolicy:
    """A policy that is renamed: it goes, and the document is as much of a truth about its grants as
    about those of the new one.
    """
    return replace(_policy(document), name=name, absent=True, description=None, applications=None)


class _Groups:
    """Grants of groups become object ids in the order of their ranks."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._places: dict[str, GroupGrant] = {}
        self._granted: list[tuple[str, str]] = []
        self.unresolved: list[Unresolved] = []
        self.findings: list[Finding] = []

    @property
    def granted(self) -> tuple[tuple[str, str], ...]:
        """Ids of groups and keys of policies, in declared order."""
        return tuple(self._granted)

    def read(self, documents: Sequence[TeamsPolicyDocument]) -> None:
        """Resolve the groups of all documents."""
        grants = (
            (grant.rank, grant.group, document.name, grant)
            for document in documents
            for grant in document.groups or ()
        )
        for _, name, policy, grant in sorted(grants, key=itemgetter(0, 1, 2)):
            group = group_id(self._directory, name)
            if isinstance(group, Unfound):
                left_out = group in _GROUPS_LEFT_OUT
                unresolved = Unresolved(
                    teams_group_grant(name),
                    name,
                    group,
                    policy,
                    may_be=self._may_be(name),
                    left_out=left_out,
                )
                self.unresolved.append(unresolved)
            elif group in self._places:
                self._twice(policy, grant, group)
            else:
                self._places[group] = grant
                self._granted.append((group, name_key(policy)))

    def _may_be(self, name: str) -> tuple[str, ...]:
        unclear = self._directory.unclear.get(name)
        if unclear or name in self._directory.recipients_by_address:
            return unclear or ()
        return near_addresses(name, self._directory)

    def _twice(self, policy: str, grant: GroupGrant, group: str) -> None:
        first = self._places[group]
        message = (
            f"{grant.group!r} is group {group}, which is already granted at {first.position} as"
            f" {first.group!r}; a group can have only one policy: keep one"
        )
        subject = f"{Kind.TEAMS_POLICY}/{policy}"
        self.findings.append(
            Finding(grant.position, _GROUPS_PATH, GROUP_TWICE, message, subject=subject)
        )


def group_id(directory: Directory, name: str) -> str | Unfound:
    """The object id of a group that a document names by id or SMTP address, in lower case.

    Policies are assigned to security, Microsoft 365 and distribution groups; a dynamic distribution
    group has no members in Entra (MicrosoftDocs Assign policies to users and groups).
    """
    if GUID.fullmatch(name):
        return name
    if name in directory.unclear:
        return Unfound.GROUP_UNCLEAR
    recipient = directory.recipients.get(directory.recipients_by_address.get(name, ""))
    if recipient is None:
        return Unfound.GROUP_ABSENT if name in directory.absent else Unfound.GROUP_UNKNOWN
    if not recipient.type and recipient.id in directory.odd_recipients:
        return Unfound.GROUP_UNCLEAR
    return recipient.id if recipient.type in GROUP_TYPES else Unfound.GROUP_NOT_GROUP


def _with_guesses(
    reading: _Reading,
    holders: Mapping[str, str],
    directory: Directory,
    moved: Mapping[str, str],
    *,
    refuse_absent: bool,
) -> list[Unresolved]:
    """Who a user principal name that leads to nobody may be: somebody whose name is alike; else
    somebody who holds the policy and is not listed, renamed since.
    """
    if not reading.unresolved:
        return []
    successors = {old: new for new, old in moved.items()}
    unlisted: dict[str, list[str]] = defaultdict(list)
    for user in sorted(holders.keys() - reading.users.keys()):
        if not is_opaque(user):
            unlisted[successors.get(holders[user], holders[user])].append(user)
    others = sorted(directory.users.keys() - reading.users.keys())
    guessed = []
    for name in reading.unresolved:
        left_out = name.reason in _LEFT_OUT and not refuse_absent
        may_be = name.may_be
        if not may_be and not GUID.fullmatch(name.text):
            few = others if len(reading.unresolved) <= MOST_ALIKE else ()
            may_be = guesses(name.text, few, directory)
            may_be = may_be or tuple(unlisted[name_key(name.policy)][:MOST_ALIKE])
        guessed.append(replace(name, may_be=may_be, left_out=left_out))
    return guessed


class _Reading:
    """Listings become one mapping of ids.

    There may be 100,000 names: they are looked up as a whole, and one by one only where they must
    be.
    """

    def __init__(self, directory: Directory, holders: Mapping[str, str]) -> None:
        self._directory = directory
        self._holders = holders
        self._listings: list[Listing] = []
        self._places: dict[str, tuple[Listing, int]] = {}
        self.users: dict[str, str] = {}
        self.unresolved: list[Unresolved] = []
        self.not_looked_for: set[str] = set()
        self.findings: list[Finding] = []

    def read(self, listings: Sequence[tuple[TeamsPolicyDocument, Listing]]) -> None:
        whole: dict[str, str] = {}
        for document, listing in listings:
            whole.update(zip(folded(listing.texts), repeat(name_key(document.name)), strict=False))
        if (
            len(whole) == sum(len(listing.texts) for _, listing in listings)
            and whole.keys() <= self._directory.users.keys()
        ):
            self.users = whole
            return
        for document, listing in listings:
            self._read(document, listing)

    def _read(self, document: TeamsPolicyDocument, listing: Listing) -> None:
        policy = name_key(document.name)
        self._listings.append(listing)
        for index, name in enumerate(folded(listing.texts)):
            user = self._user(name, document.name)
            if user in self.users:
                self._twice(document, listing, index, user)
            elif user is not None:
                self.users[user] = policy

    def _user(self, name: str, policy: str) -> str | None:
        """The id of a user, or None and an unresolved entry: a name that is one user's principal
        name and another's mailbox address could mean either.
        """
        if unclear := self._directory.unclear.get(name):
            reason = Unfound.USER_UNCLEAR
            self.unresolved.append(
                Unresolved(teams_user_grant(name), name, reason, policy, may_be=unclear)
            )
            return None
        if meanings := self._directory.two_meanings(name):
            reason = Unfound.USER_AMBIGUOUS
            self.unresolved.append(
                Unresolved(teams_user_grant(name), name, reason, policy, may_be=meanings)
            )
            return None
        return self._known(name) or self._beyond_directory(name, policy)

    def _known(self, name: str) -> str | None:
        return name if name in self._directory.users else self._directory.users_by_upn.get(name)

    def _beyond_directory(self, name: str, policy: str) -> str | None:
        """The id of a name that the directory does not hold, or None and an unresolved entry.

        A grant that exists stays, also that of a user who is gone: nothing has to be written for it.
        """
        absent = name in self._directory.absent
        stands = self._holders.get(name) == name_key(policy)
        if GUID.fullmatch(name) and (stands or not absent):
            if name not in self._holders:
                self.not_looked_for.add(name)
            return name
        reason = Unfound.USER_ABSENT if absent else Unfound.USER_UNKNOWN
        self.unresolved.append(Unresolved(teams_user_grant(name), name, reason, policy))
        return None

    def _first(self, user: str) -> tuple[Listing, int]:
        """Where a user is listed first.

        The places are gathered only once somebody is listed twice.
        """
        for listing in self._listings:
            for index, text in enumerate(listing.texts):
                name = text.lower()
                self._places.setdefault(self._known(name) or name, (listing, index))
        self._listings.clear()
        return self._places[user]

    def _twice(
        self, document: TeamsPolicyDocument, listing: Listing, index: int, user: str
    ) -> None:
        first, at = self._first(user)
        message = (
            f"{listing.texts[index]!r} is user {user}, who is already listed at"
            f" {first.file}:{first.lines[at]} as {first.texts[at]!r}; keep one"
        )
        position = Position(listing.file, listing.lines[index], listing.columns[index])
        subject = f"{Kind.TEAMS_POLICY}/{document.name}"
        rule = LISTED_TWICE if self.users[user] == name_key(document.name) else IN_TWO_POLICIES
        self.findings.append(
            Finding(position, f"{listing.path}[{index}]", rule, message, subject=subject)
        )
