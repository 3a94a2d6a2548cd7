"""Rehearse a plan: run it on copies of a simulated tenant while things go wrong, and see where each
run ends.

Every run has a copy of its own. It is an ordinary apply, with its journal; what differs is when it
is stopped and which answer is lost. Then the same plan is applied once more, as a person would, and
has to converge.
"""

from __future__ import annotations

import shutil
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, field
from msgspec.structs import replace

from reconciler import canonical
from reconciler.applying import state
from reconciler.applying.applying import ApplyPatience, apply
from reconciler.applying.events import StepDone
from reconciler.applying.host import Host
from reconciler.applying.lock import hold
from reconciler.applying.rehearsing_tenant import simulated_tenant
from reconciler.captures import reading
from reconciler.errors import AppliedInPart, Interrupted, ReconcilerError
from reconciler.model.plans import ListHolders, WidenedList
from reconciler.planning import prefixes
from reconciler.tenants.simulated import Faults, Mishap, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.model.applied import Applied
    from reconciler.model.observed import Observed
    from reconciler.model.plans import Step
    from reconciler.planning.planfile import SealedPlan

STEPS_RUN = 2_000
"""About so many steps a rehearsal runs in all unless asked for others: half a minute where
every write waits for the disk.
"""


class Trouble(StrEnum):
    """What goes wrong in a run."""

    NONE = "none"
    STOPPED = "stopped"
    LOST_BEFORE = "lost-before"
    LOST_AFTER = "lost-after"


_MISHAPS = {Trouble.LOST_BEFORE: Mishap.LOST_BEFORE, Trouble.LOST_AFTER: Mishap.LOST_AFTER}


class RehearsalRun(Struct, frozen=True):
    """One run and what came of it.

    Attributes:
        trouble: What went wrong.
        step: The step that it went wrong at; a run is stopped after it. 0 if nothing went wrong.
        place: The number of the plan's steps that the tenant showed when the run ended; None: it
            was in no state of the plan.
        gaps: Indexes of the plan's gaps that are open in that place.
        again: The plan had to be applied once more.
        converged: The tenant is in the end in the state that the plan leads to.
        said: What the apply that did not converge said.
    """

    trouble: Trouble
    step: int
    place: int | None
    gaps: tuple[int, ...]
    again: bool
    converged: bool
    said: str = ""

    @property
    def as_it_must(self) -> bool:
        """A run ends in a state of the plan; one that is stopped after a step, in the state after
        it; and all is well in the end.
        """
        placed = (
            self.place == self.step if self.trouble is Trouble.STOPPED else self.place is not None
        )
        return placed and self.converged and not (self.again and self.trouble is Trouble.NONE)


class Rehearsal(Struct, frozen=True):
    """All runs.

    `already`: steps whose result the tenant showed from the start. `sampled`: the steps at which
    something went wrong, of all that were left.
    """

    steps: int
    already: int
    sampled: tuple[int, ...]
    runs: tuple[RehearsalRun, ...]

    @property
    def passed(self) -> bool:
        """Whether every run ended as it must."""
        return all(run.as_it_must for run in self.runs)

    @property
    def complete(self) -> bool:
        """Whether something went wrong at every step that was left."""
        return len(self.sampled) == self.steps - self.already


