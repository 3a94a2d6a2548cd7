"""What a report leaves out is where its advice says: each command is typed as it is printed, and none
of them changes the tenant.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import PRINTED
from tests.remedies.situations import SIM, A, B
from tests.strategies.tenants import SCOPES, TENANT, USERS, exchange_policy, teams_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Ran
    from tests.remedies.situations import Situation

MANY = 26
"""More than a report lists, and more commands than it prints unasked."""
CROWD = 220
"""More than a report of 8000 bytes lists."""


@pytest.fixture(autouse=True)
def unchanged(situation: Situation) -> Iterator[None]:
    """Nothing here writes to the tenant."""
    yield
    file = situation.folder / "tenant.json"
    if file.exists():
        tenant = json.loads(file.read_text())
        for product in ("teams", "exchange"):
            assert tenant[product] == situation.tenant[product]


def printed(ran: Ran) -> dict[str, Any]:
    """The envelope that a command printed."""
    envelope: dict[str, Any] = json.loads(ran.out)
    return envelope


def crowd(number: int = CROWD) -> list[str]:
    return [f"bbbbbbbb-0000-4000-8000-{each:012x}" for each in range(number)]


def crowded(here: Situation, number: int = CROWD, *, gone: int = 0) -> None:
    """Many people who get a policy, many who are not there, and one policy of nobody's document."""
    here.tenant["directory"]["users"] = [
        {"id": user, "upn": f"user{each}@contoso.com", "displayName": f"User {each}"}
        for each, user in enumerate(crowd(number))
    ]
    here.documents[0]["spec"]["limits"] = {"widening": {"maxPeople": 1000}}
    here.tenant["teams"]["policies"] += [teams_policy("P", [A]), teams_policy("Other", [A])]
    absent = [f"gone{each}@contoso.com" for each in range(gone)]
    here.teams("P", applications=[A], grants={"users": [*crowd(number), *absent]})
    here.settle()
    assert here.planned().code == (4 if gone else 0)  # so many are taken for a wrong reading


NAMES = [f"Policy {number} of a tenant with many of them" for number in range(60)]


def many_policies(here: Situation) -> None:
    """Each has another application than its document says."""
    here.tenant["teams"]["policies"] += [teams_policy(name, [A]) for name in NAMES]
    for name in NAMES:
        here.teams(name, applications=[B])
    here.settle()


@pytest.mark.parametrize("question", [("list",), ("who", USERS[0])])
def test_a_capture_of_one_product(situation: Situation, question: tuple[str, ...]) -> None:
    """What is asked about both products is answered once both were read."""
    situation.exchange("E", A, SCOPES[0])
    situation.settle()
    fetch = ("fetch", *SIM, "--out", "capture.json")
    assert situation(*fetch).code == 0
    ran = situation(*question, "--tenant", "capture.json")
    assert ran.code == 1
    assert "the reading of teams is not complete, but it is needed" in ran.err
    (command,) = re.findall(r"`reconciler (fetch [^`]+)`", ran.err)
    assert situation(*shlex.split(command), *fetch[1:]).code == 0
    assert situation(*question, "--tenant", "capture.json").code == 0


def test_a_policy_that_is_not_there(situation: Situation) -> None:
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.settle()
    ran = situation("list", *SIM, "--policy", "Q")
    assert (ran.code, "leave the option out to list all" in ran.err) == (64, True)
    ran = situation("list", *SIM)
    assert (ran.code, "P" in ran.out) == (0, True)


def test_names_that_were_not_found(situation: Situation) -> None:
    situation.teams("P", applications=[A], grants={"users": ["gone@contoso.com"]})
    situation.settle()
    ran = situation("explain", *SIM, "--app", A, "--meetings-of", USERS[0])
    assert "reconciler plan lists them" in ran.out
    assert "gone@contoso.com" in situation("plan", *SIM).out


