"""A reading that comes with a warning is not complete, unless somebody consented to that warning;
one that shows a sign of having been cut never is (law 1).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.captures import reading
from reconciler.errors import CaptureFault, TenantFault
from reconciler.powershell.answers import Answer, Raised, ServiceError
from reconciler.tenants.live import questions
from reconciler.tenants.live.warnings import sign_of_truncation
from reconciler.tenants.protocol import CaptureRequest
from tests.live.service import output
from tests.live.test_capture import ROWS, capture, two_holders
from tests.strategies.tenants import BOTH, SCOPES, TENANT, USERS, exchange_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.observed import Observed
    from tests.live.places import Place
    from tests.live.stages import Stage

MORE = (
    "There are more results available than are currently displayed. To view them, increase the"
    " value for the ResultSize parameter."
)
MEHR = "Es gibt weitere Ergebnisse. Erhöhen Sie den Wert für den Parameter ResultSize."
ODD = "This cmdlet will look different soon."
CMDLETS = {
    "Get-CsApplicationAccessPolicy": "teams",
    "Get-CsGroupPolicyAssignment": "teams",
    "Get-CsOnlineUser": "teams",
    "Get-ApplicationAccessPolicy": "exchange",
}


def parsed(raw: Mapping[str, Any], *tolerated: Any) -> Observed:
    return reading.parse_capture(
        raw, source="live", tenant_id=TENANT, needs=BOTH, tolerated=frozenset(tolerated)
    )


@pytest.mark.parametrize(
    "text", [MORE, MEHR, "Output was truncated.", "@odata.nextLink was not followed"]
)
@pytest.mark.parametrize("cmdlet", CMDLETS)
def test_a_sign_of_a_list_that_was_cut_ends_the_reading(
    stage: Stage, cmdlet: str, text: str
) -> None:
    stage.set(
        teams=two_holders(),
        exchange={"policies": [exchange_policy(USERS[0], SCOPES[0], "DenyAccess")]},
    )
    stage.service.warns[cmdlet] = [text]
    with pytest.raises(
        TenantFault, match=f"{cmdlet} returned [0-9]+ objects and warned that"
    ) as fault:
        capture(stage)
    assert "no consent changes that" in str(fault.value)
    assert json.dumps(text)[:40] in str(fault.value)
    assert "--allow" not in str(fault.value)


@pytest.mark.parametrize("cmdlet", CMDLETS)
def test_any_other_warning_makes_the_reading_incomplete(stage: Stage, cmdlet: str) -> None:
    product = CMDLETS[cmdlet]
    stage.set(teams=two_holders())
    stage.service.warns[cmdlet] = [ODD]
    raw = capture(stage)
    assert raw[product]["warnings"] == [{"cmdlet": cmdlet, "text": ODD}]
    with pytest.raises(CaptureFault, match=f"{cmdlet} warned: ") as fault:
        parsed(raw)
    assert f"--allow read-warning:{product}" in str(fault.value)
    assert ODD in str(fault.value)
    other = next(iter(BOTH - {product}))
    with pytest.raises(CaptureFault):
        parsed(raw, other)
    observed = parsed(raw, product)
    assert [tuple(one) for one in observed.warnings] == [(product, cmdlet, json.dumps(ODD))]
    assert set(observed.states) == BOTH


def test_a_product_that_nobody_needs_is_unread_and_the_other_one_is_not(stage: Stage) -> None:
    stage.service.warns["Get-ApplicationAccessPolicy"] = [ODD]
    observed = reading.parse_capture(
        capture(stage), source="live", tenant_id=TENANT, needs=frozenset({"teams"})
    )
    assert set(observed.states) == {"teams"}


@pytest.mark.parametrize(
    ("cmdlet", "request_"),
    [
        ("Get-CsOnlineUser", CaptureRequest(frozenset(), users=(USERS[0],))),
        ("Get-Recipient", CaptureRequest(frozenset(), recipients=(SCOPES[0],))),
        ("Get-Recipient", CaptureRequest(frozenset(), recipients=("scope0@contoso.com",))),
        ("Get-DistributionGroupMember", CaptureRequest(frozenset(), recipients=(SCOPES[0],))),
        ("Get-Group", CaptureRequest(frozenset(), recipients=(SCOPES[0],))),
    ],
)
def test_looking_names_up_is_a_reading_too(
    stage: Stage, cmdlet: str, request_: CaptureRequest
) -> None:
    stage.service.warns[cmdlet] = [ODD]
    raw = capture(stage, request_)
    with pytest.raises(CaptureFault, match=f"{cmdlet} warned"):
        reading.parse_capture(raw, source="live", tenant_id=TENANT, needs=frozenset())


def test_a_full_page_of_recipients_by_address_may_hide_whoever_was_asked_for(stage: Stage) -> None:
    rows = [
        output(
            {
                "ExternalDirectoryObjectId": f"{number:08}-0000-4000-8000-000000000000",
                "PrimarySmtpAddress": f"other{number}@contoso.com",
                "RecipientTypeDetails": "UserMailbox",
                "IsValidSecurityPrincipal": True,
            }
        )
        for number in range(1000)
    ]
    stage.service.spoil("Get-Recipient", *rows)
    with pytest.raises(TenantFault, match="returned 1000 objects, which is as many as one call"):
        capture(stage, CaptureRequest(frozenset(), recipients=("wanted@contoso.com",)))


@pytest.mark.parametrize(
    ("count", "asked", "warnings", "cut"),
    [
        (50, 50, (), True),
        (49, 50, (), False),
        (50, "50", (), True),
        (1000, "Unlimited", (), False),
        (1000, "Unlimited", ("Quelque chose.",), True),
        (999, None, ("Quelque chose.",), True),
        (1234, None, ("Seuls 1 234 objets sont affichés.",), True),
        (1234, None, ("Nur 1.234 Objekte werden angezeigt.",), True),
        (1234, None, ("Quelque chose.",), False),
        (7, None, ("7 parameters will change.",), False),
    ],
)
def test_signs_that_need_no_language(
    count: int, asked: Any, warnings: tuple[str, ...], cut: bool
) -> None:
    parameters = {} if asked is None else {"ResultSize": asked}
    question = questions.TenantQuestion("Get-CsOnlineUser", parameters, ())
    answer = Answer([{}] * count, warnings, (), ())
    assert (sign_of_truncation(question, answer) is not None) is cut


def test_a_capture_file_keeps_its_warnings_and_needs_the_consent_too(stage: Stage) -> None:
    stage.service.warns["Get-CsOnlineUser"] = [ODD]
    raw = json.loads(json.dumps(capture(stage, ROWS)))
    with pytest.raises(CaptureFault, match=r"\$\.teams\.warnings"):
        parsed(raw)
    assert parsed(raw, "teams").warnings


# through processes and the command line


def test_a_consent_is_quoted_in_the_plan_and_holds_for_its_apply(place: Place) -> None:
    place.service.warns["Get-CsOnlineUser"] = [ODD]
    refused = place("plan", "--out", "plan.json")
    assert refused.code == 1
    assert "To allow" not in refused.err
    assert "--allow read-warning:teams" in refused.err
    assert not (place.folder / "plan.json").exists()
    assert place("fetch", "--out", "capture.json").code == 1
    assert place("fetch", "--out", "capture.json", "--allow", "read-warning:teams").code == 0
    assert place("plan", tenant="capture.json").code == 1
    planned = place("plan", "--out", "plan.json", "--allow", "read-warning:teams")
    assert planned.code == 0, planned.err
    assert f"[cmdlet Get-CsOnlineUser, text {json.dumps(ODD)}]" in planned.out
    plan = json.loads((place.folder / "plan.json").read_text(encoding="utf-8"))
    assert "read-warning:teams" in plan["consents"]
    applied = place.apply()
    assert applied.code == 0, applied.out + applied.err


def test_a_warning_that_nobody_consented_to_stops_an_apply_before_it_writes(place: Place) -> None:
    place.plan()
    before = place.tenant()
    place.service.warns["Get-CsOnlineUser"] = [ODD]
    applied = place.apply()
    assert applied.code == 1
    assert "read-warning:teams" in applied.err
    assert place.tenant() == before


def test_no_consent_covers_a_list_that_was_cut(place: Place) -> None:
    place.service.warns["Get-CsOnlineUser"] = [MORE]
    ran = place("plan", "--allow", "read-warning:teams", "--allow", "read-warning:exchange")
    assert ran.code == 1
    assert "more results available" in ran.err


def test_doctor_tells_the_warning(place: Place) -> None:
    place.service.warns["Get-ApplicationAccessPolicy"] = [ODD]
    ran = place("doctor", "policies", tenant="")
    assert f"Get-ApplicationAccessPolicy warned: {json.dumps(ODD)}" in ran.out


def test_a_consent_is_for_what_the_plan_quotes(place: Place) -> None:
    """Who consented to one warning has not consented to the next one."""
    place.service.warns["Get-CsOnlineUser"] = [ODD]
    assert place("plan", "--out", "plan.json", "--allow", "read-warning:teams").code == 0
    approved = json.loads((place.folder / "plan.json").read_text(encoding="utf-8"))
    before = place.tenant()
    place.service.warns["Get-CsOnlineUser"] = ["Some users are missing."]
    applied = place.apply()
    assert (applied.code, place.tenant()) == (1, before)
    assert '"Some users are missing.", which the plan does not quote' in applied.err
    assert place("plan", "--out", "new.json", "--allow", "read-warning:teams").code == 0
    new = json.loads((place.folder / "new.json").read_text(encoding="utf-8"))
    assert new["content_digest"] != approved["content_digest"]
    shown = place("show", "new.json", "--against", "plan.json", tenant="")
    assert "what the services warned of" in shown.out


def test_ids_and_times_make_no_other_warning(place: Place) -> None:
    for number, moment in (1, "09:15"), (2, "11:59:01.25"):
        place.service.warns["Get-CsOnlineUser"] = [
            f"Request 0f1e2d3c-0000-4000-8000-00000000000{number} of 2027-01-0{number} {moment}",
            f"{ODD} Look it up by its id, which is {number}f1e2d3c-0000-4000-8000-000000000000",
        ]
        if number == 1:
            assert place("plan", "--out", "plan.json", "--allow", "read-warning:teams").code == 0
    assert place.apply().code == 0


def test_a_sign_that_the_module_suppresses_is_a_sign_too() -> None:
    question = questions.TenantQuestion("Get-CsOnlineUser", {}, ())
    quiet = ServiceError("Paging", "NotSpecified", "", "", "", (Raised("E", "nextLink: 502"),))
    assert sign_of_truncation(question, Answer([{}] * 7, (), (), (quiet,)))
    other = ServiceError("Gone", "NotSpecified", "", "", "", (Raised("E", "no variable x"),))
    assert sign_of_truncation(question, Answer([{}] * 7, (), (), (other,))) is None
