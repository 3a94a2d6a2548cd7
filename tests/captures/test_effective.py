"""What effective assignments of users prove of groups whose members nobody has read: what is decided
by it is right, now and whatever changes, and it decides nothing but questions and access tests.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reconciler
from reconciler.audiences.verdicts import Depends
from reconciler.captures.reading import parse_capture
from reconciler.kinds.products import PRODUCTS
from reconciler.tenants.protocol import CaptureRequest
from reconciler.tenants.simulated import Simulator
from tests.cli.sample import settle
from tests.strategies.tenants import (
    APPS,
    GROUPS,
    TENANT,
    USERS,
    assignment,
    empty,
    grant,
    teams_policy,
    tenants,
)
from tests.thoroughness import samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.observed import Observed
    from tests.conftest import Run

NOW = "2026-11-02T08:30:00Z"
ASKING = CaptureRequest(frozenset({"teams"}), users=tuple(USERS), effective=tuple(USERS))


def _observed(raw: Mapping[str, Any]) -> Observed:
    return parse_capture(raw, source="live", tenant_id=TENANT, needs=frozenset({"teams"}))


def _blind(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The same reading as a live tenant gives it: nobody tells who is in groups."""
    copied = copy.deepcopy(dict(raw))
    copied["directory"]["groups"] = []
    copied["directory"]["absent"] = []
    return copied


