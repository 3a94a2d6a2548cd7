"""A quarantine as somebody types it: planned alone, applied, stopped on the way, told in every format,
asked about, and lifted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from reconciler.tenants.protocol import Failed, Fault
from reconciler.tenants.simulated import faults
from tests.strategies.tenants import (
    APPS,
    SCOPES,
    SHARED,
    TENANT,
    USERS,
    empty,
    exchange_policy,
    grant,
    teams_policy,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

A, B, _ = APPS
NOBODY = "00000009-0000-4000-8000-000000000009"
SIM = ("--tenant", "sim:tenant.json")
ALONE = ("plan", *SIM, "--only", "application/crm", "--out", "plan.json")


def _document(kind, name, **spec):
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tenant = empty()
    tenant["directory"]["recipients"].append(
        {
            "id": NOBODY,
            "sid": "S-1-5-21-9-9-9-9",
            "primary": "nobody@contoso.com",
            "addresses": ["nobody@contoso.com"],
            "displayName": "Nobody",
            "type": "MailUniversalSecurityGroup",
            "isValidSecurityPrincipal": True,
            "members": [],
        }
    )
    for recipient in tenant["directory"]["recipients"][:-1]:
        recipient.pop("members", None)  # nobody knows them
    tenant["teams"]["policies"] += [teams_policy("P", [A, B]), teams_policy("Old", [A])]
    tenant["teams"]["users"] = [grant(USERS[0], "P")]
    tenant["exchange"]["policies"] = [
        exchange_policy(A, SCOPES[0], "RestrictAccess"),
        exchange_policy(A, SCOPES[1], "RestrictAccess"),
    ]
    (tmp_path / "tenant.json").write_text(json.dumps(tenant))
    _write(tmp_path, quarantined=True)
    return tmp_path


def _write(folder: Path, *, quarantined: bool) -> None:
    documents = [
        _document(
            "Tenant",
            "contoso",
            tenantId=TENANT,
            organization="contoso.onmicrosoft.com",
            exchange={"guardScope": "nobody@contoso.com"},
        ),
        _document("Application", "crm", appId=A, **({"quarantine": True} if quarantined else {})),
        _document("TeamsApplicationAccessPolicy", "P", applications=["crm", B]),
        _document(
            "ExchangeApplicationAccessPolicy",
            "crm-first",
            applications=["crm"],
            scope=SCOPES[0],
            accessRight="RestrictAccess",
        ),
        _document(
            "ExchangeApplicationAccessPolicy",
            "crm-second",
            applications=["crm"],
            scope=SCOPES[1],
            accessRight="RestrictAccess",
        ),
    ]
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "all.yaml").write_text(yaml.safe_dump_all(documents))


def _lists(folder: Path) -> set[str]:
    tenant = json.loads((folder / "tenant.json").read_text())
    return {row["Identity"] for row in tenant["teams"]["policies"] if A in row["AppIds"]}


def _scopes(folder: Path) -> set[str]:
    tenant = json.loads((folder / "tenant.json").read_text())
    rows = tenant["exchange"]["policies"]
    return {row["ScopeIdentityRaw"].partition(";")[2] for row in rows if row["AppId"] == A}


def test_a_quarantine_alone_is_applied_and_lifted(run: Run, folder: Path) -> None:
    assert run(*ALONE, cwd=folder).code == 0
    ran = run("apply", "plan.json", *SIM, "--auto-approve", cwd=folder)
    assert ran.code == 0, ran.out + ran.err
    assert (_lists(folder), _scopes(folder)) == (set(), {NOBODY})
    assert "No changes." in run("plan", *SIM, cwd=folder).out
    _write(folder, quarantined=False)
    assert run("plan", *SIM, "--out", "plan.json", cwd=folder).code == 0
    ran = run("apply", "plan.json", *SIM, "--auto-approve", cwd=folder)
    assert ran.code == 0, ran.out + ran.err
    assert (_lists(folder), _scopes(folder)) == ({"Tag:P"}, set(SCOPES[:2]))


def _steps(folder: Path) -> list[str]:
    return [step["text"] for step in json.loads((folder / "plan.json").read_text())["steps"]]


def _broken(name: str, **spec) -> str:
    return yaml.safe_dump(_document("TeamsApplicationAccessPolicy", name, nonsense=1, **spec))


SYNTAX = 'apiVersion: reconciler/v1\nkind: "'
FOREIGN = {
    "another policy": _broken("Foreign", applications=[B]),
    "another application": yaml.safe_dump(_document("Application", "other", appId="none")),
    "an access test": yaml.safe_dump(
        _document(
            "AccessTest", "t", expect=[{"application": B, "mailbox": "a", "access": "denied"}]
        )
    ),
    "no YAML": SYNTAX,
    "no YAML, with a longer name in it": SYNTAX + "crm-archive",
    "no kind": "{apiVersion: reconciler/v1, metadata: {name: x}}",
}
CONCERNING = {
    "a policy that lists it by name": _broken("Foreign", applications=["crm"]),
    "a policy that lists it by id": _broken("Foreign", applications=[A.upper()]),
    "its own second document": yaml.safe_dump(_document("Application", "Crm", appId=B)),
    "another name of it": yaml.safe_dump(_document("Application", "other", appId=A)),
    "no YAML, with its name in it": SYNTAX + "crm",
    "no YAML, with its id in it": SYNTAX + A,
    "a second Tenant document": yaml.safe_dump(_document("Tenant", "fabrikam", tenantId=TENANT)),
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("typed", ["application/crm", f"Application/{A}", f"teams.application/{A}"])
def test_it_is_planned_beside_documents_with_faults_that_do_not_name_it(
    run: Run, folder: Path, text: str, typed: str
) -> None:
    alone = ("plan", *SIM, "--only", typed, "--out", "plan.json")
    assert run(*alone, cwd=folder).code == 0
    whole = _steps(folder)
    (folder / "policies" / "bad.yaml").write_text(text)
    assert run("plan", *SIM, cwd=folder).code == 3
    ran = run(*alone, cwd=folder)
    assert (ran.code, _steps(folder)) == (0, whole)
    assert whole
    assert "bad.yaml:" in ran.err
    assert ": warning: " in ran.err
    assert "concerns what is selected" in ran.err


@pytest.mark.parametrize("text", CONCERNING.values(), ids=CONCERNING)
def test_a_fault_that_may_concern_it_stops_its_plan(
    run: Run, folder: Path, text: str | bytes
) -> None:
    bad = folder / "policies" / "bad.yaml"
    bad.write_bytes(text.encode() if isinstance(text, str) else text)
    assert run(*ALONE, cwd=folder).code == 3
    assert not (folder / "plan.json").exists()


def test_a_broken_file_may_hold_its_own_document_or_that_of_the_tenant(
    run: Run, folder: Path
) -> None:
    documents = (folder / "policies" / "all.yaml").read_text().split("---\n")
    for missing in (0, 1):
        kept = documents[:missing] + documents[missing + 1 :]
        (folder / "policies" / "all.yaml").write_text("---\n".join(kept))
        (folder / "policies" / "bad.yaml").write_text(SYNTAX)
        assert run(*ALONE, cwd=folder).code == 3


def test_what_is_selected_beside_it_is_stopped_by_its_own_faults(run: Run, folder: Path) -> None:
    (folder / "policies" / "bad.yaml").write_text(_broken("Old", applications=[B]))
    both = (*ALONE, "--only", "teams.policy/Old")
    assert run(*ALONE, cwd=folder).code == 0
    assert run(*both, cwd=folder).code == 3


def test_names_that_turn_out_to_be_one_scope_do_not_stop_another_applications_quarantine(
    run: Run, folder: Path
) -> None:
    first, second = (
        _document(
            "ExchangeApplicationAccessPolicy",
            name,
            applications=[B],
            scope=scope,
            accessRight="RestrictAccess",
        )
        for name, scope in (("one", NOBODY), ("two", "nobody@contoso.com"))
    )
    more = folder / "policies" / "more.yaml"
    more.write_text(yaml.safe_dump_all([first, second]))
    assert run("plan", *SIM, cwd=folder).code == 3
    assert run(*ALONE, cwd=folder).code == 0
    for document in (first, second):
        document["spec"]["applications"] = [B, "crm"]
    more.write_text(yaml.safe_dump_all([first, second]))
    assert run(*ALONE, cwd=folder).code == 3


def test_stopped_before_any_step_it_is_planned_anew_and_closes(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*ALONE, cwd=folder)
    texts = _steps(folder)
    start = (folder / "tenant.json").read_text()
    assert len(texts) == 5
    for text in texts:
        (folder / "tenant.json").write_text(start)
        run(*ALONE, cwd=folder)
        with monkeypatch.context() as patch:
            refused = {text: Failed(Fault.INVALID, "no")}
            patch.setattr(faults.Dice, "mishap", lambda _, __, sent, r=refused: r.get(sent))
            assert run("apply", "plan.json", *SIM, "--auto-approve", cwd=folder).code in (1, 6)
        assert run(*ALONE, cwd=folder).code == 0
        ran = run("apply", "plan.json", *SIM, "--auto-approve", cwd=folder)
        assert ran.code == 0, ran.out + ran.err
        assert (_lists(folder), _scopes(folder)) == (set(), {NOBODY}), text


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_what_stays_open_heads_the_verdict_in_every_format(
    run: Run, folder: Path, form: str
) -> None:
    ran = run("plan", *SIM, "--skip", "application/crm", "--format", form, cwd=folder)
    assert ran.out.index("STILL OPEN: crm") < ran.out.index("APPLICABLE")


def test_what_stays_open_is_among_what_machines_read(run: Run, folder: Path) -> None:
    ran = run("plan", *SIM, "--skip", "application/crm", "--format", "json", cwd=folder)
    plan = json.loads(ran.out)["plan"]
    assert plan["baseline"]["quarantined"] == [A]
    rows = {(row["code"], row["address"]) for row in plan["held"]}
    assert ("still-open-held", "teams.policy/Old") in rows


def test_an_application_is_selected_by_its_name_and_by_its_id(run: Run, folder: Path) -> None:
    plans = []
    for name in ("application/crm", "crm", f"application/{A}", f"teams.application/{A}"):
        ran = run("plan", *SIM, "--only", name, "--format", "json", cwd=folder)
        changes = json.loads(ran.out)["plan"]["changes"]
        plans.append({change["address"].partition(".")[0] for change in changes})
    assert plans == [{"exchange", "teams"}] * 3 + [{"teams"}]
    ran = run("plan", *SIM, "--only", "application/nobody", cwd=folder)
    assert ran.code == 64, ran.out + ran.err


def test_entries_of_an_application_that_is_not_quarantined_are_selected_too(
    run: Run, folder: Path
) -> None:
    """What else differs in the list stays as it is."""
    _write(folder, quarantined=False)
    text = (folder / "policies" / "all.yaml").read_text()
    (folder / "policies" / "all.yaml").write_text(text.replace(f"- {B}", f"- {SHARED}"))
    ran = run("plan", *SIM, "--only", f"teams.application/{SHARED}", "--format", "json", cwd=folder)
    (change,) = json.loads(ran.out)["plan"]["changes"]
    assert change["after"]["applications"] == sorted({A, B, SHARED})
    ran = run("plan", *SIM, "--skip", f"teams.application/{SHARED}", "--format", "json", cwd=folder)
    (change,) = json.loads(ran.out)["plan"]["changes"]
    assert change["after"]["applications"] == [A]


def test_questions_say_that_it_is_quarantined(run: Run, folder: Path) -> None:
    ran = run("reach", "--app", "crm", *SIM, cwd=folder)
    assert "crm is quarantined" in ran.out
    ran = run("explain", "--app", "crm", "--meetings-of", USERS[0], *SIM, cwd=folder)
    assert "DENIED" in ran.out
    assert "crm is quarantined" in ran.out
    assert "What would change it" not in ran.out
    for words in (
        ("reach", "--app", "crm"),
        ("explain", "--app", "crm", "--meetings-of", USERS[0]),
    ):
        envelope = json.loads(run(*words, *SIM, "--format", "json", cwd=folder).out)
        answer = envelope["reach" if words[0] == "reach" else "explanation"]
        assert answer["quarantined"] is True


def test_a_diagnosis_suggests_no_line_while_it_is_quarantined(run: Run, folder: Path) -> None:
    error = "No application access policy found for this app"
    asked = ("diagnose", "-", "--app", "crm", "--user", USERS[1], *SIM)
    ran = run(*asked, cwd=folder, stdin=error)
    assert "REFUSED BY THE ACCESS POLICIES OF TEAMS" in ran.out
    assert "crm is quarantined" in ran.out
    assert "Nothing lets crm in until `quarantine` is removed" in ran.out
    assert "To let the application in" not in ran.out
    answer = json.loads(run(*asked, "--format", "json", cwd=folder, stdin=error).out)
    assert answer["diagnosis"]["edits"] == []


def test_an_undo_does_not_say_that_it_is_not_quarantined(run: Run, folder: Path) -> None:
    run(*ALONE, cwd=folder)
    run("apply", "plan.json", *SIM, "--auto-approve", cwd=folder)
    ran = run("undo", "plan.json", *SIM, "--format", "json", cwd=folder)
    plan = json.loads(ran.out)["plan"]
    assert "shut-out" in {note["code"] for note in plan["held"]}
    assert "left-shut" not in {note["code"] for note in plan["warnings"]}


def test_what_lets_it_in_is_told_first(run: Run, folder: Path) -> None:
    """Also by drift, once somebody put it back into a list."""
    told = "QUARANTINED, AND LET IN TODAY: crm in the list of Old; crm in the list of P; crm on "
    assert told in run("plan", *SIM, "--only", "application/crm", cwd=folder).out
    run(*ALONE, cwd=folder)
    run("apply", "plan.json", *SIM, "--auto-approve", cwd=folder)
    tenant = json.loads((folder / "tenant.json").read_text())
    tenant["teams"]["policies"][-1]["AppIds"].append(A)
    (folder / "tenant.json").write_text(json.dumps(tenant))
    ran = run("drift", *SIM, cwd=folder)
    assert ran.code == 2
    lines = [line for line in ran.out.splitlines() if line and not line.startswith("SIMULATED")]
    assert lines[0].startswith("QUARANTINED, AND LET IN TODAY: crm in the list of Old. DRIFT: ")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("application/crn", "application/crm"), ("aplication/crm", "application/crm"), ("crn", "crm")],
)
def test_a_slip_in_what_is_selected_is_told_with_what_it_may_mean(
    run: Run, folder: Path, typed: str, meant: str
) -> None:
    ran = run("plan", *SIM, "--only", typed, cwd=folder)
    assert ran.code == 64
    assert f"did you mean {meant}?" in ran.err
    assert "application/NAME" in ran.err
