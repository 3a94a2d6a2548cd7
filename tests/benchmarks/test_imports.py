"""What `plan` loads beside the five libraries it is measured against: next to nothing that is not
ours, and not ever more of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.benchmarks.startup import IMPORTS, ROOT

SMALL = {
    "_csv",
    "_sha2",
    "csv",
    "signal",
    "gc",
    "shlex",
    "contextlib",
    "graphlib",
    "bisect",
    "heapq",
    "_bisect",
    "_heapq",
}
MOST_OF_OURS = 250
"""Each module costs a fifth of a millisecond, each dataclass twice that."""
_PLAN = (
    "sys.argv = ['reconciler', 'plan', 'policies']\nfrom reconciler.cli.main import main\nmain()"
)


def _loaded(code: str) -> set[str]:
    told = (
        "import atexit, json, sys\natexit.register(lambda: print('\\n' +"
        " json.dumps(sorted(sys.modules))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", told + code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_plan_loads_little_beside_its_libraries() -> None:
    loaded = _loaded(_PLAN)
    ours = {name for name in loaded if name.partition(".")[0] == "reconciler"}
    strange = loaded - ours - _loaded(f"{IMPORTS}, msgspec") - SMALL
    assert strange == set()
    assert 50 < len(ours) <= MOST_OF_OURS
