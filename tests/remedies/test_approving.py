"""Who approves what, how long somebody waits, and which tenant is meant: each way that a refusal names
is gone, and only what was approved is written.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.applying.locked import hold
from tests.remedies.situations import SIM, A, B
from tests.strategies.tenants import TENANT, USERS

if TYPE_CHECKING:
    from tests.live.stages import Stage
    from tests.remedies.situations import Situation

APPLY = ("apply", "plan.json", *SIM)
ELSEWHERE = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def planned(situation: Situation) -> Situation:
    """A plan by which one person is reached."""
    situation.teams("P", applications=[A], grants={"users": [USERS[0]]})
    situation.settle()
    assert situation.planned().code == 0
    return situation


def gained(here: Situation) -> set[tuple[str, str]]:
    """Whom applications reach in Teams."""
    return {(app, user) for app, user, _ in here.reached() if user != "mailbox"}


def test_nobody_who_can_be_asked(planned: Situation) -> None:
    """Each of the three ways says what was approved, and exactly that is applied."""
    refused = planned(*APPLY)
    assert "use --auto-approve, preferably with --digest or --approved" in refused.err
    assert gained(planned) == set()
    digest = planned.plan()["content_digest"]
    whole = (planned.folder / "tenant.json").read_text()
    for words in ((), ("--digest", digest), ("--approved", "plan.json")):
        (planned.folder / "tenant.json").write_text(whole)
        ran = planned(*APPLY, "--auto-approve", *words)
        assert ran.code == 0, ran.err
        assert gained(planned) == {(A, USERS[0])}
        assert ("Without --digest or --approved" in ran.err) is (not words)


def test_another_plan_than_the_approved_one(planned: Situation) -> None:
    """A digest tells that they differ, the approved plan tells in what; once the new plan is reviewed,
    it is applied.
    """
    old = planned.plan()["content_digest"]
    (planned.folder / "plan.json").rename(planned.folder / "approved.json")
    planned.teams("Q", applications=[B], grants={"users": [USERS[1]]})
    planned.settle()
    planned.planned()
    silent = (*APPLY, "--auto-approve")
    ran = planned(*silent, "--digest", old)
    assert (ran.code, "to `reconciler show --against`" in ran.err) == (5, True)
    ran = planned("show", "plan.json", "--against", "approved.json")
    assert (ran.code, "Q" in ran.out) == (5, True)
    ran = planned(*silent, "--approved", "approved.json")
    assert "review this plan and pass it to --approved" in ran.err
    assert gained(planned) == set()
    assert planned(*silent, "--approved", "plan.json").code == 0
    assert gained(planned) == {(A, USERS[0]), (B, USERS[1])}


def test_the_bundled_tenant_without_asking(planned: Situation) -> None:
    ran = planned("apply", "plan.json", "--auto-approve")
    assert "a simulated tenant is changed without asking only with --tenant sim:FILE" in ran.err
    assert gained(planned) == set()
    assert planned(*APPLY, "--auto-approve").code == 0


def test_a_live_tenant_without_asking(planned: Situation, live: Stage) -> None:
    """The tenant itself is written to only with what was approved."""
    planned.settle()
    assert planned("plan", "--tenant", "live", "--out", "plan.json").code == 0
    silent = ("apply", "plan.json", "--tenant", "live", "--auto-approve")
    ran = planned(*silent)
    assert "only with the approved digest" in ran.err
    assert live.service.calls("Grant-CsApplicationAccessPolicy") == []
    digest = planned.plan()["content_digest"]
    assert planned(*silent, "--digest", digest).code == 0
    assert len(live.service.calls("Grant-CsApplicationAccessPolicy")) == 1


NO_PLANS = {"{": "not a plan file", "[]": "expected a JSON object", "{}": "no format_version"}


@pytest.mark.parametrize(
    "text",
    [
        *(pytest.param(text, id=f"no plan {number}") for number, text in enumerate(NO_PLANS)),
        pytest.param(None, id="reformatted"),
    ],
)
def test_a_file_that_is_not_what_was_planned(planned: Situation, text: str | None) -> None:
    """A file that `plan --out` wrote is taken."""
    file = planned.folder / "plan.json"
    file.write_text(json.dumps(json.loads(file.read_text()), indent=1) if text is None else text)
    ran = planned(*APPLY, "--auto-approve")
    assert ran.code == 5
    assert (NO_PLANS[text] if text else "modified or reformatted") in ran.err
    assert ("`plan --out` wrote" in ran.err, gained(planned)) == (True, set())
    assert planned.planned().code == 0
    assert planned(*APPLY, "--auto-approve").code == 0


@pytest.mark.parametrize("name", ["capture.json", "tenant.json"])
def test_a_file_of_ours_that_is_not_a_plan(planned: Situation, name: str) -> None:
    """The command that is printed plans on it."""
    assert planned("fetch", *SIM, "--out", "capture.json").code == 0
    ran = planned("show", name)
    command = ran.err.partition("to plan on it: ")[2]
    (planned.folder / "plan.json").unlink()
    assert planned(*shlex.split(command)[1:]).code == 0
    assert len(planned.plan()["steps"]) == 2


def test_a_file_of_ours_of_another_kind(planned: Situation) -> None:
    """What is printed of a plan, a journal, a document and an output shows, undoes or plans."""
    ran = planned("plan", "--tenant", "plan.json")
    assert planned(*shlex.split(ran.err.partition("to see it: ")[2])[1:]).code == 0
    (document,) = [path for path in planned.folder.rglob("*.yaml") if "Tenant" in path.read_text()]
    ran = planned("show", document.relative_to(planned.folder).as_posix())
    folder = shlex.split(ran.err.partition("as PATH: reconciler plan ")[2])
    assert planned("plan", *folder, *SIM).code == 0
    (planned.folder / "printed.json").write_text(planned("plan", *SIM, "--format", "json").out)
    assert "`reconciler plan --out FILE` keeps a plan" in planned("show", "printed.json").err
    assert (
        planned("plan", *SIM, "--out", "kept.json").code == planned("show", "kept.json").code == 0
    )
    assert planned(*APPLY, "--auto-approve").code == 0
    (journal,) = Path(os.environ["RECONCILER_STATE_DIR"]).rglob("*.jsonl")
    assert "pass it with --journal to `reconciler undo`" in planned("show", str(journal)).err
    undone = planned("undo", "plan.json", "--journal", str(journal), *SIM)
    assert undone.code == 0


# how long


def test_an_apply_that_waits(planned: Situation) -> None:
    """Who waits as long as is said goes on once the other apply has ended."""
    assert planned(*APPLY, "--auto-approve").code == 0
    (lock,) = Path(os.environ["RECONCILER_STATE_DIR"]).rglob("lock")
    planned.teams("Q", applications=[B])
    planned.settle()
    planned.planned()
    began, ended = threading.Event(), threading.Event()

    def other() -> None:
        with hold(lock.parent):
            began.set()
            ended.wait(20)

    thread = threading.Thread(target=other)
    thread.start()
    began.wait(20)
    refused = planned(*APPLY, "--auto-approve")
    assert (refused.code, "wait with --lock-timeout SECONDS" in refused.err) == (8, True)
    threading.Timer(0.2, ended.set).start()
    ran = planned(*APPLY, "--auto-approve", "--lock-timeout", "20")
    thread.join()
    assert ran.code == 0, ran.err


def test_a_reading_that_is_too_old(planned: Situation) -> None:
    """It is read again and planned again, and then it is not."""
    assert planned("fetch", *SIM, "--out", "capture.json").code == 0
    old = json.loads((planned.folder / "capture.json").read_text())
    del old["simulated"]
    for hours, code in ((30, 4), (0, 0)):
        moment = datetime.now(UTC) - timedelta(hours=hours)
        read = {**old, "taken_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        (planned.folder / "capture.json").write_text(json.dumps(read))
        planned("plan", "--tenant", "capture.json", "--out", "plan.json")
        ran = planned("show", "plan.json", "--max-age", "24")
        said = "more than --max-age 24 allows; read it again and plan again" in ran.err
        assert (ran.code, said) == (code, code == 4)


# which tenant


def test_no_tenant_is_guessed(planned: Situation) -> None:
    """Each form that is named is taken: a capture, a simulated tenant, the tenant itself."""
    planned.documents[0]["spec"]["tenantId"] = ELSEWHERE
    planned.settle()
    for words in ((), ("--tenant", "nothing.json"), ("--tenant", ".")):
        ran = planned("plan", *words)
        assert ran.code == 64
        ways = re.findall("a capture file|`sim:FILE`|`live`", ran.err)
        assert ways == ["a capture file", "`sim:FILE`", "`live`"]
    planned.documents[0]["spec"]["tenantId"] = TENANT
    planned.settle()
    assert planned("plan").code == 0  # the bundled one, as the message says
    assert planned("fetch", *SIM, "--out", "capture.json").code == 0
    for tenant in ("capture.json", "sim:tenant.json"):
        assert planned("plan", "--tenant", tenant).code == 0


def test_the_tenant_itself(planned: Situation, live: Stage) -> None:
    planned.settle()
    assert planned("plan", "--tenant", "live").code == 0
    assert live.begin.sessions
    document = planned.documents.pop(0)
    planned.settle()
    ran = planned("plan", "--tenant", "live")
    assert "requires a Tenant document with the tenant id and how to sign in" in ran.err
    schema = planned("schema", "Tenant")
    assert "connect" in json.loads(schema.out)["properties"]["spec"]["properties"]
    planned.documents.insert(0, document)
    planned.settle()
    assert planned("plan", "--tenant", "live").code == 0


@pytest.mark.parametrize("value", ["sim:", "sim:."])
def test_a_simulated_tenant_without_a_file(planned: Situation, value: str) -> None:
    """A file that is not there is made, as the message says."""
    ran = planned("plan", "--tenant", value)
    assert ran.code == 64
    assert re.search("where FILE stores|a file that does not exist is made", ran.err)
    planned.planned("--tenant", "sim:new.json")
    ran = planned("apply", "plan.json", "--tenant", "sim:new.json", "--auto-approve")
    assert (planned.folder / "new.json").exists() == (ran.code == 0)


def test_a_capture_is_not_written_to(planned: Situation) -> None:
    assert planned("fetch", *SIM, "--out", "capture.json").code == 0
    ran = planned("apply", "plan.json", "--tenant", "capture.json", "--auto-approve")
    assert "Use `sim:FILE` or `live`" in ran.err
    assert planned(*APPLY, "--auto-approve").code == 0
    assert gained(planned) == {(A, USERS[0])}


def test_the_plan_of_another_tenant(planned: Situation) -> None:
    """Nothing is written there; the right tenant is."""
    planned.tenant["tenant"]["tenantId"] = ELSEWHERE
    (planned.folder / "other.json").write_text(json.dumps(planned.tenant))
    ran = planned("apply", "plan.json", "--tenant", "sim:other.json", "--auto-approve")
    assert ran.code != 0
    assert f"is {ELSEWHERE}; choose the right tenant" in ran.err
    assert planned(*APPLY, "--auto-approve").code == 0


def test_a_part_that_was_not_read(planned: Situation, live: Stage) -> None:
    """`drift` says that Exchange was not read; with a way to sign in it is."""
    exchange = planned.documents[0]["spec"]["connect"].pop("exchange")
    planned.settle()
    drift = ("drift", "--tenant", "live")
    assert "or say in `spec.connect` how to sign in to it" in planned(*drift).out
    planned.documents[0]["spec"]["connect"]["exchange"] = exchange
    planned.settle()
    assert "was not read" not in planned(*drift).out
    assert live.begin.sessions
