"""The plans of which every rendering has a golden file: `cases/NAME/expected.SUFFIX`.

A folder with a `plan.json` is a case as it is written there; the others are made by the planner or,
where they are large, by a function here.
"""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.cli import loading
from reconciler.model.applied import Applied, StepFailure
from reconciler.model.findings import Position
from reconciler.planning import making
from reconciler.reports.redaction import Redaction
from reconciler.reports.review.composing import review
from tests.reports import samples
from tests.reports.samples import change, note, step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.model.plans import Plan
    from reconciler.reports.review.value import Review

FOLDER = Path(__file__).with_name("cases")
ROOT = Path(__file__).parents[2]
KINDS = ROOT / "tests" / "kinds"


class Made(NamedTuple):
    """A plan, and where the documents declare what changes."""

    plan: Plan
    places: Mapping[str, Position]


class Case(NamedTuple):
    """A case by its name; it is made when it is asked for."""

    name: str

    @property
    def plan(self) -> Plan:
        """The plan."""
        return _made(self.name).plan

    def path(self, suffix: str) -> Path:
        """The file with what a rendering is expected to say."""
        return FOLDER / self.name / f"expected.{suffix}"

    def expected(self, suffix: str) -> str:
        """What a rendering is expected to say."""
        return self.path(suffix).read_text(encoding="utf-8")


def reviewed(case: Case) -> Review:
    """What is told about the plan of a case."""
    made = _made(case.name)
    return review(made.plan, samples.DIGESTS, made.places)


@cache
def _made(name: str) -> Made:
    written = FOLDER / name / "plan.json"
    if written.exists():
        return _of(json.loads(written.read_text(encoding="utf-8")))
    return _MAKERS[name]()


def _of(case: Mapping[str, Any], places: Mapping[str, Position] | None = None) -> Made:
    with tempfile.TemporaryDirectory() as folder:
        return Made(samples.plan(Path(folder), case), places or {})


def _planned(documents: Path, tenant: str | None = None, *allow: str) -> Made:
    made = loading.made([documents], tenant, making.PlanOptions(allow=allow))
    places = {
        address: Position(Path(place.file).name, place.line, place.column)
        for address, place in made.places.items()
    }
    return Made(made.plan, places)


def _sample() -> Made:
    return _planned(ROOT / "policies")


def _redacted() -> Made:
    made = _sample()
    redaction = Redaction(made.plan)
    return Made(redaction.plan(), redaction.places(made.places))


def _unmanaged() -> Made:
    return _planned(ROOT / "policies" / "tenant.yaml")


def _of_kinds(name: str) -> Callable[[], Made]:
    folder = KINDS / name
    return lambda: _planned(folder / "policies", str(folder / "capture.json"))


