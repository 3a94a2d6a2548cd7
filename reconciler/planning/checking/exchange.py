"""Exchange: for every prefix of the steps, which mailboxes an application reaches that it reaches
neither before nor after.

An application is judged with its own policies and those of `*` together, and so is one that has
none of its own. A mailbox may lie in any combination of scopes. What a combination may be judged by
is always one scope: a Deny that covers it, a Restrict that covers it, or that no Restrict does. So
to show an exposure, one scope through which the mailbox is reached now and one that denies it
before and after each are enough: three at most, which sets of scopes tell directly.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from reconciler.planning.checking.exchange_steps import EVERY, ExchangeModel, empty_scopes
from reconciler.planning.checking.verdicts import Mailboxes, Unfollowable, Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.baselines import ExchangeBaseline
    from reconciler.model.plans import Step
    from reconciler.planning.checking.exchange_steps import Rights


def judge(section: ExchangeBaseline, steps: Sequence[Step]) -> Iterator[Violation]:
    """Follow the Exchange steps of a plan from its baseline.

    Args:
        section: the Exchange part of the plan's baseline.
        steps: the plan's Exchange steps in their order.
    """
    before = after = step = None
    try:
        before, empty = ExchangeModel.read(section), empty_scopes(section)
        after = before.copy()
        for step in steps:
            after.run(step)
    except (Unfollowable, KeyError, TypeError, AttributeError, ValueError) as fault:
        stuck = step or steps[0]
        yield Violation(
            "exchange",
            stuck.id,
            stuck.address,
            fault.why if isinstance(fault, Unfollowable) else ViolationKind.UNKNOWN,
        )
        return
    yield from _judged(before, after, steps, empty)


def _judged(
    before: ExchangeModel, after: ExchangeModel, steps: Sequence[Step], empty: frozenset[str]
) -> Iterator[Violation]:
    now = before.copy()
    reported: set[tuple[str, tuple[str, ...]]] = set()
    ends = {
        application: (before.bearing(application), after.bearing(application))
        for application in {*before.own, EVERY}
    }
    for step in steps:
        for application in _concerned(now, now.run(step)):
            scopes = exposed(now.bearing(application), ends[application], empty)
            if scopes is not None and (application, scopes) not in reported:
                reported.add((application, scopes))
                yield Violation(
                    "exchange",
                    step.id,
                    step.address,
                    ViolationKind.EXPOSED,
                    application,
                    Mailboxes(scopes),
                )


def _concerned(now: ExchangeModel, touched: str | None) -> Sequence[str]:
    """Applications that a step bears on: policies of `*` bear on all, and on one that has none of
    its own.
    """
    if touched is None:
        return ()
    return sorted({*now.own, EVERY}) if touched == EVERY else (touched,)


def exposed(
    now: Rights, ends: tuple[Rights, Rights], empty: frozenset[str]
) -> tuple[str, ...] | None:
    """Find scopes so that a mailbox in exactly these is reached now, and neither before nor after;
    None if there are none.

    The documented order of rules (MicrosoftDocs New-ApplicationAccessPolicy page): a Deny that
    covers the mailbox denies; else a Restrict that covers it grants; else any Restrict at all
    denies; else it is granted.
    """
    free = now.deny | empty  # no mailbox that is reached now lies in these
    for ways in product((False, True), repeat=len(ends)):
        barred = free.union(
            *(end.restrict for end, denied in zip(ends, ways, strict=True) if not denied)
        )
        wanted = [end.deny for end, denied in zip(ends, ways, strict=True) if denied]
        restricted = all(denied or end.restrict for end, denied in zip(ends, ways, strict=True))
        if now.restrict:
            wanted.append(now.restrict)
        reachable = [min(scopes - barred, default="") for scopes in wanted]
        if restricted and all(reachable):
            return tuple(sorted(set(reachable)))
    return None
