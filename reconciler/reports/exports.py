"""What an export wrote, what could not be written, and what is worth a look."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.exporting.values import RemarkCode
from reconciler.model.addresses import (
    ExchangeApplicationAddress,
    ExchangePolicyAddress,
    TeamsGroupGrantAddress,
    TeamsPolicyAddress,
    parse_address,
)
from reconciler.model.documents import AccessRight
from reconciler.reports.lines import SIMULATED, Line, Tone, capped, counted, heading
from reconciler.reports.remedies import shell_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.exporting.values import Export, Remark
    from reconciler.model.observed import Observed

_MOST: Final = 10
"""Remarks of one kind that text shows."""
_MOST_NAMES: Final = 3

SUGGESTIONS: Final = frozenset(
    (
        *(RemarkCode.DEAD_GROUP, RemarkCode.DANGLING_SCOPE, RemarkCode.EMPTY_SCOPE),
        *(RemarkCode.GONE_USERS, RemarkCode.UNNAMED_APPLICATIONS, RemarkCode.NO_APPLICATIONS),
        *(RemarkCode.NO_HOLDERS, RemarkCode.SAME_POLICIES),
    )
)
"""What `--suggest` looks for."""


def export_lines(
    observed: Observed, export: Export, paths: Sequence[str], removed: Sequence[str], *, kept: int
) -> Iterator[Line]:
    """The report of an export.

    Args:
        observed: the tenant.
        export: new files and remarks.
        paths: files that were written.
        removed: files that were removed.
        kept: documents that say already what the tenant has.
    """
    if observed.source == "simulated":
        yield SIMULATED
    yield Line(
        f"Tenant {observed.organization} ({observed.tenant_id}), read {observed.taken_at}:",
        Tone.HEADING,
    )
    yield Line(f"  {counted(len(paths), 'file')} written{_unchanged(kept)}")
    yield from (Line(f"  removed: {path}") for path in removed)
    yield from _section("Not written, or not in full", export, suggested=False)
    yield from _section("Worth a look", export, suggested=True)


def begun_lines(written: Sequence[str], kept: Sequence[str]) -> Iterator[Line]:
    """The report of a new repository.

    Args:
        written: files that were written.
        kept: files that existed.
    """
    yield from (Line(f"  written: {path}", Tone.ADD) for path in written)
    yield from (Line(f"  kept, because it exists: {path}") for path in kept)
    yield Line("To write what the tenant has: reconciler export --out-dir policies --tenant TENANT")


def closing_line(folder: str, tenant: str | None) -> Line:
    """What to do next."""
    return Line(f"To compare: {comparing(folder, tenant)}")


def comparing(folder: str, tenant: str | None) -> str:
    """The command that shows where documents and tenant differ."""
    at = f" --tenant {shell_word(tenant)}" if tenant else ""
    return f"reconciler plan {shell_word(folder)}{at}"


def accepted_lines(
    addresses: Sequence[str], file: str, pasted: Sequence[str], *, simulated: bool
) -> Iterator[Line]:
    """What was accepted, or the lines that a person has to paste."""
    if simulated:
        yield SIMULATED
    if pasted:
        yield from (Line(line) for line in pasted)
        return
    for address in addresses:
        yield Line(f"  accepted: {address}")
    yield Line(
        f"Written to {file}. Commit it: `reconciler drift` takes these as known, as they are."
    )


def _unchanged(kept: int) -> str:
    if not kept:
        return ""
    left = (
        "document is left untouched: it says"
        if kept == 1
        else "documents are left untouched: they say"
    )
    return f"; {kept} {left} what the tenant has"


def _section(title: str, export: Export, *, suggested: bool) -> Iterator[Line]:
    rows = [remark for remark in export.remarks if (remark.code in SUGGESTIONS) is suggested]
    if rows:
        yield from heading(title)
    for _, alike in groupby(rows, key=lambda row: row.code):
        yield from capped([*alike], _MOST, lambda row: Line(f"  {remark_text(row, export.names)}"))


def remark_text(remark: Remark, names: Mapping[str, str]) -> str:
    """A remark in words: the object, what is the matter, and what follows.

    Args:
        remark: the remark.
        names: names for people, by id.
    """
    subject = (
        "" if remark.code is RemarkCode.UNNAMED_APPLICATIONS else _subject(remark.address, names)
    )
    listed = [_subject(name, names) for name in remark.names]
    return subject + _SENTENCES[remark.code](listed)


def _subject(address: str, names: Mapping[str, str]) -> str:
    """An object as people call it."""
    match parse_address(address):
        case ExchangePolicyAddress(application, scope):
            return f"{names.get(application, application)} on {names.get(scope, scope)}"
        case ExchangeApplicationAddress(application):
            return names.get(application, application)
        case TeamsGroupGrantAddress(group):
            return f"group {names.get(group) or group}"
        case TeamsPolicyAddress(name):
            return f"policy {name}"
        case _:
            return address


def _because(reasons: Sequence[str]) -> str:
    return f": {reasons[0]}" if reasons and reasons[0] else ""


_SENTENCES: Final[Mapping[RemarkCode, Callable[[Sequence[str]], str]]] = {
    RemarkCode.NAME_REFUSED: lambda names: (
        f" stays unmanaged, because documents cannot have its name{_because(names)}"
    ),
    RemarkCode.DESCRIPTION_LEFT_OUT: lambda _: (
        ": the description has line breaks or characters that cannot be seen, and stays unmanaged"
    ),
    RemarkCode.POLICY_MISSING: lambda counts: (
        f" does not exist, but is granted to {_grants(counts)}: these grants stay unmanaged"
    ),
    RemarkCode.LIST_LEFT_OUT: lambda names: (
        ": the list has entries that are not client ids, and stays unmanaged:"
        f" {_some(names) or 'the all-zero GUID'}"
    ),
    RemarkCode.USERS_LEFT_OUT: lambda _: (
        ": the users stay unmanaged, because one of them is the all-zero GUID"
    ),
    RemarkCode.GROUPS_LEFT_OUT: lambda _: (
        ": the groups stay unmanaged: their order is not understood, or there is no room between the"
        " ranks that documents have"
    ),
    RemarkCode.NOT_UNDERSTOOD: lambda _: (
        " has something that is not understood, which stays unmanaged; a plan shows it"
    ),
    RemarkCode.ID_REFUSED: lambda _: (
        " stays unmanaged, because the all-zero GUID identifies no object"
    ),
    RemarkCode.SCOPE_BY_ID: lambda _: (
        ": the scope is written by object id, because no address leads to it and to nothing else"
    ),
    RemarkCode.NOT_READ: lambda names: f" was not read completely: no documents{_because(names)}",
    RemarkCode.DIFFERS: lambda names: f": {_some(names)} says something else, and is kept",
    RemarkCode.DEAD_GROUP: lambda names: f" is gone: its grant of {_some(names)} reaches nobody",
    RemarkCode.DANGLING_SCOPE: lambda rights: (
        ": the scope is gone; the policy does nothing"
        if AccessRight.DENY in rights
        else ": the scope is gone; the policy lets its application into no mailbox"
    ),
    RemarkCode.EMPTY_SCOPE: lambda rights: (
        ": the scope has no members; the policy does nothing"
        if AccessRight.DENY in rights
        else ": the scope has no members; the policy lets its application into no mailbox"
    ),
    RemarkCode.GONE_USERS: lambda users: (
        f": {counted(len(users), 'holder')} not in the directory that was read, perhaps gone:"
        f" {_some(users)}"
    ),
    RemarkCode.UNNAMED_APPLICATIONS: lambda others: (
        f"{counted(len(others) + 1, 'application')} without a name in the documents: give each the"
        " name by which people know it, in applications.yaml and where it is used"
    ),
    RemarkCode.NO_APPLICATIONS: lambda _: " lists no application: it governs nothing",
    RemarkCode.NO_HOLDERS: lambda _: ": nobody holds it: it governs nothing",
    RemarkCode.SAME_POLICIES: lambda names: (
        f" says the same as {_some(names)}: one document could do"
    ),
}
"""What is said behind the object, of the names that a remark has."""


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join((*names[:_MOST_NAMES], *([f"{more} more"] if more > 0 else [])))


def _grants(counts: Sequence[str]) -> str:
    users, groups = (int(count) for count in counts)
    parts = [
        *([counted(users, "user")] if users else []),
        *([counted(groups, "group")] if groups else []),
    ]
    return " and ".join(parts)
