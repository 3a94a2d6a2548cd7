"""What an export is made of: files, what could not be written into them, and what is worth a look."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.observed import ExchangeKey


class RemarkCode(StrEnum):
    """Remarks on an object of the tenant; `reports.exports` has a sentence for each."""

    # What is not in the documents, or not in full.
    NAME_REFUSED = "name-refused"
    DESCRIPTION_LEFT_OUT = "description-left-out"
    POLICY_MISSING = "policy-missing"
    LIST_LEFT_OUT = "list-left-out"
    USERS_LEFT_OUT = "users-left-out"
    GROUPS_LEFT_OUT = "groups-left-out"
    NOT_UNDERSTOOD = "not-understood"
    ID_REFUSED = "id-refused"
    SCOPE_BY_ID = "scope-by-id"
    NOT_READ = "not-read"
    # What the documents say otherwise.
    DIFFERS = "differs"
    # What is worth a look (`--suggest`).
    DEAD_GROUP = "dead-group"
    DANGLING_SCOPE = "dangling-scope"
    EMPTY_SCOPE = "empty-scope"
    GONE_USERS = "gone-users"
    UNNAMED_APPLICATIONS = "unnamed-applications"
    NO_APPLICATIONS = "no-applications"
    NO_HOLDERS = "no-holders"
    SAME_POLICIES = "same-policies"


class Remark(Struct, frozen=True, order=True):
    """Something about an object: its address, and names or texts that the sentence needs."""

    code: RemarkCode
    address: str
    names: tuple[str, ...] = ()


class ExportedFile(Struct, frozen=True):
    """A file below the folder of the export.

    `path` is relative, with `/`. `appended`: the text is put behind what the file has; it is a new
    file otherwise.
    """

    path: str
    text: str
    appended: bool = False


class ExportedDocument(Struct, frozen=True):
    """The text of one document, without `---`, and the list of users beside it, if it has one.

    `users`: rows of the list, without the header.
    """

    text: str
    list_name: str = ""
    users: tuple[str, ...] = ()


class Written(Struct, frozen=True):
    """What is written already where the export goes: it keeps its names, its files and its place.

    Attributes:
        application_names: Names of applications, by client id.
        names: Names of documents that are taken, by kind, as `name_key`s.
        teams: Keys of the Teams policies that documents declare.
        exchange: The Exchange policies that they declare.
        files: Paths of files in the folder, relative and in lower case.
        has_tenant: Whether there is a Tenant document.
        promised: Users and groups that documents grant another policy than the tenant does.
        ranks: Ranks that documents give to groups, by group.
    """

    application_names: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    teams: frozenset[str] = frozenset()
    exchange: frozenset[ExchangeKey] = frozenset()
    files: frozenset[str] = frozenset()
    has_tenant: bool = False
    promised: frozenset[str] = frozenset()
    ranks: Mapping[str, int] = field(default_factory=dict)


NOTHING_WRITTEN = Written()


class Choice(Struct, frozen=True):
    """What is exported: keys of Teams policies and applications of Exchange; None is all of them."""

    teams: frozenset[str] | None = None
    exchange: frozenset[str] | None = None

    def has_teams(self, key: str) -> bool:
        """Whether a Teams policy is chosen."""
        return self.teams is None or key in self.teams

    def has_exchange(self, application: str) -> bool:
        """Whether the Exchange policies of an application are chosen."""
        return self.exchange is None or application in self.exchange


EVERYTHING_CHOSEN = Choice()


class Export(Struct, frozen=True):
    """New files in the order in which they are to be written, so that those that others need come
    first; remarks; and names for the ids in them.
    """

    files: tuple[ExportedFile, ...]
    remarks: tuple[Remark, ...]
    names: Mapping[str, str]
