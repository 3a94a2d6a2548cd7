"""The tenant that documents or a plan are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.addresses import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider


class TargetTenant(Struct, frozen=True):
    """Which tenant, and how to sign in: what a Tenant document or a plan file says.

    `connect` names environment variables, never values.
    """

    tenant_id: str
    organization: str | None
    connect: Mapping[str, Json]


def connected_products(connect: Mapping[str, Json]) -> frozenset[Provider]:
    """The products that can be read at all: those that `spec.connect` of a Tenant document says how
    to sign in to, or all of them where it names none.
    """
    return frozenset(name for name in PROVIDERS if name in connect) or frozenset(PROVIDERS)
