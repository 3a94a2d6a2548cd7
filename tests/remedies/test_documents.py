"""What a message says to write into a document, or which object to name: written and named like that,
the documents are valid and the plan does what the message says, and nobody else is reached.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.remedies.situations import SIM, A, B
from tests.strategies.tenants import (
    GROUPS,
    SCOPES,
    USERS,
    assignment,
    exchange_policy,
    grant,
    guid,
    teams_policy,
)

if TYPE_CHECKING:
    from tests.remedies.situations import Situation

GONE = guid("d", 77)
"""A scope that no longer exists."""
GUARD = "nobody@contoso.com"


def steps(here: Situation) -> list[str]:
    return [step["text"].split()[0] for step in here.plan()["steps"]]


def told(text: str) -> str:
    return " ".join(text.split())


def test_every_application(situation: Situation) -> None:
    situation.exchange("every", "*", SCOPES[0])
    situation.settle()
    assert "add `allowEveryApplication: true`" in situation("validate").out
    situation.documents[-1]["spec"]["allowEveryApplication"] = True
    situation.settle()
    assert situation("validate").code == 0
    assert situation.applied() == frozenset()


def test_more_beside_a_deletion(situation: Situation) -> None:
    """With the keys that are named and no others, the policy is deleted."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.teams("P", ensure="absent", applications=[A])
    situation.settle()
    (allowed,) = re.findall(r"keep only (.*) \[", situation("validate").out)
    assert allowed == "`ensure`, `tenants`"
    spec = situation.documents[-1]["spec"]
    situation.documents[-1]["spec"] = {key: spec[key] for key in spec if f"`{key}`" in allowed}
    situation.settle()
    assert situation.applied() == frozenset()
    assert steps(situation) == ["Remove-CsApplicationAccessPolicy"]


def test_a_Global_that_is_to_go(situation: Situation) -> None:
    situation.tenant["teams"]["policies"][0]["AppIds"] = [A]
    situation.teams("Global", ensure="absent")
    situation.settle()
    assert "to revoke access, declare `applications: []`" in situation("validate").out
    situation.documents[-1]["spec"] = {"applications": []}
    situation.settle()
    assert situation.applied() == frozenset()
    assert {user for _, user, _ in situation.reached()} == {"mailbox"}


def test_a_policy_with_an_entry_that_is_not_understood(situation: Situation) -> None:
    situation.tenant["teams"]["policies"].append(teams_policy("P", ["<APP_ID>"]))
    situation.settle()
    assert "A document with `ensure: absent` removes a Teams policy" in situation.planned().out
    situation.teams("P", ensure="absent")
    situation.settle()
    assert situation.applied() == frozenset()
    assert steps(situation) == ["Remove-CsApplicationAccessPolicy"]
    assert "Not understood" not in situation.planned().out


@pytest.mark.parametrize("right", ["DenyAccess", "RestrictAccess"])
@pytest.mark.parametrize("way", ["another scope", "ensure: absent"])
def test_a_scope_that_is_gone(situation: Situation, right: str, way: str) -> None:
    """A policy on another scope takes its place, or the document removes it: neither lets anybody in
    whom it kept out.
    """
    situation.tenant["exchange"]["policies"] = [
        exchange_policy(A, GONE, right),
        exchange_policy(A, SCOPES[1], "RestrictAccess"),
    ]
    situation.exchange("x", A, GONE, right)
    situation.exchange("y", A, SCOPES[1])
    situation.settle()
    said = told(situation.planned().out)
    assert "Declare the policy with a scope that exists" in said
    assert "`ensure: absent` with the old id removes this one." in said
    if way == "another scope":
        situation.documents[1]["spec"] |= {"scope": SCOPES[2], "movedFrom": GONE}
    else:
        situation.documents[1]["spec"] = {
            "applications": [A],
            "scope": GONE,
            "ensure": "absent",
        }
    situation.settle()
    ran = situation.planned()
    consents = re.findall(r"--allow (\S+)", ran.out)
    assert all(text.startswith(f"deny:exchange.policy/{A}@{GONE}") for text in consents)
    gained = situation.applied(*(word for text in consents for word in ("--allow", text)))
    among = {scopes for _, _, scopes in gained}
    assert all(SCOPES[2] in scopes for scopes in among) or right == "DenyAccess"
    assert GONE not in json.dumps(json.loads((situation.folder / "tenant.json").read_text()))


