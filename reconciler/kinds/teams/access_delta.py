"""What a transition of the Teams side changes: by the users whose direct grant changes, by policy
for all other holders, by group for the rest.

What is lost is what the way back gains, so one direction is enough. The cost is one pass over the
direct grants and then what has changed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.audiences.clauses import Audience, Clause, audience
from reconciler.audiences.rows import People, rows
from reconciler.audiences.subjects import Delta, merged, sizes
from reconciler.kinds.teams.effective_policy import (
    applications,
    fall_through,
    policy_address,
    understood,
    user_partition,
)
from reconciler.kinds.teams.groups import group_coverage
from reconciler.kinds.teams.holders import differing, staying
from reconciler.model.access_rows import (
    AccessRow,
    Certainty,
    Subject,
    SubjectKind,
    SubjectPart,
    TenantWideRow,
)
from reconciler.model.addresses import GLOBAL
from reconciler.model.observed import is_opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from reconciler.audiences.membership import Coverage
    from reconciler.model.observed import Directory, TeamsState

NAMED_ONE_BY_ONE = 50
"""Users who get a policy together are one row from more than so many on, if nobody else holds the
policy.
"""

Options = tuple[str, ...]
"""Keys of the policies that may be effective for a user: one, or several that depend on groups of
unknown membership.
"""


class Transition(Struct, frozen=True):
    """Two states and what both directions need of them.

    Attributes:
        before: The Teams side.
        after: The Teams side afterwards.
        changed: Users whose direct grant differs.
        staying: How many users hold a policy directly, before and after, by its key.
        members: Who is in a group.
        people: The users who hold no policy directly, neither before nor after, by group: for all
            others the groups do not count.
    """

    before: TeamsState
    after: TeamsState
    changed: frozenset[str]
    staying: Mapping[str, int]
    members: Callable[[str], Coverage]
    people: People

    def back(self) -> Transition:
        """The way back."""
        return replace(self, before=self.after, after=self.before)


def transition(
    before: TeamsState,
    after: TeamsState,
    directory: Directory,
    changed: Collection[str] | None = None,
) -> Transition:
    """Compare two states; the one place that looks at every direct grant, unless `changed` says
    which of them differ.
    """
    if changed is None:
        changed = {
            *differing(before.users, after.users),
            *(user for user in after.users if user not in before.users),
        }
    members = group_coverage(directory)
    return Transition(
        before,
        after,
        frozenset(changed),
        staying(before, changed),
        members,
        _people(before, after, members),
    )


def delta(way: Transition) -> Delta:
    """What users gain and lose, and which applications come to reach everyone without a grant."""
    gained, lost = merged(_gains(way)), merged(_gains(way.back()))
    known_sizes = sizes("gained", gained, _Sizes(way).of) | sizes(
        "lost", lost, _Sizes(way.back()).of
    )
    return Delta(gained, lost, tuple(_tenant_wide(way)), known_sizes)


def reduced(way: Transition) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Grants that take applications away: by key of the granted policy the users who lose some; by
    group the applications that its members lose.
    """
    users: dict[str, list[str]] = defaultdict(list)
    lost = _Memory(way.back())
    for user in sorted(way.changed & way.after.users.keys()):
        if any(lost.of(user)):
            users[way.after.users[user]].append(user)
    return dict(users), {group: lost for group, lost in _lost_by_members(way) if lost}


def _lost_by_members(way: Transition) -> Iterator[tuple[str, list[str]]]:
    """Groups whose grant is new or names another policy, and what their members had and do not get
    from it.
    """
    present = set(way.before.groups)
    above: frozenset[str] = frozenset()
    for assignment in way.after.groups:
        if assignment not in present:
            members = Audience(frozenset({Clause(frozenset({assignment.group}), above)}))
            missing = sorted(_fallen_to(way.before) - applications(way.after, assignment.policy))
            yield (
                assignment.group,
                [
                    each
                    for each in missing
                    if any(rows(each, _granted(way.before, each) & members, way.people))
                ],
            )
        above |= {assignment.group}


