"""A plan as a file and back.

The file is canonical JSON, byte for byte; its digests are what people approve.
"""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct

from reconciler import __version__, canonical
from reconciler.errors import TamperedPlan
from reconciler.file_kinds import FileKind, told_apart, why_no_json
from reconciler.files import read_regular, write_atomically
from reconciler.model.plans import FORMAT_VERSION, Plan
from reconciler.planning import approval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from reconciler.canonical import Json


_Piece = TypeVar("_Piece", bytes, "bytes | memoryview")


class PlanDigests(Struct, frozen=True):
    """`plan:HEX` covers the whole file, `content:HEX` what an approval covers (`approval`)."""

    digest: Annotated[str, Meta(pattern="^plan:[0-9a-f]{64}$")]
    content_digest: Annotated[str, Meta(pattern="^content:[0-9a-f]{64}$")]


class SealedPlan(Struct, frozen=True):
    """A plan that was read from a file and is what was written."""

    plan: Plan
    digests: PlanDigests

    @property
    def digest(self) -> str:
        """`plan:HEX`."""
        return self.digests.digest

    @property
    def content_digest(self) -> str:
        """`content:HEX`."""
        return self.digests.content_digest


def sealed(plan: Plan, *paths: Path) -> SealedPlan:
    """A plan value with its digests, as if it had been written and read; and written to these
    files, encoded once for everything. A new file is its owner's alone: it tells of people.

    Raises:
        OSError: a file cannot be written.
    """
    members = _members(plan)
    computed = _seal(plan, members)
    for path in paths:
        write_atomically(path, _file(members), private=True)
    return SealedPlan(plan, computed)


def chunks(plan: Plan, stated: PlanDigests | None = None) -> Iterator[bytes]:
    """The bytes of the plan file, in pieces.

    Args:
        plan: the plan.
        stated: the digests of the plan that this one is a redacted copy of; the bytes are then for
            readers, and nothing takes them for a plan file.
    """
    members = _members(plan)
    if stated is None:
        _seal(plan, members)
    else:
        members["content_digest"] = tuple(_member("content_digest", stated.content_digest))
        members["digest"] = tuple(_member("digest", stated.digest))
    yield from _file(members)


def _members(plan: Plan) -> _Members:
    """`"name":value` for each field of a plan."""
    values = ((name, getattr(plan, name)) for name in plan.__struct_fields__)
    return {name: tuple(_member(name, value)) for name, value in values if value is not UNSET}


def _member(name: str, value: object) -> Iterator[bytes]:
    """`"name":value`.

    Long lists come in pieces, so that nothing needs the whole text at once.
    """
    yield canonical.dumps(name) + b":"
    if isinstance(value, dict):
        # msgspec's sorting is quadratic for keys that are sorted but for one at their end.
        value = dict(sorted(value.items()))
    if not isinstance(value, tuple | list):
        yield canonical.encode(value)
        return
    opening = b"["
    for start in range(0, len(value), _BATCH):
        yield opening + canonical.encode(value[start : start + _BATCH])[1:-1]
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


def _object(members: Iterable[Iterable[_Piece]]) -> Iterator[_Piece]:
    opening = b"{"
    for member in members:
        yield opening
        yield from member
        opening = b","
    yield b"}"


def _file(members: _Members) -> Iterator[bytes]:
    yield from _object(members[name] for name in sorted(members))
    yield b"\n"


def _seal(plan: Plan, members: _Members) -> PlanDigests:
    """Compute both digests and put them among the members."""
    content = _content_digest(members, lambda name: msgspec.to_builtins(getattr(plan, name)))
    members["content_digest"] = tuple(_member("content_digest", content))
    digest = f"plan:{_sha256(_object(members[name] for name in sorted(members)))}"
    members["digest"] = tuple(_member("digest", digest))
    return PlanDigests(digest, content)


def _content_digest(
    members: Mapping[str, Iterable[bytes | memoryview]], value_of: Callable[[str], Json]
) -> str:
    """Digest of what an approval covers; `members` as they are encoded, `value_of` as JSON values."""
    covered: dict[str, Iterable[bytes | memoryview]] = {
        name: _member(name, approval.NORMALIZED[name](value_of(name)))
        if name in approval.NORMALIZED
        else members[name]
        for name in approval.COVERED
        if name in members and approval.is_covered(name, value_of)
    }
    return f"content:{_sha256(_object(covered.values()))}"


