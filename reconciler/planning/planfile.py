"""A plan as a file and back.

The file is canonical JSON, byte for byte; its digests are what people approve.
"""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from reconciler import __version__, canonical
from reconciler.errors import TamperedPlan
from reconciler.files import write_atomically
from reconciler.model.addresses import Address
from reconciler.model.plans import Action, AttributeChange, Change, Inputs, Note, Plan, Step
from reconciler.planning import planshape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.canonical import Json

_Piece = TypeVar("_Piece", bytes, "bytes | memoryview")

FORMAT_VERSION = "1.0"
"""Also fixes the templates, the order of parameters and where -Confirm stands."""

CONTENT = ("tenant", "baseline", "changes", "steps", "access", "gaps", "held", "consents")
"""What two plans that would do the same have in common, whenever and from whatever they were made.
"""


class Digests(Struct, frozen=True):
    """`plan:HEX` covers the whole file, `content:HEX` only what the plan would do."""

    digest: str
    content_digest: str


class Loaded(Struct, frozen=True):
    """A plan that was read from a file and is what was written."""

    plan: Plan
    digests: Digests

    @property
    def digest(self) -> str:
        """`plan:HEX`."""
        return self.digests.digest

    @property
    def content_digest(self) -> str:
        """`content:HEX`."""
        return self.digests.content_digest


def sealed(plan: Plan, *paths: Path) -> Loaded:
    """A plan value with its digests, as if it had been written and read; and written to these
    files, encoded once for everything.

    Raises:
        OSError: a file cannot be written.
    """
    members = _members(_body(plan))
    found = _seal(members)
    for path in paths:
        write_atomically(path, _file(members))
    return Loaded(plan, found)


def digests(plan: Plan) -> Digests:
    """Compute both digests of a plan."""
    return _seal(_members(_body(plan)))


def as_json(plan: Plan) -> Mapping[str, Json]:
    """The whole plan file as a JSON value."""
    found = digests(plan)
    plain = {name: msgspec.to_builtins(getattr(plan, name)) for name in _ROWS}
    return {**_body(plan), **plain, "content_digest": found.content_digest, "digest": found.digest}


def chunks(plan: Plan) -> Iterator[bytes]:
    """The bytes of the plan file, in pieces."""
    members = _members(_body(plan))
    _seal(members)
    yield from _file(members)


def write(path: Path, plan: Plan) -> None:
    """Write the plan file atomically.

    Raises:
        OSError: the file cannot be written.
    """
    write_atomically(path, chunks(plan))


def _members(body: Mapping[str, Any]) -> _Members:
    return {name: tuple(_member(name, value)) for name, value in body.items()}


def _member(name: str, value: Any) -> Iterator[bytes]:
    """`"name":value`.

    Long lists come in pieces, so that nothing needs the whole text, or rows that are not made yet,
    at once.
    """
    yield canonical.dumps(name) + b":"
    if name not in _ROWS or not isinstance(value, tuple | list):
        yield canonical.dumps(value)
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


def _seal(members: _Members) -> Digests:
    """Compute both digests and put them among the members."""
    content = f"content:{_sha256(_object(members[name] for name in sorted(CONTENT)))}"
    members["content_digest"] = tuple(_member("content_digest", content))
    digest = f"plan:{_sha256(_object(members[name] for name in sorted(members)))}"
    members["digest"] = tuple(_member("digest", digest))
    return Digests(digest, content)


def _sha256(pieces: Iterable[bytes | memoryview]) -> str:
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
    return hashed.hexdigest()


