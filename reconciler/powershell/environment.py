"""What of this process's environment a PowerShell process gets: a short list, and a home of its
own.

No credential is among it: those go through the connect message. What a managed identity needs is
passed on by name, only when it is used.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_KEPT: Final = frozenset(
    (
        *(
            "PATH",
            "DOTNET_ROOT",
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ),
        *(*_PROXIES, "NO_PROXY"),
        # Windows: without these neither .NET nor the modules find their way.
        *(
            "SYSTEMROOT",
            "SYSTEMDRIVE",
            "WINDIR",
            "COMSPEC",
            "PATHEXT",
            "PROGRAMDATA",
            "PROGRAMFILES",
            "PROGRAMFILES(X86)",
            "PROGRAMW6432",
        ),
        *(
            "ALLUSERSPROFILE",
            "USERPROFILE",
            "APPDATA",
            "LOCALAPPDATA",
            "HOMEDRIVE",
            "HOMEPATH",
            "NUMBER_OF_PROCESSORS",
        ),
        "PROCESSOR_ARCHITECTURE",
    )
)
# Nothing is sent home, nothing is coloured, nothing depends on the language of the machine
# (Microsoft Learn, about_Environment_Variables).
_QUIET: Final = {
    "POWERSHELL_TELEMETRY_OPTOUT": "1",
    "POWERSHELL_UPDATECHECK": "Off",
    "POWERSHELL_DIAGNOSTICS_OPTOUT": "1",
    "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "LC_ALL": "C.UTF-8",
}
IDENTITY: Final = (
    *(
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "IDENTITY_SERVER_THUMBPRINT",
        "IMDS_ENDPOINT",
        "MSI_ENDPOINT",
        "MSI_SECRET",
    ),
    *("AZURE_POD_IDENTITY_AUTHORITY_HOST", "AZURE_CLIENT_ID"),
)
"""How a machine's identity is found outside a virtual machine (Azure.Identity's
ManagedIdentityCredential).
"""
_IDENTITY_SECRETS: Final = frozenset(("IDENTITY_HEADER", "MSI_SECRET"))


def child_environment(
    environ: Mapping[str, str], home: Path, *, pass_on: Iterable[str] = ()
) -> dict[str, str]:
    """The environment of a PowerShell process.

    Args:
        environ: This process's own.
        home: A folder that only this user can read, for whatever PowerShell and the modules write.
        pass_on: Names of further variables.
    """
    kept = _KEPT | set(pass_on)
    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(home))
    return (
        {name: value for name, value in environ.items() if name.upper() in kept}
        | _QUIET
        | places
        | _module_path(environ)
    )


def carried_secrets(environ: Mapping[str, str], pass_on: Iterable[str] = ()) -> Iterator[str]:
    """What is secret in the variables that are passed on: proxy passwords, the keys of identity
    endpoints.
    """
    for name, value in environ.items():
        if name.upper() in _PROXIES:
            yield from _login(value)
    yield from (
        environ[name] for name in pass_on if name in _IDENTITY_SECRETS and environ.get(name)
    )


def _login(proxy: str) -> Iterator[str]:
    """`user:password` of a proxy's address, as written and as meant."""
    login, at, _ = urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")
    if at and ":" in login:
        password = login.partition(":")[2]
        yield from dict.fromkeys((login, password, unquote(password)))


def _module_path(environ: Mapping[str, str]) -> dict[str, str]:
    """Where modules lie: told from the real home, before the process gets another one.

    PowerShell adds its own folder by itself. On Windows it asks the system, not the environment,
    for the user's folder.
    """
    given = next((value for name, value in environ.items() if name.upper() == "PSMODULEPATH"), "")
    if given or sys.platform == "win32":
        return {"PSModulePath": given} if given else {}
    shares = (
        environ.get("XDG_DATA_HOME")
        or (f"{environ['HOME']}/.local/share" if environ.get("HOME") else ""),
        "/usr/local/share",
    )
    return {"PSModulePath": ":".join(f"{share}/powershell/Modules" for share in shares if share)}
