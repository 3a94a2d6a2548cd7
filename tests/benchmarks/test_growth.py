"""What a plan costs is counted, never timed: twice the grants may take twice the work, and an
unchanged grant takes next to none.

Counted are the lines of our own code that run and the calls into C, which a loop over 100,000
unchanged grants would show in, and the objects that are left, which one for each unchanged grant
would.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import reconciler
from reconciler.captures import reading
from reconciler.documents import examine_documents
from reconciler.model.observed import User
from reconciler.planning import making, planfile, requests
from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from reconciler.reports.review.composing import review
from tests.benchmarks import generated_tenants

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.plans import Plan

pytestmark = pytest.mark.no_cover

OURS = str(Path(reconciler.__file__).parent)
SIZE = 600
BESIDE_LINEAR = 1.15
"""What doubling the size may cost more than twice what it cost before: dictionaries grow in leaps,
sorting is not quite linear.
"""
WORK_PER_GRANT = {"yaml": 33, "csv": 43}
"""Lines of ours and calls into C that a grant may take from its file to the digests, where one in a
hundred is a step.
"""
WORK_PER_STEP = 820
"""The same for a step: made, ordered, judged, rendered, written, reviewed, shown, read back, and followed
once more for what it does to access.

A second look at all others would be 800 more.
"""


def _plan(world: generated_tenants.World, folder: Path) -> Plan:
    examined = examine_documents([world.documents])
    assert not examined.findings
    request = requests.capture_request(examined.documents)
    observed = reading.load_capture(world.capture, tenant_id=None, needs=request.products)
    made = making.make_plan(examined.documents, observed, making.PlanOptions())
    loaded = planfile.sealed(made, folder / "plan.json")
    assert plain_text(plans.plan_lines(review(made, loaded.digests)))
    planfile.load_plan(folder / "plan.json")
    return made


def _counted(work: Callable[[], object]) -> Counter[str]:
    """Lines of our code and calls into C that it takes."""
    counted: Counter[str] = Counter()

    def line(_frame: Any, event: str, _argument: Any) -> Any:
        counted["work"] += event == "line"
        return line

    def called(frame: Any, event: str, _argument: Any) -> Any:
        return line if event == "call" and frame.f_code.co_filename.startswith(OURS) else None

    def profiled(frame: Any, event: str, _argument: Any) -> None:
        counted["work"] += event == "c_call" and frame.f_code.co_filename.startswith(OURS)

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(called)
    sys.setprofile(profiled)
    try:
        work()
    finally:
        sys.setprofile(before[1])
        sys.settrace(before[0])
    return counted


def _work(folder: Path, grants: int, form: generated_tenants.Form, *, empty: bool = False) -> int:
    world = generated_tenants.write(folder / f"{form}-{grants}-{empty}", grants, form, empty=empty)
    return _counted(lambda: _plan(world, folder))["work"]


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_an_unchanged_grant_costs_next_to_nothing_and_all_costs_grow_as_the_tenant_does(
    tmp_path, form
) -> None:
    _work(tmp_path / "first", 100, form)  # what is made once in a process
    small, medium, large = (_work(tmp_path, SIZE * factor, form) for factor in (1, 2, 4))
    assert large - medium <= 2 * BESIDE_LINEAR * (medium - small)
    assert (large - medium) / (2 * SIZE) <= WORK_PER_GRANT[form]


def test_a_plan_of_nothing_but_steps_grows_as_its_steps_do(tmp_path) -> None:
    _work(tmp_path / "first", 100, "yaml", empty=True)
    few, many = (_work(tmp_path, grants, "yaml", empty=True) for grants in (400, 1200))
    assert (many - few) / 800 <= WORK_PER_STEP


def test_no_object_is_made_for_an_unchanged_grant(tmp_path) -> None:
    left = []
    for grants in (SIZE, 4 * SIZE):
        world = generated_tenants.write(tmp_path / str(grants), grants, "yaml")
        gc.collect()
        before = _objects()
        made = _plan(world, tmp_path)
        kept = (
            examine_documents([world.documents]),
            reading.load_capture(world.capture, tenant_id=None, needs=frozenset()),
        )
        left.append((_objects() - before, len(made.changes)))
        del kept, made
    (few, few_changes), (many, many_changes) = left
    # A change brings its step, and a row of access for each application that it concerns.
    assert sum((many - few).values()) <= 12 * (many_changes - few_changes)


def _objects() -> Counter[str]:
    """Living objects of our types, but for the users of the directory, which are tuples."""
    gc.collect()
    types = (type(one) for one in gc.get_objects())
    return Counter(
        kind.__name__
        for kind in types
        if str(kind.__module__).startswith("reconciler.") and kind is not User
    )
