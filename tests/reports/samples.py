"""Plans for reports: a case gives what it is about, the rest is an empty plan.

They go through a plan file, as a reader's plans do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler import canonical
from reconciler.planning import approval, planfile
from reconciler.planning.planfile import PlanDigests
from reconciler.reports import applies, rehearsal
from reconciler.reports.lines import plain_text
from reconciler.reports.outline import outline_lines
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.applying.rehearsing import Rehearsal
    from reconciler.model.applied import Applied
    from reconciler.model.plans import Plan
    from reconciler.reports.lines import Line

DIGESTS = PlanDigests("plan:" + "0" * 64, "content:" + "1" * 64)

EMPTY: Mapping[str, Any] = {
    "access": None,
    "applicable": True,
    "baseline": {},
    "changes": [],
    "connect": {},
    "consents": [],
    "displaced": [],
    "format_version": "2.0",
    "gaps": None,
    "held": [],
    "inputs": {
        "capture_digest": "c" * 64,
        "capture_taken_at": "2026-11-20T08:00:00Z",
        "documents_digest": "d" * 64,
        "source": "capture",
    },
    "limits": {
        "maxDeletePercent": 25,
        "maxDeletes": 5,
        "maxRemovalPercent": 10,
        "maxRemovals": 100,
    },
    "names": {},
    "refusals": [],
    "steps": [],
    "summary": {},
    "tenant": {
        "organization": "contoso.onmicrosoft.com",
        "tenantId": "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a",
    },
    "tests": [],
    "tool": {"name": "reconciler", "version": "0"},
    "unmanaged": [],
    "unresolved": [],
    "warnings": [],
    "widened": [],
}


def write(path: Path, case: Mapping[str, Any]) -> Path:
    """A plan file with right digests."""
    body = {**EMPTY, **case}
    if body["access"] is not None:
        body["access"] = {"unpopulated": [], **body["access"]}
    for row in body["tests"]:
        row["subject"].setdefault("written", row["subject"]["id"])
    body["content_digest"] = f"content:{canonical.digest(approval.covered(body))}"
    path.write_bytes(canonical.dumps({**body, "digest": f"plan:{canonical.digest(body)}"}) + b"\n")
    return path


def plan(folder: Path, case: Mapping[str, Any]) -> Plan:
    """A case as a plan value."""
    return planfile.load_plan(write(folder / "sample.json", case)).plan


_KINDS = {
    "teams.policy/": "TeamsApplicationAccessPolicy",
    "exchange.policy/": "ExchangeApplicationAccessPolicy",
    "teams.grant/": "TeamsGrant",
}


def change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    """A change of a plan file."""
    kind = next(kind for start, kind in _KINDS.items() if address.startswith(start))
    rest = {
        "kind": kind,
        "action_reason": "declared",
        "before": None,
        "after": {},
        "attributes": [],
        "replaces": None,
    }
    return {"address": address, "actions": list(actions), **rest, **more}


def step(number: int, address: str, **more: Any) -> dict[str, Any]:
    """A step of a plan file."""
    rest = {
        "provider": address.partition(".")[0],
        "cmdlet": "Set-CsApplicationAccessPolicy",
        "parameters": {},
        "text": f"Set-It -Number:{number}",
        "reason": "describe",
    }
    return {"id": number, "address": address, **rest, "temporary": False, "gaps": [], **more}


def note(code: str, address: str, **details: Any) -> dict[str, Any]:
    """A note of a plan file."""
    return {"code": code, "address": address, "details": details}


def applied_lines(plan: Plan, value: Applied, **more: Any) -> Iterator[Line]:
    """What an apply says at its end, on lines that are long enough."""
    return outline_lines(applies.apply_outline(plan, value, **more), Layout(10_000))


def rehearsal_text(plan: Plan, value: Rehearsal) -> str:
    """What a rehearsal says, on lines that are long enough."""
    outline = rehearsal.rehearsal_outline(plan, value, where="here")
    return plain_text(outline_lines(outline, Layout(10_000)))
