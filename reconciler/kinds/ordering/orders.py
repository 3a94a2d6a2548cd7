"""What an ordering hands on: the steps, and which pairs are missing or exposed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.access_rows import GapSubject
    from reconciler.model.plans import StepDraft


class Pairs(Struct, frozen=True):
    """An application and those whom it reaches, or does not, after the steps (numbers from 1 within
    the product).
    """

    application: str
    subject: GapSubject
    certain: bool
    steps: tuple[int, ...]


class Gap(Struct, frozen=True):
    """Pairs that are granted before and after, and missing after some steps.

    `proved`: every order was looked at.
    """

    pairs: Pairs
    reason: str
    proved: bool


class Reliance(Struct, frozen=True):
    """A removal that would open or close too much if an earlier step were not in force yet.

    Numbers from 1 within the product.
    """

    step: int
    on: int


class Ordered(Struct, frozen=True):
    """Steps in their order, gaps, exposures (pairs granted on the way and neither before nor after)
    and reliances.
    """

    drafts: tuple[StepDraft, ...] = ()
    gaps: tuple[Gap, ...] = ()
    exposures: tuple[Pairs, ...] = ()
    reliances: tuple[Reliance, ...] = ()


class Chain(Struct):
    """Orders of components, one behind the other: nothing of one bears on another."""

    drafts: list[StepDraft] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    exposures: list[Pairs] = field(default_factory=list)
    reliances: list[Reliance] = field(default_factory=list)

    def append(
        self,
        drafts: Iterable[StepDraft],
        gaps: Iterable[Gap],
        exposures: Iterable[Pairs],
        removals: Iterable[tuple[bool, bool]],
    ) -> None:
        """Add a component whose numbers count from 1.

        Args:
            drafts: Its steps.
            gaps: Its gaps.
            exposures: Its exposures.
            removals: For each step whether it can be relied on (it grants, or guards), and whether
                it takes something away.
        """
        offset = len(self.drafts)
        self.drafts += drafts
        self.gaps += (replace(gap, pairs=_later(gap.pairs, offset)) for gap in gaps)
        self.exposures += (_later(pairs, offset) for pairs in exposures)
        self.reliances += reliances_of(removals, offset)

    def ordered(self) -> Ordered:
        """The whole product."""
        return Ordered(
            tuple(self.drafts), tuple(self.gaps), tuple(self.exposures), tuple(self.reliances)
        )


def _later(pairs: Pairs, offset: int) -> Pairs:
    return replace(pairs, steps=tuple(step + offset for step in pairs.steps))


def reliances_of(removals: Iterable[tuple[bool, bool]], offset: int) -> Iterable[Reliance]:
    """Each removal behind a step that can be relied on, unless an earlier removal has waited for
    that step already.

    Args:
        removals: For each step whether it can be relied on, and whether it takes something away.
        offset: The number before that of the first step.
    """
    last = None
    for number, (relied_on, removes) in enumerate(removals, offset + 1):
        if removes and last is not None:
            yield Reliance(number, last)
            last = None
        if relied_on:
            last = number
