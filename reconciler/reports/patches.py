"""What is said about a patch that accepts what a tenant has."""

from __future__ import annotations

from msgspec import Struct

from reconciler.reports.lines import Tone, counted
from reconciler.reports.outline import Chapter, Item
from reconciler.reports.remedies import shell_word
from reconciler.reports.review.value import Name


class PatchTold(Struct, frozen=True):
    """What is said about a patch.

    Attributes:
        file: The file that it was written to.
        files: How many files it changes; 0: there is none.
        left: Addresses of what differs after it all the same.
        unmanaged: Addresses of what no document declares after it.
    """

    file: str
    files: int
    left: tuple[str, ...]
    unmanaged: tuple[str, ...]


def patch_chapter(patch: PatchTold) -> Chapter:
    """What a patch does, and what it cannot."""
    items: list[Item] = []
    if patch.files:
        changed = counted(patch.files, "file")
        if patch.file == "-":
            items.append(Item((f"{changed} changed; on standard output, for `git apply`.",)))
        else:
            items.append(Item((f"{changed} changed. Read it, then: ",)))
            items.append(Item((Name(f"git apply {shell_word(patch.file)}"),), level=3))
    else:
        items.append(Item(("Not written: there is nothing in the documents to change.",)))
    for title, addresses in (
        ("Documents cannot say this; change it back, or by hand:", patch.left),
        ("In no document afterwards; accept each, or manage it:", patch.unmanaged),
    ):
        if addresses:
            items.append(Item((title,), tone=Tone.WARNING))
            items += [Item((Name(address),), level=3) for address in addresses]
    return Chapter(("Patch ", Name(patch.file)), tuple(items))
