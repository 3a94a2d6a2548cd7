"""Markdown as a parser reads it that is not ours (markdown-it-py): which blocks there are, and what
stands in them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
GOES_ON = " " * 7
_SUMMARY = re.compile(r"<details><summary>(.*)</summary>")


class Fence(NamedTuple):
    """A fence: its language and lines."""

    language: str
    lines: list[str]

    def rows(self) -> Iterator[tuple[str, str]]:
        """Of a `diff` fence: the sign and the text of each row, with the lines that it goes on in."""
        rows: list[list[str]] = []
        for line in self.lines:
            if line[1:].startswith(GOES_ON):
                rows[-1].append(line[1:].strip())
            else:
                rows.append([line[0], line[1:].strip()])
        yield from ((sign, " ".join(texts)) for sign, *texts in rows)


class Parsed:
    """A page."""

    def __init__(self, page: str) -> None:
        self.tokens = _PARSER.parse(page)

    def shape(self) -> list[str]:
        """The kinds of all blocks in order: what a name must never alter."""
        return [f"{token.type} {token.info} {token.level}" for token in self.tokens]

    def html(self) -> list[str]:
        """All raw HTML."""
        inline = [token for token in self._inline() if token.type == "html_inline"]
        blocks = [token for token in self.tokens if token.type == "html_block"]
        return [token.content.strip() for token in (*blocks, *inline)]

    def inline_kinds(self) -> set[str]:
        """What text is made of."""
        return {token.type for token in self._inline()}

    def told(self) -> str:
        """What a person reads, code included."""
        return "\n".join(
            "".join(part.content for part in token.children or ()) or token.content
            for token in self.tokens
            if token.type in {"inline", "fence"}
        )

    def plain_text(self) -> str:
        """All text that a site looks for mentions, references and links in: none of it is code."""
        return "\n".join(token.content for token in self._inline() if token.type == "text")

    def _inline(self) -> Iterator[Token]:
        for token in self.tokens:
            yield from token.children or ()

    def sections(self) -> dict[str, list[Token]]:
        """The blocks under each heading and each summary, by its first word."""
        found: dict[str, list[Token]] = {}
        title = ""
        for index, token in enumerate(self.tokens):
            summary = _SUMMARY.search(token.content) if token.type == "html_block" else None
            if summary is not None:
                title = summary[1]
            elif token.type == "html_block":
                title = ""
            elif token.type == "heading_open":
                title = self.tokens[index + 1].content
            found.setdefault(title, []).append(token)
        return found

    def section(self, start: str) -> list[Token]:
        """The blocks of the section whose title begins so; empty if there is none."""
        return next((own for title, own in self.sections().items() if title.startswith(start)), [])

    def fence(self, start: str) -> Fence:
        """The fence of a section."""
        for token in self.section(start):
            if token.type == "fence":
                return Fence(token.info, token.content.splitlines())
        return Fence("", [])

    def items(self, start: str) -> list[str]:
        """The items of a section's lists, as they are read."""
        return [
            "".join(child.content for child in token.children or ())
            for token in self.section(start)
            if token.type == "inline"
        ]
