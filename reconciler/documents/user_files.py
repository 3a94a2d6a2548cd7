"""The files that `usersFrom` names: one list of users each, with exact lines."""

from __future__ import annotations

import csv
import re
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.characters import unfit
from reconciler.documents import rules
from reconciler.documents.shape_messages import shown
from reconciler.documents.shapes import user_suspects
from reconciler.documents.texts import Text, decode, refusal
from reconciler.documents.walking import inside, real
from reconciler.model.documents import Listing
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.documents.drafts import Draft
    from reconciler.documents.rules import Rule
    from reconciler.documents.trees import Steps

STEPS: Steps = ("spec", "grants", "usersFrom")
PATH = "$.spec.grants.usersFrom"

_HEADERS = (["user"], ["user", "label"], ["label", "user"])
_CELL = re.compile(r'"(?:[^"]|"")*"|[^,]*')
_COMMENT = re.compile(r"(?:^|\s)\s*#.*")
_HEADER_ADVICE = "the first line has to be `user` or `user,label`, with commas"


class Listed(Struct, frozen=True):
    """What a file gave: a listing, if it could be read, and what is wrong in it."""

    listing: Listing | None
    findings: tuple[Finding, ...]


class _Entries(Struct, frozen=True):
    texts: list[str]
    lines: array[int]
    columns: array[int]


def read_listing(draft: Draft, roots: Sequence[Path]) -> Listed:
    """Read the file that a Teams policy names.

    Args:
        draft: the policy's document, which has a text at `usersFrom`.
        roots: the resolved folders that the file has to lie in, once its links are resolved.
    """
    named = str(draft.at(*STEPS))
    path = Path(draft.file).parent / named
    refused = _refusal(draft, path, named, roots)
    if refused:
        return Listed(None, (refused,))
    try:
        raw = path.read_bytes()
    except OSError as fault:
        message = f"`{named}` cannot be read: {fault.strerror or fault}"
        return Listed(None, (draft.finding(rules.USERS_FROM_MISSING, STEPS, message),))
    return _read(raw, path.as_posix(), draft)


def _refusal(draft: Draft, path: Path, named: str, roots: Sequence[Path]) -> Finding | None:
    try:
        resolved = real(path)
        there = resolved.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return draft.finding(
            rules.USERS_FROM_MISSING, STEPS, f"`{named}` is no path that can be read: correct it"
        )
    if not inside(resolved, roots):
        message = (
            f"`{named}` lies outside every PATH of the command line: move it beside the document"
        )
        return draft.finding(rules.USERS_FROM_OUTSIDE, STEPS, message)
    if not there:
        message = f"`{named}` is no file beside this document: create it, or correct the name"
        return draft.finding(rules.USERS_FROM_MISSING, STEPS, message)
    return None


def _read(raw: bytes, file: str, draft: Draft) -> Listed:
    decoded = decode(raw, file)
    if isinstance(decoded, Finding):
        return Listed(None, (_of(draft, decoded),))
    if decoded.findings:
        return Listed(None, tuple(_of(draft, finding) for finding in decoded.findings))
    reader = _csv_entries if file.endswith(".csv") else _txt_entries
    entries, faults = reader(decoded, file)
    faults += _user_faults(entries, file)
    if not entries.texts and not faults:
        message = (
            "the file names no user: `users: []` in the document is how everyone is unassigned"
        )
        faults = [_fault(rules.USERS_FROM_EMPTY, file, 1, 1, message)]
    listing = Listing(tuple(entries.texts), file, entries.lines, entries.columns, PATH)
    return Listed(listing, tuple(_of(draft, finding) for finding in faults))


def _of(draft: Draft, finding: Finding) -> Finding:
    return Finding(finding.position, PATH, finding.rule, finding.message, subject=draft.subject)


def _fault(rule: Rule, file: str, line: int, column: int, message: str) -> Finding:
    return Finding(Position(file, line, column), PATH, rule.id, message)


def _user_faults(entries: _Entries, file: str) -> list[Finding]:
    faults = []
    for index in user_suspects(entries.texts):
        text, line, column = entries.texts[index], entries.lines[index], entries.columns[index]
        message = (
            f"{shown(text) if text.strip(' ') else 'a blank text'} is wrong here: write one object"
            " id or user principal name per line"
        )
        faults.append(_fault(rules.USERS_FROM_LINE, file, line, column, message))
    return faults


