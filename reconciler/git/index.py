"""Which files of a working tree git tracks, read from its index (gitformat-index(5)).

A tracked file is what somebody committed, not what a program of this user left behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.files import real_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEADER, _EXTENDED = 12, 0x4000
_STAT = 40
"""Bytes of an entry before its object's name: times, device, inode, mode, owner, group, size."""
_HASHES = (20, 32)
"""Bytes of an object's name: SHA-1, SHA-256. The index does not say which."""


class UnreadIndex(Exception):
    """An index that cannot be read as the format says."""


def tracks(file: Path) -> bool:
    """Whether git tracks a file, in the innermost working tree around it. What cannot be read
    counts as tracked.
    """
    file = real_path(file.parent) / file.name
    for tree in file.parents:
        if (tree / ".git").exists():
            name = file.relative_to(tree).as_posix()
            try:
                return any(name.casefold() == entry.casefold() for entry in _names(_folder(tree)))
            except (OSError, UnreadIndex, UnicodeDecodeError):
                return True
    return False


def _folder(tree: Path) -> Path:
    """Where git keeps a working tree's index: `.git`, or what a file of that name leads to."""
    git = tree / ".git"
    if git.is_dir():
        return git
    label, _, target = git.read_text(encoding="utf-8").strip().partition(": ")
    if label != "gitdir":
        raise UnreadIndex
    return tree / target


def _names(folder: Path) -> Iterator[str]:
    for index in (folder / "index", *folder.glob("sharedindex.*")):
        if index.exists():
            yield from _tracked(index.read_bytes())


def _tracked(data: bytes) -> list[str]:
    for width in _HASHES:
        try:
            return [name.decode("utf-8", "surrogateescape") for name in _parsed(data, width)]
        except (IndexError, UnreadIndex):
            continue
    raise UnreadIndex


def _parsed(data: bytes, width: int) -> list[bytes]:
    version, count = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
    if data[:4] != b"DIRC" or version not in {2, 3, 4}:
        raise UnreadIndex
    names, name, at = [], b"", _HEADER
    for _ in range(count):
        start, at = at, at + _STAT + width
        flags = int.from_bytes(data[at : at + 2], "big")
        at += 4 if flags & _EXTENDED else 2
        cut, at = _stripped(data, at) if version == 4 else (len(name), at)  # noqa: PLR2004
        end = data.find(b"\0", at)
        if end < 0 or cut > len(name):
            raise UnreadIndex
        name = name[: len(name) - cut] + data[at:end]
        if not _fits(name, flags):
            raise UnreadIndex
        names.append(name)
        # Before version 4 an entry is filled up with zeros to a multiple of eight, one at least.
        at = end + 1 if version == 4 else start + (end - start + 8) // 8 * 8  # noqa: PLR2004
    return names


def _fits(name: bytes, flags: int) -> bool:
    """An entry says how long its name is, up to a limit: with the wrong width of objects' names it
    does not fit.
    """
    return min(len(name), 0xFFF) == flags & 0xFFF


def _stripped(data: bytes, at: int) -> tuple[int, int]:
    """Read how many bytes the name before loses: an offset as in packs, seven bits a byte."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1
