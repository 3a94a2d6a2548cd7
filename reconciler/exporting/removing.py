"""Taking documents out of a file, where the others stay as they are, byte for byte; and what of a
file is taken over into the one that takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.documents.parsing import parse_yaml
from reconciler.exporting.teams import CSV_HEADER

if TYPE_CHECKING:
    from collections.abc import Collection


def without_documents(text: str, file: str, lines: Collection[int]) -> str:
    """The text of a file without some of its documents; empty if no document is left.

    Args:
        text: the whole file, which has no fault.
        file: its name.
        lines: a line of each document that goes.
    """
    trees = parse_yaml(text, file).trees
    going = [
        tree for tree in trees if any(tree.first_line <= line <= tree.last_line for line in lines)
    ]
    if len(going) == len(trees):
        return ""
    whole = text.split("\n")
    gone = {number for tree in going for number in range(tree.first_line, tree.last_line + 1)}
    return "\n".join(line for number, line in enumerate(whole, 1) if number not in gone)


def with_order(text: str, before: str) -> str:
    """A list of users with the rows that it had before in their place and as they were, and the new
    ones behind them.

    Args:
        text: the list as it is written new.
        before: the list as it was; another header than ours, and it is replaced.
    """
    header, *rows = text.removesuffix("\n").split("\n")
    old_header, *old_rows = before.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if old_header != CSV_HEADER:
        return text
    new = {row.partition(",")[0]: row for row in rows}
    kept = [row for row in old_rows if new.pop(row.partition(",")[0].strip().lower(), None)]
    return "".join(f"{row}\n" for row in (header, *kept, *new.values()))


def with_head(text: str, before: str) -> str:
    """A document with the comments that the file had above its first one.

    Args:
        text: the document, whose first line is for editors.
        before: the file as it was.
    """
    head = []
    for line in before.replace("\r\n", "\n").split("\n"):
        if line.strip() and not line.startswith("#"):
            break
        if line.startswith("#") and "yaml-language-server" not in line:
            head.append(f"{line}\n")
    first, end, others = text.partition("\n")
    return "".join((first, end, *head, others))
