"""The tenant that documents or a plan are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json


class TargetTenant(Struct, frozen=True):
    """Which tenant, and how to sign in: what a Tenant document or a plan file says.

    `connect` names environment variables, never values.
    """

    tenant_id: str
    organization: str | None
    connect: Mapping[str, Json]
