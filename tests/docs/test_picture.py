"""The picture in README.md is what the tool prints, and asks nobody for anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.docs.console import DOCS, sample
from tests.docs.picture import PICTURE, picture

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_what_the_tool_prints(tmp_path: Path) -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture(sample(tmp_path)), (
        "python -m tests.docs --write"
    )


def test_the_picture_says_what_the_page_says() -> None:
    root = ET.fromstring(PICTURE.read_bytes())  # noqa: S314  our own file
    lines = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    page = (DOCS / "plans.md").read_text(encoding="utf-8")
    for line in lines[1:]:
        assert line.removesuffix("\u2026") in page


def test_nothing_is_loaded_from_elsewhere() -> None:
    content = PICTURE.read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]+", content) == ["http://www.w3.org/2000/svg"]
    for word in ("@import", "url(", "href", "<script", "<image", "foreignObject", "@font-face"):
        assert word not in content
