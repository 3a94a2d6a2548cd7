"""Plans of made-up tenants: beside the floor, by size, stage by stage; a plan from nothing; an
apply on the simulator.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.benchmarks.journals import rate
from tests.benchmarks.measuring import measure
from tests.benchmarks.rows import Row
from tests.benchmarks.startup import RECONCILER, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.generated_tenants import Form

SIZES = (100, 1_000, 10_000, 100_000)
TIME, MEMORY, EXPONENT, READ_BACK, RATE, PAGE = 2.0, 1.5, 1.05, 700.0, 300.0, 1.0
EXPORT = 1.5
TEXT, LOOK, DRIFT = 0.10, 1.0, 1.3
"""Budgets: ratios to the floor, the growth of time with size, MiB of a plan of 100,000 steps that
is read, steps a second, seconds of an HTML page or of Markdown; ratios to a plan: of an export, of
the text of the plan, of a command that only looks.
"""
_LARGE = 10_000
_FLOOR = Path(__file__).with_name("floor.py")
_READ = """
import gc, resource, sys, pathlib
gc.disable()
from reconciler.planning import planfile
planfile.load_plan(pathlib.Path(sys.argv[1]))
"""
_PAGE = """
import gc, pathlib, sys, time
gc.disable()
from reconciler.planning import planfile
from reconciler.reports import html
from reconciler.reports.review.composing import review
from reconciler.reports.review.matrix import access_matrix
loaded = planfile.load_plan(pathlib.Path(sys.argv[1]))
html._template()
start = time.process_time()
html.page(review(loaded.plan, loaded.digests), access_matrix(loaded.plan))
print(time.process_time() - start)
"""
_EXPORT = """
import gc, pathlib, sys, tempfile
gc.disable()
from reconciler.cli.main import program
with tempfile.TemporaryDirectory() as folder:
    documents, capture = sys.argv[1:]
    command = ["export", documents, "--tenant", capture, "--out-dir", folder]
    program.main(command, prog_name="reconciler", standalone_mode=False)
    assert len(list(pathlib.Path(folder).rglob("*.csv"))) > 1
