"""`python -m tests.docs [--write]`: shows where README.md differs from what the tool prints, or
puts it right.
"""

from __future__ import annotations

import difflib
import sys
import tempfile
from pathlib import Path

from tests.docs.console import ROOT, rewritten, sample


def main() -> int:
    """Exit with 1 if the page is out of date and was not rewritten."""
    readme = ROOT / "README.md"
    page = readme.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        now = rewritten(page, sample(Path(folder)))
    if "--write" in sys.argv:
        readme.write_text(now, encoding="utf-8")
        return 0
    sys.stdout.writelines(
        difflib.unified_diff(
            page.splitlines(keepends=True),
            now.splitlines(keepends=True),
            "README.md",
            "what is printed",
        )
    )
    return int(now != page)


if __name__ == "__main__":
    raise SystemExit(main())