@pytest.mark.parametrize("way", ["declare", "ensure: absent"])
def test_an_application_that_was_left_shut(situation: Situation, way: str) -> None:
    """It reaches what is declared and nothing else; or, with a consent, every mailbox."""
    guard = situation.tenant["directory"]["recipients"][2]
    guard |= {"primary": GUARD, "addresses": [f"SMTP:{GUARD}"], "members": []}
    situation.documents[0]["spec"]["exchange"] = {"guardScope": GUARD}
    situation.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[2], "RestrictAccess")]
    situation.settle()
    said = told(situation.planned().out)
    assert "Declare what it may reach, or this policy with `ensure: absent`" in said
    consents: tuple[str, ...] = ()
    if way == "declare":
        situation.exchange("x", A, SCOPES[0])
        situation.settle()
    else:
        situation.exchange_absent("x", A, GUARD)
        situation.settle()
        ran = situation.planned()
        assert ran.code == 4
        consents = ("--allow", f"tenant-wide:exchange.application/{A}")
        assert shlex.join(consents) in ran.out
    gained = situation.applied(*consents)
    assert {app for app, *_ in gained} == {A}
    everywhere = frozenset() in {scopes for *_, scopes in gained}
    assert everywhere is (way == "ensure: absent")


# which object is meant


def test_a_consent_that_is_none(situation: Situation) -> None:
    """The form that is named, filled in as the refusal prints it, is one."""
    situation.documents[0]["spec"]["limits"] = {"widening": {"maxPeople": 0}}
    situation.teams("P", applications=[A], grants={"users": [USERS[0]]})
    situation.settle()
    for typed in ("limits", "displaced:teams.policy/"):
        ran = situation("plan", *SIM, "--allow", typed)
        assert (ran.code, "is not a consent" in ran.err) == (64, True)
        assert re.search("as a refusal prints it|the refusal prints the whole consent", ran.err)
    (words,) = re.findall(r"(--allow limits:\S+)", situation.planned().out)
    assert {user for _, user, _ in situation.applied(*shlex.split(words))} == {USERS[0]}


def _accept(here: Situation, *typed: str, reason: str = "known") -> Any:
    words = [word for text in typed for word in ("--accept", text)]
    return here("export", *SIM, *words, "--reason", reason)


def test_what_cannot_be_accepted_as_it_is_typed(situation: Situation) -> None:
    """Each refusal names what is taken instead, and with that there is no drift left."""
    situation.tenant["teams"]["policies"] += [teams_policy("P", [A]), teams_policy("Q", [A])]
    situation.tenant["teams"]["users"] = [grant(USERS[0], "Q")]
    situation.teams("P", applications=[A])
    situation.settle()
    ran = _accept(situation, "teams.policy/Nobody")
    assert "write an address as `reconciler drift` prints it" in ran.err
    ran = _accept(situation, "teams.policy/P")
    assert "there is nothing to accept: `reconciler plan` shows what differs" in ran.err
    assert "No changes." in situation.planned().out
    ran = _accept(situation, "teams.policy/Q", reason=" ")
    assert (ran.code, ran.err.startswith("Error: --reason ' ': ")) == (64, True)
    (address,) = set(re.findall(r"teams\.policy/Q\b", situation("drift", *SIM).out))
    assert _accept(situation, address).code == 0
    person = f"teams.grant/user:{USERS[0]}"
    ran = _accept(situation, person)
    assert "accept the policy again, or both" in ran.err
    assert _accept(situation, address, person).code == 0
    assert situation("drift", *SIM).code == 0
    assert situation.applied() == frozenset()


def test_several_objects_of_one_name(situation: Situation) -> None:
    """Each by its address, as the refusal lists them."""
    situation.tenant["exchange"]["policies"] = [
        exchange_policy(app, SCOPES[0], "RestrictAccess") for app in (A, B)
    ]
    situation.settle()
    ran = _accept(situation, "scope0@contoso.com")
    assert ran.code == 64, ran.out
    addresses = re.findall(r"exchange\.policy/[^\s,]+", ran.err)
    assert len(addresses) == 2, ran.err
    assert _accept(situation, *addresses).code == 0
    assert situation("drift", *SIM).code == 0


