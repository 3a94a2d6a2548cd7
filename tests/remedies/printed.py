"""What a test makes the tool print, compared with the remedies that it is said to try."""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING

from tests.house.tree import ROOT
from tests.remedies.texts import ELSEWHERE, TRIED, remedies

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

_FILLED = re.compile(r"\{\{.*?\}\}|\{(?:[^{}]|\{[^{}]*\})*\}")
"""What a text leaves to be filled in."""


def words_of(item: pytest.Item) -> tuple[str, str]:
    """A test as the lists of remedies name it: the words of its name, and its place."""
    name = getattr(item, "originalname", item.name)
    place = item.path.relative_to(ROOT).as_posix()
    return name.removeprefix("test_").replace("_", " ").lower(), f"{place}::{name}"


def parts_of(item: pytest.Item) -> frozenset[str]:
    """The parts of remedies that a test is said to try, in this case of it."""
    words, place = words_of(item)
    here = TRIED if place.startswith("tests/remedies/") else {}
    return frozenset(
        part
        for names, own in ((here, words), (ELSEWHERE, place))
        for part, named in names.items()
        for name, case in [named_case(named)]
        if name in {own, own.lower()} and case in item.name.partition("[")[2]
    )


def named_case(named: str) -> tuple[str, str]:
    """The name of a test, and the part of a case's id; empty: all its cases."""
    name, _, case = named.partition("[")
    return name.lower() if " " in name else name, case.removesuffix("]")


@cache
def _patterns(part: str) -> tuple[re.Pattern[str], ...]:
    """The texts that have a part, as what is printed of them."""
    return tuple(
        re.compile(".*".join(re.escape(_even(words)) for words in _FILLED.split(text.text)))
        for text in remedies()
        if part in text.text
    )


def unprinted(parts: Iterable[str], printed: Sequence[str]) -> list[str]:
    """The parts whose text is in nothing that was printed."""
    said = [_even(text) for text in printed]
    return sorted(
        part
        for part in parts
        if not any(pattern.search(text) for pattern in _patterns(part) for text in said)
    )


def _even(text: str) -> str:
    """A text without what a report does to it: lines broken, characters made inert."""
    plain = html.unescape(text.replace("\\n", " ")).replace("\\", "")
    return re.sub(r"\s+", " ", plain)