def rehearse(
    loaded: SealedPlan, folder: Path, *, original: Path | None = None, most: int | None = None
) -> Rehearsal:
    """Rehearse a plan.

    Args:
        loaded: The plan file.
        folder: An empty folder for the copies; whoever made it removes it.
        original: File of a simulated tenant, which is copied and never written; None: a tenant made
            from the plan's baseline.
        most: At how many steps something goes wrong at most; None: at as many as about `STEPS_RUN`
            steps in all allow.

    Raises:
        Refused, StalePlan, TamperedPlan, CaptureFault, TenantFault: what an apply of this plan to
            this tenant would raise before it writes.
    """
    if original is not None:
        Simulator(original)  # faults of the file name it, and not a copy
    stage = _Stage(loaded, folder, original)
    if original is None:
        stage.take_made_up_holders()
    outcome, first = stage.undisturbed()
    steps = loaded.plan.steps
    left = [step.id for step in steps[outcome.already :]]
    sampled = (
        _spread(left, most if most is not None else STEPS_RUN // (3 * max(1, len(left))))
        if first.as_it_must
        else ()
    )
    runs = (
        first,
        *(run for step in sampled for run in stage.disturbed(steps[step - 1], outcome.already)),
    )
    return Rehearsal(len(steps), outcome.already, sampled, runs)


def _spread(steps: Sequence[int], most: int) -> tuple[int, ...]:
    """At most this many of them, evenly spread, including the first and the last if there are two
    or more.
    """
    count = min(len(steps), max(1, most))
    if count == 0:
        return ()
    places = {round(index * (len(steps) - 1) / max(1, count - 1)) for index in range(count)}
    return tuple(steps[place] for place in sorted(places))


class _Stage(Struct):
    """Where runs take place, one folder after the other."""

    loaded: SealedPlan
    folder: Path
    original: Path | None
    _runs: int = 0

    def take_made_up_holders(self) -> None:
        """Expect as holders of the policies those that a tenant made from the baseline has: who they
        really are no plan tells.
        """
        place, plan = self._copy(), self.loaded.plan
        rows: list[WidenedList | ListHolders] = [*plan.widened, *plan.shortened()]
        lists = prefixes.holders_of_lists(plan, rows, self._observed(place))
        made_up = replace(
            plan,
            widened=tuple(sorted(row for row in lists if isinstance(row, WidenedList))),
            narrowed=tuple(sorted(row for row in lists if isinstance(row, ListHolders))) or UNSET,
        )
        self.loaded = replace(self.loaded, plan=made_up)
        shutil.rmtree(place)

    def undisturbed(self) -> tuple[Applied, RehearsalRun]:
        """A run in which nothing goes wrong; its exceptions are not caught."""
        place = self._copy()
        outcome = _Attempt(self.loaded, place).go()
        run = RehearsalRun(
            Trouble.NONE,
            0,
            self._located(place),
            (),
            again=False,
            converged=outcome.converged,
            said=_said(outcome),
        )
        shutil.rmtree(place)
        return outcome, run

    def disturbed(self, step: Step, already: int) -> Iterator[RehearsalRun]:
        """A run for each thing that may go wrong at a step.

        After the last step there is nothing to stop.
        """
        for trouble in (Trouble.STOPPED, Trouble.LOST_BEFORE, Trouble.LOST_AFTER):
            if trouble is not Trouble.STOPPED or step.id < len(self.loaded.plan.steps):
                yield self._disturbed(trouble, step, already)

    def _disturbed(self, trouble: Trouble, step: Step, already: int) -> RehearsalRun:
        place = self._copy()
        faults = (
            Faults(fail_on={step.id - already: _MISHAPS[trouble]})
            if trouble in _MISHAPS
            else Faults()
        )
        stop_after = step.id - already if trouble is Trouble.STOPPED else None
        outcome, message = _Attempt(self.loaded, place, faults, stop_after).outcome()
        stood = self._located(place)
        again = outcome is None or not outcome.converged
        if again:
            outcome, message = _Attempt(self.loaded, place).outcome()
        converged = (
            outcome is not None
            and outcome.converged
            and self._located(place) == len(self.loaded.plan.steps)
        )
        shutil.rmtree(place)
        return RehearsalRun(
            trouble,
            step.id,
            stood,
            self._gaps(stood),
            again,
            converged,
            "" if converged else message,
        )

    def _copy(self) -> Path:
        """A folder with a tenant that nobody has touched.

        A large tenant's file has a log beside it.
        """
        self._runs += 1
        place = self.folder / str(self._runs)
        place.mkdir()
        target = place / "tenant.json"
        if self.original is None:
            target.write_bytes(canonical.dumps(simulated_tenant(self.loaded.plan)))
            return place
        for source, copy in ((self.original, target), (_log(self.original), _log(target))):
            if source.exists():
                shutil.copyfile(source, copy)
        return place

    def _located(self, place: Path) -> int | None:
        return prefixes.locate(self.loaded.plan, self._observed(place))

    def _observed(self, place: Path) -> Observed:
        plan = self.loaded.plan
        request = prefixes.request_for_plan(plan)
        with Simulator(place / "tenant.json") as shown:
            raw = shown.capture(request)
        return reading.parse_capture(
            raw, source="simulated", tenant_id=plan.tenant.tenant_id, needs=request.products
        )

    def _gaps(self, place: int | None) -> tuple[int, ...]:
        return self.loaded.plan.steps[place - 1].gaps if place else ()


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}.log")


class _Attempt(Struct):
    """One apply; it is asked to stop once so many steps are done."""

    loaded: SealedPlan
    place: Path
    faults: Faults = field(default_factory=Faults)
    stop_after: int | None = None
    _done: int = 0

    def go(self) -> Applied:
        own = state.private_directory(self.place / "state", state.VARIABLE)
        host = Host(self._tell, time.time, time.sleep, self._stop, ApplyPatience())
        with (
            hold(state.StateDirectories(own, own), host) as lock,
            Simulator(self.place / "tenant.json", faults=self.faults) as shown,
        ):
            return apply(self.loaded, shown, lock, tell=self._tell, stop=self._stop)

    def outcome(self) -> tuple[Applied | None, str]:
        """What was done and what was reported, however the apply ended."""
        try:
            done = self.go()
        except (AppliedInPart, Interrupted) as fault:
            return fault.applied, str(fault)
        except ReconcilerError as fault:
            return None, str(fault)
        return done, _said(done)

    def _tell(self, event: Event) -> None:
        self._done += isinstance(event, StepDone)

    def _stop(self) -> bool:
        return self.stop_after is not None and self._done >= self.stop_after


def _said(outcome: Applied) -> str:
    if outcome.failed is not None:
        return (
            f"step {outcome.failed.step} ({outcome.failed.address}): {outcome.failed.fault}:"
            f" {outcome.failed.message}"
        )
    return outcome.trouble or ", ".join(outcome.moved)
