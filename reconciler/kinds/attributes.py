"""What differs in one changed object, attribute by attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import canonical
from reconciler.model.plans import AttributeChange, Change

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Address
    from reconciler.model.codes import ChangeReason
    from reconciler.model.plans import Action, ObjectKind


def object_change(
    address: Address,
    kind: ObjectKind,
    actions: tuple[Action, ...],
    reason: ChangeReason,
    before: Mapping[str, Json] | None,
    after: Mapping[str, Json] | None,
    attributes: tuple[AttributeChange, ...] = (),
    replaces: Address | None = None,
) -> Change:
    """A change; most have no attribute that differs and replace nothing."""
    return Change(address, kind, actions, reason, before, after, attributes, replaces)


def attribute_changes(
    before: Mapping[str, Json], after: Mapping[str, Json]
) -> tuple[AttributeChange, ...]:
    """Attributes that differ between two forms of one object, sorted by name.

    Lists of ids are compared as sets, and texts as they are. The rest is deepdiff's: it tells `True`
    from `1` and a missing attribute from an empty one.
    """
    listed, texts = _names_of(list, before, after), _names_of(str, before, after)
    plain = [
        *(name for name in texts if before[name] != after[name]),
        *_differing(*(_without(content, listed | texts) for content in (before, after))),
    ]
    rows = [_listed(name, before[name], after[name]) for name in listed]
    rows += [AttributeChange(name, before.get(name), after.get(name), (), ()) for name in plain]
    return tuple(sorted((row for row in rows if row is not None), key=lambda row: row.name))


def attributes_of_both(
    before: Mapping[str, Json] | None, after: Mapping[str, Json] | None
) -> tuple[AttributeChange, ...]:
    """What differs of that which both forms of an object have; nothing if it comes or goes."""
    if before is None or after is None:
        return ()
    common = before.keys() & after.keys()
    return attribute_changes(*({name: form[name] for name in common} for form in (before, after)))


def _names_of(kind: type, before: Mapping[str, Json], after: Mapping[str, Json]) -> set[str]:
    """Names of attributes whose value is of this type before and after."""
    return {
        name
        for name in before.keys() & after.keys()
        if isinstance(before[name], kind) and isinstance(after[name], kind)
    }


def _differing(before: Mapping[str, Json], after: Mapping[str, Json]) -> Collection[str]:
    """Names of attributes that differ, as deepdiff sees it, which takes longer to load than most
    plans take to make: what is the same text is not shown to it.
    """
    if canonical.dumps(before) == canonical.dumps(after):
        return ()
    from deepdiff import (  # noqa: PLC0415
        DeepDiff,
    )

    return [str(name) for name in DeepDiff(before, after, view="tree").affected_root_keys]


def _without(content: Mapping[str, Json], names: Collection[str]) -> dict[str, Json]:
    return {name: value for name, value in content.items() if name not in names}


def _listed(name: str, before: Json, after: Json) -> AttributeChange | None:
    old, new = (
        {str(item) for item in value} if isinstance(value, list) else set()
        for value in (before, after)
    )
    return (
        AttributeChange(name, None, None, tuple(sorted(new - old)), tuple(sorted(old - new)))
        if old != new
        else None
    )
