"""The changes of a plan: a block for each changed policy in Terraform's manner, and a line for each
grant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from reconciler.model.addresses import TEAMS_TENANT_GRANT
from reconciler.model.plans import Action, AttributeChange, ObjectKind
from reconciler.reports import sentences, values
from reconciler.reports.lines import Line, Tone, capped, heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.canonical import Json
    from reconciler.model.plans import Change

Names = Mapping[str, str]

LEGEND = (
    Line("Actions are shown with these symbols:", Tone.HEADING),
    Line("  + create", Tone.ADD),
    Line("  ~ update in place", Tone.CHANGE),
    Line("  - destroy", Tone.REMOVE),
    Line("-/+ replace: one is destroyed and one created", Tone.REMOVE),
)

_SYMBOLS: Mapping[tuple[Action, ...], str] = {
    (Action.CREATE,): "+",
    (Action.UPDATE,): "~",
    (Action.DELETE,): "-",
}
_PHRASES: Mapping[tuple[Action, ...], str] = {
    (Action.CREATE,): "will be created",
    (Action.UPDATE,): "will be updated in place",
    (Action.DELETE,): "will be destroyed",
}
_TONES = {"+": Tone.ADD, "~": Tone.CHANGE, "-": Tone.REMOVE, "-/+": Tone.REMOVE}
MOST_CREATED = 20
MOST_TAKING = 200
"""Moves and removals take something away: they are listed much longer than what is only added."""


def policy_blocks(changes: Sequence[Change], names: Names) -> Iterator[Line]:
    """A block for each changed policy in the plan's order; two that replace each other share the
    block of the created one.
    """
    policies: dict[str, Change] = {
        change.address: change for change in changes if not _is_grant(change)
    }
    for change in policies.values():
        partner = _partner(change, policies)
        if partner is None:
            yield from _single(change, names)
        elif Action.CREATE in change.actions:
            yield from _replacement(partner, change, names)


def tone_of(symbol: str) -> Tone:
    """The tone of an action's symbol."""
    return _TONES[symbol]


def symbol_of(actions: tuple[Action, ...]) -> str:
    """The symbol of an object's actions."""
    return _SYMBOLS.get(actions, "-/+")


def _partner(change: Change, policies: Mapping[str, Change]) -> Change | None:
    other = policies.get(change.replaces) if change.replaces else None
    return other if other and other.replaces == change.address else None


def _single(change: Change, names: Names) -> Iterator[Line]:
    symbol = symbol_of(change.actions)
    phrase = _PHRASES.get(change.actions, "must be replaced")
    yield from _header(
        f"{change.address} {phrase}: {sentences.change(change.reason)}", symbol, change, names
    )
    attributes = change.attributes or _attributes(change.before, change.after)
    yield from body(attributes, names)


def _replacement(old: Change, new: Change, names: Names) -> Iterator[Line]:
    yield from _header(
        f"{new.address} replaces {old.address}: {sentences.change(new.reason)}", "-/+", new, names
    )
    yield Line(f"      - {old.address}{values.of(old.address, names)}", Tone.REMOVE)
    yield Line(f"      + {new.address}{values.of(new.address, names)}", Tone.ADD)
    yield from body(_attributes(old.before, new.after), names)


def _header(sentence: str, symbol: str, change: Change, names: Names) -> Iterator[Line]:
    yield Line()
    yield Line(f"  # {sentence}", Tone.HEADING)
    yield Line(f"{symbol:>3} {change.address}{values.of(change.address, names)}", _TONES[symbol])


def body(attributes: Iterable[AttributeChange], names: Names) -> Iterator[Line]:
    """What differs: members of lists one by one, anything else before and after."""
    for attribute in attributes:
        if attribute.added or attribute.removed:
            yield from _members(attribute, names)
        elif _is_list(attribute.before) or _is_list(attribute.after):
            yield _no_members(attribute)
        else:
            yield from _scalar(attribute, names)


def _members(attribute: AttributeChange, names: Names) -> Iterator[Line]:
    symbol = _member_symbol(attribute)
    yield Line(f"      {symbol} {attribute.name}:", _TONES[symbol])
    for item in attribute.removed:
        yield Line(f"          - {values.with_name(item, names)}", Tone.REMOVE)
    for item in attribute.added:
        yield Line(f"          + {values.with_name(item, names)}", Tone.ADD)


