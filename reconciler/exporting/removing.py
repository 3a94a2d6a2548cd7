"""Taking documents out of a file; the others stay as they are, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.documents.parsing import parse_yaml

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
