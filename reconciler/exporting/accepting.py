"""An entry of `spec.accepted`: what an unmanaged object is, written into the Tenant document so that
everything else in the file stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from reconciler.documents.parsing import parse_yaml
from reconciler.documents.raw_documents import value_at
from reconciler.documents.schemas import schema, takes
from reconciler.documents.trees import ListMarks, MapMarks, place_of
from reconciler.exporting.editing import LineEdit, edited, text_lines, without_comment
from reconciler.exporting.texts import comment, flow_list, is_expressible, scalar
from reconciler.guids import EMPTY_GUID
from reconciler.model.addresses import TeamsPolicyAddress, parse_address
from reconciler.model.documents import Kind
from reconciler.model.observed import is_opaque
from reconciler.model.unmanaged import FREE_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.trees import Tree
    from reconciler.exporting.editing import TextLines
    from reconciler.model.unmanaged import UnmanagedObject

_KEY: Final = "accepted"
_STEPS: Final = ("spec", _KEY)
_MOST_FLOW: Final = 90


class NewEntry(Struct, frozen=True):
    """An entry that shall be in the Tenant document.

    Attributes:
        object: The object as it is.
        reason: Why it is there.
        free: Whether its holders may change.
        called: A comment beside its address, for people; may be empty.
    """

    object: UnmanagedObject
    reason: str
    free: bool = False
    called: str = ""

    @property
    def parts(self) -> Mapping[str, Json]:
        """The parts that are recorded."""
        return {
            part: value
            for part, value in self.object.parts.items()
            if value is not None and not (self.free and part in FREE_PARTS)
        }


def entry_refusal(entry: NewEntry) -> str:
    """Why an object cannot be accepted; empty if it can."""
    address, parts = entry.object.address, entry.parts
    form: Mapping[str, Any] = _schema()["properties"]["address"]
    if not is_expressible(address) or not takes(form, address):
        return "its name cannot be written in a document"
    if EMPTY_GUID in f"{address} {parts}":
        return "the all-zero GUID identifies no object"
    applications = parts.get("applications")
    if isinstance(applications, list) and any(is_opaque(str(each)) for each in applications):
        return "its list has an entry that is not a client id: correct it in the tenant"
    if entry.free and not isinstance(parse_address(address), TeamsPolicyAddress):
        return "only the holders of a Teams policy can be left free"
    return ""


def reason_refusal(reason: str) -> str:
    """Why a text cannot be a reason; empty if it can."""
    most = _schema()["properties"]["reason"]["maxLength"]
    if not reason.strip() or reason != reason.strip():
        return "say why the object exists, without blanks around it"
    if len(reason) > most:
        return f"at most {most} characters"
    return "" if is_expressible(reason) else "one line of characters that can be seen"


def _schema() -> Mapping[str, Any]:
    whole = schema(Kind.TENANT)["properties"]["spec"]["properties"]
    item: Mapping[str, Any] = whole[_KEY]["items"]
    return item


def entry_lines(entry: NewEntry) -> list[str]:
    """The lines of an entry, its dash at the beginning of the first one."""
    called = f"   # {comment(entry.called)}" if entry.called else ""
    return [
        f"- address: {scalar(entry.object.address)}{called}",
        f"  reason: {scalar(entry.reason)}",
        *(["  grants: free"] if entry.free else []),
        *_was(entry.parts),
    ]


def _was(parts: Mapping[str, Json]) -> Iterator[str]:
    if not parts:
        yield "  was: {}"
        return
    yield "  was:"
    for part, value in sorted(parts.items()):
        yield from (f"    {line}" for line in _part(part, value))


def _part(part: str, value: Json) -> Iterator[str]:
    match value:
        case list() if all(isinstance(item, str) for item in value):
            line = f"{part}: {flow_list([str(item) for item in value])}"
            if len(line) <= _MOST_FLOW:
                yield line
                return
            yield f"{part}:"
            yield from (f"  - {scalar(str(item))}" for item in value)
        case list() if not value:
            yield f"{part}: []"
        case list():
            yield f"{part}:"
            yield from (f"  - {_flow(row)}" for row in value if isinstance(row, dict))
        case dict():
            yield f"{part}: {_flow(value)}"
        case int():
            yield f"{part}: {value}"
        case _:
            yield f"{part}: {scalar(str(value))}"


def _flow(row: Mapping[str, Json]) -> str:
    pieces = (
        f"{name}: {value if isinstance(value, int) else scalar(str(value))}"
        for name, value in row.items()
    )
    return f"{{{', '.join(pieces)}}}"


def with_entries(text: str, entries: Sequence[NewEntry]) -> str | None:
    """The text of a file with entries in its Tenant document; an entry for the same object is
    replaced. None if the place cannot be edited safely: a person has to paste them.

    Args:
        text: the whole file, which has no fault.
        entries: at least one, each of another object.
    """
    for entry in entries:
        edit = _edited(text, entry)
        if edit is None:
            return None
        text = edit
    return text


def _edited(text: str, entry: NewEntry) -> str | None:
    tree = _tenant(text)
    if tree is None:
        return None
    edits = [*_edits(tree, text_lines(text), entry)]
    after = edited(text, edits)
    return after if edits and _is_right(text, after, entry) else None


def _tenant(text: str) -> Tree | None:
    trees = parse_yaml(text, "").trees
    return next((tree for tree in trees if value_at(tree.value, ("kind",)) == Kind.TENANT), None)


def _edits(tree: Tree, lines: TextLines, entry: NewEntry) -> Iterator[LineEdit]:
    """Where the entry goes, and the lines of the one that it replaces."""
    spec = tree.marks.inner.get("spec") if isinstance(tree.marks, MapMarks) else None
    if not isinstance(spec, MapMarks):
        return
    if _KEY not in spec.keys:
        yield from _first_entry(tree, spec, lines, entry)
        return
    number = spec.keys[_KEY][0]
    bare, behind = without_comment(lines.lines[number - 1])
    marks = spec.inner.get(_KEY)
    items = value_at(tree.value, _STEPS)
    if not isinstance(marks, ListMarks) or not isinstance(items, list):
        return
    indent = spec.keys[_KEY][1] - 1
    if not items and bare.strip() == f"{_KEY}: []":
        line = f"{' ' * indent}{_KEY}:{behind}"
        yield LineEdit(number, number + 1, (line, *_indented(entry, indent + 2)))
    elif bare.strip() == f"{_KEY}:":
        first = marks.lines[0]
        dash = lines.indent(first)
        yield LineEdit(number + 1, number + 1, _indented(entry, dash))
        yield from _replaced(tree, marks, lines, entry)


def _first_entry(
    tree: Tree, spec: MapMarks, lines: TextLines, entry: NewEntry
) -> Iterator[LineEdit]:
    """A key at the end of `spec`, where `spec` is the last key of the document."""
    place = place_of(tree, ("spec",), key=True)
    columns = {column for _, column in spec.keys.values()}
    bare, _ = without_comment(lines.lines[place[0] - 1])
    if len(columns) != 1 or bare.strip() != "spec:":
        return
    indent = columns.pop() - 1
    stop = lines.block_end(place[0], place[1] - 1, tree.last_line)
    yield LineEdit(stop, stop, (f"{' ' * indent}{_KEY}:", *_indented(entry, indent + 2)))


def _replaced(
    tree: Tree, marks: ListMarks, lines: TextLines, entry: NewEntry
) -> Iterator[LineEdit]:
    key = entry.object.address.lower()
    for index, first in enumerate(marks.lines):
        address = value_at(tree.value, (*_STEPS, index, "address"))
        if isinstance(address, str) and address.lower() == key:
            stop = lines.block_end(first, lines.indent(first), tree.last_line)
            yield LineEdit(first, stop)


def _indented(entry: NewEntry, indent: int) -> tuple[str, ...]:
    return tuple(f"{' ' * indent}{line}" for line in entry_lines(entry))


def _is_right(before: str, after: str, entry: NewEntry) -> bool:
    """Whether an edit did what it should and nothing else, as the reader of documents sees it."""
    old, new = parse_yaml(before, "").trees, parse_yaml(after, "")
    if new.findings or len(old) != len(new.trees):
        return False
    key = entry.object.address.lower()
    for tree, other in zip(old, new.trees, strict=True):
        if value_at(tree.value, ("kind",)) != Kind.TENANT:
            if tree.value != other.value:
                return False
            continue
        kept = [row for row in _rows(tree) if str(value_at(row, ("address",))).lower() != key]
        added, *others = _rows(other)
        if others != kept or added != _value(entry) or _without(tree) != _without(other):
            return False
    return True


def _rows(tree: Tree) -> list[Json]:
    rows = value_at(tree.value, _STEPS)
    return rows if isinstance(rows, list) else []


def _without(tree: Tree) -> Mapping[str, Json]:
    """A document without what is accepted."""
    value: Any = tree.value
    spec = {name: item for name, item in value["spec"].items() if name != _KEY}
    return {**value, "spec": spec}


def _value(entry: NewEntry) -> Mapping[str, Json]:
    free: Mapping[str, Json] = {"grants": "free"} if entry.free else {}
    return {
        "address": entry.object.address,
        "reason": entry.reason,
        **free,
        "was": dict(entry.parts),
    }
