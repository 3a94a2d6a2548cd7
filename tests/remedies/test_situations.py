"""Each situation prints its remedy, which is followed as it is printed: it parses, does what it says,
and lets no application reach anybody whom it reached neither before nor after the whole plan; a
consent lets it reach what the refusal named.
"""

from __future__ import annotations

import html
import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.tenants.protocol import Failed, Fault
from reconciler.tenants.simulated import faults
from tests.remedies.situations import SIM, A, B, typed
from tests.strategies.tenants import (
    GROUPS,
    SCOPES,
    SHARED,
    STRANGER,
    USERS,
    assignment,
    exchange_policy,
    grant,
    teams_policy,
)

if TYPE_CHECKING:
    from tests.remedies.situations import Situation

WITHOUT = "To plan without what is unresolved: "


@pytest.mark.parametrize("name", ["old.name@contoso.com", "o'brien@contoso.com"])
def test_an_unresolved_name(situation: Situation, name: str) -> None:
    """A renamed person keeps her grant; the policy gains nothing meanwhile, because whoever is left
    out of the plan would get it.
    """
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P"), grant(USERS[1], "P")]
    situation.teams("P", applications=[A], grants={"users": [name, USERS[1], USERS[2]]})
    situation.refuse_absent_users()
    situation.settle()
    ran = situation.planned()
    assert ran.code == 4
    gained = situation.applied(*typed(ran.out, WITHOUT))
    assert {user for _, user, _ in gained} == {USERS[2]}
    tenant = json.loads((situation.folder / "tenant.json").read_text())
    assert {row["Identity"] for row in tenant["teams"]["users"]} == set(USERS)


def test_a_list_that_grows_for_who_is_held(situation: Situation) -> None:
    """What the first remedy leaves out would get more: refused, and the next one is followed."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P")]
    situation.teams("P", applications=[A, B], grants={"users": ["old@contoso.com", USERS[1]]})
    situation.refuse_absent_users()
    situation.settle()
    first = typed(situation.planned().out, WITHOUT)
    ran = situation.planned(*first)
    assert ran.code == 4
    gained = situation.applied(*first, *typed(ran.out, BELONGING))
    assert {(app, user) for app, user, _ in gained} <= {(A, USERS[1])}


@pytest.mark.parametrize("mended", ["row", "consent"])
def test_a_grant_that_is_kept_for_an_absent_name(situation: Situation, mended: str) -> None:
    """The plan goes on; then the row is mended, or the consent that is printed is given."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P"), grant(USERS[1], "P")]
    situation.teams("P", applications=[A], grants={"users": ["old@contoso.com", USERS[1]]})
    situation.settle()
    ran = situation.planned()
    assert ran.code == 0
    assert "REVOCATIONS HELD: 1 (" in " ".join(ran.out.split())
    assert situation.applied() == frozenset()
    allow = typed(ran.out, "To allow exactly this: ")
    if mended == "row":
        situation.documents[-1]["spec"]["grants"]["users"][0] = USERS[0]
        situation.settle()
    before = situation.reached()
    assert situation.applied(*(allow if mended == "consent" else ())) == frozenset()
    lost = {user for _, user, _ in before - situation.reached()}
    assert lost == ({USERS[0]} if mended == "consent" else set())


def test_an_unresolved_scope(situation: Situation) -> None:
    situation.exchange("x", A, SHARED)
    situation.exchange("y", A, SCOPES[0], "DenyAccess")
    situation.exchange("z", B, SCOPES[0])
    situation.settle()
    ran = situation.planned()
    assert ran.code == 4
    options = typed(ran.out, WITHOUT)
    assert options == ["--skip", f"exchange.application/{A}"]
    assert ran.out.count(shlex.join(options)) == 1
    assert situation.applied(*options) == frozenset()