@st.composite
def readings(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A tenant of random members, and the teams section of one whose grants are others."""
    state, other = draw(tenants()), draw(tenants())
    for group in state["directory"]["groups"]:
        group["members"] = draw(st.lists(st.sampled_from(USERS), unique=True))
    return state, other


def _aged(state: dict[str, Any], young: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The same with grants of groups that are old, but for some that were made just now."""
    rows = [
        {**row, "CreatedTime": NOW if row["GroupId"] in young else "2025-06-30T15:01:10Z"}
        for row in state["teams"]["groupAssignments"]
    ]
    return {**state, "teams": {**state["teams"], "groupAssignments": rows}}


def _captured(state: dict[str, Any], file: Path) -> Mapping[str, Any]:
    file.write_text(json.dumps(state), encoding="utf-8")
    return Simulator(file).capture(ASKING)


def _verdicts(observed: Observed, members: Observed) -> dict[tuple[str, str], Any]:
    judge = PRODUCTS["teams"].judge(observed.states["teams"], members.directory)
    return {(app, user): judge(app, user)[1] for app in APPS for user in USERS}


@settings(max_examples=samples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reading=readings(), data=st.data())
def test_what_is_decided_is_right_now_and_after_any_change(
    tmp_path: Path, reading: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    state, other = reading
    raw = _captured(_aged(state), tmp_path / "tenant.json")
    whole, blind = _observed(raw), _blind(raw)
    for answer in blind["teams"].get("effective", ()):
        for row in answer["rows"]:  # a service that tells the deciding source only is believed too
            kept = data.draw(st.integers(1, len(row["PolicySource"])))
            row["PolicySource"] = row["PolicySource"][:kept]
    seen = _observed(blind)
    assert all(not answer.doubt for answer in seen.directory.effective.values())
    for key, verdict in _verdicts(seen, seen).items():
        assert not isinstance(verdict, Depends), key
        assert type(verdict) is type(_verdicts(whole, whole)[key]), key
    after = _observed({**raw, "teams": {**raw["teams"], **_section(other, tmp_path)}})
    truth = _verdicts(after, whole)
    for key, verdict in _verdicts(after, seen).items():
        assert isinstance(verdict, Depends) or type(verdict) is type(truth[key]), key


@settings(max_examples=samples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reading=readings(), young=st.frozensets(st.sampled_from(GROUPS), min_size=1))
def test_what_the_service_has_not_noticed_decides_nothing_wrong(
    tmp_path: Path, reading: tuple[dict[str, Any], dict[str, Any]], young: frozenset[str]
) -> None:
    state = _aged(reading[0], young)
    raw = _captured(state, tmp_path / "tenant.json")
    old = [row for row in state["teams"]["groupAssignments"] if row["GroupId"] not in young]
    noticed = {**state, "teams": {**state["teams"], "groupAssignments": old}}
    answers = _captured(noticed, tmp_path / "noticed.json")["teams"].get("effective", [])
    whole, blind = _observed(raw), _blind(raw)
    blind["teams"]["effective"] = answers
    seen = _observed(blind)
    truth = _verdicts(whole, whole)
    for key, verdict in _verdicts(seen, seen).items():
        assert isinstance(verdict, Depends) or type(verdict) is type(truth[key]), key


def _section(state: dict[str, Any], tmp_path: Path) -> Mapping[str, Any]:
    section = dict(_captured(state, tmp_path / "other.json")["teams"])
    section.pop("effective", None)
    return section


def _two_groups(created: Any = "2025-06-30T15:01:10Z", **more: Any) -> dict[str, Any]:
    """Beta's group is stronger than Alpha's; user 1 holds Gamma directly."""
    return {
        **empty()["teams"],
        "complete": True,
        "policies": [
            *empty()["teams"]["policies"],
            *(teams_policy(name, APPS[:1]) for name in ("Alpha", "Beta", "Gamma")),
        ],
        "groupAssignments": [
            {**row, "CreatedTime": created}
            for row in (
                assignment(GROUPS[0], "Beta", 1),
                assignment(GROUPS[1], "Alpha", 2),
                assignment(GROUPS[2], "Alpha", 3),
            )
        ],
        "users": [grant(USERS[1], "Gamma")],
        "reads": [
            {"cmdlet": cmdlet, "parameters": {}, "count": count, "taken_at": "2026-11-02T09:00:00Z"}
            for cmdlet, count in (
                ("Get-CsApplicationAccessPolicy", 4),
                ("Get-CsGroupPolicyAssignment", 3),
                ("Get-CsOnlineUser", 1),
            )
        ],
        **more,
    }


def _read(
    *answers: Any,
    groups: list[dict[str, Any]] | None = None,
    created: Any = "2025-06-30T15:01:10Z",
) -> Observed:
    return _observed(
        {
            "format_version": "1.0",
            "tool": "reconciler 0.1.0",
            "tenant": {"tenantId": TENANT},
            "taken_at": "2026-11-02T09:00:00Z",
            "teams": _two_groups(created, effective=list(answers)),
            "exchange": None,
            "directory": {"users": [], "groups": groups or [], "recipients": [], "absent": []},
        }
    )


def _row(policy: Any, *sources: Any, kind: str = "ApplicationAccessPolicy") -> dict[str, Any]:
    return {"PolicyType": kind, "PolicyName": policy, "PolicySource": list(sources)}


def _group(policy: Any, group: Any, kind: Any = "Group") -> dict[str, Any]:
    return {"AssignmentType": kind, "PolicyName": policy, "Reference": group}


def _answer(*rows: Any, user: str = USERS[0]) -> dict[str, Any]:
    return {"user": user, "taken_at": "2026-11-02T09:00:00Z", "rows": list(rows)}


ALPHA = _row("Tag:alpha", _group("Alpha", GROUPS[1].upper()))
DIRECT = _row("Gamma", {"AssignmentType": "Direct", "PolicyName": "Gamma", "Reference": None})


@pytest.mark.parametrize(
    ("answer", "members"),
    [
        (_answer(), dict.fromkeys(GROUPS[:3], False)),
        (_answer(ALPHA), {GROUPS[0]: False, GROUPS[1]: True}),
        (
            _answer(_row("Alpha", _group("Alpha", GROUPS[2]))),
            {
                GROUPS[0]: False,
                GROUPS[2]: True,
            },  # of the second, with the same policy, it is not told
        ),
        (
            _answer(_row("Beta", _group("Beta", GROUPS[0]), _group("Alpha", GROUPS[2]))),
            {GROUPS[0]: True, GROUPS[2]: True},
        ),
    ],
)
def test_what_an_answer_proves(answer: Any, members: dict[str, bool]) -> None:
    effective = _read(answer).directory.effective
    assert {user: dict(each.members) for user, each in effective.items()} == {USERS[0]: members}


@pytest.mark.parametrize(
    ("created", "settled"),
    [
        ("2026-10-31T08:59:59Z", True),
        ("2026-10-31T08:59:59.1234567+00:00", True),
        ("2026-10-31T08:00:00", True),
        ("2026-10-31T09:00:01Z", False),
        ("2027-01-01T00:00:00Z", False),
        ("yesterday", False),
        (None, False),
        (7, False),
    ],
)
def test_absence_is_proved_of_old_grants_only(created: Any, settled: bool) -> None:
    effective = _read(_answer(), created=created).directory.effective
    assert (USERS[0] in effective) == settled
    effective = _read(_answer(ALPHA), created=created).directory.effective
    assert effective[USERS[0]].members[GROUPS[1]]
    assert (GROUPS[0] in effective[USERS[0]].members) == settled


def test_what_is_known_already_is_not_proved_again() -> None:
    groups = [
        {"id": group, "displayName": "", "members": members}
        for group, members in zip(GROUPS, ([], [USERS[0]], []), strict=False)
    ]
    assert _read(_answer(ALPHA), groups=groups).directory.effective == {}
    assert _read(_answer(DIRECT, user=USERS[1])).directory.effective == {}


DOUBTS = {
    "no row, but a direct grant": _answer(user=USERS[1]),
    "a group, but a direct grant": _answer(ALPHA, user=USERS[1]),
    "direct, but no grant": _answer(DIRECT),
    "direct, another policy": _answer(
        _row("Alpha", {"AssignmentType": "Direct", "PolicyName": "Alpha"}), user=USERS[1]
    ),
    "a group without a grant": _answer(_row("Alpha", _group("Alpha", GROUPS[3]))),
    "a group with another policy": _answer(_row("Beta", _group("Beta", GROUPS[1]))),
    "the weaker group decides": _answer(
        _row("Alpha", _group("Beta", GROUPS[0]), _group("Alpha", GROUPS[1]))
    ),
    "no source": _answer(_row("Alpha")),
    "two rows": _answer(ALPHA, ALPHA),
    "another type": _answer(_row("Alpha", _group("Alpha", GROUPS[1]), kind="TeamsMeetingPolicy")),
    "no name": _answer(_row(None, _group("Alpha", GROUPS[1]))),
    "another kind of source": _answer(_row("Alpha", _group("Alpha", GROUPS[1], "Rule"))),
    "a source without an id": _answer(_row("Alpha", _group("Alpha", "Meeting hosts"))),
    "a source that is none": _answer(_row("Alpha", 7)),
    "a row that is none": _answer(7),
    "no rows": {"user": USERS[0], "taken_at": ""},
    "trouble": {"user": USERS[0], "taken_at": "", "trouble": "teams: it failed"},
    "a direct and a group": _answer(_row("Alpha", *DIRECT["PolicySource"])),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_contradicts_or_is_odd_proves_nothing_and_is_told(name: str) -> None:
    answer = DOUBTS[name]
    effective = _read(answer).directory.effective
    assert [(user, each.members) for user, each in effective.items()] == [(answer["user"], {})]
    assert effective[answer["user"]].doubt


def test_two_answers_and_other_members_are_contradictions() -> None:
    assert "several answers" in _read(_answer(), _answer()).directory.effective[USERS[0]].doubt
    groups = [{"id": GROUPS[1], "displayName": "", "members": []}]
    doubt = _read(_answer(ALPHA), groups=groups).directory.effective[USERS[0]].doubt
    assert "say otherwise" in doubt


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([*GROUPS, "Alpha", "Group", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["user", "rows", "PolicyType", "PolicyName", "PolicySource", "AssignmentType"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(_JSON, max_size=3))
def test_no_answer_is_a_traceback(rows: list[Any]) -> None:
    state = _read().states["teams"]
    directory = _read().directory
    entries = [{"user": USERS[0], "taken_at": "", "rows": rows}, *rows]
    answers = PRODUCTS["teams"].effective({"effective": entries}, state, directory)
    for answer in answers.values():
        assert bool(answer.doubt) != bool(answer.members)


def test_nothing_else_looks_at_effective_assignments() -> None:
    """Neither the order of steps, nor the checker, nor what a plan says of access."""
    package = Path(reconciler.__file__).parent
    looking = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "directory.effective" in path.read_text(encoding="utf-8")
    }
    assert looking == {
        "applying/verifying.py",  # after the plan: whether a grant is effective
        "captures/digests.py",
        "cli/answering.py",
        "cli/sources.py",
        "kinds/teams/effective_sources.py",
    }
    using = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "import effective_answers, membership" in path.read_text(encoding="utf-8")
        or "effective_sources import membership" in path.read_text(encoding="utf-8")
    }
    assert using == {"kinds/teams/explaining.py", "kinds/teams/product.py"}


TEST = """apiVersion: reconciler/v1
kind: AccessTest
metadata: {name: isaiah}
spec:
  expect:
    - {application: webinar-studio, meetingsOf: isaiah.langer@contoso.com, access: granted}
"""


def _blind_sample(run: Run, folder: Path) -> None:
    settle(folder)
    (folder / "policies/isaiah.yaml").write_text(TEST, encoding="utf-8")
    fetched = run("fetch", "--tenant", "sim:tenant.json", "--out", "whole.json")
    assert fetched.code == 0, fetched.err
    raw = json.loads((folder / "whole.json").read_text(encoding="utf-8"))
    blind = _blind(raw)
    (folder / "blind.json").write_text(json.dumps(blind), encoding="utf-8")
    del blind["teams"]["effective"]
    (folder / "without.json").write_text(json.dumps(blind), encoding="utf-8")


def test_a_test_about_a_member_of_a_group_is_decided_and_says_by_what(
    run: Run, tmp_path: Path
) -> None:
    _blind_sample(run, tmp_path)
    without = run("test", "--tenant", "without.json")
    assert (without.code, "Effective assignments" in without.err) == (3, False)
    decided = run("test", "--tenant", "blind.json", "--format", "json")
    envelope = json.loads(decided.out)
    verdicts = {row["name"]: row["verdict"] for row in envelope["tests"]}
    assert verdicts["isaiah"] == "granted"
    assert "Effective assignments of" in decided.err
    asked = ("--app", "webinar-studio", "--meetings-of", "isaiah.langer@contoso.com")
    text = run("explain", *asked, "--capture", "blind.json").out
    assert text.startswith("GRANTED")
    assert "Groups of the user: by the effective assignment of 2026-11-02T06:30:00Z" in text
    text = run("explain", *asked, "--capture", "without.json").out
    assert text.startswith("DEPENDS")
    assert "effective assignment" not in text


def test_a_plan_claims_the_same_with_and_without(run: Run, tmp_path: Path) -> None:
    _blind_sample(run, tmp_path)
    plans = []
    for name in ("blind", "without"):
        run("plan", "--tenant", f"{name}.json", "--out", f"{name}.plan.json")
        plan = json.loads((tmp_path / f"{name}.plan.json").read_text(encoding="utf-8"))
        for member in ("tests", "digest", "applicable", "refusals", "summary"):
            plan.pop(member, None)
        assert plan["inputs"].pop("capture_digest")
        plans.append(plan)
    assert plans[0] == plans[1]


def test_a_contradiction_is_told(run: Run, tmp_path: Path) -> None:
    _blind_sample(run, tmp_path)
    raw = json.loads((tmp_path / "blind.json").read_text(encoding="utf-8"))
    for answer in raw["teams"]["effective"]:
        answer["rows"] = [_row("Webinars", _group("Webinars", GROUPS[0]))]
    (tmp_path / "blind.json").write_text(json.dumps(raw), encoding="utf-8")
    ran = run("test", "--tenant", "blind.json")
    assert ran.code == 3
    assert (
        "The effective assignment of user c7c7dce2-9ff3-4c29-a179-8cb68aac52b4 is not used"
        in ran.err
    )
    assert "the grants that were read say otherwise" in ran.err
    ran = run("test", "--tenant", "blind.json", "--format", "json")
    rows = json.loads(ran.out)["effective"]
    assert {row["contradicts"] for row in rows} == {True}
    assert "c7c7dce2-9ff3-4c29-a179-8cb68aac52b4" in {row["user"] for row in rows}
    hidden = run("plan", "--tenant", "blind.json", "--format", "json", "--redact", "names")
    assert {row["user"] for row in json.loads(hidden.out)["effective"]} == {None}
