"""What decides whether an application reaches somebody, as a product's rules say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.access_rows import SubjectKind
    from reconciler.reports.review.value import Name, Phrase


class Rules(Protocol):
    """The rules of one product, before a plan and after it, as far as the plan tells."""

    def deciding(
        self, application: str, who: tuple[SubjectKind, str], *, after: bool, reached: bool
    ) -> Phrase:
        """What decides it, in one moment.

        Args:
            application: client id, or `*`.
            who: what they are, and their id.
            after: whether it is the moment after the plan.
            reached: whether they are reached then, which the plan's delta says.
        """
        ...

    def kept(self, who: tuple[SubjectKind, str], applications: frozenset[str]) -> Iterable[str]:
        """Those of the applications that certainly reach all of them before and after."""
        ...


def either(phrases: Iterable[Phrase]) -> Phrase:
    """Several of which one decides: `A or B`."""
    return tuple(_joined(phrases))


def _joined(phrases: Iterable[Phrase]) -> Iterator[str | Name]:
    first = True
    for phrase in phrases:
        if not first:
            yield " or "
        first = False
        yield from phrase