def test_an_absent_scope(situation: Situation) -> None:
    """What does not rest on it is applied; once the scope is corrected, the rest is."""
    situation.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[1], "RestrictAccess")]
    situation.exchange("x", A, "typo@contoso.com")
    situation.exchange("y", A, SCOPES[2], "DenyAccess")
    situation.exchange("z", B, SCOPES[0])
    situation.settle()
    assert situation.applied() == frozenset()
    assert "Correct the scope, or create the group or mailbox" in situation.planned().out
    assert [step["address"] for step in situation.plan()["steps"]] == []
    tenant = json.loads((situation.folder / "tenant.json").read_text())
    assert len(tenant["exchange"]["policies"]) == 3
    situation.documents[1]["spec"] |= {"scope": SCOPES[0], "movedFrom": SCOPES[1]}
    situation.tenant = tenant
    situation.settle()
    assert {scopes for _, _, scopes in situation.applied()} == {frozenset({SCOPES[0]})}
    assert len(situation.plan()["steps"]) == 2


@pytest.mark.parametrize("covered", ["user", "group", "scope"])
def test_an_uncovered_user(situation: Situation, covered: str) -> None:
    """The capture does not know a name; a new one does, and the next plan is made on it."""
    situation.settle()
    assert situation("fetch", *SIM, "--out", "old capture.json").code == 0
    ranked = [{"group": "scope0@contoso.com", "rank": 1}]
    match covered:
        case "user":
            situation.teams("P", applications=[A], grants={"users": ["user0@contoso.com"]})
        case "group":
            situation.teams("P", applications=[A], grants={"groups": ranked})
        case _:
            situation.exchange("x", A, "scope0@contoso.com")
    situation.settle()
    ran = situation("plan", "--tenant", "old capture.json")
    assert ran.code == 4
    assert "(reconciler fetch)" in ran.out
    written = situation("fetch", *SIM, "--out", "new capture.json")
    command = typed(written.out, "To plan on it: ")
    assert command[0] == "reconciler"
    assert situation(*command[1:]).code == 0


def test_a_user_who_was_not_looked_for(situation: Situation) -> None:
    """A new capture tells that there is no such user."""
    situation.settle()
    assert situation("fetch", *SIM, "--out", "old.json").code == 0
    situation.teams("P", applications=[A], grants={"users": [STRANGER]})
    situation.settle()
    ran = situation("plan", "--tenant", "old.json")
    assert "To see it now, make a new capture: reconciler fetch." in ran.out
    assert situation("fetch", *SIM, "--out", "new.json").code == 0
    ran = situation("plan", "--tenant", "new.json")
    assert "To see it now" not in ran.out
    assert STRANGER in ran.out


def test_an_answer_that_is_not_known(situation: Situation) -> None:
    """Whether the mailbox is in the scope: a new reading may know its members."""
    mailbox = {**situation.tenant["directory"]["recipients"][3], "type": "UserMailbox"}
    situation.tenant["directory"]["recipients"][3] = mailbox
    situation.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[0], "RestrictAccess")]
    situation.settle()
    ask = ("explain", *SIM, "--app", A, "--mailbox", "shared@contoso.com")
    assert "a new capture may contain it (reconciler fetch)" in situation(*ask).out
    situation.tenant["directory"]["recipients"][0]["members"] = [SHARED]
    situation.settle()
    assert situation("fetch", *SIM, "--out", "new.json").code == 0
    ran = situation("explain", "--tenant", "new.json", *ask[3:])
    assert "a new capture" not in ran.out


CONSENT = "To allow exactly this: "


def _tenant_wide(here: Situation) -> set[str]:
    here.teams("P", applications=[A], grants={"tenant": True})
    return {A}


def _displaced(here: Situation) -> set[str]:
    here.tenant["teams"]["policies"].append(teams_policy("Other's", [A]))
    here.tenant["teams"]["users"] = [grant(USERS[0], "Other's")]
    here.teams("P", applications=[A], grants={"users": [USERS[0]]})
    return set()


def _empty_scope(here: Situation) -> set[str]:
    here.tenant["directory"]["recipients"][0]["members"] = []
    here.exchange("x", A, SCOPES[0])
    return set()


def _limits(here: Situation) -> set[str]:
    here.documents[0]["spec"]["limits"] = {"policies": {"maxDeletes": 0}}
    here.tenant["teams"]["policies"].append(teams_policy("Old", [A]))
    here.teams("Old", ensure="absent")
    return set()


def _widening(here: Situation) -> set[str]:
    here.documents[0]["spec"]["limits"] = {"widening": {"maxPeople": 1}}
    here.teams("P", applications=[A], grants={"users": [*USERS[:2]]})
    return {A}


