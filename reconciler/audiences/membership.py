"""Who is in a group or scope, as far as a directory knows: surely, surely not, or not known."""

from __future__ import annotations

from msgspec import Struct


class Coverage(Struct, frozen=True):
    """Object ids that are surely covered.

    `closed`: nobody else is; otherwise anybody else may be.
    """

    inside: frozenset[str]
    closed: bool

    def covers(self, subject: str) -> bool | None:
        """Whether an object id is covered; None is not known."""
        if subject in self.inside:
            return True
        return False if self.closed else None


NOBODY = Coverage(frozenset(), closed=True)
UNKNOWN = Coverage(frozenset(), closed=False)
