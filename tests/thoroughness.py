"""How many random cases a law is tried on: half of them where every change waits for the tests, all
of them with `THOROUGH=1`.

The cases of seeded laws are the same every time, so that a run after another finds nothing new in
them; property tests draw new ones in every run.
"""

from __future__ import annotations

import os

_THOROUGH = os.environ.get("THOROUGH") == "1"


def samples(count: int) -> int:
    """How many of a law's cases are tried in this run, given how many a thorough one tries."""
    return count if _THOROUGH else count // 2
