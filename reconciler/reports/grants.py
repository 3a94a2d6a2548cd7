"""Grants of a plan, one line each: who gets, changes or loses which policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.model.addresses import TEAMS_TENANT_GRANT
from reconciler.model.plans import Action
from reconciler.reports import blocks, counts, sentences, values
from reconciler.reports.lines import Line, capped, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.canonical import Json
    from reconciler.model.plans import Change

MOST_CREATED = 20
MOST_TAKING = 200
"""Moves and removals take something away: they are listed much longer than what is only added."""

_REST = "      ... and {} more: --format json lists all"


def grants(changes: Sequence[Change], names: Mapping[str, str]) -> Iterator[Line]:
    """The grants: removed ones first, then moved ones, then new ones; nothing at all if no grant changes."""
    found = [change for change in changes if counts.is_grant(change.address)]
    if not found:
        return
    yield from heading("Grants of Teams policies:")
    for action, most in ((Action.DELETE, MOST_TAKING), (Action.UPDATE, MOST_TAKING), (Action.CREATE, MOST_CREATED)):
        lines = [_line(change, names) for change in found if change.actions == (action,)]
        yield from capped(lines, most, _REST)


def _line(change: Change, names: Mapping[str, str]) -> Line:
    symbol = blocks.symbol_of(change.actions)
    text = f"{symbol:>3} {change.address}{values.of(change.address, names)}: {_transition(change, names)}"
    return Line(f"{text}  # {sentences.change(change.reason)}", blocks.tone_of(symbol))


def _transition(change: Change, names: Mapping[str, str]) -> str:
    after = _held(change.after, names)
    if change.address == TEAMS_TENANT_GRANT:
        return f"Global {values.listed(change.before, names)} -> {after}"
    before = _held(change.before, names)
    return after if before == "nothing" else f"{before} -> {after}"


def _held(value: Json, names: Mapping[str, str]) -> str:
    """The policy of one side of a grant, with its place among the groups where it has one."""
    if not isinstance(value, Mapping):
        return "nothing" if value is None else values.listed(value, names)
    policy = str(value.get("policy", "nothing"))
    return f"{policy} at rank {value['rank']}" if value.get("rank") is not None else policy
