"""Exchange: for every prefix of the steps, which mailboxes an application reaches that it reaches neither before nor after.

An application is judged with its own policies and those of `*` together, and so is one that has none of its own. A mailbox may lie in any
combination of scopes. What a combination may be judged by is always one scope: a Deny that covers it, a Restrict that covers it, or that no
Restrict does. So to show an exposure, one scope through which the mailbox is reached now and one that denies it before and after each are
enough: three at most, which sets of scopes tell directly.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from reconciler.planning.checking.exchange_steps import DENY, RESTRICT, Exchange, empty_scopes
from reconciler.planning.checking.verdicts import Mailboxes, Unfollowable, Violation, Why

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from reconciler.model.plans import Step

EVERY = "*"


class Rights(NamedTuple):
    """The scopes that an application is restricted to, and those that it is denied, `*` counted in."""

    restrict: frozenset[str]
    deny: frozenset[str]


def judge(section: Mapping[str, Any], steps: Sequence[Step]) -> Iterator[Violation]:
    """Follow the Exchange steps of a plan from its baseline.

    Args:
        section: the Exchange part of the plan's baseline.
        steps: the plan's Exchange steps in their order.
    """
    before = after = step = None
    try:
        before, empty = Exchange.read(section), empty_scopes(section)
        after = before.copy()
        for step in steps:
            after.run(step)
    except (Unfollowable, KeyError, TypeError, AttributeError, ValueError) as fault:
        stuck = step or steps[0]
        yield Violation("exchange", stuck.id, stuck.address, fault.why if isinstance(fault, Unfollowable) else Why.UNKNOWN)
        return
    yield from _judged(before, after, steps, empty)


def _judged(before: Exchange, after: Exchange, steps: Sequence[Step], empty: frozenset[str]) -> Iterator[Violation]:
    now, known = before.copy(), set()
    for step in steps:
        touched = now.run(step)
        for application in _concerned(now, touched):
            ends = _rights(before, application), _rights(after, application)
            scopes = exposed(_rights(now, application), ends, empty)
            if scopes is not None and (application, scopes) not in known:
                known.add((application, scopes))
                yield Violation("exchange", step.id, step.address, Why.EXPOSED, application, Mailboxes(scopes))


def _concerned(now: Exchange, touched: str | None) -> Sequence[str]:
    """Applications that a step bears on: policies of `*` bear on all, and on one that has none of its own."""
    if touched is None:
        return ()
    return sorted(now.rights.keys() | {EVERY}) if touched == EVERY else (touched,)


def _rights(exchange: Exchange, application: str) -> Rights:
    policies = [*exchange.rights.get(EVERY, {}).items()]
    if application != EVERY:
        policies += exchange.rights[application].items()
    return Rights(
        restrict=frozenset(scope for scope, right in policies if right == RESTRICT),
        deny=frozenset(scope for scope, right in policies if right == DENY),
    )


def exposed(now: Rights, ends: tuple[Rights, Rights], empty: frozenset[str]) -> tuple[str, ...] | None:
    """Find scopes so that a mailbox in exactly these is reached now, and neither before nor after; None if there are none.

    The documented order of rules (MicrosoftDocs New-ApplicationAccessPolicy page): a Deny that covers the mailbox denies; else a Restrict that
    covers it grants; else any Restrict at all denies; else it is granted.
    """
    free = now.deny | empty  # no mailbox that is reached now lies in these
    for ways in product((False, True), repeat=len(ends)):
        barred = free.union(*(end.restrict for end, denied in zip(ends, ways, strict=True) if not denied))
        wanted = [end.deny for end, denied in zip(ends, ways, strict=True) if denied]
        restricted = all(denied or end.restrict for end, denied in zip(ends, ways, strict=True))
        if now.restrict:
            wanted.append(now.restrict)
        found = [min(scopes - barred, default="") for scopes in wanted]
        if restricted and all(found):
            return tuple(sorted(set(found)))
    return None
