"""Measures and prints, beside the budgets: `python -m tests.benchmarks [--rounds N] [--json]
[--largest N] [STAGE]...`.

A stage is a function from the number of rounds to rows; adding one is adding a line to STAGES.
Nothing fails where a budget is missed: how long anything takes is the machine's business too.
`peer` plans the same amount of work with octoDNS, in an environment of its own, from PyPI.
"""

from __future__ import annotations

import argparse
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks import fleets, inputs, peers, scaling, startup
from tests.benchmarks.rows import document, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.benchmarks.rows import Row

DEFAULT = ("start-up", "scaling", "inputs", "stand-in")


def stages(largest: int) -> Mapping[str, Callable[[int], Iterable[Row]]]:
    """The stages by name, with tenants up to a size."""
    sizes = [size for size in scaling.SIZES if size <= largest]
    return {
        "start-up": startup.rows,
        "scaling": partial(scaling.rows, sizes=sizes),
        "inputs": inputs.rows,
        "stand-in": partial(_through_processes, largest=largest),
        "fleet": partial(fleets.rows, largest=largest),
        "peer": partial(peers.rows, sizes=sizes),
    }


def _through_processes(rounds: int, largest: int) -> Iterable[Row]:
    """Loaded last: what this process holds counts into the peak of every process that it starts."""
    from tests.benchmarks import standin

    return standin.rows(rounds, largest)


def _commit() -> str:
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=startup.ROOT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip()


def main() -> None:
    """Run the stages that were named, or all but the peer."""
    names = stages(0)
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Time reconciler beside what it stands on."
    )
    parser.add_argument(
        "stages",
        nargs="*",
        choices=[[], *names],
        metavar="STAGE",
        help=f"any of: {', '.join(names)} (default: {', '.join(DEFAULT)})",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=15,
        help="runs of each command, fewer of long ones (default: 15)",
    )
    parser.add_argument(
        "--largest",
        type=int,
        default=scaling.SIZES[-1],
        help="grants of the largest tenant (default: 100000)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    chosen = stages(asked.largest)
    rows = [row for stage in asked.stages or DEFAULT for row in chosen[stage](asked.rounds)]
    print(document(rows, _commit()) if asked.json else table(rows))


if __name__ == "__main__":
    main()
