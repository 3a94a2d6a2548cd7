"""Prints the oldest versions that pyproject.toml allows, as constraints for pip: `python -m
tests.house.oldest`.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def oldest() -> list[str]:
    """`click>=8.1.7` becomes `click==8.1.7`.

    Only what the tool itself needs: its tests may need newer tools.
    """
    needed = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [re.sub(r"\[.*\]", "", one).replace(">=", "==") for one in needed]


if __name__ == "__main__":
    print("\n".join(oldest()))
