"""What the last apply of a tenant, or of one plan, changed, and when, as journals say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.applying import journal
from reconciler.applying.earlier import later_plans, named_journal
from reconciler.applying.journal import StepState
from reconciler.errors import ReconcilerError
from reconciler.model.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reconciler.applying.journal import EarlierApply
    from reconciler.model.histories import LaterPlan
    from reconciler.model.observed import Origin


class JournalledStep(Struct, frozen=True):
    """A step that was tried.

    Attributes:
        address: What it changes; empty where the journal does not say.
        at: When that was written, in seconds since 1970.
        state: What became of it.
    """

    address: Address
    at: float
    state: StepState


class LastApply(Struct, frozen=True):
    """An apply, with what earlier runs of its plan had done.

    Attributes:
        plan: The plan's digest, as it is written for people.
        tenant: The tenant's id; empty in journals of early versions.
        journal: The file of its last run.
        began: When that run began, in seconds since 1970.
        total: How many steps the plan has.
        already: The number of steps, from the first one, that earlier runs had done.
        steps: The steps that journals tell of, by id.
        ended: It ended by itself; False if it was killed, or still runs.
        later: Other plans of which steps were run afterwards.
    """

    plan: str
    tenant: str
    journal: Path
    began: float
    total: int
    already: int
    steps: Mapping[int, JournalledStep]
    ended: bool
    later: tuple[LaterPlan, ...]

    def in_state(self, *states: StepState) -> frozenset[int]:
        """The steps that are in one of these states."""
        return frozenset(number for number, step in self.steps.items() if step.state in states)

    @property
    def done(self) -> frozenset[int]:
        """The steps that are done."""
        return self.in_state(StepState.DONE) | frozenset(range(1, self.already + 1))

    @property
    def uncertain(self) -> frozenset[int]:
        """The step of which nobody knows whether it happened."""
        return self.in_state(StepState.STARTED, StepState.UNKNOWN) - self.done


def last_apply(
    journals: Iterable[Path], source: Origin, digest: str | None, named: Path | None
) -> LastApply | None:
    """The last apply; None if journals tell of none.

    Args:
        journals: those that are believed.
        source: what kind of tenant it is.
        digest: the plan's, where only its applies count.
        named: a journal that a person names; then only the applies of its plan count.

    Raises:
        ReconcilerError: a journal cannot be read.
        TamperedPlan: the named journal is of another plan, or of another kind of tenant.
    """
    chosen = None if named is None else named_journal(named, digest, source)
    pasts = list(map(journal.read_journal, journals))
    tried = sorted((past for past in pasts if past.states or past.damaged), key=_began)
    if chosen is not None:
        tried = [past for past in tried if past.began < chosen.began and past.path != chosen.path]
        tried.append(chosen)
    wanted = digest if chosen is None else chosen.plan
    same = [past for past in tried if wanted is None or past.plan == wanted]
    if not same:
        return None
    newest = same[-1]
    _assert_whole(newest)
    before = [past for past in same[:-1] if past.plan == newest.plan]
    return LastApply(
        plan=newest.plan,
        tenant=newest.tenant.lower(),
        journal=newest.path,
        began=newest.began,
        total=newest.steps,
        already=newest.already,
        steps={**_resumed(before, newest.already), **_steps(newest)},
        ended=newest.end is not None,
        later=later_plans(tried, newest),
    )


def _assert_whole(past: EarlierApply) -> None:
    if past.damaged:
        raise ReconcilerError(
            f"{past.path}: lines of this journal cannot be read, so what was done is not known:"
            " compare the tenant with the documents, with `reconciler drift`"
        )


def _began(past: EarlierApply) -> float:
    return past.began


def _steps(past: EarlierApply) -> dict[int, JournalledStep]:
    return {
        step: JournalledStep(Address(past.addresses[step]), past.times[step], state)
        for step, state in past.states.items()
    }


def _resumed(before: list[EarlierApply], already: int) -> dict[int, JournalledStep]:
    """What earlier runs of the plan tell of its first steps; the last one that was done counts."""
    return {
        number: step
        for past in before
        for number, step in _steps(past).items()
        if number <= already and step.state is StepState.DONE
    }
