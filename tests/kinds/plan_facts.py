"""A plan's JSON as lines for a reviewer: codes, step texts and names, none of the report's prose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Plan = Mapping[str, Any]


def plan_facts(plan: Plan) -> dict[str, list[str]]:
    """Everything that a reviewer relies on, by part: one line per row."""
    access = plan["access"]
    notes = ("warnings", "unresolved", "held", "displaced", "unmanaged")
    return {
        "changes": [_change(plan, change) for change in plan["changes"]],
        "steps": [_step(step) for step in plan["steps"]],
        "gained": [_access(plan, row) for row in access["gained"]],
        "lost": [_access(plan, row) for row in access["lost"]],
        "tenant-wide": [_access(plan, row) for row in access["tenant_wide"]],
        "gaps": [_gap(plan, gap) for gap in plan["gaps"]],
        "refusals": [_refusal(note) for note in plan["refusals"]],
        **{part: [_note(note) for note in plan[part]] for part in notes},
        "access tests": [_test(plan, test) for test in plan["tests"]],
        "consents used": plan["consents"],
        "summary": [_summary(plan["summary"])] if plan["steps"] else [],
    }


def _change(plan: Plan, change: Plan) -> str:
    words = ["+".join(change["actions"]), change["address"], f"({change['action_reason']})"]
    for attribute in change["attributes"]:
        words.append(f"{attribute['name']}:")
        if attribute["added"] or attribute["removed"]:
            words += [f"+{_name(plan, one)}" for one in attribute["added"]]
            words += [f"-{_name(plan, one)}" for one in attribute["removed"]]
        else:
            words.append(f"{_compact(attribute['before'])} -> {_compact(attribute['after'])}")
    if not change["attributes"]:
        words.append(f"{_compact(change['before'])} -> {_compact(change['after'])}")
    if change["replaces"] is not None:
        words.append(f"replaces {change['replaces']}")
    return " ".join(words)


def _step(step: Plan) -> str:
    marks = [step["reason"]] + (["temporary"] if step["temporary"] else [])
    marks += [f"gaps {_compact(step['gaps'])}"] if step["gaps"] else []
    return f"{step['id']} {step['provider']} {step['text']}  [{', '.join(marks)}]"


def _access(plan: Plan, row: Plan) -> str:
    was = f" (was {_compact(row['was'])})" if row.get("was") else ""
    who = f"{_name(plan, row['application'])} -> {_subject(plan, row['subject'])}"
    return f"{row['provider']} {who}, {row['certainty']}{was}"


def _gap(plan: Plan, gap: Plan) -> str:
    who = f"{_name(plan, gap['application'])} -> {_subject(plan, gap['subject'])}"
    proved = "proved" if gap["proved"] else "not proved"
    return f"{who}, {gap['certainty']}, after steps {gap['steps']}: {gap['reason']}, {proved}"


def _subject(plan: Plan, subject: Plan) -> str:
    words = [subject["kind"], *([_name(plan, subject["id"])] if "id" in subject else [])]
    for name in ("and", "except"):
        for one in subject.get(name, []):
            inner = one if isinstance(one, str) else _subject(plan, one)
            words += [name, _name(plan, inner)]
    return " ".join(words)


def _refusal(note: Plan) -> str:
    details = {name: value for name, value in note["details"].items() if name != "allow"}
    allow = f" --allow {note['details']['allow']}" if "allow" in note["details"] else ""
    return f"{note['code']} {note['address']} {_compact(details)}{allow}"


def _note(note: Plan) -> str:
    return f"{note['code']} {note['address']} {_compact(note['details'])}"


def _test(plan: Plan, test: Plan) -> str:
    asked = f"{_name(plan, test['application'])} -> {_subject(plan, test['subject'])}"
    verdict = f"expected {test['expected']}, is {test['verdict']}"
    decided = test["why"].get("decided_by")
    passed = "passed" if test["passed"] else "excused" if test["excused"] else "FAILED"
    return f"{passed} {test['name']}: {asked}: {verdict}, decided by {decided}"


def _summary(summary: Plan) -> str:
    """How many policies and grants are created, updated and deleted, and how many are unmanaged."""
    counted = {name: count for name, count in summary.items() if not name.startswith("access ")}
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items()) if count)


def _name(plan: Plan, identifier: str) -> str:
    name: str = plan["names"].get(identifier, identifier)
    return name.partition(" <")[0]


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
