"""What the effective assignment of a user proves about groups whose members nobody has read.

`Get-CsUserPolicyAssignment` tells the policy that is effective for one user, and the sources that it
comes from; no object means that Global is. The strongest group that holds a policy decides, so the
answer says of which group the user is a direct member, and that of no stronger one which holds
another policy (MicrosoftDocs Get-CsUserPolicyAssignment, New-CsGroupPolicyAssignment). Nothing else
is taken from it: not which policy is effective, so that it goes on holding while a plan changes
policies, grants and ranks, none of which changes who is in a group.

What the service has not noticed yet, the answer does not tell: it can take a day and more until a
grant of a group reaches its members. So of a group whose grant is younger than `SETTLED`, or of
unknown age, it proves no absence; a grant that was changed or taken away meanwhile shows as a
contradiction. Who joined or left a group lately may be told as before, as by any reading.

An answer that contradicts the grants that were read, or that is not understood, proves nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from reconciler.guids import guid
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import as_list, shown
from reconciler.kinds.teams.groups import group_coverage
from reconciler.kinds.teams.parse import POLICY_TYPE, bare_name
from reconciler.model.addresses import name_key
from reconciler.model.observed import EffectiveAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.model.observed import Directory, TeamsState

DIRECT: Final = "direct"
GROUP: Final = "group"
SETTLED: Final = timedelta(days=2)
"""Age from which on a grant of a group has reached its members: 24 hours "or more" for large groups
(New-CsGroupPolicyAssignment page), and times without a zone may be off by some hours.
"""


class _DoubtError(Exception):
    """Why nothing can be taken from an answer, as a clause."""

    contradicts = False


class _ContradictionError(_DoubtError):
    """It is understood, and does not agree with what else was read."""

    contradicts = True


def effective_answers(
    section: Mapping[str, Any], state: TeamsState, directory: Directory
) -> dict[str, EffectiveAnswer]:
    """What the answers of a capture prove, by user; of what the directory knows, nothing.

    Args:
        section: the `teams` part of a capture, whose `effective` has the answers.
        state: the grants of the same capture.
        directory: who is in groups, as far as that was read.
    """
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for entry in as_list(section.get("effective"), "", FaultList()):
        # Without an id, the user that an answer is about is unknown.
        if isinstance(entry, dict) and (user := guid(entry.get("user"))) is not None:
            entries.setdefault(user, []).append(entry)
    grants = as_list(section.get("groupAssignments"), "", FaultList())
    answers = (
        (user, _answer(user, own, state, directory, grants)) for user, own in entries.items()
    )
    return dict(sorted((user, answer) for user, answer in answers if answer is not None))


def _answer(
    user: str,
    entries: Sequence[Mapping[str, Any]],
    state: TeamsState,
    directory: Directory,
    grants: Sequence[Any],
) -> EffectiveAnswer | None:
    """What the answer about one user proves; None if nothing that was not known."""
    taken_at = str(entries[0].get("taken_at", ""))
    try:
        proved = _only_proof(user, entries, state)
        settled = _settled(grants, taken_at)
        believed = {
            group: is_member for group, is_member in proved.items() if is_member or group in settled
        }
        members = _unknown_only(believed, user, directory)
    except _DoubtError as doubt:
        return EffectiveAnswer(taken_at, {}, str(doubt), contradicts=doubt.contradicts)
    return EffectiveAnswer(taken_at, members) if members else None


def membership(directory: Directory, user: str) -> Callable[[str], bool | None]:
    """Whether a user is a direct member of a group, by both object ids: as the directory says, else
    as the user's effective assignment proves; None is not known.
    """
    groups = group_coverage(directory)
    answer = directory.effective.get(user)
    proved: Mapping[str, bool] = {} if answer is None else answer.members

    def member(group: str) -> bool | None:
        covered = groups(group).covers(user)
        return proved.get(group) if covered is None else covered

    return member


def _settled(grants: Sequence[Any], taken_at: str) -> frozenset[str]:
    """Groups whose grants are old enough at a time that the service knows of them everywhere."""
    now = _time(taken_at)
    return frozenset(
        group
        for row in grants
        if isinstance(row, dict)
        and (group := guid(row.get("GroupId"))) is not None
        and now is not None
        and (created := _time(row.get("CreatedTime"))) is not None
        and created + SETTLED <= now
    )


def _time(text: Any) -> datetime | None:
    """A time of the service; without a zone it is taken for UTC. None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _only_proof(
    user: str, entries: Sequence[Mapping[str, Any]], state: TeamsState
) -> dict[str, bool]:
    if len(entries) > 1:
        raise _DoubtError("there are several answers")
    return _proved(entries[0], user, state)