def _granted(state: TeamsState, application: str) -> Audience:
    groups, everyone = fall_through(state, application)
    return user_partition(groups, everyone=everyone).granted


class _Sizes:
    """How many hold a policy after a transition, and how many known members of a group hold none
    directly.
    """

    def __init__(self, way: Transition) -> None:
        holders = Counter(
            way.after.users[user] for user in way.changed if user in way.after.users
        ) + Counter(way.staying)
        self._holders = {policy_name(way.after, policy): count for policy, count in holders.items()}
        self._people = way.people

    def of(self, part: SubjectPart) -> int | None:
        """The size of a group or of a policy's holders; None if it is not known."""
        if part.kind is SubjectKind.POLICY_HOLDERS:
            return self._holders.get(part.id)
        coverage = self._people.members(part.id)
        return len(coverage.inside) if coverage.closed else None


def policy_name(state: TeamsState, policy: str) -> str:
    """A policy's name as the service spells it."""
    return policy_address(state, policy).partition("/")[2]


def _gains(way: Transition) -> Iterator[AccessRow]:
    yield from _of_changed_users(way)
    yield from _of_groups(way)


class _Memory:
    """What users gain whose direct grant changes; computed once for all who go the same way."""

    def __init__(self, way: Transition) -> None:
        self._way = way
        self._found: dict[tuple[Options, Options], tuple[frozenset[str], frozenset[str]]] = {}

    def of(self, user: str) -> tuple[frozenset[str], frozenset[str]]:
        """Applications that a user gains certainly, and possibly."""
        way = self._way
        options = (_options(way.before, user, way.members), _options(way.after, user, way.members))
        if options not in self._found:
            self._found[options] = self._gain(*options)
        return self._found[options]

    def _gain(self, before: Options, after: Options) -> tuple[frozenset[str], frozenset[str]]:
        old = [applications(self._way.before, policy) for policy in before]
        new = [understood(self._way.after, policy) for policy in after]
        certain = frozenset.intersection(*new).difference(*old)
        if any(map(is_opaque, frozenset.union(*old))):
            certain = frozenset()
        return certain, frozenset.union(*new) - frozenset.intersection(*old) - certain


def _options(state: TeamsState, user: str, members: Callable[[str], Coverage]) -> Options:
    if user in state.users:
        return (state.users[user],)
    options: dict[str, None] = dict.fromkeys(state.unidentified.values())
    is_member = False
    for assignment in state.groups:
        covers = members(assignment.group).covers(user)
        if covers is not False:
            options[assignment.policy] = None
        is_member |= covers is True
        if covers and not state.opaque_ranks:
            break
    return tuple(options) if is_member else (*options, GLOBAL)


def _of_changed_users(way: Transition) -> Iterator[AccessRow]:
    """Users whose direct grant changes, and the holders of policies whose list grows."""
    joined: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    memory = _Memory(way)
    for user in way.changed:
        certain, possible = memory.of(user)
        yield from (
            _row(application, Subject(SubjectKind.USER, user), Certainty.POSSIBLE)
            for application in possible
        )
        if user in way.after.users:
            joined[way.after.users[user]][user] = certain
        else:
            yield from _user(user, certain)
    for policy in joined.keys() | way.staying.keys():
        yield from _holders(way, policy, joined.get(policy, {}))


def _row(application: str, subject: Subject, certainty: Certainty) -> AccessRow:
    return AccessRow(application, subject, certainty, "teams")


def _user(user: str, gained: frozenset[str]) -> Iterator[AccessRow]:
    return (
        _row(application, Subject(SubjectKind.USER, user), Certainty.CERTAIN)
        for application in gained
    )


