"""Exchange: for every prefix of the steps, which mailboxes an application reaches that it reaches
neither before nor after.

An application is judged with its own policies and those of `*` together, and so is one that has
none of its own. A mailbox may be in any combination of scopes. What a combination may be judged by
is always one scope: a Deny that covers it, a Restrict that covers it, or that no Restrict does. So
to show an exposure, one scope through which the mailbox is reached now and one that denies it
before and after each are enough: three at most, which sets of scopes tell directly.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from reconciler.planning.checking.exchange_steps import EVERY, ExchangeModel
from reconciler.planning.checking.verdicts import Mailboxes, Unfollowable, Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.model.baselines import ExchangeBaseline
    from reconciler.model.plans import Step
    from reconciler.planning.checking.exchange_steps import Rights


_STUCK = (Unfollowable, KeyError, TypeError, AttributeError, ValueError)


def begun(
    section: ExchangeBaseline,
    toward: Sequence[Step],
    opaque: Collection[str] = (),
    awaited: Collection[str] = (),
    shut_out: frozenset[str] = frozenset(),
) -> ExchangeJudging | Violation | None:
    """Begin to follow Exchange steps from the plan's baseline.

    Args:
        section: the Exchange part of the plan's baseline.
        toward: Exchange steps that lead to the end with which access is compared.
        opaque: addresses of the applications with a policy that nobody understands.
        awaited: addresses of those that shall have a policy whose scope is not there.
        shut_out: applications that shall reach nobody: what counts is whom they reached before.

    Returns: What is wrong with the first of these steps that cannot be done, if there is one; None
    if there are none and the baseline cannot be read.
    """
    step = None
    try:
        before = ExchangeModel.read(section, opaque, awaited, shut_out)
        after = before.copy()
        for step in toward:
            after.run(step)
    except _STUCK as fault:
        stuck = step or next(iter(toward), None)
        return None if stuck is None else _stuck(stuck, fault)
    return ExchangeJudging(before, after)


def _stuck(step: Step, fault: Exception) -> Violation:
    why = fault.why if isinstance(fault, Unfollowable) else ViolationKind.UNKNOWN
    return Violation("exchange", step.id, step.address, why)


def beyond(
    before: ExchangeBaseline, now: ExchangeBaseline, after: ExchangeBaseline
) -> Iterator[tuple[str, Mailboxes]]:
    """Which mailboxes applications reach in a state that they reach neither in another nor in a
    third one.

    Args:
        before: a reading of the tenant; all three name the same applications, and the same empty
            group if there is one.
        now: where a part of a plan leads to.
        after: where the whole plan leads to.
    """
    then, here, last = map(ExchangeModel.read, (before, now, after))
    for application in sorted(here.own):
        rights = here.bearing(application)
        ends = then.bearing(application), last.bearing(application)
        scopes = None if rights in ends else exposed(rights, ends, here.empty)
        if scopes is not None:
            yield application, Mailboxes(scopes)


class ExchangeJudging:
    """One pass over steps."""

    def __init__(self, before: ExchangeModel, after: ExchangeModel) -> None:
        self._now, self._empty = before.copy(), before.empty
        self._reported: set[tuple[str, tuple[str, ...]]] = set()
        self._ends = {}
        for application in {*before.own, EVERY}:
            last = before if application in before.shut_out else after
            self._ends[application] = (before.bearing(application), last.bearing(application))

    def after(self, step: Step) -> Iterator[Violation]:
        """Do one step and name whom it exposes, each pair once in a plan."""
        try:
            touched = self._now.run(step)
        except _STUCK as fault:
            yield _stuck(step, fault)
            return
        for application, scopes in self._exposed(touched):
            if (application, scopes) not in self._reported:
                self._reported.add((application, scopes))
                yield Violation(
                    "exchange",
                    step.id,
                    step.address,
                    ViolationKind.EXPOSED,
                    application,
                    Mailboxes(scopes),
                )

    def admits(self, step: Step) -> bool:
        """Do one step if it is possible and exposes nobody."""
        before = self._now.copy()
        try:
            touched = self._now.run(step)
        except _STUCK:
            return False
        if next(self._exposed(touched), None) is None:
            return True
        self._now = before
        return False

    def _exposed(self, touched: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
        for application in _concerned(self._now, touched):
            now = self._now.bearing(application)
            scopes = exposed(now, self._ends[application], self._empty)
            if scopes is not None:
                yield application, scopes


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
    free = now.deny | empty  # no mailbox that is reached now is in these
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
