"""What an approval of a plan covers: what a reviewer relied on, in a form in which two plans that
would do the same for the same reasons are equal, whenever and from whatever they were made.

Left out is what moves without the plan doing anything else: times, names for people, objects that
it does not touch, and whatever depends on how many members of a group a reading knew: results of
access tests, whether access is certain, who is excepted. Who gains and loses follows from baseline
and steps, which are covered, and from who holds the lists that get longer, which is too; of those that
get shorter where a limit was lifted for it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reconciler import canonical
from reconciler.kinds.read_warnings import compared_warning
from reconciler.model.codes import RefusalRule, WarningCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Plan

COVERED_AS_WRITTEN = (
    "changes",
    "connect",
    "consents",
    "held",
    "limits",
    "steps",
    "tenant",
    "undoes",
    "unresolved",
    "widened",
)
"""Members of a plan file that are covered as they are."""


def _baseline(value: Any) -> Json:
    """A product that no step relies on may have been read or not."""
    return {product: section for product, section in value.items() if section is not None}


def _gaps(value: Any) -> Json:
    return value and [_gap(row) for row in value]


def _gap(row: Any) -> Json:
    subject = {name: part for name, part in row["subject"].items() if name != "except"}
    kept = {name: row[name] for name in ("application", "reason", "steps")}
    return {**kept, "subject": subject}


def _refusals(value: Any) -> Json:
    return [[note["code"], note["address"], note["details"].get("allow")] for note in value]


def _tests(value: Any) -> Json:
    """What is expected of whom, as the documents say it; not how it comes out."""
    return [
        [
            row["name"],
            row["application"],
            row["expected"],
            row["subject"]["kind"],
            row["subject"]["written"],
        ]
        for row in value
    ]


def _warnings(value: Any) -> Json:
    """What services warned of while the tenant was read, which somebody consented to."""
    quoted = {
        (note["address"], str(note["details"]["cmdlet"]), str(note["details"]["text"]))
        for note in value
        if note["code"] == WarningCode.READ_WARNING
    }
    return [[*about, compared_warning(text)] for *about, text in sorted(quoted)]


NORMALIZED: Mapping[str, Callable[[Any], Json]] = {
    "baseline": _baseline,
    "gaps": _gaps,
    "refusals": _refusals,
    "tests": _tests,
    "warnings": _warnings,
}
"""Members that are covered in part, with the part."""

SOMETIMES = ("displaced", "narrowed")
"""Members that are covered as they are, if at all."""

COVERED = tuple(sorted((*COVERED_AS_WRITTEN, *NORMALIZED, *SOMETIMES)))
"""The members of a plan file that an approval may cover."""


def is_covered(name: str, value_of: Callable[[str], Any]) -> bool:
    """Whether an approval covers a member of a plan file.

    Args:
        name: the member.
        value_of: the values of members, as JSON values.
    """
    match name:
        case "displaced":
            return bool(value_of(name))
        case "warnings":
            return bool(_warnings(value_of(name)))
        case "narrowed":
            return exceeds_limits(value_of("consents"))
        case _:
            return name in COVERED


def exceeds_limits(consents: Iterable[str]) -> bool:
    """Whether a plan takes more away than the limits allow: that was consented to for those who held
    its lists, and for nobody who came since.
    """
    return any(consent.lower().startswith(f"{RefusalRule.LIMITS}:") for consent in consents)


def covered(file: Mapping[str, Any]) -> dict[str, Json]:
    """What an approval covers of a plan file, by member.

    Args:
        file: the members of a plan file as JSON values, of the shape that the types of a plan have.
    """
    return {
        name: NORMALIZED[name](file[name]) if name in NORMALIZED else file[name]
        for name in COVERED
        if name in file and is_covered(name, file.__getitem__)
    }


class Difference(Struct, frozen=True, order=True):
    """A member of two plan files that an approval covers and that is not equal.

    `objects` are the addresses, names or keys of what differs in it, sorted; empty: all of it.
    """

    member: str
    objects: tuple[str, ...]


class ObjectDifference(Struct, frozen=True):
    """How two plan files differ in what a member says of one object.

    Attributes:
        name: As in a `Difference`.
        approved: How many rows the approved plan has of it.
        other: How many the other plan has.
        fields: The names of what differs where both have one, one level deeper where it is a mapping.
    """

    name: str
    approved: int
    other: int
    fields: tuple[str, ...] = ()


def differences(approved: Plan, plan: Plan) -> tuple[Difference, ...]:
    """What an approval of one plan does not cover of another, by member; nothing if it covers it."""
    first, second = (covered(msgspec.to_builtins(value)) for value in (approved, plan))
    return tuple(
        Difference(name, differing_objects(name, first.get(name), second.get(name)))
        for name in COVERED
        if first.get(name) != second.get(name)
    )


def object_differences(approved: Plan, plan: Plan) -> Mapping[str, tuple[ObjectDifference, ...]]:
    """The same in more detail: by member, of each object what differs."""
    first, second = (covered(msgspec.to_builtins(value)) for value in (approved, plan))
    return {
        difference.member: tuple(
            _of_objects(difference, *(values.get(difference.member) for values in (first, second)))
        )
        for difference in differences(approved, plan)
    }


def _of_objects(difference: Difference, approved: Json, other: Json) -> Iterator[ObjectDifference]:
    first, second = (_rows(difference.member, value) for value in (approved, other))
    for name in difference.objects:
        ours, theirs = first.get(name, []), second.get(name, [])
        single = len(ours) == len(theirs) == 1
        fields = sorted(_differing_fields(ours[0], theirs[0])) if single else []
        yield ObjectDifference(name, len(ours), len(theirs), tuple(fields))


def _rows(member: str, value: Json) -> Mapping[str, list[Json]]:
    objects: dict[str, list[Json]] = defaultdict(list)
    for name, row in () if value is None or isinstance(value, str) else _objects(member, value):
        objects[name].append(row)
    return objects


def _differing_fields(first: Any, second: Any, prefix: str = "") -> Iterator[str]:
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return
    for field in first.keys() | second.keys():
        ours, theirs = first.get(field), second.get(field)
        if ours != theirs:
            inner = () if prefix else tuple(_differing_fields(ours, theirs, f"{field}."))
            yield from inner or (f"{prefix}{field}",)


def differing_objects(member: str, approved: Json, other: Json) -> tuple[str, ...]:
    """What differs in a member of two plan files, as an approval covers it: addresses, names or keys,
    sorted.
    """
    first, second = (_by_object(member, value) for value in (approved, other))
    return tuple(
        sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    )


def _by_object(member: str, value: Json) -> Mapping[str, list[bytes]]:
    """What a member says of each object."""
    return {
        name: [canonical.dumps(row) for row in rows] for name, rows in _rows(member, value).items()
    }


def _objects(member: str, value: Any) -> Iterator[tuple[str, Json]]:
    match member:
        case "baseline":
            for product, section in value.items():
                yield from ((f"{product} {name}", part) for name, part in _parts(section))
        case "connect" | "limits" | "tenant":
            yield from value.items()
        case "consents":
            yield from ((consent, True) for consent in value)
        case "gaps":
            yield from ((row["application"], row) for row in value or ())
        case "refusals":
            yield from ((f"{row[0]}:{row[1]}", row) for row in value)
        case "tests" | "warnings":
            yield from ((row[0], row) for row in value or ())
        case "steps":
            # A step that moved only because one before it came or went is the same step.
            for row in value:
                yield row["address"], {name: row[name] for name in row if name not in _PLACE}
        case _:
            yield from ((row["address"], row) for row in value)


_PLACE = frozenset({"id", "gaps"})


def _parts(section: Any) -> Iterator[tuple[str, Json]]:
    """A product's baseline, one level deeper where it is a mapping by object."""
    for name, part in section.items():
        if isinstance(part, dict):
            yield from ((f"{name} {key}", inner) for key, inner in part.items())
        else:
            yield name, part
