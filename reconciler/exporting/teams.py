"""Teams policies with their grants as documents.

A document says what the policy has and nothing that it has not: where a part of it cannot be
written, the key is left out, so that the part stays unmanaged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from reconciler.documents.refusing import name_refusal
from reconciler.exporting.applications import Use
from reconciler.exporting.texts import cell, comment, flow_list, is_expressible, one_line, scalar
from reconciler.exporting.values import NOTHING_WRITTEN, ExportedDocument, Remark, RemarkCode
from reconciler.guids import EMPTY_GUID
from reconciler.kinds.teams.facts import MOST_GROUPS
from reconciler.model.addresses import GLOBAL, teams_policy
from reconciler.model.documents import Kind
from reconciler.model.observed import OPAQUE, is_opaque

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.exporting.values import Choice, Written
    from reconciler.model.observed import Directory, TeamsPolicy, TeamsState

MOST_LISTED: Final = 10
"""Users who are listed in the document itself; more are a CSV file beside it."""
_MOST_FLOW: Final = 90
"""Characters of a list of applications on one line."""
_LONGEST_LABEL: Final = 256
"""Characters of a group's label (schema)."""
CSV_HEADER: Final = "user,label"
NOT_IN_DIRECTORY: Final = "not in the directory that was read"


class TeamsExport(Struct, frozen=True):
    """Teams policies that can be written: their parts, by key, and what cannot be written."""

    policies: Mapping[str, TeamsParts]
    remarks: tuple[Remark, ...]


class RankedGroup(NamedTuple):
    """A group that holds a policy: rank, object id, a label if no other group has it, and whether
    the directory has the group.
    """

    rank: int
    group: str
    label: str
    is_known: bool


class TeamsParts(Struct, frozen=True):
    """What is written of one policy; None of a list: it is left out.

    `users` are (id, label), sorted by label.
    """

    name: str
    description: str
    applications: tuple[str, ...] | None
    groups: tuple[RankedGroup, ...] | None
    users: tuple[tuple[str, str], ...] | None


def exported_teams(
    state: TeamsState, directory: Directory, choice: Choice, written: Written = NOTHING_WRITTEN
) -> TeamsExport:
    """Take apart what can be written of the Teams side, and say what cannot.

    Args:
        state: the Teams side.
        directory: names for users and groups.
        choice: what is written.
        written: what documents declare already.
    """
    remarks: list[Remark] = [*_remarks_of_grants(state)]
    refused = {
        key: reason
        for key, policy in state.policies.items()
        if _is_new(key, choice, written) and (reason := _refusal(key, policy))
    }
    remarks += [
        Remark(RemarkCode.NAME_REFUSED, teams_policy(state.policies[key].name), (reason,))
        for key, reason in refused.items()
    ]
    users = _users(state, directory, written.promised)
    groups = _groups(state, directory, written)
    policies = {}
    for key, policy in state.policies.items():
        if key not in refused and _is_new(key, choice, written):
            parts = _parts(policy, groups[key], users[key])
            remarks += _remarks_of_parts(policy, parts, key)
            policies[key] = parts
    return TeamsExport(policies, tuple(remarks))


def teams_uses(state: TeamsState, choice: Choice) -> Mapping[str, Sequence[Use]]:
    """The policies that each application is listed in, by client id."""
    uses: dict[str, list[Use]] = defaultdict(list)
    for key, policy in sorted(state.policies.items()):
        if choice.has_teams(key) and not policy.opaque and not _refusal(key, policy):
            for application in policy.applications:
                use = Use(len(policy.applications), policy.name, "Teams:")
                uses[application].append(use)
    return uses


