"""Files of documents: found at or below the PATHs of the command line, each once and in one order,
and decoded to text that is safe to look at.

Columns count code points, lines end at LF or CRLF, both count from 1. A byte order mark at the
start of a file is tolerated and not counted: editors on Windows write it, and it changes nothing.
"""

from __future__ import annotations

import errno
import re
import stat
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.characters import Unfit, unfit
from reconciler.documents import rules
from reconciler.documents.file_trees import DISK, FileTree
from reconciler.documents.lookalikes import why_not_read
from reconciler.errors import UsageFault
from reconciler.model.findings import Finding, Position, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

SUFFIXES = (".yaml", ".yml")
LISTS = (".csv", ".txt")
"""Suffixes of lists of users (`usersFrom`)."""


_ELSEWHERE = "the link leads outside every PATH: move its target here, or add that folder as a PATH"
_NOWHERE = "not read, because the link leads to nothing: correct it, or remove it"
_NO_FILE = "not a regular file but a pipe, socket or device: replace it with a file, or rename it"


_LEADS_NOWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""Errors of a link to something that is not there, so that it is not a folder of documents."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_NAMED = 5
"""Files that a message names where there is no document at all."""
_HARMLESS = bytes([0x0A, 0x0D, *range(0x20, 0x7F)])
# Also in comments: what YAML calls unacceptable, what ends a line in some readers only, what
# reorders text on a screen (CVE-2021-42574).
_FLAW = re.compile(
    "[\x00-\x09\x0b-\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f"
    "\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff]|\r(?!\n)"
)
_STANDS_IN = "\ufffd"


class _Walking(Struct, frozen=True):
    roots: tuple[Path, ...]
    seen: set[Path]
    findings: list[Finding]
    files: FileTree
    lists: list[Path]


class Walked(Struct, frozen=True):
    """The files to read, sorted, with the resolved folders that they and `usersFrom` have to lie
    in, and files beside them that may be lists of users.
    """

    files: tuple[Path, ...]
    roots: tuple[Path, ...]
    findings: tuple[Finding, ...]
    lists: tuple[Path, ...] = ()


def walk(paths: Sequence[Path], files: FileTree = DISK) -> Walked:
    """Find every `*.yaml` and `*.yml` at or below the paths.

    Hidden files and folders are skipped, links are followed; a file that looks like a document and
    is not read is a warning.

    A file that is given itself counts whatever its name, and makes its own folder a root.

    Args:
        paths: where to look.
        files: what they are paths of.

    Raises:
        UsageFault: a path does not exist, or there is no document file at all.
    """
    for path in paths:
        if not files.exists(path):
            raise UsageFault(f"PATH {path} does not exist: pass a file or folder of YAML documents")
    roots = tuple(sorted({_folder(path, files) for path in paths}))
    walking = _Walking(roots, set(), [], files, [])
    if not paths:
        raise UsageFault("no PATH given: pass a file or folder of YAML documents")
    candidates = {
        file
        for path in paths
        for file in (_below(path, walking) if files.is_folder(path) else (path,))
    }
    if not candidates and not any(map(_is_error, walking.findings)):
        folders = ", ".join(map(str, paths))
        unread = "".join(f"; {finding}" for finding in walking.findings[:_MOST_NAMED])
        raise UsageFault(
            f"no *.yaml or *.yml file found at or below {folders}: pass a folder with documents{unread}"
        )
    sifted = _sift(sorted(candidates, key=lambda file: file.as_posix()), walking)
    return Walked(sifted, walking.roots, tuple(walking.findings), tuple(walking.lists))


def real(path: Path) -> Path:
    """A path without links; one that leads in a circle or nowhere stays as far as it goes."""
    return DISK.real(path)


def inside(path: Path, roots: Iterable[Path]) -> bool:
    """Whether a resolved path is in one of the resolved folders."""
    return any(path.is_relative_to(root) for root in roots)


def _folder(path: Path, files: FileTree) -> Path:
    resolved = files.real(path)
    return resolved if files.is_folder(resolved) else resolved.parent


def _below(folder: Path, walking: _Walking) -> Iterator[Path]:
    """Files below a folder.

    Each folder is entered once, by whatever link: circles end, and so do links of links.
    """
    resolved = walking.files.real(folder)
    if resolved in walking.seen:
        return
    walking.seen.add(resolved)
    if not inside(resolved, walking.roots):
        walking.findings.append(_fault(rules.OUTSIDE, folder, _ELSEWHERE))
        return
    for path in _entries(folder, walking):
        if path.name.startswith("."):
            _tell_unread(path, walking)
            continue
        try:
            is_folder = stat.S_ISDIR(walking.files.mode(path))
        except OSError as fault:
            yield from _unseen(path, fault, walking)
            continue
        if is_folder:
            yield from _below(path, walking)
        elif path.name.endswith(SUFFIXES):
            yield path
        else:
            _tell_unread(path, walking)
            if path.name.endswith(LISTS):
                walking.lists.append(path)


