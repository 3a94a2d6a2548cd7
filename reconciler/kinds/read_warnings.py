"""Warnings of a service during a reading: a consent of its own for each product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.addresses import PROVIDERS
from reconciler.model.codes import RefusalRule, WarningCode
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.addresses import Provider
    from reconciler.model.observed import ReadWarning


def read_warning(provider: Provider) -> str:
    """The consent to what a product's service warned of."""
    return f"{RefusalRule.READ_WARNING}:{provider}"


def tolerated(consents: Iterable[str]) -> frozenset[Provider]:
    """The products whose warnings are consented to."""
    given = {consent.lower() for consent in consents}
    return frozenset(provider for provider in PROVIDERS if read_warning(provider) in given)


def read_warning_refusals(warnings: Iterable[ReadWarning]) -> tuple[Note, ...]:
    """One refusal for each product whose service warned."""
    return tuple(
        Note(RefusalRule.READ_WARNING, provider, {"allow": read_warning(provider)})
        for provider in sorted({warning.provider for warning in warnings})
    )


def read_warning_notes(warnings: Iterable[ReadWarning]) -> tuple[Note, ...]:
    """What each service warned of, in its own words."""
    return tuple(
        Note(
            WarningCode.READ_WARNING,
            warning.provider,
            {"cmdlet": warning.cmdlet, "text": warning.text},
        )
        for warning in warnings
    )
