"""Everything that is wrong with one capture, collected so that a run reports all of it."""

from __future__ import annotations

from typing import Final

from reconciler.errors import CaptureFault

SHOWN: Final = 25
"""So many faults are spelled out; a broken export of 100,000 rows must not print 100,000 lines.
"""


class FaultList:
    """Faults in the order they were met. The first `SHOWN` are kept, all are counted."""

    __slots__ = ("_count", "_shown")

    def __init__(self) -> None:
        self._shown: list[tuple[str, str]] = []
        self._count = 0

    def add(self, path: str, message: str) -> None:
        """Note a fault at a JSON path (`$.teams.users[3].Identity`).

        The message says what is wrong and what to do.
        """
        self._count += 1
        if len(self._shown) < SHOWN:
            self._shown.append((path, message))

    def take(self, other: FaultList) -> None:
        """Add the faults of another list."""
        room = SHOWN - len(self._shown)
        self._shown += other._shown[: max(room, 0)]
        self._count += other._count

    @property
    def told(self) -> tuple[str, ...]:
        """The faults that are kept, each in a line."""
        return tuple(f"{path}: {message}" for path, message in self._shown)

    def refuse(self, file: str) -> None:
        """Raise if there was any fault.

        Args:
            file: what the capture was read from; it precedes every fault.

        Raises:
            CaptureFault: one line per fault.
        """
        if not self._count:
            return
        lines = [f"{file}: {path}: {message}" for path, message in self._shown]
        if self._count > len(lines):
            lines.append(f"{file}: and {self._count - len(lines)} more faults")
        raise CaptureFault("\n".join(lines))