def _tell_unread(path: Path, walking: _Walking) -> None:
    """Warn of a file that looks like a document."""
    if why := why_not_read(path, walking.files):
        walking.findings.append(_warning(path, why))


def _unseen(path: Path, fault: OSError, walking: _Walking) -> Iterator[Path]:
    """What the system tells nothing about, because a folder may be listed and not entered, or a
    link leads nowhere: a document says so when it is read, anything else might have been a folder
    of documents.
    """
    if path.name.endswith(SUFFIXES):
        yield path
    elif fault.errno in _LEADS_NOWHERE:
        walking.findings.append(_warning(path, _NOWHERE))
    else:
        message = f"cannot tell whether this is a folder: {fault.strerror or fault}"
        walking.findings.append(_fault(rules.UNREADABLE, path, message))


def _entries(folder: Path, walking: _Walking) -> list[Path]:
    try:
        return [folder / name for name in sorted(walking.files.names(folder))]
    except OSError as fault:
        walking.findings.append(
            _fault(rules.UNREADABLE, folder, f"cannot read the folder: {fault.strerror or fault}")
        )
        return []


def _sift(candidates: Iterable[Path], walking: _Walking) -> tuple[Path, ...]:
    """Drop a file that was reached before, and refuse one that is elsewhere or not a regular file."""
    files: dict[Path, Path] = {}
    for path in candidates:
        resolved = walking.files.real(path)
        if not inside(resolved, walking.roots):
            walking.findings.append(_fault(rules.OUTSIDE, path, _ELSEWHERE))
        elif _never_ends(resolved, walking.files):
            walking.findings.append(_fault(rules.UNREADABLE, path, _NO_FILE))
        else:
            files.setdefault(resolved, path)
    return tuple(files.values())


def _never_ends(path: Path, files: FileTree) -> bool:
    """Whether the path is something other than a regular file: reading a pipe that nobody writes to
    would wait for ever. A missing file is reported when it is read.
    """
    try:
        return not stat.S_ISREG(files.mode(path))
    except OSError:
        return False


def _is_error(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR


def _warning(path: Path, message: str) -> Finding:
    return replace(_fault(rules.NOT_READ, path, message), severity=Severity.WARNING)


def _fault(rule: rules.DocumentRule, path: Path, message: str) -> Finding:
    return Finding(Position(path.as_posix(), 1, 1), "$", rule.id, message)


class Text(Struct, frozen=True):
    """A decoded file.

    In `text` every refused character is replaced, so that the rest of the file can still be judged.
    """

    text: str
    findings: tuple[Finding, ...]
    indented_by_tab: bool = False


def decode_text(raw: bytes, file: str, *, tabs: bool = False) -> Text | Finding:
    """Decode the bytes of a file, or say where they stop being UTF-8.

    Args:
        raw: the whole file.
        file: its name, as findings shall spell it.
        tabs: whether tabs are allowed.
    """
    body = raw.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        return _not_utf8(body, fault.start, file)
    if not body.translate(None, _HARMLESS) and not _lone_return(text):
        return Text(text, ())
    return _judge(text, file, tabs=tabs)


def unfit_message(flaw: Unfit) -> str:
    """Say which character is not allowed."""
    return f"U+{flaw.code_point:04X}, {flaw.why}, is not allowed: remove it"


def _not_utf8(body: bytes, start: int, file: str) -> Finding:
    bol = body.rfind(b"\n", 0, start) + 1
    column = len(body[bol:start].decode("utf-8")) + 1
    position = Position(file, body.count(b"\n", 0, start) + 1, column)
    hint = "it looks like UTF-16; " if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
    return Finding(
        position,
        "$",
        rules.ENCODING.id,
        f"byte 0x{body[start]:02X} is not valid UTF-8: {hint}save the file as UTF-8",
    )


def _lone_return(text: str) -> bool:
    return "\r" in text and text.count("\r") != text.count("\r\n")


def _judge(text: str, file: str, *, tabs: bool) -> Text:
    if not _FLAW.search(text.replace("\t", " ") if tabs else text):
        return Text(text, ())
    findings = tuple(
        finding
        for number, line in enumerate(text.split("\n"), 1)
        for finding in _flaws(line, number, file)
        if not (tabs and finding.rule == rules.TAB.id)
    )
    indented = any(line.lstrip(" ").startswith("\t") and line.strip() for line in text.split("\n"))
    return Text(_FLAW.sub(_replacement, text), findings, indented)


def _replacement(flaw: re.Match[str]) -> str:
    return " " if flaw[0] in "\t\r" else _STANDS_IN


def _flaws(line: str, number: int, file: str) -> Iterator[Finding]:
    for match in _FLAW.finditer(f"{line}\n"):
        position = Position(file, number, match.start() + 1)
        if match[0] == "\t":
            yield Finding(position, "$", rules.TAB.id, "tabs are not allowed: use spaces")
        else:
            # A lone CR ends a line for some readers only. Every character of the pattern is unfit.
            flaw = unfit(match[0]) or Unfit(0, ord(match[0]), "a refused character")
            yield Finding(position, "$", rules.UNFIT_CHARACTER.id, unfit_message(flaw))