def test_an_application_that_is_to_be_accepted(situation: Situation) -> None:
    """It is no object; its policies are, by the addresses that `drift` prints."""
    situation.tenant["exchange"]["policies"] = [
        exchange_policy(A, scope, "RestrictAccess") for scope in SCOPES[:2]
    ]
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.application("CRM", A)
    situation.settle()
    ran = _accept(situation, "CRM")
    assert (ran.code, "by the address that `reconciler drift` prints" in ran.err) == (64, True)
    drift = situation("drift", *SIM).out
    addresses = set(re.findall(r"(?:exchange|teams)\.policy/[^\s,]+", drift))
    assert len(addresses) == 3
    assert _accept(situation, *addresses).code == 0
    assert situation("drift", *SIM).code == 0


@pytest.mark.parametrize(
    ("written", "typed", "rule"),
    [
        ("address: teams.policy/Q", "address: teams.policy", "cannot be accepted"),
        (r"digest: [0-9a-f]{64}", "digest: known", "is not a digest"),
    ],
    ids=["address", "digest"],
)
def test_an_entry_that_was_written_by_hand(
    situation: Situation, written: str, typed: str, rule: str
) -> None:
    """`export --accept` writes one that is taken."""
    situation.tenant["teams"]["policies"].append(teams_policy("Q", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[0], "Q")]
    situation.settle()
    assert _accept(situation, "teams.policy/Q").code == 0
    file = situation.folder / "policies" / "all.yaml"
    changed, count = re.subn(written, typed, file.read_text())
    assert count == 1
    file.write_text(changed)
    ran = situation("validate")
    assert (ran.code, rule in ran.out, "`reconciler export --accept`" in ran.out) == (3, True, True)
    situation.settle()
    assert _accept(situation, "teams.policy/Q").code == 0
    assert situation("drift", *SIM).code == 0


def test_what_is_accepted_and_declared(situation: Situation) -> None:
    situation.tenant["teams"]["policies"].append(teams_policy("Q", [A]))
    situation.settle()
    assert _accept(situation, "teams.policy/Q").code == 0
    file = situation.folder / "policies" / "all.yaml"
    accepted = file.read_text()
    situation.teams("Q", applications=[A], description="", grants={"users": [], "groups": []})
    (situation.folder / "policies" / "tenant.yaml").write_text(accepted)
    tenant = situation.documents.pop(0)
    situation.settle()
    assert "take these out of `spec.accepted`" in situation("drift", *SIM).out
    (situation.folder / "policies" / "tenant.yaml").unlink()
    situation.documents.insert(0, tenant)
    situation.settle()
    ran = situation("drift", *SIM)
    assert (ran.code, "`spec.accepted`" in ran.out) == (0, False)


def test_what_drift_cannot_change_back(situation: Situation) -> None:
    """`drift` names what is held or refused, `plan` what to do about it."""
    situation.tenant["teams"]["policies"] += [teams_policy("P", [B]), teams_policy("Q", [A])]
    situation.tenant["teams"]["users"] = [grant(USERS[0], "Q")]
    situation.teams("P", applications=[B], grants={"users": [USERS[0]]})
    situation.settle()
    assert "(reconciler plan says what to do)" in situation("drift", *SIM).out
    (words,) = re.findall(r"(--allow displaced:\S+)", situation.planned().out)
    gained = situation.applied(*shlex.split(words))
    assert {(app, user) for app, user, _ in gained} == {(B, USERS[0])}


def test_no_drift_beside_what_is_gone(situation: Situation) -> None:
    situation.tenant["exchange"]["policies"] = [
        exchange_policy(A, GONE, "DenyAccess"),
        exchange_policy(A, SCOPES[1], "RestrictAccess"),
    ]
    situation.exchange("x", A, GONE, "DenyAccess")
    situation.exchange("y", A, SCOPES[1])
    situation.settle()
    assert "`reconciler plan` shows them." in situation("drift", *SIM).out
    assert "it protects nobody" in told(situation.planned().out)


