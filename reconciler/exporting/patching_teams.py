"""Edits of the document of a Teams policy that let it say what the tenant has."""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from reconciler.documents.raw_documents import value_at
from reconciler.exporting.document_edits import NotEditedError
from reconciler.exporting.editing import LineEdit
from reconciler.exporting.plain_words import free, stem
from reconciler.exporting.teams import (
    CSV_HEADER,
    exported_teams,
    free_ranks,
    teams_document,
    user_label,
)
from reconciler.exporting.texts import comment, is_expressible, one_line, scalar
from reconciler.exporting.user_rows import rows_of_users
from reconciler.exporting.values import Choice, Written
from reconciler.guids import guid
from reconciler.model.addresses import GLOBAL, name_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.documents.trees import Steps
    from reconciler.exporting.document_edits import EditedDocument
    from reconciler.model.documents import Documents, Listing, TeamsPolicyDocument
    from reconciler.model.observed import Directory, TeamsState

_SPEC: Final[Steps] = ("spec",)
_APPLICATIONS: Final[Steps] = ("spec", "applications")
_DESCRIPTION: Final[Steps] = ("spec", "description")
_GRANTS: Final[Steps] = ("spec", "grants")
_GROUPS: Final[Steps] = (*_GRANTS, "groups")
_USERS: Final[Steps] = (*_GRANTS, "users")
_TENANT: Final[Steps] = (*_GRANTS, "tenant")


class TeamsEdits(Struct, frozen=True):
    """Edits by file, new files by path below the folder, and whether Global needs a document."""

    lines: Mapping[str, Sequence[LineEdit]]
    new: Mapping[str, str] = field(default_factory=dict)
    needs_global: bool = False


NO_EDITS = TeamsEdits({})


class TeamsEditing(Struct, frozen=True, dict=True):
    """What all documents of policies are edited with.

    Attributes:
        documents: The documents.
        state: The Teams side.
        directory: Names for users and groups.
        texts: Texts of files.
    """

    documents: Documents
    state: TeamsState
    directory: Directory
    texts: Mapping[str, str]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Names of applications, by client id."""
        return {each.application: each.name for each in self.documents.applications}

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        return {name_key(each.name): each.application for each in self.documents.applications}

    def application(self, text: str) -> str:
        """The client id of what a list has."""
        return guid(text) or self._by_name.get(name_key(text), text)

    def user(self, text: str) -> str:
        """The object id of what a list has; the text in lower case where it is unknown."""
        name = text.lower()
        return self.directory.users_by_upn.get(name, name)

    def group(self, text: str) -> str:
        """The same of a group."""
        name = text.lower()
        return self.directory.recipients_by_address.get(name, name)

    @cached_property
    def holders(self) -> Mapping[str, frozenset[str]]:
        """Direct holders, by the key of their policy."""
        holders: dict[str, set[str]] = {}
        for user, key in self.state.users.items():
            holders.setdefault(key, set()).add(user)
        return {key: frozenset(users) for key, users in holders.items()}

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Ranks, in the order that the tenant has, of the groups of policies whose documents list
        groups: those that documents give as far as they are in that order.
        """
        owning = {
            name_key(each.name): each for each in self.documents.teams if each.groups is not None
        }
        declared = {
            self.group(grant.group): grant.rank
            for document in owning.values()
            for grant in document.groups or ()
        }
        order = [row.group for row in self.state.groups if row.policy in owning]
        taken = {group: declared[group] for group in order if group in declared}
        ranks = {**taken, **free_ranks(order, taken)}
        if [*taken.values()] == sorted(taken.values()) and ranks.keys() == {*order}:
            return ranks
        return {group: rank for rank, group in enumerate(order, 1)}


def teams_edits(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing, *, coarse: bool
) -> TeamsEdits:
    """The edits of one document, whose policy the tenant has.

    Args:
        policy: what the document says.
        document: how it is written.
        editing: what all are edited with.
        coarse: write `spec` as an export does.

    Raises:
        NotEditedError: the document is not written in a way that is edited so.
        ValueError: two edits concern one line.
    """
    if coarse:
        return _coarse(policy, document, editing)
    file = policy.position.file
    own = [
        *_description(policy, document, editing),
        *_applications(policy, document, editing),
        *_groups(policy, document, editing),
    ]
    copied, needs_global = _tenant(policy, document, editing)
    listed = _users(policy, document, editing)
    edits: dict[str, list[LineEdit]] = {file: [*own, *copied]}
    for name, lines in listed.items():
        edits.setdefault(name, []).extend(lines)
    return TeamsEdits(edits, needs_global=needs_global)


def _description(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
) -> Iterator[LineEdit]:
    present = editing.state.policies[name_key(policy.name)].description
    if policy.description in (None, present):
        return
    if is_expressible(present):
        yield document.with_scalar(_DESCRIPTION, present)
    else:
        yield document.without_key(_DESCRIPTION)


