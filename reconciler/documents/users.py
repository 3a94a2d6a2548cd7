"""The users that Teams policies list: read from the document and from the file beside it, and
judged to be listed once each.
"""

from __future__ import annotations

import re
import stat
from array import array
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.characters import folded, unfit
from reconciler.documents import rules
from reconciler.documents.csv_columns import (
    BLANKS,
    SEPARATOR_NAMES,
    Columns,
    TwoColumns,
    columns_of,
    place_of_value,
    values_of,
)
from reconciler.documents.file_trees import DISK, FileTree
from reconciler.documents.input_files import Text, decode_text, inside, unfit_message
from reconciler.documents.merge_conflicts import conflicts
from reconciler.documents.placeholders import placeholder_fault
from reconciler.documents.raw_documents import Claim, clashes, short_value
from reconciler.documents.schemas import users_from_form
from reconciler.documents.shapes import user_suspects
from reconciler.documents.telling_once import told_once
from reconciler.documents.trees import ListMarks, MapMarks, json_path
from reconciler.guids import are_object_ids
from reconciler.model.documents import Kind, Listing
from reconciler.model.findings import Finding, Position, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.rules import DocumentRule
    from reconciler.documents.trees import Steps

_USERS: Steps = ("spec", "grants", "users")
_USERS_PATH = json_path(_USERS)
_USERS_FROM: Steps = ("spec", "grants", "usersFrom")
_USERS_FROM_PATH = json_path(_USERS_FROM)

