"""What rests on something in Teams that is not understood: an entry of a policy's list, its name or
description, what a user or a group is granted, whose a grant is, a group's place among the others.

An entry may be any application: its list is not edited, and nobody may gain it. A policy without a
name may have any that no other has, a grant without a user may be of anybody without another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from reconciler.kinds.capture_rows import DAMAGED
from reconciler.kinds.teams.effective_policy import (
    EVERY_GROUP,
    applications,
    fall_through,
    user_partition,
)
from reconciler.kinds.teams.parse import is_untold
from reconciler.model.addresses import GLOBAL, teams_group_grant, teams_policy, teams_user_grant
from reconciler.model.codes import Held
from reconciler.model.observed import OPAQUE, is_nameless, is_opaque
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.model.addresses import Address
    from reconciler.model.desired import DesiredTeams
    from reconciler.model.observed import Directory, GroupAssignment, TeamsPolicy, TeamsState

_ENTRY: Final = (
    "an entry of AppIds is not a client id (a GUID), or the policy was read more than once"
)
_NAME: Final = "its name has characters that cannot be told apart, or is blank"
_NO_NAME: Final = "it was read without a name, so which policy it is is not known"
_DESCRIPTION: Final = "its description is not a string"
_GRANT: Final = "what is granted is not a policy that can be granted"
_GRANT_OF_NAMELESS: Final = (
    "what is granted is not a policy that can be granted, or may be the one that was read without a"
    " name"
)
_DAMAGED: Final = (
    "its name contains U+FFFD: it was damaged in transit, or has half a character, so which policy it"
    " is is not known; rename it in the tenant"
)
_UNTOLD: Final = (
    "the row does not say which policy is granted, so the user may have any, or none: what a plan"
    " gives to the holders of a policy, or to everyone without a grant, may reach this user too"
)
_USER: Final = "the user's Identity is not an object id (a GUID), so whose grant it is is not known"


def has_opaque(state: TeamsState) -> bool:
    """Whether anything of the Teams side is not understood."""
    granted = {*state.holder_counts, *(row.policy for row in state.groups)}
    listed = any(policy.opaque or policy.odd_description for policy in state.policies.values())
    named = {*granted, *state.policies}
    odd = bool(state.opaque_ranks) or bool(state.unidentified)
    return odd or listed or any(map(is_opaque, named))


def opaque_notes(
    observed: TeamsState, policies: Collection[str], directory: Directory
) -> Iterator[Note]:
    """Everything that is not understood, with what was read. A policy that is not among these keys
    goes, and its list with it.
    """
    for user, row in directory.opaque.items():
        yield _note(teams_user_grant(user), row.text, row.why)
    for group, row in directory.odd_groups.items():
        yield _note(teams_group_grant(group), row.text, row.why)
    for key, policy in observed.policies.items():
        yield from _of_policy(key, policy) if key in policies else ()
    for user in sorted(observed.unidentified):
        yield _note(teams_user_grant(user), user.removeprefix(OPAQUE), _USER)
    grant = _GRANT_OF_NAMELESS if observed.nameless else _GRANT
    if any(map(is_opaque, observed.holder_counts)):
        grants = {user: key for user, key in observed.users.items() if is_opaque(key)}
        for user, key in sorted(grants.items()):
            why = _UNTOLD if is_untold(key) else grant
            yield _note(teams_user_grant(user), key.removeprefix(OPAQUE), why)
    for assignment in filter(lambda row: is_opaque(row.policy), observed.groups):
        text = assignment.policy.removeprefix(OPAQUE)
        yield _note(teams_group_grant(assignment.group), text, grant)
    yield from (_note(EVERY_GROUP, row.text, row.why) for row in observed.opaque_ranks)


def _of_policy(key: str, policy: TeamsPolicy) -> Iterator[Note]:
    if is_opaque(key):
        yield _note(teams_policy(policy.name), key.removeprefix(OPAQUE), _flaw_of_name(key))
    if policy.odd_description and f"{OPAQUE}{policy.odd_description}" not in policy.opaque:
        yield _note(teams_policy(policy.name), policy.odd_description, _DESCRIPTION)
    for entry in sorted(policy.opaque):
        yield _note(teams_policy(policy.name), entry.removeprefix(OPAQUE), _ENTRY)


def _flaw_of_name(key: str) -> str:
    """Why the name of a policy is not understood, by its opaque key."""
    if not is_nameless(key):
        return _NAME
    return _DAMAGED if ascii(DAMAGED)[1:-1] in key else _NO_NAME


def _note(address: Address, text: str, why: str) -> Note:
    return Note(Held.NOT_UNDERSTOOD, address, {"text": text, "why": why})


def resting(address: Address, on: Iterable[Address]) -> Note:
    """What the documents say about an object and what is not done."""
    return Note(Held.RESTS_ON_OPAQUE, address, {"on": sorted(set(on))})


def keepers(
    observed: TeamsState, desired: DesiredTeams, directory: Directory, key: str
) -> list[Address]:
    """Grants of a declared policy, by its key, that stay because of what is not understood, although
    the documents take them away, or may do so.
    """
    none = None if desired.policies[key].owns_users else key
    users = {
        user
        for user in directory.opaque
        if observed.users.get(user) == key and desired.users.get(user, none) != key
    }
    users |= {user for user, policy in observed.unidentified.items() if policy == key}
    return [teams_user_grant(user) for user in sorted(users)]


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


def may_take_from(
    before: TeamsState, policies: Mapping[str, TeamsPolicy], owned: Collection[str], wanted: str
) -> tuple[str, ...]:
    """Grants whose holder is unknown and that a first grant to somebody may replace, as
    users' keys, where that could harm: the policy is one whose grants no document owns, or the
    list of the granted one gets shorter on the way.

    Args:
        before: the Teams side as it was read.
        policies: the policies that it shall have, by key.
        owned: keys of policies whose direct grants the documents are the whole truth about.
        wanted: key of the policy that is granted.
    """
    was, shall = before.policies.get(wanted), policies[wanted]
    is_shorter = was is not None and bool(was.applications.keys() - shall.applications.keys())
    return tuple(
        user for user, key in before.unidentified.items() if is_shorter or key not in owned
    )


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