def _sha256(pieces: Iterable[bytes | memoryview]) -> str:
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
    return hashed.hexdigest()


def load_plan(path: Path) -> SealedPlan:
    """Read a plan file and check that it is exactly what was written.

    Raises:
        TamperedPlan: not canonical, a digest that does not match, or a format version that is not
            supported.
        OSError: the file cannot be read.
    """
    content = read_regular(path)
    raw = _parsed(path, content)
    if not raw.keys() >= {"format_version", "steps"}:
        _assert_plan(path, content, raw)
    _assert_version(path, raw)
    stated = PlanDigests(str(raw.get("digest", "")), str(raw.get("content_digest", "")))
    members = _canonical_or_none(raw, content)
    if members is None:
        raise TamperedPlan(
            f"{path}: the file was modified or reformatted after `plan --out` wrote it; plan again"
        )
    sealed_members = (members[name] for name in sorted(members) if name != "digest")
    if stated.digest != f"plan:{_sha256(_object(sealed_members))}":
        raise _changed(path, stated)
    plan = _plan(path, raw)
    if stated.content_digest != _content_digest(members, raw.__getitem__):
        raise _changed(path, stated)
    return SealedPlan(plan, stated)


def _changed(path: Path, stated: PlanDigests) -> TamperedPlan:
    return TamperedPlan(
        f"{path}: the plan was modified after it was made"
        f" ({stated.digest or 'without a digest'}); plan and review again"
    )


def _plan(path: Path, raw: Mapping[str, Any]) -> Plan:
    """The plan of a parsed file; fields that a newer minor version has are left out."""
    try:
        plan = msgspec.convert(raw, Plan)
        _assert_order(plan)
    except ValueError as error:
        raise TamperedPlan(f"{path}: invalid plan file: {error}; plan again") from error
    return plan


def _assert_order(plan: Plan) -> None:
    for place, step in enumerate(plan.steps, 1):
        if step.id != place:
            raise ValueError(f"step {step.id} is out of order; expected step {place}")


def _canonical_or_none(
    raw: Mapping[str, Any], content: bytes
) -> dict[str, tuple[memoryview]] | None:
    try:
        return _canonical_members(raw, content)
    except UnicodeEncodeError:  # half of a surrogate pair: a text that has no UTF-8
        return None


def _canonical_members(
    raw: Mapping[str, Any], content: bytes
) -> dict[str, tuple[memoryview]] | None:
    """The members of a parsed file as they are encoded; None if `content` is not its canonical form."""
    view, end = memoryview(content), 0
    members: dict[str, tuple[memoryview]] = {}
    for name in sorted(raw):
        opening = b"," if members else b"{"
        start = end + len(opening)
        for piece in chain((opening,), _member(name, raw[name])):
            if not content.startswith(piece, end):
                return None
            end += len(piece)
        members[name] = (view[start:end],)
    return members if content[end:] == b"}\n" else None


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(content.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise TamperedPlan(
            told_apart(str(path), content, FileKind.PLAN)
            or f"{path}: not a plan file ({why_no_json(error)}); pass a file that `plan --out` wrote"
        ) from error
    if not isinstance(raw, dict):
        raise TamperedPlan(
            f"{path}: not a plan file (expected a JSON object); pass a file that `plan --out` wrote"
        )
    return raw


def _no_float(text: str) -> None:
    raise ValueError(f"{text} is not a number that a plan file may contain")


def _assert_plan(path: Path, content: bytes, raw: Mapping[str, Any]) -> None:
    """Say what a file of ours is, if it is not a plan."""
    if other := told_apart(str(path), content, FileKind.PLAN):
        raise TamperedPlan(other)
    if "format_version" not in raw:
        raise TamperedPlan(
            f"{path}: not a plan file (no format_version); pass a file that `plan --out` wrote"
        )


def _assert_version(path: Path, raw: Mapping[str, Any]) -> None:
    version = raw.get("format_version")
    if (
        not isinstance(version, str)
        or version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]
    ):
        raise TamperedPlan(
            f"{path}: format version {version!r} is not supported by reconciler {__version__}"
            f" (expected {FORMAT_VERSION}); plan again"
        )


_BATCH = 500
"""Rows that are encoded at once."""
_Members: TypeAlias = "dict[str, tuple[bytes, ...]]"
