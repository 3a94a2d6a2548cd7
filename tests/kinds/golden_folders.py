"""The golden folders and what the tool makes of each: planned, consented to, applied, planned again.

A folder holds `policies/`, `capture.json`, `plan.txt` (expected) and `README.md`. Optional are
`options.txt`, one argument of `plan` a line, `service.json`, directory rows that the service has
and the capture does not, and `undo.txt`, arguments of `undo` likewise: then the plan is undone after
it was applied.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from reconciler.cli.main import run as reconciler
from tests.kinds.plan_facts import plan_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
EXPECTED = "plan.txt"
FOLDERS = sorted(path.parent for path in HERE.glob("*/*/capture.json"))


class Ran(NamedTuple):
    """What a command did: exit code, output, and what it says about the run."""

    code: int
    out: str
    err: str


def folder_id(folder: Path) -> str:
    """A golden folder's name in the list of tests: `teams/create-policy`."""
    return folder.relative_to(HERE).as_posix()


def outcome(folder: Path, scratch: Path) -> str:
    """What `plan.txt` should say. `scratch` is an empty directory for plans and tenants."""
    return "\n".join(_outcome(folder, scratch)) + "\n"


def _outcome(folder: Path, scratch: Path) -> Iterator[str]:
    ran, plan = _planned(folder, scratch)
    yield f"exit code: {ran.code}"
    if plan is None:
        yield f"{ran.out}{ran.err}".rstrip()
        return
    refused = plan_facts(plan)
    yield from _lines(refused)
    consents = _consents(plan)
    if consents:
        ran, plan = _planned(folder, scratch, *consents)
        assert plan is not None
        yield ""
        yield f"with these consents, exit code: {ran.code}"
        allowed = plan_facts(plan)
        differing = {part: lines for part, lines in allowed.items() if lines != refused[part]}
        yield from _lines(differing, empty="none")
    if ran.code == 0 and plan["steps"]:
        yield ""
        yield from _applied(folder, scratch, consents)


def _lines(facts: Mapping[str, list[str]], empty: str = "") -> Iterator[str]:
    """A headline for each part and its lines; a part without lines is left out, or told as
    `empty`.
    """
    for part, lines in facts.items():
        if lines or empty:
            yield f"{part}:"
            yield from (f"  {line}" for line in lines or [empty])


def _planned(folder: Path, scratch: Path, *more: str) -> tuple[Ran, Mapping[str, Any] | None]:
    """Plan into `plan.json` and show it; None if there is no plan at all."""
    out = scratch / "plan.json"
    out.unlink(missing_ok=True)
    tenant = ("--tenant", str(folder / "capture.json"))
    ran = run(scratch, "plan", *_documents(folder), *more, *tenant, "--out", str(out))
    if not out.exists():
        return ran, None
    shown = run(scratch, "show", str(out), "--format", "json")
    assert shown.code == 0, shown.out
    plan: Mapping[str, Any] = json.loads(shown.out)["plan"]
    assert plan["applicable"] is (ran.code == 0)
    return ran, plan


def _documents(folder: Path) -> list[str]:
    options = folder / "options.txt"
    more = options.read_text(encoding="utf-8").split() if options.exists() else []
    return [str(folder / "policies"), *more]


def _consents(plan: Mapping[str, Any]) -> list[str]:
    """What lifts every refusal; nothing if one of them cannot be lifted."""
    allowed = [note["details"].get("allow") for note in plan["refusals"]]
    if None in allowed:
        return []
    return [argument for consent in allowed for argument in ("--allow", consent)]


def _applied(folder: Path, scratch: Path, consents: list[str]) -> Iterator[str]:
    """Rehearse, apply to a simulated tenant that is what the capture says, and plan again."""
    tenant = scratch / "tenant.json"
    tenant.write_text(json.dumps(_simulated(folder)), encoding="utf-8")
    simulated = ("--tenant", f"sim:{tenant}")
    plan = str(scratch / "plan.json")
    rehearsed = run(scratch, "rehearse", plan, *simulated, "--most", "3")
    yield f"rehearsed, exit code: {rehearsed.code}"
    applied = run(scratch, "apply", plan, "--auto-approve", *simulated)
    yield f"applied, exit code: {applied.code}"
    again = run(scratch, "plan", *_documents(folder), *consents, *simulated, "--format", "json")
    left = json.loads(again.out)["plan"]
    counts = f"{len(left['changes'])} changes, {len(left['steps'])} steps"
    yield f"planned again, exit code: {again.code}, {counts}"
    if (folder / "undo.txt").exists():
        yield ""
        yield from _undone(folder, scratch, simulated)


def _undone(folder: Path, scratch: Path, simulated: tuple[str, str]) -> Iterator[str]:
    """Plan the way back, go it, and look whether anything is left of it."""
    back = scratch / "undo.json"
    words = (folder / "undo.txt").read_text(encoding="utf-8").split()
    typed = ("undo", str(scratch / "plan.json"), str(folder / "policies"), *words, *simulated)
    ran = run(scratch, *typed, "--out", str(back))
    yield f"undone, exit code: {ran.code}"
    shown = run(scratch, "show", str(back), "--format", "json")
    yield from _lines(plan_facts(json.loads(shown.out)["plan"]))
    if ran.code == 0:
        applied = run(scratch, "apply", str(back), "--auto-approve", *simulated)
        yield f"went back, exit code: {applied.code}"
        again = run(scratch, *typed, "--format", "json")
        left = json.loads(again.out)["plan"]
        yield f"undone again, exit code: {again.code}, {len(left['steps'])} steps"


def _simulated(folder: Path) -> Mapping[str, Any]:
    """A simulated tenant with the objects of the capture, and those that it does not know of."""
    capture = _json(folder / "capture.json")
    service = folder / "service.json"
    unknown = _json(service) if service.exists() else {}
    directory = {
        name: [*capture["directory"][name], *unknown.get(name, [])]
        for name in ("users", "groups", "recipients")
    }
    teams = {name: capture["teams"][name] for name in ("policies", "groupAssignments", "users")}
    return {
        "format_version": "1.0",
        "tenant": capture["tenant"],
        "clock": capture["taken_at"],
        "teams": teams,
        "exchange": {"policies": capture["exchange"]["policies"]},
        "directory": directory,
    }


def _json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def run(cwd: Path, *arguments: str) -> Ran:
    """The command in this process, with an environment that steers nothing."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.StringIO()
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    with (
        mock.patch.object(sys, "argv", ["reconciler", *arguments]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        mock.patch.dict(os.environ, kept, clear=True),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = reconciler()
    out.seek(0)
    return Ran(code, out.read(), err.getvalue())