def _holders(
    way: Transition, policy: str, joined: Mapping[str, frozenset[str]]
) -> Iterator[AccessRow]:
    """Those who hold a policy afterwards: all of them in one row where its other holders gain too,
    or where it has none.
    """
    grown = (
        understood(way.after, policy) - understood(way.before, policy)
        if way.staying.get(policy)
        else frozenset()
    )
    gaining = Counter(application for gained in joined.values() for application in gained)
    together = set(grown)
    if not way.staying.get(policy):
        together |= {
            option
            for option, users in gaining.items()
            if users > NAMED_ONE_BY_ONE and len(joined) - users < users
        }
    for application in together:
        excepted = tuple(
            SubjectPart(SubjectKind.USER, user)
            for user in sorted(joined)
            if application not in joined[user]
        )
        yield _row(
            application,
            Subject(SubjectKind.POLICY_HOLDERS, policy_name(way.after, policy), excepted),
            Certainty.CERTAIN,
        )
    for user, gained in joined.items():
        yield from _user(user, gained - together)


def _of_groups(way: Transition) -> Iterator[AccessRow]:
    """Users who hold no policy directly, neither before nor after: by group, and everyone else.
    Where something is not understood that their access may come from, nothing is certain.
    """
    everything = {key for state in (way.before, way.after) for key in _all_fallen_to(state)}
    odd_rows = bool(way.before.opaque_ranks) or bool(way.before.unidentified)
    doubtful = odd_rows or any(map(is_opaque, everything))
    for application in sorted(_fallen_to(way.before) | _fallen_to(way.after)):
        before, after = fall_through(way.before, application), fall_through(way.after, application)
        if before != after:
            gained = (
                _gained_in_any_order(way, application)
                if way.before.opaque_ranks
                else user_partition(after[0], everyone=after[1])
                - user_partition(before[0], everyone=before[1])
            )
            for row in rows(application, gained, way.people):
                yield replace(row, certainty=Certainty.POSSIBLE) if doubtful else row


def _gained_in_any_order(way: Transition, application: str) -> Audience:
    """Whom an application may newly reach where the order of the groups is unknown, whose grants
    do not change: members of each group whose list grows, and everyone if Global's does.
    """

    def grows(policy: str) -> bool:
        return application in applications(way.after, policy) - applications(way.before, policy)

    grown = [row.group for row in way.after.groups if grows(row.policy)]
    everyone = [Clause()] if grows(GLOBAL) else []
    return audience([*(Clause(frozenset({group})) for group in grown), *everyone])


def _fallen_to(state: TeamsState) -> set[str]:
    """Applications that some user without a direct grant may have, as far as they are understood."""
    return {key for key in _all_fallen_to(state) if not is_opaque(key)}


def _all_fallen_to(state: TeamsState) -> set[str]:
    return {
        application
        for policy in {GLOBAL, *(assignment.policy for assignment in state.groups)}
        for application in applications(state, policy)
    }


def _people(before: TeamsState, after: TeamsState, members: Callable[[str], Coverage]) -> People:
    def without_holders(group: str) -> Coverage:
        coverage = members(group)
        return replace(
            coverage,
            inside=frozenset(
                user
                for user in coverage.inside
                if user not in before.users and user not in after.users
            ),
        )

    coverages = {
        assignment.group: without_holders(assignment.group)
        for assignment in (*before.groups, *after.groups)
    }
    return People(coverages.__getitem__, SubjectKind.USER, "teams", single=lambda _: False)


def _tenant_wide(way: Transition) -> Iterator[TenantWideRow]:
    """Applications that enter Global: they reach everyone without a policy of their own, whoever
    joins the tenant next.
    """
    for application in sorted(understood(way.after, GLOBAL) - understood(way.before, GLOBAL)):
        groups = [
            SubjectPart(SubjectKind.GROUP_MEMBERS, group)
            for group, listed in fall_through(way.after, application)[0]
            if not listed
        ]
        yield TenantWideRow(
            application,
            Subject(SubjectKind.EVERYONE, "", tuple(sorted(groups))),
            Certainty.CERTAIN,
            "teams",
            was=tuple(sorted(_reached(way.before, application))),
        )


def _reached(state: TeamsState, application: str) -> Iterator[Subject]:
    """Whom an application reaches through something else than Global."""
    for policy in state.holder_counts:
        if application in applications(state, policy):
            yield Subject(SubjectKind.POLICY_HOLDERS, policy_name(state, policy))
    yield from (
        Subject(SubjectKind.GROUP_MEMBERS, group)
        for group, listed in fall_through(state, application)[0]
        if listed
    )
