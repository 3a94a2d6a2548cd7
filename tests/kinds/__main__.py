"""`python -m tests.kinds [--write]`: shows where the golden folders differ from what the tool plans
now, or rewrites their `plan.txt`.
"""

from __future__ import annotations

import difflib
import sys
import tempfile
from pathlib import Path

from tests.kinds.golden_folders import EXPECTED, FOLDERS, folder_id, outcome


def main() -> int:
    """Exit with 1 if a file is out of date and was not rewritten."""
    differ = False
    for folder in FOLDERS:
        with tempfile.TemporaryDirectory() as scratch:
            now = outcome(folder, Path(scratch))
        path = folder / EXPECTED
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        if now == expected:
            continue
        if "--write" in sys.argv:
            path.write_text(now, encoding="utf-8")
            continue
        differ = True
        before, after = (text.splitlines(keepends=True) for text in (expected, now))
        name = f"{folder_id(folder)}/{EXPECTED}"
        sys.stdout.writelines(difflib.unified_diff(before, after, name, "what is planned"))
    return int(differ)


if __name__ == "__main__":
    raise SystemExit(main())
