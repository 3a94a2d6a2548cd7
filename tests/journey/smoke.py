"""Plans and applies the sample on a simulated tenant, with an installed command: `python
tests/journey/smoke.py RECONCILER`.

Needs nothing but Python and a checkout: it is how a wheel is tried on every system.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
SIM = ("--tenant", "sim:tenant.json")
IDENTITY = ("--tenant-id", "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a")
DOMAIN = ("--organization", "contoso.onmicrosoft.com")


def steps(approved: str = "plan.json") -> Sequence[tuple[int, tuple[str, ...]]]:
    """Commands, each with the exit code that it has to have."""
    return (
        (0, ("--version",)),
        (0, ("init", "begun", *IDENTITY, *DOMAIN)),
        (0, ("validate", "begun/policies")),
        (0, ("plan", "begun/policies")),
        (2, ("plan", "--out", approved, "--detailed-exitcode", *SIM)),
        (0, ("show", approved, "--format", "html", "--out", "plan.html")),
        (0, ("apply", approved, "--auto-approve", *SIM)),
        (0, ("plan", "--detailed-exitcode", *SIM)),
        (0, ("fleet", "begun/policies", "--", "plan", "--out", "{tenant}.json")),
    )


def tried(command: str, folder: Path) -> list[str]:
    """Run every step in a folder; what did not end as it has to."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    environment = {**os.environ, "RECONCILER_STATE_DIR": str(folder / "state")}
    wrong = []
    for code, words in steps():
        done = subprocess.run(
            [command, *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        told = (done.stdout + done.stderr).decode("utf-8", "replace")
        print(f"$ reconciler {' '.join(words)}\n{told}")
        if done.returncode != code:
            wrong.append(f"`{' '.join(words)}` ended with {done.returncode}, not {code}")
    file = folder / "plan.json"
    plan = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"steps": []}
    return [*wrong, *(["the plan has no step"] if not plan["steps"] else [])]


def main() -> None:
    """Try a command in a new folder, and fail if anything is wrong."""
    command = shutil.which(sys.argv[1])
    if command is None:
        sys.exit(f"{sys.argv[1]} is not on PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        wrong = tried(command, Path(place).resolve())
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
