"""Modules that must be installed, and the line that installs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.powershell.answers import Loaded
from reconciler.powershell.faults import DoorFault

if TYPE_CHECKING:
    from reconciler.powershell.answers import NotFound
    from reconciler.powershell.session import Session


def required(
    session: Session, module: str, *, version: str | None = None, minimum: str | None = None
) -> Loaded:
    """Import a module that there must be.

    Raises:
        DoorFault: it is not installed, or not in that version; the message has the line that
            installs it.
    """
    loaded = session.load(module, version=version, minimum=minimum)
    if isinstance(loaded, Loaded):
        return loaded
    raise DoorFault(missing(loaded, version=version, minimum=minimum))


def missing(module: NotFound, *, version: str | None = None, minimum: str | None = None) -> str:
    """What to say of a module that is not there."""
    wanted = version or (f"{minimum} or newer" if minimum else "any version")
    installed = (
        f"only installed: {', '.join(module.others)}" if module.others else "none is installed"
    )
    return (
        f"the PowerShell module {module.module} ({wanted}) was not found, {installed}: install it"
        f" with `{install_line(module.module, version=version, minimum=minimum)}`"
    )


def install_line(module: str, *, version: str | None = None, minimum: str | None = None) -> str:
    """What to type to install a module for this user (NuGet's spelling of version ranges)."""
    wanted = version or (f"[{minimum},)" if minimum else "")
    option = f" -Version '{wanted}'" if wanted else ""
    return (
        f'pwsh -NoProfile -Command "Install-PSResource -Name {module}{option} -Repository PSGallery'
        ' -TrustRepository -Scope CurrentUser"'
    )
