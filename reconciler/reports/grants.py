"""Grants of a plan, one line each: who gets, changes or loses which policy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reconciler.model.addresses import TEAMS_TENANT_GRANT
from reconciler.model.plans import Action
from reconciler.reports import blocks, counts, sentences, values
from reconciler.reports.lines import Line, capped, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.plans import Change

MOST_CREATED = 20
MOST_TAKING = 200
"""Moves and removals take something away: they are listed much longer than what is only added."""


def grants(changes: Sequence[Change], names: Mapping[str, str]) -> Iterator[Line]:
    """The grants: removed ones first, then moved ones, then new ones; nothing at all if no grant
    changes.
    """
    found = [change for change in changes if counts.is_grant(change.address)]
    if not found:
        return
    yield from heading("Grants of Teams policies:")
    yield from (
        line
        for change in found
        if change.address == TEAMS_TENANT_GRANT
        for line in _tenant(change, names)
    )
    for action, most in (
        (Action.DELETE, MOST_TAKING),
        (Action.UPDATE, MOST_TAKING),
        (Action.CREATE, MOST_CREATED),
    ):
        chosen = [
            change
            for change in found
            if change.actions == (action,) and change.address != TEAMS_TENANT_GRANT
        ]
        yield from capped(chosen, most, partial(_line, names))


def _tenant(change: Change, names: Mapping[str, str]) -> Iterator[Line]:
    """The tenant-wide grant, with the applications that enter and leave Global: they concern
    everyone without a grant.
    """
    symbol = blocks.symbol_of(change.actions)
    policy = (change.after or {}).get("policy")
    text = (
        f"{symbol:>3} {change.address}: Global takes the values of {policy}  #"
        f" {sentences.change(change.reason)}"
    )
    yield Line(text, blocks.tone_of(symbol))
    yield from blocks.body(change.attributes, names)


def _line(names: Mapping[str, str], change: Change) -> Line:
    symbol = blocks.symbol_of(change.actions)
    before, after = _policy(change.before), _policy(change.after)
    transition = after if change.before is None else f"{before} -> {after}"
    text = (
        f"{symbol:>3} {change.address}{values.of(change.address, names)}: {transition}  #"
        f" {sentences.change(change.reason)}"
    )
    return Line(text, blocks.tone_of(symbol))


def _policy(side: Mapping[str, Json] | None) -> str:
    """The policy of one side of a grant, with its place among the groups where it has one."""
    if side is None:
        return "nothing"
    rank = side.get("rank")
    return f"{side.get('policy')}" if rank is None else f"{side.get('policy')} at rank {rank}"
