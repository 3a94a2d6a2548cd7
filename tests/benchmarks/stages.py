"""One plan, stage by stage: `python -m tests.benchmarks.stages DOCUMENTS CAPTURE PLAN` prints
seconds and peak memory as JSON.

The functions that begin a stage are wrapped where they are called. What a stage spends in another
one is counted there, never twice.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES = (
    ("read", "reconciler.documents.examining", "_read_file"),
    ("read", "reconciler.documents.users", "read_user_file"),
    ("validate", "reconciler.documents", "examine_documents"),
    ("capture", "reconciler.captures.reading", "capture_content"),
    ("capture", "reconciler.captures.reading", "parse_capture"),
    ("resolve", "reconciler.planning.making", "_resolve"),
    ("diff", "reconciler.kinds.teams.target", "target"),
    ("diff", "reconciler.kinds.exchange.target", "target"),
    ("diff", "reconciler.kinds.teams.changes", "changes"),
    ("diff", "reconciler.kinds.exchange.changes", "changes"),
    ("order", "reconciler.kinds.teams.steps", "ordered"),
    ("order", "reconciler.kinds.exchange.steps", "ordered"),
    ("access", "reconciler.kinds.teams.access_changes", "access_changes"),
    ("access", "reconciler.kinds.exchange.access_delta", "delta"),
    ("check", "reconciler.planning.checking", "violations"),
    ("render", "reconciler.planning.numbering", "render"),
    ("plan", "reconciler.planning.making", "make_plan"),
    ("write", "reconciler.planning.planfile", "sealed"),
    ("review", "reconciler.reports.review.composing", "review"),
    ("report", "reconciler.reports.plans", "plan_lines"),
)
"""Stage, module, function.

A function that is gone fails the benchmark: the table is part of what has to be kept.
"""


def peak() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Watch:
    """Sums up time by stage, each moment in the innermost stage that is running."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peaks: dict[str, float] = {}
        self._running: list[str] = []
        self._since = time.perf_counter()

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, watched; what it yields is made at once."""

        def watched(*given: Any, **named: Any) -> Any:
            self._turn()
            self._running.append(stage)
            try:
                result = function(*given, **named)
                return iter(list(result)) if isinstance(result, Iterator) else result
            finally:
                self._turn()
                self._running.pop()
                self.peaks[stage] = peak()

        return watched

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._running:
            stage = self._running[-1]
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now


def main() -> None:
    """Plan in this process and print what each stage took."""
    documents, capture, plan = sys.argv[1:]
    gc.disable()
    for library in (
        "deepdiff",
        "jinja2",
        "jsonschema",
        "yaml",
    ):  # loading them is start-up, and has rows of its own
        importlib.import_module(library)
    watch = Watch()
    for stage, name, function in STAGES:
        module = importlib.import_module(name)
        setattr(module, function, watch.wrap(stage, getattr(module, function)))
    from reconciler.cli.main import program

    with redirect_stdout(io.StringIO()), suppress(SystemExit):
        program.main(
            ["plan", documents, "--tenant", capture, "--out", plan],
            prog_name="reconciler",
            standalone_mode=False,
        )
    print(json.dumps({"seconds": watch.seconds, "peaks": watch.peaks}))


if __name__ == "__main__":
    main()