def load(path: Path) -> Loaded:
    """Read a plan file and check that it is exactly what was written.

    Raises:
        TamperedPlan: not canonical, a digest that does not match, or a format version that is not
            supported.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    raw = _parsed(path, content)
    _assert_version(path, raw)
    found = Digests(str(raw.get("digest", "")), str(raw.get("content_digest", "")))
    computed = _digests_of(raw, content)
    if computed is None:
        raise TamperedPlan(
            f"{path}: the file is not byte for byte what `plan --out` writes; make the plan again"
        )
    if found != computed:
        raise TamperedPlan(
            f"{path}: the plan was changed after it was made"
            f" ({found.digest or 'it has no digest'}); make and review it again"
        )
    del content  # as large as the plan itself
    if flaw := planshape.flaw(raw):
        raise TamperedPlan(
            f"{path}: the plan file lacks something or has it in the wrong place ({flaw}); make the"
            " plan again"
        )
    return Loaded(_plan(raw), found)


def _digests_of(raw: Mapping[str, Any], content: bytes) -> Digests | None:
    """The digests of a parsed file; None if `content` is not its canonical form.

    One encoding serves both, and is never held as a whole.
    """
    view, end = memoryview(content), 0
    members: dict[str, Iterable[bytes | memoryview]] = {}
    for name in sorted(raw):
        opening = b"," if members else b"{"
        start = end + len(opening)
        for piece in chain((opening,), _member(name, raw[name])):
            if not content.startswith(piece, end):
                return None
            end += len(piece)
        members[name] = (view[start:end],)
    if content[end:] != b"}\n":
        return None
    known: dict[str, Iterable[bytes | memoryview]] = {
        **{name: _member(name, None) for name in CONTENT},
        **members,
    }
    inner = _sha256(_object(known[name] for name in sorted(CONTENT)))
    return Digests(
        f"plan:{_sha256(_object(members[name] for name in sorted(members) if name != 'digest'))}",
        f"content:{inner}",
    )


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(content.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise TamperedPlan(
            f"{path}: this is no plan file ({error}); give the file that `plan --out` wrote"
        ) from error
    if not isinstance(raw, dict):
        raise TamperedPlan(
            f"{path}: this is no plan file (no JSON object); give the file that `plan --out` wrote"
        )
    return raw


def _no_float(text: str) -> None:
    raise ValueError(f"{text} is a number that plan files do not have")


def _assert_version(path: Path, raw: Mapping[str, Any]) -> None:
    version = raw.get("format_version")
    if (
        not isinstance(version, str)
        or version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]
    ):
        raise TamperedPlan(
            f"{path}: format version {version!r} is not supported by reconciler {__version__} (it"
            f" reads {FORMAT_VERSION}); make the plan again"
        )


def _body(plan: Plan) -> dict[str, Any]:
    """The members of a plan file; what `_ROWS` names are the plan's own values, whose fields are
    called as the file calls them.
    """
    return {
        "access": plan.access,
        "applicable": plan.applicable,
        "baseline": plan.baseline,
        "changes": plan.changes,
        "connect": plan.connect,
        "consents": list(plan.consents),
        "displaced": [_note_json(note) for note in plan.displaced],
        "format_version": FORMAT_VERSION,
        "gaps": plan.gaps,
        "held": [_note_json(note) for note in plan.held],
        "inputs": {
            "capture_digest": plan.inputs.capture_digest,
            "capture_taken_at": plan.inputs.capture_taken_at,
            "documents_digest": plan.inputs.documents_digest,
            "source": plan.inputs.source,
        },
        "names": plan.names,
        "refusals": [_note_json(note) for note in plan.refusals],
        "steps": plan.steps,
        "summary": plan.summary,
        "tenant": {"organization": plan.organization, "tenantId": plan.tenant_id},
        "tests": list(plan.tests),
        "tool": {"name": "reconciler", "version": __version__},
        "unmanaged": [_note_json(note) for note in plan.unmanaged],
        "unresolved": [_note_json(note) for note in plan.unresolved],
        "warnings": [_note_json(note) for note in plan.warnings],
    }


def _note_json(note: Note) -> Json:
    return {"address": note.address, "code": note.code, "details": note.details}


_ROWS = ("changes", "steps")
_BATCH = 500
"""Rows that are encoded at once."""
_Members: TypeAlias = "dict[str, tuple[bytes, ...]]"


def _plan(raw: Mapping[str, Any]) -> Plan:
    return Plan(
        tenant_id=raw["tenant"]["tenantId"],
        organization=raw["tenant"]["organization"],
        connect=raw["connect"],
        applicable=raw["applicable"] is True,
        held=_notes(raw["held"]),
        inputs=Inputs(**{name: raw["inputs"][name] for name in Inputs.__struct_fields__}),
        baseline=raw["baseline"],
        changes=tuple(_change(one) for one in raw["changes"]),
        steps=tuple(map(_step, raw["steps"])),
        unmanaged=_notes(raw["unmanaged"]),
        displaced=_notes(raw["displaced"]),
        unresolved=_notes(raw["unresolved"]),
        consents=tuple(raw["consents"]),
        refusals=_notes(raw["refusals"]),
        warnings=_notes(raw["warnings"]),
        names=raw["names"],
        summary=raw["summary"],
        access=raw["access"],
        gaps=raw["gaps"],
        tests=tuple(raw["tests"]),
    )


def _notes(rows: Sequence[Mapping[str, Any]]) -> tuple[Note, ...]:
    return tuple(Note(row["code"], row["address"], row["details"]) for row in rows)


def _change(row: Mapping[str, Any]) -> Change:
    attributes = (
        AttributeChange(
            one["name"], one["before"], one["after"], tuple(one["added"]), tuple(one["removed"])
        )
        for one in row["attributes"]
    )
    return Change(
        address=Address(row["address"]),
        kind=row["kind"],
        actions=tuple(Action(action) for action in row["actions"]),
        reason=row["action_reason"],
        before=row["before"],
        after=row["after"],
        attributes=tuple(attributes),
        replaces=None if row["replaces"] is None else Address(row["replaces"]),
    )


def _step(row: Mapping[str, Any]) -> Step:
    return Step(
        id=row["id"],
        address=Address(row["address"]),
        provider=row["provider"],
        cmdlet=row["cmdlet"],
        parameters=row["parameters"],
        text=row["text"],
        reason=row["reason"],
        temporary=row["temporary"],
        gaps=tuple(row["gaps"]),
    )