"""
_MARKDOWN = """
import gc, pathlib, sys, time
gc.disable()
from reconciler.planning import planfile
from reconciler.reports.markdown import plans
from reconciler.reports.review.composing import review
loaded = planfile.load_plan(pathlib.Path(sys.argv[1]))
start = time.process_time()
plans.plan_markdown(review(loaded.plan, loaded.digests))
print(time.process_time() - start)
"""


class _World(NamedTuple):
    documents: Path
    capture: Path
    plan: Path
    changes: int


def rows(rounds: int, sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """Everything that depends on the size of a tenant."""
    with tempfile.TemporaryDirectory() as folder:
        forms: tuple[Form, ...] = ("yaml", "csv")
        for form in forms:
            yield from _form(Path(folder) / form, form, sizes, rounds)
        yield from _from_nothing(Path(folder) / "nothing", sizes[-1])
        yield from _applied(Path(folder) / "applied", sizes[-1])


def _world(folder: Path, grants: int, form: Form, *, empty: bool = False) -> _World:
    """Made by a process of its own: what a process has once held counts into the peak of its
    children.
    """
    code = (
        "import pathlib, sys; from tests.benchmarks import generated_tenants;"
        " print(generated_tenants.write(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3],"
        " empty=bool(sys.argv[4])).changes)"
    )
    given = (str(folder), str(grants), form, "empty" if empty else "")
    told = subprocess.run(
        [sys.executable, "-c", code, *given], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return _World(
        folder / "policies", folder / "capture.json", folder / "plan.json", int(told.stdout)
    )


def _plan(world: _World) -> tuple[str, ...]:
    return (
        RECONCILER,
        "plan",
        str(world.documents),
        "--tenant",
        str(world.capture),
        "--out",
        str(world.plan),
    )


def _form(folder: Path, form: Form, sizes: Sequence[int], rounds: int) -> Iterator[Row]:
    totals: dict[int, float] = {}
    for size in sizes:
        world = _world(folder / str(size), size, form)
        times = min(rounds, 3 if size > _LARGE else 5)
        yield from _beside_floor(world, f"{size:,} grants, {form}", times, judged=size == SIZES[-1])
        if form == "csv" and size >= _LARGE:
            yield _exported(world, f"{size:,} grants, {form}", times)
        found = min(
            (_staged(world) for _ in range(times)), key=lambda one: sum(one["seconds"].values())
        )
        totals[size] = sum(found["seconds"].values())
        yield _text(found["seconds"], f"{size:,} {form}: text")
        yield from _looks(world, f"{size:,} {form}", times)
        for stage, seconds in found["seconds"].items():
            yield Row(
                "stages", f"{size:,} {form}: {stage}", seconds, seconds, peak=found["peaks"][stage]
            )
        yield from _calls(world, f"{size:,} {form}: calls per change")
        yield _rendered(world, "html", _PAGE, f"{size:,} {form}: HTML", times)
        yield _rendered(world, "markdown", _MARKDOWN, f"{size:,} {form}: Markdown", times)
    yield from _exponents(totals, form)


def _beside_floor(world: _World, name: str, rounds: int, *, judged: bool) -> Iterator[Row]:
    floor = (sys.executable, str(_FLOOR), str(world.documents), str(world.capture))
    times = measure({"floor": floor, "plan": _plan(world)}, ROOT, rounds)
    least, plan = times["floor"], times["plan"]
    yield Row("floor", name, least.best, least.median, peak=least.peak)
    yield Row(
        "plan",
        name,
        plan.best,
        plan.median,
        "floor",
        plan.best / least.best,
        TIME if judged else None,
        plan.peak,
    )
    yield Row(
        "plan",
        f"{name}: memory",
        plan.peak,
        plan.peak,
        "floor",
        plan.peak / least.peak,
        MEMORY if judged else None,
        plan.peak,
        unit="MiB",
    )


def _exported(world: _World, name: str, rounds: int) -> Row:
    """An export of the tenant into an empty folder, beside a plan of it."""
    tenant = str(world.documents / "tenant.yaml")
    export = (sys.executable, "-c", _EXPORT, tenant, str(world.capture))
    times = measure({"plan": _plan(world), "export": export}, ROOT, rounds)
    ratio = times["export"].best / times["plan"].best
    best, median, peak = times["export"]
    return Row("export", name, best, median, "plan", ratio, EXPORT, peak)


def _staged(world: _World) -> Any:
    command = (
        sys.executable,
        "-m",
        "tests.benchmarks.stages",
        str(world.documents),
        str(world.capture),
        str(world.plan),
    )
    return json.loads(
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    )


def _rendered(world: _World, stage: str, script: str, name: str, rounds: int) -> Row:
    """A rendering of a plan that is read already, its review included: CPU seconds."""
    command = (sys.executable, "-c", script, str(world.plan))
    seconds = sorted(
        float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
        for _ in range(rounds)
    )
    return Row(stage, name, seconds[0], seconds[len(seconds) // 2], budget=PAGE)


def _text(seconds: Mapping[str, float], name: str) -> Row:
    """The text of a plan, its review included, beside all that was done before it."""
    text = seconds["review"] + seconds["report"]
    others = sum(seconds.values()) - text
    return Row("text", name, text, text, "plan", text / others, TEXT)


def _looks(world: _World, name: str, rounds: int) -> Iterator[Row]:
    """Commands that only look, beside a plan of the same tenant."""
    given = (str(world.documents), "--tenant", str(world.capture))
    application = json.loads(world.capture.read_bytes())["exchange"]["policies"][0]["AppId"]
    user = json.loads(world.capture.read_bytes())["teams"]["users"][0]["Identity"]
    commands = {
        "plan": _plan(world),
        "list": (RECONCILER, "list", *given),
        "reach": (RECONCILER, "reach", *given, "--app", application),
        "who": (RECONCILER, "who", user, "--path", *given),
        "drift": (RECONCILER, "drift", *given),
    }
    times = measure(commands, ROOT, rounds)
    for command in ("list", "reach", "who", "drift"):
        best, median, peak = times[command]
        ratio = best / times["plan"].best
        budget = DRIFT if command == "drift" else LOOK
        yield Row("looks", f"{name}: {command}", best, median, "plan", ratio, budget, peak)


def _calls(world: _World, name: str) -> Iterator[Row]:
    plan = json.loads(world.plan.read_bytes())
    calls = len(plan["steps"]) / len(plan["changes"])
    yield Row("calls", name, calls, calls, unit="calls")


def _exponents(totals: dict[int, float], form: Form) -> Iterator[Row]:
    """How the time of all stages grows with the size: 1 is linear.

    Imports are start-up, and are no part of it.
    """
    largest = max(totals)
    for size, seconds in totals.items():
        if 1_000 <= size < largest:
            exponent = math.log(totals[largest] / seconds) / math.log(largest / size)
            yield Row(
                "growth",
                f"{size:,} to {largest:,}, {form}: exponent",
                exponent,
                exponent,
                budget=EXPONENT,
                unit="",
            )


def _from_nothing(folder: Path, grants: int) -> Iterator[Row]:
    """A tenant without any policy: every grant is a step."""
    world = _world(folder, grants, "yaml", empty=True)
    name = f"{world.changes:,} steps"
    made = measure({"plan": _plan(world)}, ROOT, 1)["plan"]
    yield Row("from zero", f"{name}: plan", made.best, made.median, peak=made.peak)
    read = measure({"read": (sys.executable, "-c", _READ, str(world.plan))}, ROOT, 1)["read"]
    yield Row("from zero", f"{name}: read back", read.best, read.median, peak=read.peak)
    yield Row(
        "from zero",
        f"{name}: memory of reading it back",
        read.peak,
        read.peak,
        budget=READ_BACK,
        unit="MiB",
    )


def _applied(folder: Path, grants: int) -> Iterator[Row]:
    """Drift put right on the simulator: the steps between the first and the last line of the
    journal.
    """
    world = _world(folder, grants, "yaml")
    tenant = folder / "tenant.json"
    shutil.copy(world.capture, tenant)
    plan = (
        RECONCILER,
        "plan",
        str(world.documents),
        "--tenant",
        f"sim:{tenant}",
        "--out",
        str(world.plan),
    )
    subprocess.run(plan, cwd=ROOT, check=True, capture_output=True)
    state = folder / "state"
    apply = (
        RECONCILER,
        "apply",
        str(world.plan),
        "--tenant",
        f"sim:{tenant}",
        "--auto-approve",
    )
    environment = {**os.environ, "RECONCILER_STATE_DIR": str(state.resolve())}
    start = time.perf_counter()
    subprocess.run(apply, cwd=ROOT, env=environment, check=True, capture_output=True)
    whole = time.perf_counter() - start
    yield Row("apply", f"{grants:,} grants: drift put right, reading included", whole, whole)
    found = rate(next(state.glob("*/apply-*.jsonl")))
    yield Row(
        "apply", f"{grants:,} grants: steps a second", found, found, budget=RATE, unit="steps/s"
    )
