"""What a reading of one product brings to a capture."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.requests import CaptureRequest
    from reconciler.tenants.live.asking import Ask
    from reconciler.tenants.live.projecting import Row
    from reconciler.tenants.live.questions import TenantQuestion


class CapturePart(Struct, frozen=True):
    """A product's section, people of the directory by lower-case id, and names that nobody has."""

    section: Mapping[str, Json]
    users: Mapping[str, Row] = MappingProxyType({})
    recipients: Mapping[str, Row] = MappingProxyType({})
    absent: frozenset[str] = frozenset()


class LiveReading(Struct, frozen=True):
    """How one product is read.

    Attributes:
        read: Reads what is asked for. It is given what waits until the service has made up its
            mind, and is False when it has been waited for long enough. Without the product in the
            request only names are looked up.
        unread: The section of a capture that did not read the product.
        names: The names of a request that this product resolves.
        tried: A question whose answer shows whether the account may read.
        unqueried: Names, of what `tried` found, of which the service cannot be asked.
    """

    read: Callable[[Ask, CaptureRequest, Callable[[], bool]], CapturePart]
    unread: Callable[[], dict[str, Json]]
    names: Callable[[CaptureRequest], Collection[str]]
    tried: TenantQuestion
    unqueried: Callable[[Sequence[Row]], Sequence[str]] = lambda _rows: ()
