"""What keeps a tenant itself from being read or written: `doctor` shows what the message says that it
shows, and once that is mended the command goes through.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler.errors import TenantFault
from reconciler.kinds.facts import facts
from reconciler.powershell.faults import DoorFault, SessionLost
from tests.conftest import PRINTED
from tests.live.service import DENIED, error, output
from tests.live.sessions import FakeSession
from tests.remedies.situations import SIM, A
from tests.strategies.tenants import SCOPES, USERS, guid, teams_policy

if TYPE_CHECKING:
    from tests.live.stages import Stage
    from tests.remedies.situations import Situation

LIVE = ("--tenant", "live")
DOCTOR = "`reconciler doctor`"
ODD = "This cmdlet will look different soon."


@pytest.fixture
def signed(situation: Situation, live: Stage) -> Stage:
    """A live tenant, and documents by which one person is reached."""
    situation.teams("P", applications=[A], grants={"users": [USERS[0]]})
    situation.settle()
    return live


def begin_with(stage: Stage, **more: Any) -> None:
    """Sessions that are otherwise than they should be."""
    made = {"make": lambda _connection: FakeSession(stage.service, **more)}
    stage.begin = replace(stage.begin, **made)


def mended(stage: Stage, here: Situation) -> None:
    """Everything is as it should be: both the doctor and the reading say so."""
    stage.service.heal()
    stage.service.warns.clear()
    begin_with(stage)
    assert here("doctor", "policies").code == 0
    assert here("plan", *LIVE).code == 0


def test_what_the_doctor_says_next(situation: Situation, signed: Stage) -> None:
    """In order, it prints the command that reads the tenant; without the folder, how to name it."""
    (folder,) = {path.name for path in situation.folder.iterdir() if path.is_dir()}
    line = situation("doctor", "policies").out.splitlines()[-1]
    assert situation(*shlex.split(line.partition("Next: reconciler ")[2])).code == 0
    assert situation("plan", "--tenant", "capture.json").code == 0
    (situation.folder / folder).rename(situation.folder / "elsewhere")
    assert "pass its folder: `reconciler doctor PATH`" in situation("doctor").out
    assert situation("doctor", "elsewhere").code == 0
    assert signed.begin.sessions


def test_a_refused_sign_in(situation: Situation, signed: Stage) -> None:
    refusal = error("AADSTS7000215: Invalid client secret provided.")
    signed.service.spoil("Connect-MicrosoftTeams", refusal, times=2)
    ran = situation("plan", *LIVE)
    assert (ran.code, f"{DOCTOR} checks the way to sign in" in ran.err) == (1, True)
    assert re.search("fault +teams +sign-in: .*AADSTS7000215", situation("doctor", "policies").out)
    mended(signed, situation)


def test_a_session_that_does_not_say_its_module(situation: Situation, signed: Stage) -> None:
    row = {"TenantID": situation.documents[0]["spec"]["tenantId"], "State": "Connected"}
    signed.service.spoil("Get-ConnectionInformation", output(row), times=2)
    situation.exchange("x", A, SCOPES[0], "DenyAccess")
    situation.settle()
    ran = situation("plan", *LIVE)
    assert f"{DOCTOR} shows which versions are known" in ran.err
    assert "known: " in situation("doctor", "policies").out
    mended(signed, situation)


@pytest.mark.parametrize("cmdlet", ["Get-CsOnlineUser", "Grant-CsApplicationAccessPolicy"])
def test_a_role_that_is_missing(situation: Situation, signed: Stage, cmdlet: str) -> None:
    """A cmdlet that was not imported: the doctor names it, and with it the command goes through."""
    situation("plan", *LIVE, "--out", "plan.json")
    digest = situation.plan()["content_digest"]
    apply = ("apply", "plan.json", *LIVE, "--auto-approve", "--digest", digest)
    begin_with(signed, missing=[cmdlet])
    ran = situation(*apply)
    assert f"{DOCTOR} shows each" in ran.err
    assert f"{cmdlet}: " in situation("doctor", "policies").out
    assert signed.service.calls("Grant-CsApplicationAccessPolicy") == []
    begin_with(signed)
    assert situation(*apply).code == 0
    assert len(signed.service.calls("Grant-CsApplicationAccessPolicy")) == 1


def test_what_the_account_may_not_do(situation: Situation, signed: Stage) -> None:
    signed.service.spoil("Get-CsApplicationAccessPolicy", DENIED, times=20)
    ran = situation("plan", *LIVE)
    assert f"{DOCTOR} shows which role is missing" in ran.err
    assert "give the account the role" in situation("doctor", "policies").out
    mended(signed, situation)


def test_objects_without_what_is_needed(situation: Situation, signed: Stage) -> None:
    signed.service.spoil("Get-CsApplicationAccessPolicy", output({"Identity": "Global"}), times=20)
    ran = situation("plan", *LIVE)
    assert f"{DOCTOR} shows which versions are known" in ran.err
    assert "known: " in situation("doctor", "policies").out
    mended(signed, situation)


@pytest.mark.parametrize(
    "lost", [DoorFault("no PowerShell"), SessionLost("it ended", sent=True)], ids=["none", "ended"]
)
def test_no_powershell(situation: Situation, signed: Stage, lost: Exception) -> None:
    """The line above says what is wrong; done with that, the doctor is run again."""

    class Losing(FakeSession):
        def load(self, *_: Any, **__: Any) -> Any:
            raise lost

    signed.begin = replace(signed.begin, make=lambda _connection: Losing(signed.service))
    if isinstance(lost, DoorFault):

        def none(_connection: Any) -> FakeSession:
            raise lost

        signed.begin = replace(signed.begin, make=none)
    ran = situation("doctor", "policies")
    assert ran.code == 1
    assert "run `reconciler doctor` again" in ran.out
    mended(signed, situation)


def test_too_many_refusals_alike(situation: Situation, signed: Stage) -> None:
    """Three in a row look like a lost role: the doctor shows it, and the same plan ends the rest."""
    situation.documents[-1]["spec"]["grants"]["users"] = list(USERS)
    situation.teams("Q", applications=[A])
    situation.settle()
    situation("plan", *LIVE, "--out", "plan.json")
    apply = ("apply", "plan.json", *LIVE, "--auto-approve", "--approved", "plan.json")
    refusal = error("User can't be granted this policy")
    signed.service.spoil("Grant-CsApplicationAccessPolicy", refusal, times=20)
    ran = situation(*apply, "--keep-going")
    assert (ran.code, f"({DOCTOR} shows it)" in ran.out + ran.err) == (6, True)
    begin_with(signed, missing=["Grant-CsApplicationAccessPolicy"])
    assert "this account can plan but not apply" in situation("doctor", "policies").out
    mended(signed, situation)
    situation("plan", *LIVE, "--out", "plan.json")
    assert situation(*apply).code == 0


# what the Tenant document has to say


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (("connect", "teams"), "add `spec.connect.teams` (`reconciler schema Tenant`)"),
        (("organization",), "add `organization: NAME.onmicrosoft.com` to the Tenant document"),
    ],
    ids=["way to sign in", "organization"],
)
def test_what_the_tenant_document_lacks(
    situation: Situation, signed: Stage, left_out: tuple[str, ...], said: str
) -> None:
    *parents, key = left_out
    place = situation.documents[0]["spec"]
    for parent in parents:
        place = place[parent]
    value = place.pop(key)
    situation.exchange("x", A, SCOPES[0], "DenyAccess")
    situation.settle()
    ran = situation("plan", *LIVE)
    assert (ran.code, said in ran.err) == (1, True)
    assert key in situation("schema", "Tenant").out
    place[key] = value
    situation.settle()
    mended(signed, situation)


def test_the_credential_of_another_tenant(situation: Situation, signed: Stage) -> None:
    signed.service.signs_in_to = guid("9", 0)
    ran = situation("plan", *LIVE)
    assert "Correct `tenantId` of the Tenant document, or the variables that" in ran.err
    signed.service.signs_in_to = situation.documents[0]["spec"]["tenantId"]
    mended(signed, situation)


@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_reading_that_warned(situation: Situation, signed: Stage, product: str) -> None:
    """The consent that is printed lets just that reading pass, and the plan names it; the doctor
    prints the same one.
    """
    situation.exchange("x", A, SCOPES[0], "DenyAccess")
    situation.settle()
    cmdlet = facts(product).reads[0] if product == "teams" else "Get-ApplicationAccessPolicy"
    assert cmdlet.endswith("ApplicationAccessPolicy")
    signed.service.warns[cmdlet] = [ODD]
    ran = situation("plan", *LIVE, "--out", "plan.json")
    (words,) = re.findall(r"consent: (--allow \S+), or the same", ran.err)
    assert ran.code == 1
    assert f"consent with {words}" in situation("doctor", "policies").out
    ran = situation("plan", *LIVE, "--out", "plan.json", *shlex.split(words))
    assert ran.code == 0, ran.err
    assert situation.plan()["consents"] == [f"read-warning:{product}"]
    assert ODD in ran.out
    situation.documents[0]["spec"]["consents"] = [f"read-warning:{product}"]
    situation.settle()
    assert situation("plan", *LIVE).code == 0


def test_a_tenant_without_exchange_policies(situation: Situation, signed: Stage) -> None:
    """The error that Exchange tells it by: `fetch` reads it as none."""
    text = (
        "The operation couldn't be performed because object "
        "'OU=contoso.onmicrosoft.com,OU=Microsoft Exchange Hosted Organizations\\*' couldn't be found"
        " on 'x'. ManagementObjectNotFoundException"
    )
    ran = situation("diagnose", "-", *LIVE, stdin=text)
    assert "Nothing is wrong: `reconciler fetch` reads it as none." in ran.out
    situation.exchange("x", A, SCOPES[0], "DenyAccess")
    situation.settle()
    assert situation("fetch", *LIVE, "--out", "capture.json").code == 0
    capture = json.loads((situation.folder / "capture.json").read_text())
    assert (capture["exchange"]["complete"], capture["exchange"]["policies"]) == (True, [])
    assert signed.begin.sessions


def test_a_cmdlet_that_is_not_there(situation: Situation, signed: Stage) -> None:
    text = "The term 'Get-CsApplicationAccessPolicy' is not recognized as a name of a cmdlet."
    said = situation("diagnose", "-", *LIVE, stdin=text).out
    assert "`reconciler doctor` says which." in said
    begin_with(signed, missing=["Get-CsApplicationAccessPolicy"])
    shown = situation("doctor", "policies").out
    assert re.search("fault +teams +Get-CsApplicationAccessPolicy: ", shown)
    mended(signed, situation)


def test_a_repository_of_a_live_tenant(situation: Situation, live: Stage) -> None:
    """The commands that its README lists, in their order, from the first export to an apply."""
    live.set(teams={"policies": [teams_policy("P", [A])], "groupAssignments": [], "users": []})
    spec = situation.documents[0]["spec"]
    who = ("--tenant-id", spec["tenantId"], "--organization", spec["organization"])
    assert situation("init", *who).code == 0
    written = (situation.folder / "README.md").read_text()
    PRINTED.append(written)
    export, plan, apply, validate = re.findall(r"`reconciler ([^`]+)`", written)
    (situation.folder / "policies" / "tenant.yaml").unlink()
    situation.settle()
    assert situation(*shlex.split(export)).code == 0
    situation.teams("Q", applications=[A], grants={"users": [USERS[0]]})
    situation.settle()
    assert situation(*shlex.split(plan)).code == 0
    digest = situation.plan()["content_digest"]
    assert situation(*shlex.split(validate)).code == 0
    ran = situation(*shlex.split(apply), "--auto-approve", "--digest", digest)
    assert ran.code == 0, ran.err
    (call,) = live.service.calls("Grant-CsApplicationAccessPolicy")
    assert call["PolicyName"] == "Q"


def test_access_tests_that_could_not_be_run(
    situation: Situation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything was applied, and the tenant did not answer any more: the command runs them."""
    situation.teams("P", applications=[A], grants={"users": [USERS[0]]})
    situation.access_test("stays", application=A, meetingsOf=USERS[0], access="granted")
    situation.settle()
    situation.planned()

    def silent(*_: Any) -> None:
        raise TenantFault("no answer")

    with monkeypatch.context() as patch:
        patch.setattr("reconciler.cli.testing._again", silent)
        ran = situation("apply", "plan.json", *SIM, "--auto-approve")
    assert (ran.code, "could not be run: run `reconciler test`" in ran.err) == (7, True)
    ran = situation("test", *SIM)
    assert (ran.code, "1 passed" in ran.out) == (0, True)