def _person(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def _grants(count: int) -> Made:
    """So many people of one list gain two applications; every tenth had another policy."""
    people = [_person(number) for number in range(1, count + 1)]
    grants = [f"teams.grant/user:{person}" for person in people]
    rows = [
        {
            "application": application,
            "certainty": "certain",
            "provider": "teams",
            "subject": {"kind": "user", "id": person},
        }
        for application in ("app-recorder", "app-notes")
        for person in people
    ]
    case = {
        "access": {"gained": rows, "lost": [], "tenant_wide": []},
        "changes": [
            change(address, "update", before={"policy": "Old"}, after={"policy": "Everyone 365"})
            if number % 10 == 0
            else change(address, "create", after={"policy": "Everyone 365"})
            for number, address in enumerate(grants, 1)
        ],
        "steps": [
            step(
                number,
                address,
                cmdlet="Grant-CsApplicationAccessPolicy",
                text=f"Grant-CsApplicationAccessPolicy -Identity:'{_person(number)}'"
                " -PolicyName:'Everyone 365'",
            )
            for number, address in enumerate(grants, 1)
        ],
        "names": {
            "app-recorder": "call-recorder",
            "app-notes": "meeting-notes",
            **{
                person: f"Person {number:05} <p{number:05}@contoso.com>"
                for number, person in enumerate(people, 1)
            },
        },
    }
    places = {
        address: Position("m365.csv", number + 1, 1) for number, address in enumerate(grants, 1)
    }
    return _of(case, places)


def _edits() -> Made:
    """Fifty Exchange policies in turn: added, described anew, replaced, removed, flipped."""
    changes: list[dict[str, Any]] = []
    gained, lost = [], []
    names = {}
    for number in range(50):
        application, scope = f"app-{number:02}", f"scope-{number:02}"
        names |= {application: f"service-{number:02}", scope: f"team{number:02}@contoso.com"}
        row = {
            "application": application,
            "certainty": "certain",
            "provider": "exchange",
            "subject": {"kind": "group-members", "id": scope},
        }
        address = f"exchange.policy/{application}@{scope}"
        restrict = {"accessRight": "RestrictAccess", "description": "d", "scope": scope}
        match number % 5:
            case 0:
                changes.append(change(address, "create", after=restrict))
                gained.append(row)
            case 1:
                text = {"name": "description", "before": "", "after": "d"}
                text |= {"added": [], "removed": []}
                changes.append(
                    change(address, "update", before=restrict, after=restrict, attributes=[text])
                )
            case 2:
                old = f"exchange.policy/{application}@old"
                names["old"] = "former@contoso.com"
                changes.append(change(address, "create", after=restrict, replaces=old))
                changes.append(change(old, "delete", before=restrict, after=None, replaces=address))
                gained.append(row)
                lost.append({**row, "subject": {"kind": "group-members", "id": "old"}})
            case 3:
                changes.append(change(address, "delete", before=restrict, after=None))
                lost.append(row)
            case _:
                deny = {**restrict, "accessRight": "DenyAccess"}
                changes.append(change(address, "delete", "create", before=restrict, after=deny))
                lost.append(row)
    changes.sort(key=lambda row: row["address"])
    steps = [
        step(number, row["address"], cmdlet="New-ApplicationAccessPolicy")
        for number, row in enumerate(changes, 1)
    ]
    access = {"gained": gained, "lost": lost, "tenant_wide": []}
    return _of({"access": access, "changes": changes, "steps": steps, "names": names})


def _not_applicable() -> Made:
    """Refusals of several rules, names that nobody has, and a test that fails."""
    case = json.loads((FOLDER / "refused" / "plan.json").read_text(encoding="utf-8"))
    people = [
        note("user-absent", f"teams.grant/user:gone{n}@contoso.com", text=f"gone{n}@contoso.com")
        for n in range(30)
    ]
    return _of({**case, "unresolved": people})


_MAKERS: Mapping[str, Callable[[], Made]] = {
    "sample": _sample,
    "unmanaged": _unmanaged,
    "500-grants": lambda: _grants(500),
    "10000-grants": lambda: _grants(10_000),
    "50-edits": _edits,
    "gaps": _of_kinds("teams/swap-applications-gap"),
    "guards": _of_kinds("exchange/guard"),
    "not-applicable": _not_applicable,
    "redacted": _redacted,
    "renamed": _of_kinds("teams/rename-and-edit"),
}
PARTLY_APPLIED = FOLDER.with_name("partly-applied.txt")


def partly_applied() -> Applied:
    """The sample, of which the service refused a step and whose apply stopped there."""
    plan = _made("sample").plan
    failure = StepFailure(
        7,
        plan.steps[6].address,
        "invalid",
        "Policy rank is taken.",
        "correct what the service refused, then plan again",
    )
    return Applied(
        (1, 2, 3, 4, 5, 6),
        0,
        failure,
        None,
        tuple(range(8, 14)),
        converged=False,
        moved=(),
    )


CASES = tuple(
    Case(name)
    for name in sorted(_MAKERS.keys() | {path.parent.name for path in FOLDER.glob("*/plan.json")})
)
