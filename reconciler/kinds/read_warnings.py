"""Warnings of a service during a reading: a consent of its own for each product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.addresses import PROVIDERS
from reconciler.model.codes import RefusalRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.addresses import Provider


def read_warning(provider: Provider) -> str:
    """The consent to what a product's service warned of."""
    return f"{RefusalRule.READ_WARNING}:{provider}"


def tolerated(consents: Iterable[str]) -> frozenset[Provider]:
    """The products whose warnings are consented to."""
    given = {consent.lower() for consent in consents}
    return frozenset(provider for provider in PROVIDERS if read_warning(provider) in given)