def _member_symbol(attribute: AttributeChange) -> str:
    if attribute.added and attribute.removed:
        return "~"
    return "+" if attribute.added else "-"


def _no_members(attribute: AttributeChange) -> Line:
    """A list without members that comes or goes with its object."""
    symbol = "+" if attribute.before is None else "-"
    return Line(f"      {symbol} {attribute.name}: (none)", _TONES[symbol])


def _scalar(attribute: AttributeChange, names: Names) -> Iterator[Line]:
    before, after = (_value(value, names) for value in (attribute.before, attribute.after))
    if attribute.before is None:
        yield Line(f"      + {attribute.name} = {after}", Tone.ADD)
    elif attribute.after is None:
        yield Line(f"      - {attribute.name} = {before}", Tone.REMOVE)
    else:
        yield Line(f"      ~ {attribute.name} = {before} -> {after}", Tone.CHANGE)


def _value(value: Json, names: Names) -> str:
    name = names.get(value.lower()) if isinstance(value, str) else None
    return f"{values.quoted(value)} ({name})" if name else values.quoted(value)


def _attributes(before: Json, after: Json) -> Iterator[AttributeChange]:
    """What differs between two states of an object; None is no object."""
    old = before if isinstance(before, Mapping) else {}
    new = after if isinstance(after, Mapping) else {}
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield _attribute(name, old.get(name), new.get(name))


def _attribute(name: str, before: Json, after: Json) -> AttributeChange:
    if not (_is_list(before) or _is_list(after)):
        return AttributeChange(name, before, after, (), ())
    old, new = _texts(before), _texts(after)
    if not old and not new:
        return AttributeChange(name, before, after, (), ())
    return AttributeChange(name, None, None, tuple(sorted(new - old)), tuple(sorted(old - new)))


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _texts(value: Json) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return frozenset()
    return frozenset(item if isinstance(item, str) else values.quoted(item) for item in value)


def grant_lines(changes: Sequence[Change], names: Mapping[str, str]) -> Iterator[Line]:
    """The grants: removed ones first, then moved ones, then new ones; nothing at all if no grant
    changes.
    """
    grants = [change for change in changes if _is_grant(change)]
    if not grants:
        return
    yield from heading("Grants of Teams policies:")
    yield from (
        line
        for change in grants
        if change.address == TEAMS_TENANT_GRANT
        for line in _tenant_grant(change, names)
    )
    for action, most in (
        (Action.DELETE, MOST_TAKING),
        (Action.UPDATE, MOST_TAKING),
        (Action.CREATE, MOST_CREATED),
    ):
        chosen = [
            change
            for change in grants
            if change.actions == (action,) and change.address != TEAMS_TENANT_GRANT
        ]
        yield from capped(chosen, most, partial(_grant, names))


def _tenant_grant(change: Change, names: Mapping[str, str]) -> Iterator[Line]:
    """The tenant-wide grant, with the applications that enter and leave Global: they concern
    everyone without a grant.
    """
    symbol = symbol_of(change.actions)
    policy = (change.after or {}).get("policy")
    text = (
        f"{symbol:>3} {change.address}: Global takes the values of {policy}  #"
        f" {sentences.change(change.reason)}"
    )
    yield Line(text, tone_of(symbol))
    yield from body(change.attributes, names)


def _grant(names: Mapping[str, str], change: Change) -> Line:
    symbol = symbol_of(change.actions)
    before, after = _policy(change.before), _policy(change.after)
    transition = after if change.before is None else f"{before} -> {after}"
    text = (
        f"{symbol:>3} {change.address}{values.of(change.address, names)}: {transition}  #"
        f" {sentences.change(change.reason)}"
    )
    return Line(text, tone_of(symbol))


def _policy(side: Mapping[str, Json] | None) -> str:
    """The policy of one side of a grant, with its place among the groups where it has one."""
    if side is None:
        return "nothing"
    rank = side.get("rank")
    return f"{side.get('policy')}" if rank is None else f"{side.get('policy')} at rank {rank}"


def _is_grant(change: Change) -> bool:
    """Whether a change is told among the grants, the tenant-wide one among them; everything else
    that changes is a policy.
    """
    return change.kind is ObjectKind.TEAMS_GRANT
