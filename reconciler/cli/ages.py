"""How old a reading is when a plan made from it is shown or applied.

The age is never in the plan file, which stays the same while time passes.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.cli import printing
from reconciler.errors import Refused
from reconciler.reports.lines import Tone, counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.model.plans import Inputs, Plan

_HOUR: Final = 3600
_DAY: Final = 24
"""Hours from which a reading is called old."""


def check_age(plan: Plan, max_age: int | None, *, clock: Callable[[], float] = time.time) -> None:
    """Warn of a plan whose reading is more than a day old; a simulated tenant has no age.

    Args:
        plan: the plan that is shown or applied.
        max_age: hours that a reading may be old, as a person typed them; None if nobody did.
        clock: seconds since 1970.

    Raises:
        Refused: the reading is older than `max_age`.
    """
    hours = _hours(plan.inputs, clock())
    if max_age is not None and hours > max_age:
        raise Refused(
            f"the tenant was read {_told(hours)} ago ({plan.inputs.capture_taken_at}), more than"
            f" --max-age {max_age} allows; read it again and plan again"
        )
    if hours > _DAY:
        printing.say(
            f"Warning: the tenant was read {_told(hours)} ago ({plan.inputs.capture_taken_at}), and"
            " may have changed since; read it again and plan again",
            Tone.WARNING,
        )


def check_approval(
    plan: Plan, file: Path, max_age: int | None, *, clock: Callable[[], float] = time.time
) -> None:
    """Refuse an approval that has expired: whoever runs an old job again brings nothing back.

    Args:
        plan: the approved plan, as old as the reading that it was made from.
        file: where it is.
        max_age: hours, as a person typed them; None if nobody did.
        clock: seconds since 1970.

    Raises:
        Refused: it is older than `max_age`.
    """
    hours = _hours(plan.inputs, clock())
    if max_age is not None and hours > max_age:
        raise Refused(
            f"the approval has expired: the tenant was read {_told(hours)} ago for {file}"
            f" ({plan.inputs.capture_taken_at}), more than --max-age {max_age} allows; plan again and"
            " have that approved"
        )


def age_words(plan: Plan, *, clock: Callable[[], float] = time.time) -> str:
    """How long ago the tenant of a plan was read, in words; empty for less than an hour, and for a
    simulated tenant, which has no age.
    """
    hours = _hours(plan.inputs, clock())
    return _told(hours) if hours >= 1 else ""


def _hours(inputs: Inputs, now: float) -> float:
    if inputs.source == "simulated":
        return 0.0
    taken = datetime.fromisoformat(inputs.capture_taken_at)
    if taken.tzinfo is None:
        taken = taken.replace(tzinfo=UTC)
    return (now - taken.timestamp()) / _HOUR


def _told(hours: float) -> str:
    if hours >= 2 * _DAY:
        return counted(int(hours // _DAY), "day")
    return counted(int(hours), "hour")