# what the errors of the services lead to


def _diagnosed(here: Situation, text: str, *words: str) -> str:
    ran = here("diagnose", "-", *SIM, *words, stdin=text)
    assert ran.code != 64, ran.err
    return told(ran.out)


REFUSED = json.dumps(
    {"error": {"code": "Forbidden", "message": "No application access policy found for this app"}}
)


def test_a_policy_that_is_held(situation: Situation) -> None:
    """Its holders are listed; a document takes the grants away before it deletes the policy."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[0], "P")]
    situation.tenant["teams"]["groupAssignments"] = [assignment(GROUPS[0], "P", 1)]
    situation.settle()
    text = "The policy is currently assigned to one or more users or groups."
    assert "`reconciler list --policy NAME` lists the holders" in _diagnosed(situation, text)
    listed = situation("list", *SIM, "--policy", "P", "--format", "json").out
    assert USERS[0] in listed
    assert GROUPS[0] in listed
    situation.teams("P", ensure="absent")
    situation.settle()
    assert situation.applied() == frozenset()
    assert steps(situation) == [
        *["Grant-CsApplicationAccessPolicy"] * 2,
        "Remove-CsApplicationAccessPolicy",
    ]


@pytest.mark.parametrize(
    ("text", "said", "command"),
    [
        ('Cannot find "Q" policy', "`reconciler list` has the names", "list"),
        (
            "The operation couldn't be performed because object 'x' couldn't be found on 'y'.",
            "run `reconciler plan` again, and take the Identity from there",
            "plan",
        ),
    ],
    ids=["policy", "object"],
)
def test_a_name_that_the_service_does_not_have(
    situation: Situation, text: str, said: str, command: str
) -> None:
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[0], "RestrictAccess")]
    situation.exchange("x", A, SCOPES[1], movedFrom=SCOPES[0])
    situation.settle()
    assert said in _diagnosed(situation, text)
    shown = situation(command, *SIM).out
    names = (
        ["P"] if command == "list" else [situation.tenant["exchange"]["policies"][0]["Identity"]]
    )
    assert all(name in shown for name in names)


def test_no_room_for_another_policy(situation: Situation) -> None:
    """The description that is named is taken as it is written, one blank."""
    situation.settle()
    said = _diagnosed(situation, "The total size of App Access Policies exceeded the limit.")
    (line,) = re.findall("`(description: [^`]*)`", said)
    situation.exchange("x", A, SCOPES[0], **yaml.safe_load(line))
    situation.settle()
    assert situation.applied() == frozenset()
    assert "-Description:' '" in situation.plan()["steps"][0]["text"]


def test_an_error_that_does_not_say_of_whom(situation: Situation) -> None:
    situation.teams("P", applications=[A], grants={"users": [USERS[0]]})
    situation.settle()
    ran = situation("diagnose", "-", *SIM, stdin=REFUSED)
    assert (ran.code, "--app APP and --user USER required" in ran.err) == (64, True)
    who = ("--app", A, "--user", "user0")
    assert "To apply the documents: reconciler plan" in _diagnosed(situation, REFUSED, *who)
    gained = situation.applied()
    assert {(app, user) for app, user, _ in gained} == {(A, USERS[0])}


def test_an_error_that_nothing_is_known_of(situation: Situation) -> None:
    """With --app and --user the policies are asked, which is what the report says."""
    situation.settle()
    assert "With --app and --user the policies are asked" in _diagnosed(situation, "oops")
    said = _diagnosed(situation, "oops", "--app", A, "--user", "user0")
    assert "Teams: " in said


def test_a_policy_of_no_document(situation: Situation) -> None:
    """`export` writes the document, and then the line that lets the application in is told."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.tenant["teams"]["users"] = [grant(USERS[1], "P")]
    situation.settle()
    who = ("--app", A, "--user", "user0")
    assert "`reconciler export` writes one, to be changed then" in _diagnosed(
        situation, REFUSED, *who
    )
    assert situation("export", *SIM, "--out-dir", "policies").code == 0
    said = _diagnosed(situation, REFUSED, *who)
    assert "behind this line" in said
    assert "Then: reconciler plan" in said
    assert situation("plan", *SIM).code == 0
