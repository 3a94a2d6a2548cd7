"""What happens to access between the steps of a plan: gaps, and steps that rely on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.access_rows import Certainty, GapRow
from reconciler.model.codes import WarningCode
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.kinds.ordering.orders import Gap, Ordered


def gaps(products: Iterable[Ordered]) -> tuple[tuple[GapRow, ...], Mapping[int, tuple[int, ...]]]:
    """Gaps of all products in the order of their steps.

    Returns: The rows, and for each step number the indexes of the rows it is in.
    """
    rows: list[GapRow] = []
    within: dict[int, list[int]] = {}
    offset = 0
    for product in products:
        for gap in product.gaps:
            steps = tuple(step + offset for step in gap.pairs.steps)
            for step in steps:
                within.setdefault(step, []).append(len(rows))
            rows.append(_row(gap, steps))
        offset += len(product.drafts)
    return tuple(rows), {step: tuple(indexes) for step, indexes in within.items()}


def ids(rows: Iterable[GapRow]) -> Iterator[str]:
    """Every client id and object id that these gaps mention."""
    for row in rows:
        yield row.application
        yield row.subject.id
        yield from row.subject.together
        yield from (part.id for part in row.subject.excepted)


def _row(gap: Gap, steps: tuple[int, ...]) -> GapRow:
    return GapRow(
        application=gap.pairs.application,
        certainty=Certainty.CERTAIN if gap.pairs.certain else Certainty.POSSIBLE,
        proved=gap.proved,
        reason=gap.reason,
        steps=steps,
        subject=gap.pairs.subject,
    )


def reliance_warnings(products: Iterable[Ordered]) -> Iterator[Note]:
    """Steps that take something away and rely on an earlier one: the service may show both late,
    and in another order.

    Of several steps that rely on one, only the first is reported: whoever waits for it has waited for
    the others.
    """
    offset = 0
    for product in products:
        for reliance in product.reliances:
            yield Note(
                WarningCode.RELIES_ON,
                product.drafts[reliance.step - 1].address,
                {"on": reliance.on + offset, "step": reliance.step + offset},
            )
        offset += len(product.drafts)