def _txt_entries(decoded: Text, file: str) -> tuple[_Entries, list[Finding]]:
    """One user a line; blank lines, blanks around an entry and comments (`#` at the start or after
    a blank) say nothing.
    """
    del file
    whole = decoded.text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if "" not in whole and not any(
        sign in decoded.text for sign in "# "
    ):  # then a line is an entry
        return _lines(whole, 1), []
    entries = _Entries([], array("L"), array("L"))
    for number, line in enumerate(decoded.text.split("\n"), 1):
        content = _COMMENT.sub("", line) if "#" in line else line
        text = content.strip(" \r")
        if text:
            entries.texts.append(text)
            entries.lines.append(number)
            entries.columns.append(content.index(text) + 1)
    return entries, []


def _lines(texts: list[str], first: int) -> _Entries:
    """Whole lines as entries, the first of them on line `first`."""
    return _Entries(
        texts, array("L", range(first, first + len(texts))), array("L", [1]) * len(texts)
    )


def _csv_entries(decoded: Text, file: str) -> tuple[_Entries, list[Finding]]:
    lines = decoded.text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if _is_plain_column(decoded.text, lines):
        return _lines(lines[1:], 2), []
    rows = _rows(lines)
    start = next((index for index, row in enumerate(rows) if row != []), None)
    if start is None:
        return _Entries([], array("L"), array("L")), []
    header = rows[start]
    if header not in _HEADERS:
        message = f"{shown(lines[start])} is no header: {_HEADER_ADVICE}"
        return _Entries([], array("L"), array("L")), [
            _fault(rules.USERS_FROM_HEADER, file, start + 1, 1, message)
        ]
    first = start + 1
    faults = [
        *_row_faults(rows, first, len(header), file),
        *_character_faults(decoded.text, lines, file),
    ]
    return _columns(rows, lines, first, header), faults


def _is_plain_column(text: str, lines: list[str]) -> bool:
    """Whether nothing but `user` and one user a line stands there, without a quote, a comma or a
    blank line: then a line is a record.
    """
    return (
        lines[0] == "user"
        and text.isascii()
        and '"' not in text
        and "," not in text
        and "" not in lines
    )


def _rows(lines: list[str]) -> list[list[str] | None]:
    """One record per line.

    None is a line that is no record by itself: no value spans lines, so that lines stay exact.
    """
    try:
        rows: list[list[str] | None] = list(csv.reader(lines, strict=True))
    except csv.Error:
        rows = []
    return rows if len(rows) == len(lines) else [_row(line) for line in lines]


def _row(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return None


def _row_faults(
    rows: list[list[str] | None], first: int, width: int, file: str
) -> Iterator[Finding]:
    if None not in rows and set(map(len, filter(None, rows))) <= {width}:
        return
    for number, row in enumerate(rows[first:], first + 1):
        if row is None:
            yield _fault(
                rules.USERS_FROM_LINE,
                file,
                number,
                1,
                "a quote is not closed on this line: every entry is one line",
            )
        elif len(row) not in {0, width}:
            message = (
                f"{len(row)} value(s) where the header names {width}: separate by commas, put a"
                " value with a comma in double quotes"
            )
            yield _fault(rules.USERS_FROM_LINE, file, number, 1, message)


def _character_faults(text: str, lines: list[str], file: str) -> Iterator[Finding]:
    if text.isascii():
        return
    for number, line in enumerate(lines, 1):
        flaw = None if line.isascii() else unfit(line)
        if flaw:
            yield _fault(rules.UNFIT_CHARACTER, file, number, flaw.index + 1, refusal(flaw))


def _columns(
    rows: list[list[str] | None], lines: list[str], first: int, header: list[str]
) -> _Entries:
    """The users of well-formed rows. Blank lines say nothing."""
    user, width = header.index("user"), len(header)
    texts = [row[user] for row in rows[first:] if row and len(row) == width]
    if len(texts) == len(rows) - first:
        numbers = array("L", range(first + 1, len(rows) + 1))
    else:
        numbers = array(
            "L",
            [
                number
                for number, row in enumerate(rows[first:], first + 1)
                if row and len(row) == width
            ],
        )
    columns = (
        array("L", [1]) * len(texts)
        if user == 0
        else array("L", [_second(lines[number - 1]) for number in numbers])
    )
    return _Entries(texts, numbers, columns)


def _second(line: str) -> int:
    """Column of the second value of a line that has one."""
    cell = _CELL.match(line)
    return cell.end() + 2 if cell else 1