def _proved(entry: Mapping[str, Any], user: str, state: TeamsState) -> dict[str, bool]:
    if entry.get("trouble"):
        raise _DoubtError(str(entry["trouble"]))
    if state.opaque_ranks or state.unidentified or state.nameless:
        raise _DoubtError("some of the grants that were read are not understood")
    row = _row(entry)
    granted = state.users.get(user)
    if row is None:
        if granted is not None:
            raise _ContradictionError(
                "it has no policy, but the grants that were read have a direct one"
            )
        return dict.fromkeys((each.group for each in state.groups), False)
    policy, groups, has_direct = _sources(row)
    if has_direct or granted is not None:
        if not (has_direct and granted == policy):
            raise _ContradictionError(_contradiction("a direct grant", row))
        return {}
    return _of_groups(policy, groups, state, row)


def _of_groups(
    policy: str, groups: Mapping[str, str], state: TeamsState, row: Mapping[str, Any]
) -> dict[str, bool]:
    """Members of the groups that are its source, and not of stronger ones with another policy."""
    grants = {each.group: each.policy for each in state.groups}
    if not groups or any(grants.get(group) != key for group, key in groups.items()):
        raise _ContradictionError(_contradiction("its groups", row))
    stronger: dict[str, bool] = {}
    for each in state.groups:
        if each.group in groups:
            if each.policy != policy:
                raise _ContradictionError(_contradiction("the ranks of its groups", row))
            return stronger | dict.fromkeys(groups, True)
        if each.policy != policy:
            stronger[each.group] = False
    raise _ContradictionError(_contradiction("its groups", row))


def _contradiction(part: str, row: Mapping[str, Any]) -> str:
    return f"{part}: it says {shown(row)}, the grants that were read say otherwise"


def _unknown_only(members: Mapping[str, bool], user: str, directory: Directory) -> dict[str, bool]:
    groups = group_coverage(directory)
    unknown: dict[str, bool] = {}
    for group, is_member in members.items():
        covered = groups(group).covers(user)
        if covered is None:
            unknown[group] = is_member
        elif covered is not is_member:
            raise _ContradictionError(f"the members of group {group} that were read say otherwise")
    return unknown


def _row(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The object about our type of policies; None if there is none."""
    rows = as_list(entry.get("rows"), "", FaultList())
    if "rows" not in entry or not all(isinstance(row, dict) for row in rows):
        raise _DoubtError("it is not understood")
    if len(rows) > 1 or any(row.get("PolicyType") != POLICY_TYPE for row in rows):
        raise _DoubtError(f"it is not understood: {shown(list(rows))}")
    return rows[0] if rows else None


def _sources(row: Mapping[str, Any]) -> tuple[str, dict[str, str], bool]:
    """The key of the policy, the keys of the policies of the groups that it comes from, by group,
    and whether it is granted directly.
    """
    groups: dict[str, str] = {}
    direct: list[str] = []
    for source in _as_objects(row.get("PolicySource")):
        kind, policy = source.get("AssignmentType"), _key(source.get("PolicyName"), row)
        group = guid(source.get("Reference"))
        if isinstance(kind, str) and kind.lower() == DIRECT:
            direct.append(policy)
        elif isinstance(kind, str) and kind.lower() == GROUP and group is not None:
            if groups.setdefault(group, policy) != policy:
                raise _DoubtError(f"it is not understood: {shown(row)}")
        else:
            raise _DoubtError(f"it is not understood: {shown(row)}")
    key = _key(row.get("PolicyName"), row)
    if any(policy != key for policy in direct):
        raise _DoubtError(f"it is not understood: {shown(row)}")
    return key, groups, bool(direct)


def _as_objects(value: Any) -> Sequence[Mapping[str, Any]]:
    sources = as_list(value, "", FaultList())
    if not all(isinstance(source, dict) for source in sources):
        raise _DoubtError(f"it is not understood: {shown(value)}")
    return sources


def _key(name: Any, row: Mapping[str, Any]) -> str:
    if not isinstance(name, str) or not name.strip():
        raise _DoubtError(f"it is not understood: {shown(row)}")
    return name_key(bare_name(name))
