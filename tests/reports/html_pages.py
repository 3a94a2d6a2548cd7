"""What a page says, read by a parser that is not the renderer: lexbor, through selectolax."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

_KINDS = {
    "EVERY": "everyone",
    "members of ": "group-members",
    "holders of ": "policy-holders",
}


class Pair(NamedTuple):
    """A cell of the matrix: ids of an application and of a subject; people are `person`."""

    application: str
    kind: str
    subject: str
    outlook: str
    certain: bool


class Grant(NamedTuple):
    """Somebody whose grant changes, by id, and how."""

    subject: str
    outcome: str


class HtmlPage:
    """A page as it is parsed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = LexborHTMLParser(text)

    def all(self, selector: str) -> list[LexborNode]:
        """Elements, in the order of the page."""
        return self.tree.css(selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of elements."""
        return [words(node) for node in self.all(selector)]

    def access(self) -> Iterator[tuple[str, frozenset[str], str]]:
        """Each row of who gains and loses: the danger, ids of applications, whom."""
        for row in self.all("#access tr[data-danger]"):
            applications = frozenset(ids(row.css_first("th")))
            yield row.attributes["data-danger"] or "", applications, words(row.css_first("td"))

    def pairs(self) -> Iterator[Pair]:
        """Each cell of the matrix that says something, for each application of its column and each
        of those whom its row is about.
        """
        for table in self.all("#matrix table"):
            columns = [ids(head) for head in table.css("thead th")[1:]]
            for row in table.css("tbody tr"):
                kind, subjects = _subjects(row.css_first("th"))
                for column, cell in zip(columns, row.css("td"), strict=True):
                    yield from _pairs(column, kind, subjects, cell)

    def grants(self) -> Iterator[Grant]:
        """Each change of somebody's grant."""
        for line in self.all("#changes .grant"):
            outcome = line.attributes["data-outcome"] or ""
            who = line.css_first(".who")
            names = who.css("details.people li") or [who]
            for name in names:
                yield from (Grant(subject, outcome) for subject in ids(name))


def _pairs(column: list[str], kind: str, subjects: list[str], cell: LexborNode) -> Iterator[Pair]:
    for part in cell.css(".cell"):
        outlook = (part.attributes["class"] or "").split()[1]
        certain = not words(part).startswith("possibly ")
        for application in column:
            yield from (Pair(application, kind, name, outlook, certain) for name in subjects)


def _subjects(head: LexborNode) -> tuple[str, list[str]]:
    text = words(head)
    for start, kind in _KINDS.items():
        if text.startswith(start):
            return kind, ids(head) or [""]
    return "person", ids(head)


def ids(node: LexborNode) -> list[str]:
    """The ids of names, and the names of what has no id."""
    return [name.attributes.get("title") or words(name) for name in node.css(".name")]


def words(node: LexborNode) -> str:
    """The text of an element, with blanks as a browser shows them."""
    return re.sub(r"[ \n]+", " ", node.text(deep=True)).strip()