def test_an_exchange_policy_that_was_named_as_one_of_teams(situation: Situation) -> None:
    situation.tenant["exchange"]["policies"].append(exchange_policy(A, SCOPES[0], "DenyAccess"))
    situation.settle()
    export = ("export", *SIM, "--out-dir", "policies")
    ran = situation(*export, "--policy", "scope0")
    assert (ran.code, "with --app" in ran.err) == (64, True)
    assert situation(*export, "--app", A).code == 0
    written = "".join(each.read_text() for each in situation.folder.rglob("*.yaml"))
    assert "DenyAccess" in written


def test_a_repository_to_start_from(situation: Situation) -> None:
    """Each way to say which tenant, then what is printed and what the repository's own files run."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.settle()
    live = situation("init", "a", "--tenant", "live")
    assert "use --tenant-id and --organization" in live.err
    silent = situation("init", "a")
    assert "use --tenant-id and --organization, or --tenant with a capture" in silent.err
    assert situation("fetch", *SIM, "--out", "capture.json").code == 0
    who = ("--tenant-id", TENANT, "--organization", "contoso.onmicrosoft.com")
    for folder, words in (("a", who), ("b", ("--tenant", "capture.json"))):
        ran = situation("init", folder, *words)
        assert ran.code == 0
        (line,) = (each for each in ran.out.splitlines() if "reconciler export" in each)
        typed = shlex.split(line.partition("reconciler ")[2].replace("TENANT", "sim:tenant.json"))
        out = [f"{folder}/policies" if word == "policies" else word for word in typed]
        assert situation(*out).code == 0
        hook = (situation.folder / folder / ".pre-commit-config.yaml").read_text()
        PRINTED.append(hook)
        entry = re.search(r"entry: reconciler (.*)", hook)
        assert entry is not None
        command, at = shlex.split(entry[1])
        assert situation(command, f"{folder}/{at}").code == 0


def test_a_second_start(situation: Situation) -> None:
    """Nothing is written over, and the export that is named adds what the tenant has."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.settle()
    (situation.folder / "policies" / "all.yaml").unlink()
    who = ("--tenant-id", TENANT, "--organization", "contoso.onmicrosoft.com")
    assert situation("init", *who).code == 0
    ran = situation("init", *who)
    assert "Go on with `reconciler export`" in ran.err
    assert situation("export", *SIM, "--out-dir", "policies").code == 0
    assert "No changes." in situation("plan", *SIM).out


def test_documents_without_a_tenant(situation: Situation) -> None:
    """Nothing can be accepted without a Tenant document; the one that is named is written to."""
    situation.tenant["teams"]["policies"].append(teams_policy("P", [A]))
    situation.teams("P", description="known")
    del situation.documents[0]
    situation.settle()
    accept = ("export", *SIM, "--accept", "teams.policy/P", "--reason", "known")
    ran = situation(*accept)
    assert "create one with `reconciler init`, or pass its file as PATH" in ran.err
    who = ("--tenant-id", TENANT, "--organization", "contoso.onmicrosoft.com")
    assert situation("init", "other", *who).code == 0
    assert situation(*accept[:1], "other/policies", *accept[1:]).code == 0
    assert "accepted:" in (situation.folder / "other" / "policies" / "tenant.yaml").read_text()


def test_what_a_report_leaves_out(situation: Situation) -> None:
    """The rows beyond the bound, the objects that nobody manages, and the commands."""
    crowded(situation, MANY, gone=MANY)
    ran = situation("plan", *SIM)
    assert "more: --format json lists all" in ran.out
    assert "(--format json lists them)" in ran.out
    assert "(--commands shows them)" in ran.out
    plan = printed(situation("plan", *SIM, "--format", "json"))["plan"]
    assert {step["parameters"]["Identity"] for step in plan["steps"]} == set(crowd(MANY))
    assert [row["address"] for row in plan["unmanaged"]] == ["teams.policy/Other"]
    assert all(f"gone{each}@contoso.com" in json.dumps(plan) for each in range(MANY))
    shown = situation("plan", *SIM, "--commands").out
    assert all(step["text"] in shown for step in plan["steps"])


