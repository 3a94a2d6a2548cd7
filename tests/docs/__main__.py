"""`python -m tests.docs [--write]`: shows where the pages that are executed differ from what the tool
prints, or puts them and the picture right.
"""

from __future__ import annotations

import difflib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.console import PAGES, rewritten, sample
from tests.docs.picture import PICTURE, picture

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str], readme: Path) -> int:
    """Exit with 1 if the page is out of date and was not rewritten.

    It is not rewritten either where a line that the page shows between two `[...]` is printed no
    more: which line should stand there now, a person has to say.
    """
    page = readme.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        now = rewritten(page, PAGES.get(readme, sample)(Path(folder)))
    for command, piece in now.lost:
        sys.stderr.write(f"no longer printed by `{command}`; correct the excerpt:\n{piece}")
    if "--write" in arguments and not now.lost:
        readme.write_text(now.page, encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            PICTURE.write_text(picture(sample(Path(folder))), encoding="utf-8")
        return 0
    sys.stdout.writelines(
        difflib.unified_diff(
            page.splitlines(keepends=True),
            now.page.splitlines(keepends=True),
            readme.name,
            "what is printed",
        )
    )
    return int(now.page != page or bool(now.lost))


if __name__ == "__main__":
    raise SystemExit(max(main(sys.argv[1:], page) for page in PAGES))
