"""How a service spells and orders its rows is no news; a row that is missing is an error."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler import canonical
from reconciler.captures import reading
from reconciler.errors import CaptureFault, TenantFault
from reconciler.model.observed import ExchangeState, Observed, TeamsState
from reconciler.tenants.simulated import Simulator
from tests.strategies.tenants import APPS, BOTH, EVERYTHING, GROUPS, SCOPES, TENANT, USERS, tenants

if TYPE_CHECKING:
    import random

IDS = [*APPS, *USERS, *GROUPS, *SCOPES, TENANT]
LISTS = [("teams", "policies"), ("teams", "groupAssignments"), ("teams", "users"), ("exchange", "policies")]


def captured(tmp_path_factory: pytest.TempPathFactory, state: dict[str, Any]) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("tenant") / "tenant.json"
    path.write_bytes(canonical.dumps(state))
    return copy.deepcopy(dict(Simulator(path).capture(EVERYTHING)))


def parsed(raw: dict[str, Any]) -> Observed:
    return reading.parse(raw, source="capture", tenant_id=TENANT, needs=BOTH)


def respelled(raw: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The same tenant as another module version might print it."""
    text = canonical.dumps(raw).decode()
    for one in IDS:
        text = "".join(dice.choice((one, one.upper())) + part if number else part for number, part in enumerate(text.split(one)))
    again = json.loads(text)
    for row in again["teams"]["policies"]:
        row["Identity"] = row["Identity"].removeprefix("Tag:") if dice.random() < 0.5 else row["Identity"]
    for row in again["teams"]["groupAssignments"]:
        row[dice.choice(("Priority", "Rank"))] = row.pop("Priority") * 10 + dice.randrange(10)
        row["PolicyName"] = dice.choice((row["PolicyName"], row["PolicyName"].upper(), f"Tag:{row['PolicyName']}"))
    for row in again["teams"]["users"]:
        name = row.pop("ApplicationAccessPolicy")["Name"]
        row["ApplicationAccessPolicy"] = dice.choice((name, {"Authority": "Host", "Name": name.lower()}))
    for section, key in (*LISTS, ("directory", "users"), ("directory", "groups"), ("directory", "recipients")):
        dice.shuffle(again[section][key])
    return again


def shape(found: Observed) -> Observed:
    """An observed state without what the service spelled."""
    teams, exchange = found.teams, found.exchange
    assert teams is not None
    assert exchange is not None
    plain = {key: replace(policy, applications=dict.fromkeys(policy.applications, "")) for key, policy in teams.policies.items()}
    scopes = {key: replace(policy, identity=policy.identity.lower(), sid="") for key, policy in exchange.policies.items()}
    return replace(found, teams=TeamsState(plain, teams.groups, teams.users, teams.spelled), exchange=ExchangeState(scopes))


@given(tenants(), st.randoms(use_true_random=False))
def test_spelling_and_order_change_neither_state_nor_digest(tmp_path_factory, state, dice):
    raw = captured(tmp_path_factory, state)
    first, second = parsed(raw), parsed(respelled(raw, dice))
    assert shape(first) == shape(second)
    assert first.digest == second.digest
    assert first.teams is not None
    assert second.teams is not None
    assert list(first.teams.policies) == list(second.teams.policies)


@given(tenants(), st.booleans(), st.data())
def test_rows_that_are_read_one_by_one_say_what_whole_columns_say(tmp_path_factory, state, odd, data):
    raw = captured(tmp_path_factory, state)
    if odd:
        _respell_one(raw, data)
    again = copy.deepcopy(raw)
    for section in (again["directory"], again["teams"]):  # a row that stands twice, word for word, is no news, but is not read by columns
        section["users"] += section["users"][:1]
    for read in again["teams"]["reads"]:
        read["count"] += read["cmdlet"] == "Get-CsOnlineUser" and bool(raw["teams"]["users"])
    assert _read_or_refused(again) == _read_or_refused(raw)


def _respell_one(raw: dict[str, Any], data: st.DataObject) -> None:
    rows = [*raw["directory"]["users"], *raw["teams"]["users"]]
    row = data.draw(st.sampled_from(rows))
    key = data.draw(st.sampled_from(sorted(row)))
    row[key] = data.draw(
        st.sampled_from(
            [None, "", " ", "Ä\n", "a\u200bb", "x", 1, {"Name": "\u00e9"}, str(row[key]).upper(), *(one[key] for one in rows if key in one)]
        )
    )


def _read_or_refused(raw: dict[str, Any]) -> Observed | None:
    try:
        return parsed(raw)
    except CaptureFault:
        return None


@given(tenants(), st.data())
def test_a_missing_row_is_an_error(tmp_path_factory, state, data):
    raw = captured(tmp_path_factory, state)
    section, key = data.draw(st.sampled_from([place for place in LISTS if raw[place[0]][place[1]]]))
    del raw[section][key][data.draw(st.integers(0, len(raw[section][key]) - 1))]
    with pytest.raises(CaptureFault, match="not complete, fetch again"):
        parsed(raw)


@given(tenants(), tenants())
def test_different_tenants_have_different_digests(tmp_path_factory, one, other):
    first, second = parsed(captured(tmp_path_factory, one)), parsed(captured(tmp_path_factory, other))
    same = (first.teams, first.exchange) == (second.teams, second.exchange)
    assert (first.digest == second.digest) == same


@given(tenants())
def test_every_name_counts_in_the_digest(tmp_path_factory, state):
    before = parsed(captured(tmp_path_factory, state)).digest
    state["directory"]["users"][0]["displayName"] += "!"
    assert parsed(captured(tmp_path_factory, state)).digest != before


JSON = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just([]), st.just({}), st.just([[]]), st.just({"Name": []})
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, item in items for place in places(item, (*path, key))]


@given(tenants(), st.data())
def test_whatever_stands_anywhere_is_read_or_refused_with_a_message(tmp_path_factory, state, data):
    raw = captured(tmp_path_factory, state)
    *path, last = data.draw(st.sampled_from(places(raw)))
    inner: Any = raw
    for key in path:
        inner = inner[key]
    inner[last] = data.draw(JSON)
    with suppress(CaptureFault):
        parsed(raw)
    file = tmp_path_factory.mktemp("odd") / "tenant.json"
    file.write_bytes(json.dumps(raw).encode())
    with suppress(TenantFault, CaptureFault):
        parsed(dict(Simulator(file).capture(EVERYTHING)))