def teams_document(
    key: str, parts: TeamsParts, names: Mapping[str, str], modeline: str, list_name: str
) -> ExportedDocument:
    """The document of a policy.

    Args:
        key: its key.
        parts: what is written of it.
        names: names of applications, by client id.
        modeline: the first line, for editors.
        list_name: the name of the CSV file, should one be needed.
    """
    lines = [
        "apiVersion: reconciler/v1",
        f"kind: {Kind.TEAMS_POLICY}",
        f"metadata: {{name: {scalar(parts.name)}}}",
    ]
    spec = [*_described(parts), *_applications(parts, names)]
    is_long = parts.users is not None and len(parts.users) > MOST_LISTED
    if key != GLOBAL:
        spec += _grants(parts, list_name if is_long else "")
    lines += ["spec:", *spec] if spec else ["spec: {}"]
    text = modeline + "".join(f"{line}\n" for line in lines)
    if not is_long or parts.users is None:
        return ExportedDocument(text)
    return ExportedDocument(text, list_name, tuple(map(csv_row, parts.users)))


def csv_row(user: tuple[str, str]) -> str:
    """A user's row of a CSV file: the object id, and a label for people."""
    return f"{user[0]},{cell(user[1])}"


def user_label(directory: Directory, user: str) -> str:
    """What a user is called in a list: display name and user principal name."""
    row = directory.users.get(user)
    if row is None:
        return NOT_IN_DIRECTORY
    if row.display_name and row.upn:
        return f"{row.display_name} ({row.upn})"
    return row.display_name or row.upn or ""


def _refusal(key: str, policy: TeamsPolicy) -> str:
    """Why the documents refuse the name of a policy; empty if they do not."""
    if is_opaque(key):
        return "its name is not understood"
    return (
        name_refusal(Kind.TEAMS_POLICY, scalar(policy.name))
        if is_expressible(policy.name)
        else "its name has characters that cannot be seen"
    )


def _is_new(key: str, choice: Choice, written: Written) -> bool:
    return choice.has_teams(key) and key not in written.teams


def _users(
    state: TeamsState, directory: Directory, promised: Collection[str]
) -> Mapping[str, tuple[tuple[str, str], ...] | None]:
    """The direct holders of each policy with their labels, by its key; None if one cannot be
    written. There may be 100,000.
    """
    holders: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for user, key in state.users.items():
        if user not in promised:
            holders[key].append((user, user_label(directory, user)))
    refused = state.users.get(EMPTY_GUID)
    return {
        key: None
        if key == refused
        else tuple(sorted(holders[key], key=lambda row: (row[1].casefold(), row[0])))
        for key in state.policies
    }


def _groups(
    state: TeamsState, directory: Directory, written: Written
) -> Mapping[str, tuple[RankedGroup, ...] | None]:
    """The groups of each policy in the order of their ranks, by its key; None where they cannot be
    written: the order is not understood, or there is no room between ranks that are written.
    """
    if state.opaque_ranks or len(state.groups) > MOST_GROUPS:
        return dict.fromkeys(state.policies)
    order = [row.group for row in state.groups]
    ranks = free_ranks(order, written.ranks)
    labels = {group: _group_label(directory, group) for group in order}
    counts = Counter(label.casefold() for label in labels.values())
    granted: dict[str, list[RankedGroup]] = defaultdict(list)
    for row in state.groups:
        if row.group in ranks and row.group not in written.promised:
            label = labels[row.group] if counts[labels[row.group].casefold()] == 1 else ""
            is_known = row.group in directory.groups
            granted[row.policy].append(RankedGroup(ranks[row.group], row.group, label, is_known))
    refused = {
        row.policy for row in state.groups if row.group == EMPTY_GUID or row.group not in ranks
    }
    return {key: None if key in refused else tuple(granted[key]) for key in state.policies}


def free_ranks(order: Sequence[str], taken: Mapping[str, int]) -> Mapping[str, int]:
    """Ranks that put groups into an order, beside ranks that are given; a group for which there is
    no room has none.

    Args:
        order: groups, the strongest first.
        taken: ranks that are given, also of other groups.
    """
    fixed = [taken[group] for group in order if group in taken]
    if fixed != sorted(fixed):
        return {}
    ranks: dict[str, int] = {}
    numbers, last = {*taken.values()}, 0
    for index, group in enumerate(order):
        if group in taken:
            last = taken[group]
            continue
        above = next((taken[other] for other in order[index:] if other in taken), None)
        rank = next(
            number for number in count(last + 1) if number not in numbers or number == above
        )
        if above is None or rank < above:
            ranks[group] = last = rank
    return ranks


