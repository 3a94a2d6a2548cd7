"""The pages beside the README are executed like it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest

from tests.docs.console import PAGES, ROOT, rewritten

if TYPE_CHECKING:
    from pathlib import Path

README = ROOT / "README.md"
OTHERS = [page for page in PAGES if page != README]


@pytest.mark.parametrize("page", OTHERS, ids=lambda page: page.name)
def test_every_console_block_prints_what_the_page_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    now = rewritten(text, PAGES[page](tmp_path)).page
    assert now == text, "".join(
        difflib.unified_diff(
            text.splitlines(keepends=True), now.splitlines(keepends=True), page.name, "printed"
        )
    )


def test_every_page_is_executed_and_linked() -> None:
    pages = {*(ROOT / ".github" / "docs").glob("*.md")}
    assert pages == {*OTHERS}
    readme = README.read_text(encoding="utf-8")
    assert [page.name for page in pages if f"(.github/docs/{page.name})" not in readme] == []
