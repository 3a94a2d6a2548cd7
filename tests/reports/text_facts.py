"""Reads the text of a plan back: what its rows name, and how many they say that they leave out.

It knows the look of the text and nothing of what made it. Names must hold no comma, no parenthesis and
no double blank.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTIONS = ("EVERYONE", "MORE", "LESS")
_ROW = re.compile(r"  (?P<sign>[!+-]) (?P<row>.*)  \[(?P<product>\w+)\]")
_MORE = re.compile(r" and (\d+) more")
_BLOCK = re.compile(r"  (?P<sign>-/\+|  [+~ -]) (?P<product>Teams|Exchange) +(?P<rest>\S.*)")
_PEOPLE = re.compile(r"(\d+) people: ")


class TextFacts(NamedTuple):
    """What a text says.

    `access`: by section, product and application how many others. `policies` and `grants`: by product
    and sign how many.
    """

    access: Counter[tuple[str, str, str]]
    policies: Counter[tuple[str, str]]
    grants: Counter[tuple[str, str]]


def text_facts(text: str) -> TextFacts:
    """Read a text that was made without line breaks inside its rows."""
    facts = TextFacts(Counter(), Counter(), Counter())
    section, product = "", ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            section = line
        elif section in _SECTIONS and (row := _ROW.fullmatch(line)):
            for application in _applications(row["row"]):
                facts.access[section, row["product"], application] += _size(row["row"])
        elif section == "Changes" and (block := _BLOCK.fullmatch(line)):
            product = block["product"]
            facts.policies[product, block["sign"].strip()] += 1
        elif section == "Changes":
            facts.grants.update(_grants(product, line))
    return facts


def _halves(row: str) -> tuple[str, str]:
    """Applications, and whom they gain or lose."""
    for separator in ("  ", ": "):
        names, found, others = row.partition(separator)
        if found:
            return names, others.strip()
    raise AssertionError(row)


def _applications(row: str) -> list[str]:
    return [re.sub(r".*\((.*)\)", r"\1", name) for name in _halves(row)[0].split(", ")]


def _size(row: str) -> int:
    """How many subjects a row names or counts."""
    return sum(
        1 + sum(map(int, _MORE.findall(item)))
        for item in _top_level(re.sub(r"^up to \d+ (person|people): ", "", _halves(row)[1]))
    )


def _top_level(text: str) -> Iterator[str]:
    """What is between commas outside of parentheses."""
    while text != (text := re.sub(r"\([^()]*\)", "", text)):
        pass
    yield from text.split(", ")


def _grants(product: str, line: str) -> Iterator[tuple[str, str]]:
    plain = line
    while plain != (plain := re.sub(r" ?\([^()]*\)", "", plain)):
        pass
    for grants in re.split(r"(?:^ +|, )(?=[+~-] )", plain)[1:]:
        sign, _, who = grants.partition(" ")
        counted = _PEOPLE.match(who)
        more = sum(map(int, _MORE.findall(who)))
        count = int(counted[1]) if counted else len(who.split(", ")) + more
        yield from [(product, sign)] * count
