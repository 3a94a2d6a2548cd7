"""`reads[]` of a product's section: what was read, and how many objects came.

A count that disagrees with the rows means that rows are missing (law 1). A read is one of
everything only if each of its parameters is known to leave nothing out: what else may narrow a
read, nobody can list.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import as_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class RowList(Struct, frozen=True):
    """A list of rows in a section of a capture, and the cmdlet that reads it.

    `harmless`: parameters of the cmdlet (in lower case) and which of their values leave nobody out.
    """

    key: str
    cmdlet: str
    harmless: Mapping[str, Callable[[Any], bool]] = MappingProxyType({})

    def reads_all(self, read: Mapping[str, Any]) -> bool:  # noqa: ARG002  lists with filters differ
        """Whether a read that nothing narrowed is one of the whole list."""
        return True

    def expected_counts(
        self, reads: Sequence[Mapping[str, Any]], rows: Sequence[Any]
    ) -> Sequence[int]:
        """How many objects each read must have returned, if these are all rows of the list."""
        return [len(rows)] * len(reads)

    def narrowing(self, read: Mapping[str, Any]) -> list[str]:
        """The parameters of a read, as they are spelled, that may leave out rows."""
        parameters = read.get("parameters") or {}
        folded = {name.lower() for name in parameters}
        if len(folded) < len(parameters):  # no call can name a parameter twice: either may count
            return list(parameters)
        return [name for name, value in parameters.items() if not self._is_harmless(name, value)]

    def _is_harmless(self, name: str, value: object) -> bool:
        accepts = self.harmless.get(name.lower())
        return accepts is not None and accepts(value)


def check_reads(
    lists: Iterable[RowList], section: Mapping[str, Any], path: str, faults: FaultList
) -> None:
    """Compare the counts of every read with the rows of the section's lists.

    Reads by other cmdlets (of the directory) have no list here.
    """
    for row_list in lists:
        # The parser of the rows tells what is wrong with them, here they are only counted.
        rows = as_list(section.get(row_list.key), path, FaultList())
        reads = {
            f"{path}.reads[{index}]": read
            for index, read in enumerate(section["reads"])
            if read["cmdlet"] == row_list.cmdlet
        }
        _check_list(row_list, reads, rows, path, faults)


def _check_list(
    row_list: RowList,
    reads: Mapping[str, Mapping[str, Any]],
    rows: Sequence[Any],
    path: str,
    faults: FaultList,
) -> None:
    whole: dict[str, Mapping[str, Any]] = {}
    for place, read in reads.items():
        if names := row_list.narrowing(read):
            faults.add(
                f"{place}.parameters",
                f"{row_list.cmdlet} was run with {', '.join(names)}, so its list may be"
                " incomplete: fetch again without",
            )
        else:
            whole[place] = read
    if not any(map(row_list.reads_all, whole.values())):
        faults.add(
            f"{path}.reads",
            f"{row_list.cmdlet} was not run for all of `{row_list.key}`: the reading is"
            " incomplete, fetch again",
        )
    expected = row_list.expected_counts(list(whole.values()), rows)
    for (place, read), count in zip(whole.items(), expected, strict=True):
        if read["count"] != count:
            faults.add(
                f"{place}.count",
                f"{row_list.cmdlet} returned {read['count']}, but `{row_list.key}` has {count}:"
                " the reading is incomplete, fetch again",
            )
