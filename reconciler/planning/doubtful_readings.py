"""What a plan says of a reading that may not be all there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.read_warnings import read_warning
from reconciler.model.codes import RefusalRule, WarningCode
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.observed import Observed


def reading_refusals(observed: Observed) -> Iterator[Note]:
    """One refusal for each product whose service warned."""
    for provider in sorted({warning.provider for warning in observed.warnings}):
        yield Note(RefusalRule.READ_WARNING, provider, {"allow": read_warning(provider)})


def reading_warnings(observed: Observed) -> Iterator[Note]:
    """What each service warned of, in its own words, and the fault of each product that nobody needs."""
    for warning in observed.warnings:
        details = {"cmdlet": warning.cmdlet, "text": warning.text}
        yield Note(WarningCode.READ_WARNING, warning.provider, details)
    for provider, fault in observed.faulty.items():
        yield Note(WarningCode.FAULTY_READING, provider, {"fault": fault})