_HEADER_ADVICE = (
    "the first line must have a column `Id`, `user`, `UserPrincipalName` or `mail`, and separate"
    " columns by commas, semicolons or tabs"
)
_A_SEPARATOR = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of what Excel calls Unicode Text."""
_WHOLE_LINES_ONLY = frozenset(',"\t ')
"""Characters without which a line of a file with one column is its value."""
_MOST_NAMED = 12
"""Columns that a message names."""
_COMMENT = re.compile(r"(?:^|\s)#")


class Roster(Struct, frozen=True):
    """The users that one policy lists, in the document and in its file."""

    document: RawDocument
    listings: tuple[Listing, ...]


class Rosters(Struct, frozen=True):
    """The rosters of all policies that list users, and what is wrong with the files of users."""

    rosters: list[Roster]
    findings: list[Finding]


class UserFile(Struct, frozen=True):
    """What a file of users gave: a listing, if it could be read, and what is wrong in it."""

    listing: Listing | None
    findings: tuple[Finding, ...]


class _Entries(Struct, frozen=True):
    """The users of a file, `lines[i]` and `columns[i]` belonging to `texts[i]`, and its faults."""

    texts: list[str]
    lines: array[int]
    columns: array[int]
    faults: list[Finding]


def read_rosters(
    documents: Iterable[RawDocument], roots: Sequence[Path], files: FileTree = DISK
) -> Rosters:
    """Collect the users of every Teams policy that lists some.

    Args:
        documents: all documents.
        roots: the resolved folders that files of users have to be in.
        files: where those are read.
    """
    read = Rosters([], [])
    for document in documents:
        if document.kind is Kind.TEAMS_POLICY:
            listings = [*_listed_in_document(document)]
            name = document.at(*_USERS_FROM)
            if isinstance(name, str) and users_from_form().search(name):
                file = read_user_file(document, roots, files)
                read.findings.extend(file.findings)
                listings += [file.listing] if file.listing else []
            if listings:
                read.rosters.append(Roster(document, tuple(listings)))
    return read


def listed_users(raw: bytes, file: str) -> Sequence[str]:
    """The users that a file lists, if it is a list of users without any fault."""
    decoded = decoded_list(raw, file)
    if isinstance(decoded, Finding) or decoded.findings:
        return ()
    entries = _entries(decoded.text, file)
    return () if entries.faults or any(_user_faults(entries, file)) else entries.texts


def _entries(text: str, file: str) -> _Entries:
    return _read_csv(text, file) if file.endswith(".csv") else _read_txt(text)


def read_user_file(
    document: RawDocument, roots: Sequence[Path], files: FileTree = DISK
) -> UserFile:
    """Read the file that a Teams policy names.

    Args:
        document: the policy, which has a text at `usersFrom`.
        roots: the resolved folders that the file has to be in, once its links are resolved.
        files: where it is read.
    """
    name = str(document.at(*_USERS_FROM))
    path = Path(document.file).parent / name
    refused = _refused_path(document, path, roots, files)
    if refused:
        return UserFile(None, (refused,))
    try:
        raw = files.read(path)
    except OSError as fault:
        message = f"cannot read `{name}`: {fault.strerror or fault}"
        return UserFile(None, (document.finding(rules.USERS_FROM_MISSING, _USERS_FROM, message),))
    return _user_file(raw, path.as_posix(), document)


def roster_findings(rosters: Sequence[Roster], files: FileTree = DISK) -> Iterator[Finding]:
    """Judge users that are listed more than once.

    Users are compared by text: what one id and one UPN have in common shows later. A blank text is
    nobody, and a fault of its own.
    """
    yield from _shared_files(rosters, files)
    rosters = _each_file_once(rosters, files)
    keys = [folded(listing.texts) for roster in rosters for listing in roster.listings]
    if len(set().union(*keys)) < sum(map(len, keys)):
        yield from _repeated_users(rosters)


def _listed_in_document(document: RawDocument) -> Iterator[Listing]:
    users = document.at(*_USERS)
    marks = document.tree.marks
    for step in _USERS:
        marks = marks.inner.get(str(step)) if isinstance(marks, MapMarks) else None
    if isinstance(users, list) and isinstance(marks, ListMarks):
        # What is not a string is reported by its shape, as a blank one is: both equal nothing here.
        are_texts = set(map(type, users)) <= {str}
        texts = (
            tuple(users)
            if are_texts
            else tuple(user if isinstance(user, str) else "" for user in users)
        )
        yield Listing(texts, document.file, marks.lines, marks.columns, _USERS_PATH)


def _refused_path(
    document: RawDocument, path: Path, roots: Sequence[Path], files: FileTree
) -> Finding | None:
    name = document.at(*_USERS_FROM)
    try:
        resolved = files.real(path)
        there = files.exists(resolved) and stat.S_ISREG(files.mode(resolved))
    except (OSError, ValueError):  # a name that no file can have
        message = f"`{name}` is not a valid path: correct it"
        return document.finding(rules.USERS_FROM_MISSING, _USERS_FROM, message)
    if not inside(resolved, roots):
        message = f"`{name}` is outside every PATH: move it next to the document, or add its folder"
        return document.finding(rules.USERS_FROM_OUTSIDE, _USERS_FROM, message)
    if not there:
        message = f"file `{name}` not found next to this document: create it, or correct the name"
        return document.finding(rules.USERS_FROM_MISSING, _USERS_FROM, message)
    return None


def _user_file(raw: bytes, file: str, document: RawDocument) -> UserFile:
    decoded = decoded_list(raw, file)
    if isinstance(decoded, Finding):
        return UserFile(None, (_of(document, decoded),))
    if decoded.findings:
        return UserFile(None, tuple(_of(document, finding) for finding in decoded.findings))
    if unresolved := [*conflicts(decoded.text, file)]:
        return UserFile(None, tuple(_of(document, finding) for finding in unresolved))
    entries = _entries(decoded.text, file)
    faults = told_once([*entries.faults, *_user_faults(entries, file)])
    if not entries.texts and not any(each.severity is Severity.ERROR for each in faults):
        message = "the file lists no users: to unassign everyone, write `users: []` in the document"
        faults.append(_fault(rules.USERS_FROM_EMPTY, Position(file, 1, 1), message))
    listing = Listing(tuple(entries.texts), file, entries.lines, entries.columns, _USERS_FROM_PATH)
    return UserFile(listing, tuple(_of(document, finding) for finding in faults))


def _of(document: RawDocument, finding: Finding) -> Finding:
    return Finding(
        finding.position,
        _USERS_FROM_PATH,
        finding.rule,
        finding.message,
        finding.severity,
        subject=document.subject,
    )


def decoded_list(raw: bytes, file: str) -> Text | Finding:
    """The text of a file of users in UTF-8, or in UTF-16 with a byte order mark."""
    if raw.startswith(_UTF_16):
        with suppress(UnicodeError):
            raw = raw.decode("utf-16").encode("utf-8")
    return decode_text(raw, file, tabs=file.endswith(".csv"))


def _fault(rule: DocumentRule, position: Position, message: str) -> Finding:
    return Finding(position, _USERS_FROM_PATH, rule.id, message)


def _user_faults(entries: _Entries, file: str) -> Iterator[Finding]:
    if are_object_ids(entries.texts):
        return
    placeholders = _placeholders(entries.texts)
    for index, (rule, message) in placeholders.items():
        yield _fault(rule, Position(file, entries.lines[index], entries.columns[index]), message)
    for index in user_suspects(entries.texts):
        if index in placeholders:
            continue
        text = entries.texts[index]
        value = short_value(text) if text.strip(" ") else "a blank value"
        message = f"{value} is not a user: write one object id or user principal name per line"
        position = Position(file, entries.lines[index], entries.columns[index])
        yield _fault(rules.USERS_FROM_LINE, position, message)


def _placeholders(texts: list[str]) -> dict[int, tuple[DocumentRule, str]]:
    """Placeholders left in the list instead of users; all entries are searched at once."""
    if placeholder_fault("\n".join(texts)) is None:
        return {}
    faults = ((index, placeholder_fault(text)) for index, text in enumerate(texts))
    return {index: fault for index, fault in faults if fault is not None}


def _read_txt(text: str) -> _Entries:
    """Read one user a line; blank lines, blanks around an entry and comments (`#` at the start or
    after a blank) say nothing.
    """
    entries = _Entries([], array("L"), array("L"), [])
    for number, line in enumerate(text.split("\n"), 1):
        user = _without_comment(line).strip(" \r")
        if user:
            entries.texts.append(user)
            entries.lines.append(number)
            entries.columns.append(line.index(user) + 1)
    return entries


def _without_comment(line: str) -> str:
    comment = _COMMENT.search(line) if "#" in line else None
    return line[: comment.start()].rstrip() if comment else line


def _read_csv(text: str, file: str) -> _Entries:
    """Read one record a line: no value spans lines, so that lines stay exact. Blank lines say
    nothing; the first other line is the header.
    """
    entries = _Entries([], array("L"), array("L"), [])
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    first = next((number for number, line in enumerate(lines, 1) if line.strip(BLANKS)), None)
    if first is None:
        return entries
    columns = columns_of(lines[first - 1])
    entries.faults.extend(_header_findings(columns, lines[first - 1], Position(file, first, 1)))
    if not isinstance(columns, Columns):
        return entries
    rows = lines[first:]
    if columns.width == 1 and text.isascii() and all(rows) and _has_none(text, _WHOLE_LINES_ONLY):
        return _whole_lines(rows, first + 1, entries.faults)
    _read_rows(rows, first + 1, columns, file, entries)
    if not text.isascii():
        entries.faults.extend(_character_faults(lines, file))
    return entries


def _has_none(text: str, characters: Iterable[str]) -> bool:
    return not any(character in text for character in characters)


def _header_findings(
    columns: Columns | TwoColumns | None, header: str, position: Position
) -> Iterator[Finding]:
    """What is to be said of a header."""
    match columns:
        case None:
            message = f"{short_value(header)} is not a valid header: {_HEADER_ADVICE}"
            yield _fault(rules.USERS_FROM_HEADER, position, message)
        case TwoColumns(first, second):
            message = (
                f"the columns {short_value(first)} and {short_value(second)} are of one kind, and may"
                " name different users: remove one"
            )
            yield _fault(rules.USERS_FROM_HEADER, position, message)
        case Columns(ignored=(_, *_) as ignored):
            listed = ", ".join(map(short_value, ignored[:_MOST_NAMED]))
            more = len(ignored) - _MOST_NAMED
            listed += f" and {more} more" if more > 0 else ""
            message = f"users are read from {short_value(columns.name)}; not read: {listed}"
            note = _fault(rules.USERS_FROM_COLUMNS, position, message)
            yield replace(note, severity=Severity.WARNING)
        case _:
            pass


def _read_rows(
    rows: list[str], number: int, columns: Columns, file: str, entries: _Entries
) -> None:
    """Read the rows after the header, the first of which is on line `number`."""
    user, width, separator = columns.index, columns.width, columns.separator
    nothing = BLANKS + separator + '"'
    add_text, add_line = entries.texts.append, entries.lines.append
    add_column = entries.columns.append
    for line_number, line in enumerate(rows, number):
        values = values_of(line, separator) if '"' in line else line.split(separator)
        if values is not None and len(values) == width and (value := values[user].strip(BLANKS)):
            add_text(value)
            add_line(line_number)
            add_column(place_of_value(line, separator, user) if user else 1)
        elif line.strip(nothing):
            place = 1
            if values is not None and len(values) == width:
                place = place_of_value(line, separator, user)
            message = _row_message(values, columns)
            entries.faults.append(
                _fault(rules.USERS_FROM_LINE, Position(file, line_number, place), message)
            )


def _whole_lines(rows: list[str], number: int, faults: list[Finding]) -> _Entries:
    """Rows without separators, quotes and blanks, which are one value each: there may be 100,000.

    `number`: the line of the first.
    """
    numbers = range(number, number + len(rows))
    return _Entries(rows, array("L", numbers), array("L", [1]) * len(rows), faults)


def _row_message(values: list[str] | None, columns: Columns) -> str:
    """What is wrong with a row that gives no user."""
    if values is None:
        return "unclosed quote: close it on this line, an entry cannot span lines"
    width, separator = columns.width, SEPARATOR_NAMES[columns.separator]
    if len(values) == width:
        return "a blank value is not a user: write one object id or user principal name per line"
    return (
        f"expected {width} {'value' if width == 1 else 'values'}, found {len(values)}: separate"
        f" values with {separator}, and quote a value that contains {_A_SEPARATOR[columns.separator]}"
    )


def _character_faults(lines: Sequence[str], file: str) -> Iterator[Finding]:
    for number, line in enumerate(lines, 1):
        flaw = None if line.isascii() else unfit(line.replace("\t", " "))
        if flaw:
            position = Position(file, number, flaw.index + 1)
            yield _fault(rules.UNFIT_CHARACTER, position, unfit_message(flaw))


def _shared_files(rosters: Sequence[Roster], files: FileTree) -> Iterator[Finding]:
    """Say once that two policies name the same file, not once for each of its users."""
    claims = [
        (files.real(Path(listing.file)), Claim(roster.document, _USERS_FROM))
        for roster in rosters
        for listing in roster.listings
        if listing.path == _USERS_FROM_PATH
    ]
    yield from clashes(claims, rules.TWO_POLICIES, _same_file)


def _each_file_once(rosters: Sequence[Roster], files: FileTree) -> list[Roster]:
    seen: set[Path] = set()
    kept = []
    for roster in rosters:
        listings = [
            listing
            for listing in roster.listings
            if listing.path == _USERS_PATH or files.real(Path(listing.file)) not in seen
        ]
        seen |= {files.real(Path(listing.file)) for listing in listings}
        kept.append(Roster(roster.document, tuple(listings)))
    return kept


def _same_file(claim: Claim, other: Claim) -> str:
    return (
        f"{short_value(claim.value)} also lists the users of {short_value(other.document.name)} at"
        f" {other.position}; a user can have only one policy: split the file"
    )


class _Entry(Struct, frozen=True):
    """One user of one listing."""

    roster: Roster
    listing: Listing
    index: int

    @property
    def text(self) -> str:
        return self.listing.texts[self.index]

    @property
    def position(self) -> Position:
        listing = self.listing
        return Position(listing.file, listing.lines[self.index], listing.columns[self.index])

    def finding(self, rule: DocumentRule, message: str) -> Finding:
        path = self.listing.path
        whole = f"{path}[{self.index}]" if path == _USERS_PATH else path
        return Finding(self.position, whole, rule.id, message, subject=self.roster.document.subject)


def _repeated_users(rosters: Sequence[Roster]) -> Iterator[Finding]:
    places: dict[str, list[_Entry]] = {}
    for roster in rosters:
        for listing in roster.listings:
            for index, text in enumerate(listing.texts):
                if text.strip(" "):
                    places.setdefault(text.lower(), []).append(_Entry(roster, listing, index))
    for entries in places.values():
        if len(entries) > 1:
            yield from _user_clash(sorted(entries, key=lambda entry: entry.position))


def _user_clash(entries: list[_Entry]) -> Iterator[Finding]:
    """Within one policy the later place is reported; between policies every place, as both
    documents are in doubt.
    """
    first = entries[0]
    for entry in entries[1:]:
        if entry.roster is first.roster:
            yield entry.finding(rules.DUPLICATE_USER, _twice(entry, first))
    others = [entry for entry in entries if entry.roster is not first.roster]
    if others:
        yield first.finding(rules.TWO_POLICIES, _elsewhere(first, others[0]))
        for entry in others:
            yield entry.finding(rules.TWO_POLICIES, _elsewhere(entry, first))


def _twice(entry: _Entry, first: _Entry) -> str:
    return f"{short_value(entry.text)} is listed twice, first at {first.position}: remove one"


def _elsewhere(entry: _Entry, other: _Entry) -> str:
    return (
        f"{short_value(entry.text)} is also listed for {short_value(other.roster.document.name)} at"
        f" {other.position}; a user can have only one policy: remove one"
    )
