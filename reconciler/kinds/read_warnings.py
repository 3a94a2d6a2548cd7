"""Warnings of a service during a reading: a consent of its own for each product, and for what it
was given.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

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


_PASSING: Final = re.compile(
    "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # ids of requests
    "|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?"  # times
    "|[0-9a-f:.-]{1,36}…$",  # what a text that is cut has left of them
    re.IGNORECASE,
)


def compared_warning(text: str) -> str:
    """A warning without what differs each time that it is given."""
    return _PASSING.sub("#", text)