def _undeclared(here: Situation) -> set[str]:
    """Somebody's Restrict goes, and only a wider one stays: nobody new is reached by that alone."""
    here.tenant["exchange"]["policies"] = [
        exchange_policy(A, scope, "RestrictAccess") for scope in SCOPES[:2]
    ]
    here.exchange("x", A, SCOPES[0])
    return set()


def _denial(here: Situation) -> set[str]:
    here.tenant["exchange"]["policies"] = [
        exchange_policy(A, SCOPES[0], "RestrictAccess"),
        exchange_policy(A, SCOPES[1], "DenyAccess"),
    ]
    here.exchange("x", A, SCOPES[0])
    here.exchange_absent("y", A, SCOPES[1])
    return {A}


@pytest.mark.parametrize(
    "case", [_tenant_wide, _displaced, _empty_scope, _limits, _widening, _undeclared, _denial]
)
def test_consents(situation: Situation, case: Any) -> None:
    """The consent that a refusal prints lifts it; only what the refusal names is reached."""
    applications = case(situation)
    situation.settle()
    ran = situation.planned()
    lines = [line for line in ran.out.splitlines() if CONSENT in line]
    options = [word for line in lines for word in typed(line, CONSENT)]
    assert ran.code == 4
    assert options
    page = situation("show", "plan.json", "--format", "html").out
    copied = re.findall(r"<code data-copy>(--allow [^<]*)</code>", page)
    assert [word for text in copied for word in shlex.split(html.unescape(text))] == options
    assert {app for app, _, _ in situation.applied(*options)} == applications


WAYS_OUT = ("movedFrom", "ensure: absent", "declare it as it is")


@pytest.mark.parametrize("way", WAYS_OUT)
def test_an_undeclared_policy(situation: Situation, way: str) -> None:
    """Beside the consent there are three ways out, and each leads to a plan without changes."""
    situation.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[0], "RestrictAccess")]
    situation.exchange("x", A, SCOPES[1])
    situation.settle()
    ran = situation.planned()
    assert ran.code == 4
    assert all(text in ran.out for text in WAYS_OUT)
    match way:
        case "movedFrom":
            line = re.search(r"`(movedFrom: [^`]+)`", " ".join(ran.out.split()))
            assert line is not None
            situation.documents[-1]["spec"] |= yaml.safe_load(line[1])
        case "ensure: absent":
            situation.exchange_absent("old", A, SCOPES[0])
        case _:
            situation.exchange("old", A, SCOPES[0])
    situation.settle()
    gained = situation.applied()
    assert all(SCOPES[1] in scopes for _, _, scopes in gained)
    assert situation.applied() == frozenset()
    left = {row["ScopeIdentityRaw"].partition(";")[2] for row in _policies(situation)}
    assert left == ({*SCOPES[:2]} if way == WAYS_OUT[2] else {SCOPES[1]})


def _policies(situation: Situation) -> list[dict[str, Any]]:
    tenant = json.loads((situation.folder / "tenant.json").read_text())
    policies: list[dict[str, Any]] = tenant["exchange"]["policies"]
    return policies


def test_a_move_that_was_applied(situation: Situation) -> None:
    """Its line can go: the plan stays empty, and the warning goes with it."""
    situation.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[0], "RestrictAccess")]
    situation.exchange("x", A, SCOPES[0], movedFrom=SCOPES[1])
    situation.settle()
    ran = situation.planned()
    assert "take the `movedFrom` line out" in " ".join(ran.out.split())
    del situation.documents[-1]["spec"]["movedFrom"]
    situation.settle()
    ran = situation.planned()
    assert (ran.code, "movedFrom" in ran.out) == (0, False)


def test_an_unused_consent(situation: Situation) -> None:
    situation.teams("P", applications=[A])
    situation.settle()
    ran = situation.planned("--allow", f"tenant-wide:teams.application/{A}")
    assert "Take it out of the command line" in ran.out
    assert situation.applied() == frozenset()


BELONGING = "as well, add: "