def _group_label(directory: Directory, group: str) -> str:
    row = directory.groups.get(group)
    return "" if row is None else one_line(row.display_name)[:_LONGEST_LABEL]


def _parts(
    policy: TeamsPolicy,
    groups: tuple[RankedGroup, ...] | None,
    users: tuple[tuple[str, str], ...] | None,
) -> TeamsParts:
    is_listed = not policy.opaque and EMPTY_GUID not in policy.applications
    return TeamsParts(
        policy.name,
        policy.description if is_expressible(policy.description) else "",
        tuple(policy.applications) if is_listed else None,
        groups,
        users,
    )


def _remarks_of_parts(policy: TeamsPolicy, parts: TeamsParts, key: str) -> Iterator[Remark]:
    address = teams_policy(policy.name)
    if policy.description and not parts.description:
        yield Remark(RemarkCode.DESCRIPTION_LEFT_OUT, address)
    if parts.applications is None:
        entries = (entry.removeprefix(OPAQUE) for entry in sorted(policy.opaque))
        yield Remark(RemarkCode.LIST_LEFT_OUT, address, tuple(entries))
    if parts.users is None:
        yield Remark(RemarkCode.USERS_LEFT_OUT, address)
    if parts.groups is None and key != GLOBAL:
        yield Remark(RemarkCode.GROUPS_LEFT_OUT, address)


def _remarks_of_grants(state: TeamsState) -> Iterator[Remark]:
    """Grants that no document can say: of policies that are not there, or not understood."""
    users: dict[str, int] = Counter(
        key for key in state.users.values() if key not in state.policies or is_opaque(key)
    )
    groups = Counter(
        row.policy
        for row in state.groups
        if row.policy not in state.policies or is_opaque(row.policy)
    )
    for key in sorted(users.keys() | groups.keys()):
        name = state.spelled.get(key, key)
        code = RemarkCode.NOT_UNDERSTOOD if is_opaque(key) else RemarkCode.POLICY_MISSING
        counts = (str(users.get(key, 0)), str(groups.get(key, 0)))
        yield Remark(code, teams_policy(name), counts)


def _described(parts: TeamsParts) -> Iterator[str]:
    if parts.description:
        yield f"  description: {scalar(parts.description)}"


def _applications(parts: TeamsParts, names: Mapping[str, str]) -> Iterator[str]:
    if parts.applications is None:
        return
    listed = sorted(names.get(application, application) for application in parts.applications)
    line = f"  applications: {flow_list(listed)}"
    if len(line) <= _MOST_FLOW:
        yield line
        return
    yield "  applications:"
    yield from (f"    - {scalar(name)}" for name in listed)


def _grants(parts: TeamsParts, list_name: str) -> Iterator[str]:
    lines = [*_group_lines(parts.groups), *_user_lines(parts.users, list_name)]
    if lines:
        yield "  grants:"
    yield from lines


def _group_lines(groups: tuple[RankedGroup, ...] | None) -> Iterator[str]:
    if groups is None:
        return
    yield "    groups:" if groups else "    groups: []"
    for row in groups:
        label = f", label: {scalar(row.label)}" if row.label else ""
        behind = "" if row.is_known else f"   # {NOT_IN_DIRECTORY}"
        yield f"      - {{group: {row.group}{label}, rank: {row.rank}}}{behind}"


def _user_lines(users: tuple[tuple[str, str], ...] | None, list_name: str) -> Iterator[str]:
    if users is None:
        return
    if list_name:
        yield f"    usersFrom: {scalar(list_name)}"
        return
    yield "    users:" if users else "    users: []"
    for user, label in users:
        yield f"      - {user}   # {comment(label)}" if label else f"      - {user}"
