"""The picture of a plan in README.md: what the tool prints on a terminal with colours, as an SVG
without anything that is loaded from elsewhere. `python -m tests.docs --write` writes it.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from tests.docs.console import ROOT, Typed, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURE: Final = ROOT / ".github" / "plan.svg"
COMMAND: Final = "FORCE_COLOR=1 .venv/bin/reconciler plan --out plan.json"
_COLUMNS = 104
_LINE, _CHARACTER, _MARGIN = 17, 7.83, 16
_COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
_STYLED = re.compile(r"\x1b\[([0-9;]*)m([^\x1b]*)")
_STYLE = (
    "text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#e6edf3;"
    "white-space:pre}.b{font-weight:bold}"
)


def picture(folder: Path) -> str:
    """The SVG, of the sample in a folder."""
    printed = run(Typed(COMMAND, ""), folder)
    lines = ["$ reconciler plan --out plan.json", *printed.rstrip("\n").splitlines()]
    width = round(_COLUMNS * _CHARACTER) + 2 * _MARGIN
    height = len(lines) * _LINE + 2 * _MARGIN
    rows = "\n".join(_row(line, number) for number, line in enumerate(lines, 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby="title">\n'
        '<title id="title">What reconciler plan prints for the sample</title>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n{rows}\n</svg>\n'
    )


def _row(line: str, number: int) -> str:
    spans = "".join(_spans(line))
    return f'<text x="{_MARGIN}" y="{_MARGIN + number * _LINE - 4}">{spans}</text>'


def _spans(line: str) -> Iterator[str]:
    """A line that is longer than the picture is wide ends in an ellipsis."""
    left = _COLUMNS
    for codes, text in _STYLED.findall(f"\x1b[0m{line}"):
        shown = text if len(text) <= left else f"{text[: left - 1]}…"
        left -= len(shown)
        if not shown:
            continue
        attributes = "".join(_attributes(codes.split(";")))
        yield f"<tspan{attributes}>{escape(shown)}</tspan>" if attributes else escape(shown)


def _attributes(codes: list[str]) -> Iterator[str]:
    if "1" in codes:
        yield ' class="b"'
    for code in codes:
        if code in _COLOURS:
            yield f' fill="{_COLOURS[code]}"'
