"""What a plan is for that does not lead to what documents declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.plans import Note


class Purpose(Struct, frozen=True):
    """What a plan is for that does not lead to what documents declare.

    Attributes:
        undoes: The digest of the plan that it undoes.
        held: What is left alone, beside what products hold.
        warnings: What a reviewer should know besides.
        refusals: What is refused besides.
    """

    undoes: str
    held: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    refusals: tuple[Note, ...] = ()
