"""How each product is signed in to: from the Tenant document's `connect`, which names environment
variables, never values.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, assert_never

from reconciler.guids import guid
from reconciler.kinds.exchange import facts as exchange
from reconciler.kinds.facts import facts
from reconciler.kinds.teams import facts as teams
from reconciler.model.addresses import PROVIDERS
from reconciler.powershell.environment import IDENTITY
from reconciler.powershell.faults import ConnectFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider

_SHORTEST: Final = 8
"""Characters of a password: the log and the answers are cleared of it, which cannot be done with a
word that is everywhere.
"""

_MOST_OF_PFX: Final = 1 << 20
"""Bytes that are read of a certificate's file; a PFX has a few thousand."""


class SignInMethod(StrEnum):
    """The ways to sign in."""

    CERTIFICATE = "certificate"
    TOKENS = "access tokens"
    MANAGED_IDENTITY = "managed identity"
    DEVICE = "device code"


@dataclass(frozen=True, slots=True)
class Connection:
    """What one connect message is made of. Nothing secret shows in its repr.

    `certificate_variable`: the variable that names the certificate's file. `secrets`: what must be
    hidden in everything that is kept. `lasts_until`: unix seconds at which the credential ends and
    nothing renews it (the earliest `exp` of its tokens); None if that is not known or it renews
    itself. `pass_on`: names of environment variables that the process itself needs for this way to
    sign in.
    """

    provider: Provider
    method: SignInMethod
    module: str
    cmdlet: str
    tenant_id: str
    parameters: Mapping[str, Json] = field(repr=False)
    certificate: Path | None = field(default=None, repr=False)
    certificate_variable: str = ""
    certificate_password: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    lasts_until: int | None = None
    pass_on: tuple[str, ...] = ()

    @property
    def interactive(self) -> bool:
        """Whether a person has to do something meanwhile."""
        return self.method is SignInMethod.DEVICE

    def importing(self, cmdlets: Sequence[str]) -> Connection:
        """The same, importing only these cmdlets (Exchange: `-CommandName`; the Teams module has no
        such choice).
        """
        name = facts(self.provider).sign_in.cmdlets_parameter
        if name is None:
            return self
        return replace(self, parameters={**self.parameters, name: list(cmdlets)})


def connections(
    connect: Mapping[str, Json],
    tenant_id: str,
    organization: str | None,
    environ: Mapping[str, str],
) -> dict[Provider, Connection]:
    """Put together what each product that `connect` names is signed in with.

    Args:
        connect: `spec.connect` of a Tenant document, of valid shape.
        tenant_id: The tenant that is meant.
        organization: Its initial domain; Exchange needs it, except for a person with a device code.
        environ: The environment with the named variables.

    Raises:
        ConnectFault: every variable that is not set or cannot be what it should be, by name and
            never by value.
    """
    wanted: dict[str, Any] = dict(connect)
    variables = _Variables(environ)
    cloud = wanted.get("cloud", "commercial")

    def connection(provider: Provider) -> Connection:
        spec = wanted[provider]
        match provider:
            case "teams":
                return _teams(spec, cloud, tenant_id, variables)
            case "exchange":
                return _exchange(spec, cloud, tenant_id, organization, variables)
            case _:
                assert_never(provider)

    made = {name: connection(name) for name in PROVIDERS if name in wanted}
    if variables.faults:
        raise ConnectFault(
            "`connect` of the Tenant document cannot be used: "
            + "; ".join(dict.fromkeys(variables.faults))
        )
    return made


def certificate(connection: Connection) -> bytes:
    """The bytes of the certificate's file.

    Raises:
        ConnectFault: it cannot be read; the message names the variable.
    """
    path = connection.certificate
    try:
        return _beginning(path) if path else b""
    except OSError as why:
        reason = why.strerror
    raise ConnectFault(
        f"cannot read the file named by {connection.certificate_variable} ({reason}): set it to"
        " the path of a PFX file"
    )


def _beginning(path: Path) -> bytes:
    """A certificate whole, and enough of a longer file for PowerShell to refuse it. A pipe will do:
    a shell's `<(command)` writes no certificate to the disk.
    """
    with path.open("rb") as file:
        return file.read(_MOST_OF_PFX)


