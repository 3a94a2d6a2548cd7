"""`python -m tests.diagnosing [--write]`: what is told of each error now, or kept as golden."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import sys
import tempfile
from pathlib import Path

from tests.cli.sample import settle
from tests.conftest import Ran
from tests.diagnosing.golden_errors import FOLDERS, diagnosed, golden


def _run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Ran:
    from reconciler.cli.main import run

    assert cwd is None
    assert not stdin
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["reconciler", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run()
    return Ran(code, out.getvalue(), err.getvalue())


def main() -> int:
    """Exit with 1 if something differs and was not kept."""
    write, differing = "--write" in sys.argv, 0
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"RECONCILER_STATE_DIR": f"{name}/state", "COLUMNS": "100"}
        os.chdir(settle(Path(name)))
        for case in FOLDERS:
            file = case / "diagnosis.txt"
            now = golden(diagnosed(_run, case))
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            if write:
                file.write_text(now, encoding="utf-8")
            differing += now != before
            sys.stdout.writelines(
                difflib.unified_diff(before.splitlines(True), now.splitlines(True), case.name)
            )
    return int(bool(differing) and not write)


if __name__ == "__main__":
    raise SystemExit(main())
