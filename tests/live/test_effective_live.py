"""A live tenant is asked what is effective for the users about whom somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.kinds.products import PRODUCTS
from reconciler.tenants.live.questions import EFFECTIVE
from tests.live import service
from tests.live.test_capture import ROWS, capture, observed, teams
from tests.strategies.tenants import APPS, GROUPS, STRANGER, USERS, assignment, grant, teams_policy

if TYPE_CHECKING:
    from reconciler.tenants.protocol import CaptureRequest
    from tests.live.stages import Stage

NAMES = tuple(f"User{number}@contoso.com" for number in range(3))


def asking(*names: str) -> CaptureRequest:
    return replace(ROWS, users=names, effective=names)


def grants(**more: Any) -> dict[str, Any]:
    """User 0 is in the third and in no other group that holds a policy, user 2 in none."""
    return teams(
        policies=[teams_policy("Alpha", APPS[:1]), teams_policy("Beta", [])],
        groupAssignments=[
            {**row, "CreatedTime": "2025-06-30T15:01:10Z"}
            for row in (assignment(GROUPS[0], "Beta", 1), assignment(GROUPS[2], "Alpha", 2))
        ],
        users=[grant(USERS[1], "Beta")],
        **more,
    )


def test_each_user_without_a_direct_grant_is_asked_about_once(stage: Stage) -> None:
    stage.set(teams=grants())
    raw = capture(stage, asking(*NAMES, STRANGER))
    assert stage.service.calls(EFFECTIVE) == [
        {"Identity": user, "PolicyType": service.POLICY} for user in (USERS[0], USERS[2])
    ]
    source = {"AssignmentType": "Group", "PolicyName": "Alpha", "Reference": GROUPS[2]}
    row = {"PolicyType": service.POLICY, "PolicyName": "Alpha", "PolicySource": [source]}
    at = "2025-10-09T08:53:20Z"
    assert raw["teams"]["effective"] == [
        {"user": USERS[0], "taken_at": at, "rows": [row]},
        {"user": USERS[2], "taken_at": at, "rows": []},
    ]
    counts = [read["count"] for read in raw["teams"]["reads"] if read["cmdlet"] == EFFECTIVE]
    assert counts == [1, 0]
    assert EFFECTIVE in {progress.cmdlet for progress in stage.told}
    seen = observed(raw)
    assert seen.directory.effective[USERS[0]].members == {GROUPS[0]: False, GROUPS[2]: True}
    judge = PRODUCTS["teams"].judge(seen.states["teams"], seen.directory)
    assert [type(judge(APPS[0], user)[1]).__name__ for user in USERS] == [
        "Granted",
        "Denied",
        "Denied",
    ]


def test_nobody_is_asked_about_where_no_group_holds_a_policy(stage: Stage) -> None:
    stage.set(teams={**grants(), "groupAssignments": []})
    assert "effective" not in capture(stage, asking(*NAMES))["teams"]
    stage.set(teams=grants())
    assert "effective" not in capture(stage)["teams"]
    assert stage.service.calls(EFFECTIVE) == []


def test_an_answer_that_fails_says_nothing_and_the_reading_is_complete(stage: Stage) -> None:
    stage.set(teams=grants())
    stage.service.spoil(EFFECTIVE, service.error("[NotFound] : no"))
    raw = capture(stage, asking(*NAMES))
    assert [("trouble" in answer) for answer in raw["teams"]["effective"]] == [True, False]
    seen = observed(raw)
    assert "Get-CsUserPolicyAssignment failed" in seen.directory.effective[USERS[0]].doubt
    assert seen.directory.effective[USERS[2]].members


def test_after_three_failures_nobody_else_is_asked_about(stage: Stage) -> None:
    stage.set(teams={**grants(), "users": []})
    stage.service.spoil(EFFECTIVE, service.error("[NotFound] : no"), times=9)
    raw = capture(stage, asking(*NAMES))
    assert len(raw["teams"]["effective"]) == len(stage.service.calls(EFFECTIVE)) == 3


def test_what_is_odd_is_kept_as_it_was_read(stage: Stage) -> None:
    stage.set(teams=grants())
    odd = {"PolicyType": service.POLICY, "PolicyName": "Alpha", "PolicySource": "?"}
    stage.service.spoil(EFFECTIVE, service.output(odd))
    seen = observed(capture(stage, asking(NAMES[0])))
    assert "not understood" in seen.directory.effective[USERS[0]].doubt
