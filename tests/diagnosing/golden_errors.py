"""Errors as people received them, a folder each: `error.json` or `error.txt`, `asked.json` with what
is typed beside it, and `diagnosis.txt`, what is told then of the sample tenant.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Ran, Run

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())
TENANT = ("--tenant", "sim:tenant.json")


def error_file(case: Path) -> Path:
    """The error of a case."""
    return next(path for path in case.iterdir() if path.name.startswith("error."))


def typed(case: Path) -> tuple[str, ...]:
    """What is typed beside the file."""
    asked = case / "asked.json"
    options = json.loads(asked.read_text(encoding="utf-8")) if asked.exists() else {}
    return tuple(word for name, value in options.items() for word in (f"--{name}", value))


def diagnosed(run: Run, case: Path, *more: str) -> Ran:
    """What the command says of a case; the sample is in its folder."""
    return run("diagnose", str(error_file(case)), *typed(case), *TENANT, *more)


def golden(ran: Ran) -> str:
    """What a case keeps of it."""
    return f"exit code {ran.code}\n{ran.out}{ran.err}"
