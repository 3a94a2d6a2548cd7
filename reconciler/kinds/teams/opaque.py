"""What rests on something in Teams that is not understood: an entry of a policy's list, what a user or
a group is granted, a group's place among the others.

An entry may be any application: its list is not edited, and nobody may gain it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from reconciler.kinds.teams.effective_policy import (
    EVERY_GROUP,
    applications,
    fall_through,
    user_partition,
)
from reconciler.model.addresses import GLOBAL, teams_group_grant, teams_policy, teams_user_grant
from reconciler.model.codes import Held
from reconciler.model.observed import OPAQUE, is_opaque
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.model.addresses import Address
    from reconciler.model.observed import Directory, GroupAssignment, TeamsPolicy, TeamsState

_ENTRY: Final = "an entry of AppIds is not a client id (a GUID)"
_NAME: Final = "its name has characters that cannot be told apart, or is blank"
_GRANT: Final = "what is granted is not a policy that can be granted"


def has_opaque(state: TeamsState) -> bool:
    """Whether anything of the Teams side is not understood."""
    granted = {*state.holder_counts, *(row.policy for row in state.groups)}
    listed = any(policy.opaque for policy in state.policies.values())
    named = {*granted, *state.policies}
    return bool(state.opaque_ranks) or listed or any(map(is_opaque, named))


def opaque_notes(
    observed: TeamsState, policies: Collection[str], directory: Directory
) -> Iterator[Note]:
    """Everything that is not understood, with what was read. A policy that is not among these keys
    goes, and its list with it.
    """
    for user, row in directory.opaque.items():
        yield _note(teams_user_grant(user), row.text, row.why)
    for key, policy in observed.policies.items():
        yield from _of_policy(key, policy) if key in policies else ()
    if any(map(is_opaque, observed.holder_counts)):
        grants = {user: key for user, key in observed.users.items() if is_opaque(key)}
        for user, key in sorted(grants.items()):
            yield _note(teams_user_grant(user), key.removeprefix(OPAQUE), _GRANT)
    for assignment in filter(lambda row: is_opaque(row.policy), observed.groups):
        text = assignment.policy.removeprefix(OPAQUE)
        yield _note(teams_group_grant(assignment.group), text, _GRANT)
    yield from (_note(EVERY_GROUP, row.text, row.why) for row in observed.opaque_ranks)


def _of_policy(key: str, policy: TeamsPolicy) -> Iterator[Note]:
    if is_opaque(key):
        yield _note(teams_policy(policy.name), key.removeprefix(OPAQUE), _NAME)
    for entry in sorted(policy.opaque):
        yield _note(teams_policy(policy.name), entry.removeprefix(OPAQUE), _ENTRY)


def _note(address: Address, text: str, why: str) -> Note:
    return Note(Held.NOT_UNDERSTOOD, address, {"text": text, "why": why})


def resting(address: Address, on: Iterable[Address]) -> Note:
    """What the documents say about an object and what is not done."""
    return Note(Held.RESTS_ON_OPAQUE, address, {"on": sorted(set(on))})


def user_gain(state: TeamsState, present: str | None, wanted: str | None) -> tuple[str, ...]:
    """Policies by which a user would newly have something that is not understood, by key.

    Args:
        state: the Teams side with the policies and groups that it shall have.
        present: key of the policy that is granted now, None if none is.
        wanted: key of the one that shall be.
    """
    had = [_entries(state, key) for key in _options(state, present)]
    kept = frozenset.intersection(*had)
    return tuple(key for key in _options(state, wanted) if _entries(state, key) - kept)


def _options(state: TeamsState, key: str | None) -> tuple[str, ...]:
    """What may be effective: the direct grant, or any group's or Global."""
    return (key,) if key is not None else (*(row.policy for row in state.groups), GLOBAL)


def _entries(state: TeamsState, key: str) -> frozenset[str]:
    return frozenset(filter(is_opaque, applications(state, key)))


def opaque_for_groups(
    before: TeamsState, groups: tuple[GroupAssignment, ...], policies: Mapping[str, TeamsPolicy]
) -> tuple[str, ...]:
    """Entries that somebody without a direct grant could newly have if the groups were these."""
    after = replace(before, groups=groups, policies=policies)
    entries = {
        entry for row in (*before.groups, *groups) for entry in _entries(after, row.policy)
    } | _entries(after, GLOBAL)
    return tuple(sorted(entry for entry in entries if _gains(before, after, entry)))


def _gains(before: TeamsState, after: TeamsState, entry: str) -> bool:
    was, shall = (
        user_partition(groups, everyone=everyone)
        for groups, everyone in (fall_through(state, entry) for state in (before, after))
    )
    return bool((shall - was).clauses)
