"""What each change of a plan does to access, from the rows of the access delta."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import GLOBAL, TEAMS_TENANT_GRANT, name_key
from reconciler.model.figures import is_grant
from reconciler.reports.review.value import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.access_rows import AccessDelta, AccessRow
    from reconciler.model.plans import Change

_EVERYONE = (SubjectKind.EVERYONE, "")


class Effects:
    """Effects by what they concern.

    A row of Teams belongs to the grant of its subject, if that changes, else to the policies whose
    lists gain or lose the application, else to the grants of groups. A row of Exchange belongs to
    the application.
    """

    def __init__(self, access: AccessDelta | None, changes: Iterable[Change]) -> None:
        changed = list(changes)
        self._computed = access is not None
        self._granted = {_subject_key(change.address) for change in changed}
        self._listed = set(chain.from_iterable(map(_list_changes, changed)))
        # application -> by direction, whether anybody
        self._exchange: dict[str, set[bool]] = defaultdict(set)
        self._subjects: dict[tuple[SubjectKind, str], set[bool]] = defaultdict(set)
        # (application, policy key, or empty where the row names none) -> directions
        self._lists: dict[tuple[str, str], set[bool]] = defaultdict(set)
        # of people who have a policy of a group, when another group's grant changes
        self._between_groups: set[bool] = set()
        if access is not None:
            for gains, rows in ((True, access.gained), (False, access.lost)):
                for row in rows:
                    self._add(row, gains=gains)

    def _add(self, row: AccessRow, *, gains: bool) -> None:
        if row.provider == "exchange":
            self._exchange[row.application].add(gains)
            return
        subject = (row.subject.kind, row.subject.id.lower())
        if subject in self._granted:
            self._subjects[subject].add(gains)
        elif row.subject.kind is SubjectKind.POLICY_HOLDERS:
            self._lists[row.application, name_key(row.subject.id)].add(gains)
        elif row.subject.kind is SubjectKind.EVERYONE:
            self._lists[row.application, GLOBAL].add(gains)
        elif (gains, row.application) in self._listed:
            self._lists[row.application, ""].add(gains)
        else:
            self._between_groups.add(gains)

    def of_application(self, application: str, possible: frozenset[bool]) -> Effect:
        """What changed Exchange policies of an application do; `possible` are the directions that
        such changes can have at all (True gains).
        """
        return self._effect(self._exchange.get(application, set()) & possible)

    def of_grant(self, change: Change) -> Effect:
        """What the change of a grant does to its subject."""
        subject = _subject_key(change.address)
        directions = self._subjects.get(subject, set())
        if subject[0] in (SubjectKind.GROUP_MEMBERS, SubjectKind.EVERYONE):
            directions = directions | self._between_groups
        return self._effect(directions)

    def of_list(self, policy: str, added: Iterable[str], removed: Iterable[str]) -> Effect:
        """What a longer or shorter list of a Teams policy does to whoever has it."""
        directions = {
            gains
            for gains, applications in ((True, added), (False, removed))
            for application in applications
            for owner in (name_key(policy), "")
            if gains in self._lists.get((application, owner), ())
        }
        return self._effect(directions)

    def _effect(self, directions: set[bool]) -> Effect:
        if not self._computed:
            return Effect.UNKNOWN
        return {
            (False, False): Effect.NONE,
            (True, False): Effect.WIDENS,
            (False, True): Effect.NARROWS,
            (True, True): Effect.MOVES,
        }[True in directions, False in directions]


def joined(effects: Iterable[Effect]) -> Effect:
    """What several changes do together."""
    distinct = set(effects)
    if Effect.UNKNOWN in distinct:
        return Effect.UNKNOWN
    distinct.discard(Effect.NONE)
    if not distinct:
        return Effect.NONE
    return distinct.pop() if len(distinct) == 1 else Effect.MOVES


def _list_changes(change: Change) -> Iterator[tuple[bool, str]]:
    """The applications that the list of a Teams policy gains (True) and loses."""
    if is_grant(change):
        return
    before, after = (applications_of(side) for side in (change.before, change.after))
    yield from ((True, application) for application in after - before)
    yield from ((False, application) for application in before - after)


def applications_of(side: Mapping[str, Json] | None) -> frozenset[str]:
    """The applications of one side of a changed policy; of no policy none."""
    listed = (side or {}).get("applications")
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        return frozenset()
    return frozenset(application for application in listed if isinstance(application, str))


def _subject_key(address: str) -> tuple[SubjectKind, str]:
    """Whom a grant is about, as the rows of the delta name them; of any other address nobody."""
    if address == TEAMS_TENANT_GRANT:
        return _EVERYONE
    _, _, subject = address.lower().partition("teams.grant/")
    kind, _, name = subject.partition(":")
    match kind:
        case "user":
            return SubjectKind.USER, name
        case "group":
            return SubjectKind.GROUP_MEMBERS, name
        case _:
            return SubjectKind.POLICY_HOLDERS, ""