def _applications(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
) -> Iterator[LineEdit]:
    key = name_key(policy.name)
    present = editing.state.policies[key].applications.keys()
    if policy.applications is None or present == {*policy.applications}:
        return
    texts = value_at(document.tree.value, _APPLICATIONS)
    listed = texts if isinstance(texts, list) else []
    ids = [editing.application(str(text)) for text in listed]
    gone = {index for index, each in enumerate(ids) if each not in present}
    added = [(scalar(editing.names.get(each, each)), "") for each in sorted(present - {*ids})]
    yield from document.with_items(_APPLICATIONS, gone, added)


def _groups(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
) -> Iterator[LineEdit]:
    if policy.groups is None:
        return
    key = name_key(policy.name)
    present = [row.group for row in editing.state.groups if row.policy == key]
    items = value_at(document.tree.value, _GROUPS)
    rows = items if isinstance(items, list) else []
    ids = [editing.group(str(value_at(row, ("group",)))) for row in rows]
    gone = {index for index, group in enumerate(ids) if group not in present}
    added = [group for group in present if group not in ids]
    if gone or added:
        new = [_group_row(group, editing) for group in added]
        yield from document.with_items(_GROUPS, gone, new)
    numbers = {
        (*_GROUPS, index, "rank"): editing.ranks[group]
        for index, group in enumerate(ids)
        if index not in gone and value_at(rows[index], ("rank",)) != editing.ranks[group]
    }
    yield from document.with_numbers(numbers)


def _group_row(group: str, editing: TeamsEditing) -> tuple[str, str]:
    row = editing.directory.groups.get(group)
    label = one_line(row.display_name) if row is not None else ""
    labels = {
        grant.label.casefold()
        for document in editing.documents.teams
        for grant in document.groups or ()
        if grant.label
    }
    named = f", label: {scalar(label)}" if label and label.casefold() not in labels else ""
    return f"{{group: {group}{named}, rank: {editing.ranks[group]}}}", ""


def _tenant(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
) -> tuple[list[LineEdit], bool]:
    """A copy that Global does not have any more is not asked for; Global gets its own document."""
    if not policy.tenant:
        return [], False
    policies = editing.state.policies
    if policies[GLOBAL].applications.keys() == policies[name_key(policy.name)].applications.keys():
        return [], False
    grants = value_at(document.tree.value, _GRANTS)
    alone = isinstance(grants, dict) and len(grants) == 1
    return [document.without_key(_GRANTS if alone else _TENANT)], True


def _users(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
) -> Mapping[str, list[LineEdit]]:
    """Rows of users who do not hold the policy go; those of others who do are put behind the rest of
    the last list.
    """
    if policy.users is None:
        return {}
    holders = editing.holders.get(name_key(policy.name), frozenset())
    listed = [(listing, [*map(editing.user, listing.texts)]) for listing in policy.users]
    added = holders.difference(*(ids for _, ids in listed))
    edits: dict[str, list[LineEdit]] = {}
    for number, (listing, ids) in enumerate(listed):
        gone = {index for index, user in enumerate(ids) if user not in holders}
        new = sorted(added) if number == len(listed) - 1 else []
        if not (gone or new):
            continue
        if listing.file == policy.position.file:
            rows = [(user, comment(user_label(editing.directory, user))) for user in new]
            lines = document.with_items(_USERS, gone, rows)
        else:
            lines = _listed_in_file(listing, gone, new, editing)
        edits.setdefault(listing.file, []).extend(lines)
    return edits


def _listed_in_file(
    listing: Listing, gone: set[int], new: Sequence[str], editing: TeamsEditing
) -> list[LineEdit]:
    if len(gone) == len(listing.texts) and not new:
        raise NotEditedError  # a file that lists nobody is a fault
    text = editing.texts.get(listing.file)
    if text is None:
        raise NotEditedError
    edits = [LineEdit(listing.lines[index], listing.lines[index] + 1) for index in sorted(gone)]
    if new:
        last = listing.lines[-1] + 1
        rows = rows_of_users(listing.file, text, new, editing.directory)
        if rows is None:
            raise NotEditedError
        edits.append(LineEdit(last, last, tuple(rows)))
    return edits


def _coarse(
    policy: TeamsPolicyDocument, document: EditedDocument, editing: TeamsEditing
) -> TeamsEdits:
    """Another `spec`, as an export writes it; not where it says which tenants it is for."""
    if policy.limited:
        raise NotEditedError
    key = name_key(policy.name)
    ranks = {
        editing.group(grant.group): grant.rank
        for each in editing.documents.teams
        if each.position != policy.position
        for grant in each.groups or ()
    }
    export = exported_teams(
        editing.state, editing.directory, Choice(frozenset((key,))), Written(ranks=ranks)
    )
    if key not in export.policies:
        raise NotEditedError
    folder = PurePosixPath(policy.position.file).parent
    taken = {PurePosixPath(file).name.lower() for file in editing.texts}
    list_name = f"{free(stem(policy.name, 'policy'), taken, '.csv')}.csv"
    written = teams_document(key, export.policies[key], editing.names, "", list_name)
    lines = written.text.removesuffix("\n").split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("spec:"))
    new = {}
    if written.list_name:
        rows = (CSV_HEADER, *written.users)
        new[str(folder / written.list_name)] = "".join(f"{row}\n" for row in rows)
    edits = {policy.position.file: [document.with_spec(lines[start:])]}
    return TeamsEdits(edits, new, needs_global=policy.tenant)