class _Variables:
    """Reads named variables and collects what is wrong with them, so that one run tells all."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def value(self, name: str) -> str:
        value = self._environ.get(name, "")
        if not value.strip():
            self.faults.append(f"the environment variable {name} is not set")
        return value

    def token(self, name: str) -> str:
        """Without the blanks and line ends that a shell may have left around it."""
        value = self.value(name).strip()
        if value and (len(value) < _SHORTEST or not value.isascii() or not value.isprintable()):
            self.faults.append(f"{name} does not hold an access token")
        return value

    def client_id(self, name: str) -> str:
        value = self.value(name).strip()
        if value and guid(value) is None:
            self.faults.append(f"{name} does not hold an application's client id (a GUID)")
        return value

    def password(self, name: str | None) -> str:
        if name is None:
            return ""
        value = self.value(name)
        if value and len(value) < _SHORTEST:
            self.faults.append(
                f"the password in {name} has fewer than {_SHORTEST} characters, too few to be"
                " kept out of logs: choose a longer one"
            )
        return value


def _teams(
    spec: Mapping[str, Any], cloud: str, tenant_id: str, variables: _Variables
) -> Connection:
    # The module keeps a log file of its own unless told not to (MicrosoftDocs
    # Connect-MicrosoftTeams page).
    parameters: dict[str, Json] = {"TenantId": tenant_id, "LogLevel": "None"}
    if cloud in teams.FACTS.clouds:
        parameters["TeamsEnvironmentName"] = teams.FACTS.clouds[cloud]
    base = Connection(
        "teams",
        SignInMethod.DEVICE,
        "MicrosoftTeams",
        "Connect-MicrosoftTeams",
        tenant_id,
        parameters,
    )
    if "certificateFile" in spec:
        return _certified(base, "ApplicationId", spec, variables)
    if "accessTokens" in spec:
        tokens = [
            variables.token(spec["accessTokens"][name]) for name in ("graph", "teams")
        ]  # in this order (the same page)
        return _with_tokens(base, {"AccessTokens": list(tokens)}, tokens)
    if "managedIdentity" in spec:
        if cloud != "commercial":
            variables.faults.append(
                "Teams supports managedIdentity in the commercial cloud only: use"
                " certificateFile or accessTokens"
            )
        return replace(
            base,
            method=SignInMethod.MANAGED_IDENTITY,
            parameters={**parameters, "Identity": True},
            pass_on=IDENTITY,
        )
    return replace(base, parameters={**parameters, "UseDeviceAuthentication": True})


def _exchange(
    spec: Mapping[str, Any],
    cloud: str,
    tenant_id: str,
    organization: str | None,
    variables: _Variables,
) -> Connection:
    parameters: dict[str, Json] = {"ShowBanner": False, "SkipLoadingFormatData": True}
    if cloud in exchange.FACTS.clouds:
        parameters["ExchangeEnvironmentName"] = exchange.FACTS.clouds[cloud]
    base = Connection(
        "exchange",
        SignInMethod.DEVICE,
        "ExchangeOnlineManagement",
        "Connect-ExchangeOnline",
        tenant_id,
        parameters,
    )
    if "device" in spec:
        return replace(base, parameters={**parameters, "Device": True})
    if organization is None:
        variables.faults.append(
            "Exchange requires the tenant's initial domain: add `organization:"
            " NAME.onmicrosoft.com` to the Tenant document"
        )
    base = replace(base, parameters={**parameters, "Organization": organization})
    if "certificateFile" in spec:
        return _certified(base, "AppId", spec, variables)
    if "accessToken" in spec:
        token = variables.token(spec["accessToken"])
        return _with_tokens(base, {"AccessToken": token}, [token])
    return replace(
        base,
        method=SignInMethod.MANAGED_IDENTITY,
        parameters={**base.parameters, "ManagedIdentity": True},
        pass_on=IDENTITY,
    )


def _certified(
    base: Connection, application: str, spec: Mapping[str, Any], variables: _Variables
) -> Connection:
    password = variables.password(spec.get("certificatePassword"))
    return replace(
        base,
        method=SignInMethod.CERTIFICATE,
        parameters={**base.parameters, application: variables.client_id(spec["application"])},
        certificate=Path(variables.value(spec["certificateFile"])),
        certificate_variable=spec["certificateFile"],
        certificate_password=password,
        secrets=(password,) if password else (),
    )


def _with_tokens(
    base: Connection, parameters: Mapping[str, Json], tokens: Sequence[str]
) -> Connection:
    ends = [end for end in map(expiry, tokens) if end is not None]
    return replace(
        base,
        method=SignInMethod.TOKENS,
        parameters={**base.parameters, **parameters},
        secrets=tuple(token for token in tokens if token),
        lasts_until=min(ends, default=None),
    )


def expiry(token: str) -> int | None:
    """When a token ends, unix seconds: its `exp` claim if it is a JSON Web Token (RFC 7519 §4.1.4),
    which is read and not verified.
    """
    pieces = token.split(".")
    if len(pieces) != 3:  # noqa: PLR2004  header, claims, signature
        return None
    claims = next(_claims(pieces[1]), None)
    end = claims.get("exp") if isinstance(claims, dict) else None
    return (
        int(end)
        if isinstance(end, int | float) and not isinstance(end, bool) and abs(end) < 2**53
        else None
    )


def _claims(piece: str) -> Iterator[Any]:
    try:
        yield json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return
