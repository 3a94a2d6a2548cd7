"""How long the door waits, in seconds of silence: every line that arrives restarts the time."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

_READING: Final = ("Get-", "Test-")


class Timeouts(Struct, frozen=True):
    """Generous: what is cut off has an unknown outcome.

    An Exchange cmdlet may take 15 minutes, and its module tries again by itself (Microsoft Learn,
    About the Exchange Online PowerShell module). `device`: a person has 15 minutes to sign in with
    a code. `close`, `terminate`: how long an ending process may take before the next means.
    """

    start: float = 120.0
    load: float = 300.0
    connect: float = 300.0
    device: float = 960.0
    answer: float = 120.0
    read: float = 300.0
    write: float = 1200.0
    members: float = 3600.0
    close: float = 10.0
    terminate: float = 5.0

    def of(self, cmdlet: str) -> float:
        """The time for one call of a cmdlet."""
        if (
            cmdlet == "Get-DistributionGroupMember"
        ):  # its module waits up to an hour for one request
            return self.members
        return self.read if cmdlet.startswith(_READING) else self.write
