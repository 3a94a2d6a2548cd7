"""What applies changed a short while ago, by their journals: services enforce it late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.applying.journal import StepState, read_journal
from reconciler.model.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class JournalledWrite(Struct, frozen=True):
    """A write of an apply.

    Attributes:
        address: What it changed.
        at: When, in seconds since 1970.
        certain: False if it may or may not have happened.
        journal: The file that says so.
        step: The step of its plan.
    """

    address: Address
    at: float
    certain: bool
    journal: Path
    step: int


def writes_since(journals: Iterable[Path], since: float) -> tuple[JournalledWrite, ...]:
    """The writes since a time, the latest first.

    Args:
        journals: files, in any order.
        since: seconds since 1970. Journals of versions that did not note what a step changes tell
            nothing.

    Raises:
        ReconcilerError: a journal cannot be opened.
    """
    writes = (write for path in journals for write in _writes(path, since))
    return tuple(sorted(writes, key=lambda write: (-write.at, write.step)))


def _writes(path: Path, since: float) -> Iterator[JournalledWrite]:
    past = read_journal(path)
    for step, state in past.states.items():
        address, at = past.addresses[step], past.times[step]
        if state is not StepState.FAILED and address and at >= since:
            yield JournalledWrite(Address(address), at, state is StepState.DONE, path, step)
