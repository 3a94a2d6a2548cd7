"""Measures, prints, judges nothing: `python -m tests.benchmarks [--rounds N] [--json] [STAGE]...`.

A stage is a function from the number of rounds to rows; adding one is adding a line to STAGES.
"""

from __future__ import annotations

import argparse
import subprocess

from tests.benchmarks import startup
from tests.benchmarks.rows import document, table

STAGES = {"start-up": startup.rows}


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=startup.ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip()


def main() -> None:
    """Run the stages that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Time reconciler beside what it stands on.")
    parser.add_argument("stages", nargs="*", choices=[[], *STAGES], metavar="STAGE", help=f"any of: {', '.join(STAGES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command (default: 15)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    rows = [row for stage in asked.stages or STAGES for row in STAGES[stage](asked.rounds)]
    print(document(rows, _commit()) if asked.json else table(rows))


if __name__ == "__main__":
    main()