def test_what_markdown_leaves_out(situation: Situation) -> None:
    crowded(situation)
    show = ("show", "plan.json", "--format", "markdown")
    short = situation(*show, "--max-bytes", "8000", "--commands").out
    assert "`--format json` has all of it, and a higher `--max-bytes` more." in short
    assert "`--commands` shows them." in situation(*show).out
    assert "`--format json` lists them." in situation(*show).out
    whole = situation(*show, "--max-bytes", "100000", "--commands").out
    assert "`--max-bytes`" not in whole
    assert all(step["text"] in whole for step in situation.plan()["steps"])
    assert printed(situation("show", "plan.json", "--format", "json"))["plan"]["unmanaged"]


def test_what_an_outline_in_markdown_leaves_out(situation: Situation) -> None:
    many_policies(situation)
    drift = ("drift", *SIM, "--format", "markdown")
    assert "and a higher `--max-bytes` more" in situation(*drift, "--max-bytes", "8000").out
    assert "`--max-bytes`" not in situation(*drift, "--max-bytes", "100000").out
    envelope = printed(situation("drift", *SIM, "--format", "json"))
    assert all(f"teams.policy/{name}" in json.dumps(envelope) for name in NAMES)


def test_what_a_page_leaves_out(situation: Situation) -> None:
    crowded(situation)
    page = situation("show", "plan.json", "--format", "html").out
    assert "Objects of no document; <code>--format json</code> lists them." in page
    assert printed(situation("show", "plan.json", "--format", "json"))["plan"]["unmanaged"]


def test_annotations_beyond_the_bound(situation: Situation) -> None:
    """GitHub shows ten of each level; the text has all."""
    many_policies(situation)
    assert (
        "not annotated: --format text lists all"
        in situation("drift", *SIM, "--format", "github").out
    )
    text = situation("drift", *SIM, "--format", "text").out
    assert all(re.search(rf"\b{name}\b", text) for name in NAMES)


def test_formats_that_do_not_fit(situation: Situation) -> None:
    """Each refusal of a format names one that is taken."""
    situation.teams("P", applications=[A])
    situation.exchange("x", A, SCOPES[0])
    situation.settle()
    situation.planned()
    show = ("show", "plan.json")
    script = (*show, "--format", "powershell")
    assert "choose another --format" in situation(*script, "--redact", "names").err
    assert situation(*show, "--redact", "names", "--format", "markdown").code == 0
    assert "--product requires --format powershell" in situation(*show, "--product", "teams").err
    assert "choose --product teams or --product exchange" in situation(*script).err
    for product in ("teams", "exchange"):
        assert situation(*script, "--product", product).code == 0
    against = (*show, "--against", "plan.json")
    ran = situation(*against, "--format", "markdown")
    assert "--against takes --format text or json" in ran.err
    assert {situation(*against, "--format", form).code for form in ("text", "json")} == {0}


def test_more_of_a_rehearsal(situation: Situation) -> None:
    crowded(situation, MANY, gone=0)
    ran = situation("rehearse", "plan.json")
    assert "--most N tries more or fewer." in ran.out
    more = situation("rehearse", "plan.json", "--most", str(MANY))
    assert more.code == 0
    assert "--most N" not in more.out


def test_a_plan_that_is_not_applicable(situation: Situation) -> None:
    situation.teams("P", applications=[A], grants={"tenant": True})
    situation.settle()
    assert situation.planned().code == 4
    ran = situation("rehearse", "plan.json")
    assert "`reconciler show` says how to resolve each refusal" in ran.err
    assert "To allow exactly this:" in situation("show", "plan.json").out


def test_a_file_that_is_not_a_capture(situation: Situation) -> None:
    situation.settle()
    (situation.folder / "capture.json").write_text("[]")
    ran = situation("plan", "--tenant", "capture.json")
    assert "write a capture with `reconciler fetch`" in ran.err
    assert situation("fetch", *SIM, "--out", "capture.json").code == 0
    assert situation("plan", "--tenant", "capture.json").code == 0