@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_a_part_that_belongs_to_more(situation: Situation, option: str) -> None:
    """Half of a replacement would open the application to everyone."""
    situation.tenant["exchange"]["policies"].append(exchange_policy(A, SCOPES[0], "RestrictAccess"))
    situation.exchange("x", A, SCOPES[1], movedFrom=SCOPES[0])
    situation.settle()
    scope = {"--only": SCOPES[0], "--skip": SCOPES[1]}[option]
    part = (option, f"exchange.policy/{A}@{scope}")
    ran = situation.planned(*part)
    assert ran.code == 4
    assert "or plan the whole once nothing is held" in " ".join(ran.out.split())
    gained = situation.applied(*part, *typed(ran.out, BELONGING))
    assert {scopes for _, _, scopes in gained} <= {
        scopes for _, _, scopes in gained if SCOPES[1] in scopes
    }
    whole = situation.applied()
    assert all(SCOPES[1] in scopes for _, _, scopes in whole)


def test_a_part_of_a_plan(situation: Situation) -> None:
    situation.teams("P", applications=[A])
    situation.exchange("x", A, SCOPES[0])
    situation.settle()
    ran = situation.planned("--only", "teams.policy/P")
    assert "Plan again without them to converge" in ran.out
    situation.applied("--only", "teams.policy/P")
    assert situation.applied() == frozenset()
    assert situation.planned("--detailed-exitcode").code == 0


