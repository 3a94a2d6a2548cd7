"""How each product is signed in to: from the Tenant document's `connect`, which names environment variables, never values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider


class Way(StrEnum):
    """The ways to sign in, as `spec.connect` names them."""

    CERTIFICATE = "certificateFile"
    TOKENS = "accessTokens"
    MANAGED_IDENTITY = "managedIdentity"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Connection:
    """One connect message. What is secret in it shows in no repr; `secrets` is what a door must hide from everything it keeps.

    `lasts_until`: unix seconds at which the credential ends and nothing renews it (the earliest `exp` of its tokens), None if that is not
    known or it renews itself. `pass_on`: names of environment variables that the process needs for this way to sign in.
    """

    provider: Provider
    way: Way
    module: str
    cmdlet: str
    tenant_id: str
    parameters: Mapping[str, Json] = field(repr=False)
    pfx: bytes | None = field(default=None, repr=False)
    pfx_password: str | None = field(default=None, repr=False)
    certificate_parameter: str = "Certificate"
    secrets: tuple[str, ...] = field(default=(), repr=False)
    lasts_until: int | None = None
    pass_on: tuple[str, ...] = ()

    def importing(self, cmdlets: Sequence[str]) -> Connection:
        """The same, importing only these cmdlets (Exchange: `-CommandName`; the Teams module has no such choice)."""
        if self.provider == "teams":
            return self
        return replace(self, parameters={**self.parameters, "CommandName": list(cmdlets)})


def connections(
    connect: Mapping[str, Json], tenant_id: str, organization: str | None, environ: Mapping[str, str]
) -> Mapping[Provider, Connection]:
    """Read the credentials that `connect` names. Only the products that it names.

    Raises:
        ConnectFault: every variable that is not set, by name, or a way that cannot work; never a value.
    """
    raise NotImplementedError