def test_a_step_that_fails(situation: Situation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service refuses an Exchange policy; the plan without its application goes on."""
    situation.exchange("x", A, SCOPES[0])
    situation.teams("P", applications=[A], grants={"users": [USERS[0]]})
    situation.settle()
    situation.planned()
    text = situation.plan()["steps"][0]["text"]
    before = situation.reached()
    with monkeypatch.context() as patch:
        refused = {text: Failed(Fault.INVALID, "no")}
        patch.setattr(faults.Dice, "mishap", lambda _, __, sent: refused.get(sent))
        ran = situation("apply", "plan.json", *SIM, "--auto-approve")
    assert ran.code == 6, ran.out + ran.err
    words = re.search(r"plan again with (--skip .*) to go on without it", ran.out + ran.err)
    assert words is not None
    gained = situation.applied(*shlex.split(words[1]))
    assert {(app, user) for app, user, _ in gained} <= {(A, USERS[0])}
    assert before <= situation.reached()


def test_steps_that_fail(situation: Situation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not depend on a refused step is carried out, the rest is left out of the next plan."""
    situation.exchange("x", A, SCOPES[0])
    situation.teams("P", applications=[A], grants={"users": [USERS[0]]})
    situation.settle()
    situation.planned()
    text = situation.plan()["steps"][0]["text"]
    with monkeypatch.context() as patch:
        refused = {text: Failed(Fault.INVALID, "no")}
        patch.setattr(faults.Dice, "mishap", lambda _, __, sent: refused.get(sent))
        ran = situation("apply", "plan.json", *SIM, "--auto-approve")
        assert "apply with --keep-going" in ran.out + ran.err
        ran = situation("apply", "plan.json", *SIM, "--auto-approve", "--keep-going")
    assert ran.code == 6, ran.out + ran.err
    assert "hold it with --skip; then plan again" in ran.out + ran.err
    words = re.search(r"(--skip \S+) plans without it", ran.out + ran.err)
    assert words is not None
    assert situation.applied(*shlex.split(words[1])) == frozenset()


@pytest.mark.parametrize("keep_going", [False, True])
def test_a_move_that_fails_leaves_its_user_what_the_old_list_gives(
    situation: Situation, monkeypatch: pytest.MonkeyPatch, *, keep_going: bool
) -> None:
    """The user keeps the application until the move succeeds: the list that loses it waits, too."""
    situation.tenant["teams"]["policies"] += [teams_policy("Old", [A]), teams_policy("New", [A])]
    situation.tenant["teams"]["users"] = [grant(USERS[0], "Old"), grant(USERS[1], "Old")]
    situation.teams("Old", applications=[B], grants={"users": [USERS[1]]})
    situation.teams("New", applications=[A], grants={"users": [USERS[0]]})
    situation.teams("Other", description="another", applications=[])
    situation.settle()
    situation.planned()
    [move] = [step["text"] for step in situation.plan()["steps"] if USERS[0] in step["text"]]
    before = situation.reached()
    options = ("--keep-going",) if keep_going else ()
    with monkeypatch.context() as patch:
        patch.setattr(
            faults.Dice,
            "mishap",
            lambda _, __, sent: Failed(Fault.INVALID, "no") if sent == move else None,
        )
        ran = situation("apply", "plan.json", *SIM, "--auto-approve", *options)
    assert ran.code == 6, ran.out + ran.err
    said = r"(--skip .*) plans without it" if keep_going else r"with (--skip .*) to go on without"
    words = re.search(said, ran.out + ran.err)
    assert words is not None
    situation.applied(*shlex.split(words[1]))
    kept = {pair for pair in before if pair[1] == USERS[0]}
    assert kept
    assert kept <= situation.reached()


def test_a_group_in_place(situation: Situation) -> None:
    situation.tenant["teams"]["policies"] += [teams_policy("P", [A]), teams_policy("Q", [A, B])]
    situation.tenant["teams"]["groupAssignments"].append(assignment(GROUPS[0], "Q", 1))
    situation.teams("P", grants={"groups": [{"group": GROUPS[0], "rank": 1}]})
    situation.teams("Q", grants={"groups": []})
    situation.settle()
    ran = situation.planned()
    words = re.search(r"plan again with (--group-changes remove-add)", ran.out)
    assert words is not None
    assert situation.applied(*shlex.split(words[1])) == frozenset()


def test_users_who_fall_to_a_changed_group(situation: Situation) -> None:
    """The groups first, the users by the next plan."""
    situation.tenant["teams"]["policies"] += [teams_policy("P", [A]), teams_policy("Q", [A])]
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P")]
    situation.teams("P", grants={"users": []})
    situation.teams("Q", grants={"groups": [{"group": GROUPS[1], "rank": 1}]})
    situation.settle()
    ran = situation.planned()
    gained = situation.applied(*typed(ran.out, "To leave these for a later plan: "))
    assert all(GROUPS[1] in groups for _, _, groups in gained)
    assert situation.applied() == frozenset()


def test_steps_that_rely_on_others(situation: Situation) -> None:
    situation.tenant["exchange"]["policies"].append(exchange_policy(A, SCOPES[0], "RestrictAccess"))
    situation.exchange("x", A, SCOPES[1], movedFrom=SCOPES[0])
    situation.settle()
    assert "apply with --settle MINUTES" in situation.planned().out
    ran = situation("apply", "plan.json", *SIM, "--auto-approve", "--settle", "0")
    assert ran.code == 0, ran.out + ran.err


def test_how_to_apply(situation: Situation) -> None:
    """A plan of a part stays one: the printed command applies that plan, to that tenant."""
    situation.teams("P", applications=[A])
    situation.teams("Q", applications=[A])
    situation.settle()
    part = ("plan", *SIM, "--only", "teams.policy/P")
    ran = situation(*part)
    assert "add --out plan.json" in ran.out
    command = typed(ran.out, "add --out plan.json, then: ")
    ran = situation(*part, "--out", "plan.json")
    assert command == typed(ran.out, "To apply exactly this: ")
    assert situation(*command[1:], "--auto-approve").code == 0
    tenant = json.loads((situation.folder / "tenant.json").read_text())
    assert [row["Identity"] for row in tenant["teams"]["policies"]] == ["Global", "Tag:P"]


def test_an_unmanaged_Global(situation: Situation) -> None:
    situation.tenant["teams"]["policies"][0]["AppIds"] = [A]
    situation.teams("P", applications=[A])
    situation.settle()
    assert "`Global` with `applications: []`" in situation.planned().out
    situation.teams("Global", applications=[])
    situation.settle()
    assert situation.applied() == frozenset()
    assert all(user != STRANGER for _, user, _ in situation.reached())


def test_an_empty_list_of_users(situation: Situation) -> None:
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P")]
    situation.teams("P", grants={"usersFrom": "users.txt"})
    situation.settle()
    (situation.folder / "policies" / "users.txt").write_text("# nobody\n")
    ran = situation.planned()
    assert ran.code == 3
    assert "write `users: []` in the document" in ran.err + ran.out
    situation.documents[-1]["spec"]["grants"] = {"users": []}
    situation.settle()
    assert situation.applied() == frozenset()
    assert all(user != USERS[0] for _, user, _ in situation.reached())


def test_an_export_beside_documents_that_differ(situation: Situation) -> None:
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.teams("P", applications=[B])
    situation.settle()
    export = ("export", *SIM, "--out-dir", "policies")
    ran = situation(*export)
    assert ran.code == 4
    assert "--force rewrites these documents" in ran.err
    ran = situation(*export, "--force")
    assert ran.code == 0
    assert "No changes." in situation(*typed(ran.out, "To compare: reconciler ")).out


@pytest.mark.parametrize("way", ["accept", "manage", "gone"])
def test_a_rogue_policy(situation: Situation, way: str) -> None:
    """Each way out of drift, as it is printed, ends without any."""
    situation.tenant["teams"]["policies"] += [teams_policy("P", [A]), teams_policy("Rogue", [A])]
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P")]
    situation.teams("P", applications=[A], grants={"users": []})
    situation.settle()
    ran = situation("drift", *SIM)
    assert ran.code == 2
    address = "teams.policy/Rogue"
    for option in ("--accept ", "--only "):
        line = next(line for line in ran.out.splitlines() if option in line)
        words = shlex.split(line.replace("ADDRESS", address).replace("WHY", "known"))
        if (option == "--only ") is (way == "manage"):
            assert situation(*words[1:]).code == 0
    (planned,) = (line for line in ran.out.splitlines() if "reconciler plan" in line)
    assert situation(*shlex.split(planned)[1:]).code == 0
    assert situation("apply", "plan.json", *SIM, "--auto-approve").code == 0
    assert situation("drift", *SIM).code == 0
    if way == "gone":
        situation.tenant["teams"] |= {"policies": situation.tenant["teams"]["policies"][:2]}
        situation.tenant["teams"]["users"] = []
        (situation.folder / "tenant.json").write_text(json.dumps(situation.tenant))
        assert "take its entry out of `spec.accepted`" in situation("drift", *SIM).out
        situation.settle()  # without the entry
        assert situation("drift", *SIM).code == 0


def test_a_quarantine_that_is_left_out(situation: Situation) -> None:
    """What is printed shuts the application out and changes nothing else."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A, B]))
    situation.teams("P", applications=[A])
    situation.quarantine("crm", A)
    situation.settle()
    ran = situation.planned("--skip", "application/crm")
    assert "STILL OPEN: crm" in ran.out
    situation.planned(*typed(ran.out, "The quarantine alone: "))
    changed = {(each["address"], each["action_reason"]) for each in situation.plan()["changes"]}
    assert changed == {("teams.policy/P", "quarantined")}
    assert situation.applied(*typed(ran.out, "The quarantine alone: ")) == set()
    assert not any(app == A for app, *_ in situation.reached() if _[-1] == "teams")


def test_a_change_that_a_quarantined_application_gains_by(situation: Situation) -> None:
    """Without the change that it would gain by, it gains nothing."""
    situation.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[0], "RestrictAccess")]
    situation.exchange("every", "*", SCOPES[1], allowEveryApplication=True)
    situation.quarantine("crm", A)
    situation.settle()
    ran = situation.planned()
    assert ran.code == 4
    assert "The application is quarantined, and after step" in ran.out
    options = typed(ran.out, "To leave out what belongs to it as well, add: ")
    assert situation.applied(*options) == set()


def test_drift_that_is_accepted(situation: Situation) -> None:
    """The patch that the report prints, applied as it prints it, ends without drift."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P")]
    situation.teams("P", applications=[B], grants={"users": [USERS[1]]})
    situation.settle()
    sarif = json.loads(situation("drift", *SIM, "--format", "sarif").out)
    rules = sarif["runs"][0]["tool"]["driver"]["rules"]
    (rule,) = (each for each in rules if each["id"] == "drift.differs")
    assert "`drift --patch` takes over what the tenant has" in rule["help"]["text"]
    ran = situation("drift", *SIM)
    (line,) = (line for line in ran.out.splitlines() if "--patch" in line)
    assert situation(*shlex.split(line)[1:]).code == 2
    (line,) = (line for line in ran.out.splitlines() if "git apply" in line)
    subprocess.run(shlex.split(line), cwd=situation.folder, check=True)
    assert situation("drift", *SIM).code == 0
