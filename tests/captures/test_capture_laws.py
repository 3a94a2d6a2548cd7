"""How a service spells and orders its rows is no news; a row that is missing is an error."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler import canonical
from reconciler.captures import files, reading
from reconciler.captures.decoding import decode
from reconciler.captures.directory import RecipientRow
from reconciler.errors import CaptureFault, TenantFault
from reconciler.kinds.teams.parse import GrantRow
from reconciler.model.observed import ExchangeState, Observed, TeamsState, User
from reconciler.tenants.simulated import Simulator
from tests.strategies.tenants import APPS, BOTH, EVERYTHING, GROUPS, SCOPES, TENANT, USERS, tenants

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

IDS = [*APPS, *USERS, *GROUPS, *SCOPES, TENANT]
LISTS = [
    ("teams", "policies"),
    ("teams", "groupAssignments"),
    ("teams", "users"),
    ("exchange", "policies"),
]


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
        text = "".join(
            dice.choice((one, one.upper())) + part if number else part
            for number, part in enumerate(text.split(one))
        )
    again = json.loads(text)
    for row in again["teams"]["policies"]:
        row["Identity"] = (
            row["Identity"].removeprefix("Tag:") if dice.random() < 0.5 else row["Identity"]
        )
    for row in again["teams"]["groupAssignments"]:
        row[dice.choice(("Priority", "Rank"))] = row.pop("Priority") * 10 + dice.randrange(10)
        row["PolicyName"] = dice.choice(
            (row["PolicyName"], row["PolicyName"].upper(), f"Tag:{row['PolicyName']}")
        )
    for row in again["teams"]["users"]:
        name = row.pop("ApplicationAccessPolicy")["Name"]
        row["ApplicationAccessPolicy"] = dice.choice(
            (name, {"Authority": "Host", "Name": name.lower()})
        )
    for section, key in (
        *LISTS,
        ("directory", "users"),
        ("directory", "groups"),
        ("directory", "recipients"),
    ):
        dice.shuffle(again[section][key])
    return again


def shape(found: Observed) -> Observed:
    """An observed state without what the service spelled."""
    teams, exchange = found.states.get("teams"), found.states.get("exchange")
    assert teams is not None
    assert exchange is not None
    plain = {
        key: replace(policy, applications=dict.fromkeys(policy.applications, ""))
        for key, policy in teams.policies.items()
    }
    scopes = {
        key: replace(policy, identity=policy.identity.lower(), sid="")
        for key, policy in exchange.policies.items()
    }
    return replace(
        found,
        states={
            "teams": TeamsState(plain, teams.groups, teams.users, teams.spelled),
            "exchange": ExchangeState(scopes),
        },
    )


@given(tenants(), st.randoms(use_true_random=False))
def test_spelling_and_order_change_neither_state_nor_digest(tmp_path_factory, state, dice):
    raw = captured(tmp_path_factory, state)
    first, second = parsed(raw), parsed(respelled(raw, dice))
    assert shape(first) == shape(second)
    assert first.digest == second.digest
    assert "teams" in first.states
    assert "teams" in second.states
    assert list(first.states["teams"].policies) == list(second.states["teams"].policies)


@given(tenants(), st.booleans(), st.data())
def test_rows_that_are_read_one_by_one_say_what_whole_columns_say(
    tmp_path_factory, state, odd, data
):
    raw = captured(tmp_path_factory, state)
    if odd:
        _respell_one(raw, data)
    again = copy.deepcopy(raw)
    for section in (
        again["directory"],
        again["teams"],
    ):  # a row that stands twice, word for word, is no news, but is not read by columns
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
            [
                None,
                "",
                " ",
                "Ä\n",
                "a\u200bb",
                "x",
                1,
                {"Name": "\u00e9"},
                str(row[key]).upper(),
                *(one[key] for one in rows if key in one),
            ]
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
    with pytest.raises(CaptureFault, match="incomplete, fetch again"):
        parsed(raw)


@given(tenants(), tenants())
def test_different_tenants_have_different_digests(tmp_path_factory, one, other):
    first, second = (
        parsed(captured(tmp_path_factory, one)),
        parsed(captured(tmp_path_factory, other)),
    )
    same = first.states == second.states
    assert (first.digest == second.digest) == same


@given(tenants())
def test_every_name_counts_in_the_digest(tmp_path_factory, state):
    before = parsed(captured(tmp_path_factory, state)).digest
    state["directory"]["users"][0]["displayName"] += "!"
    assert parsed(captured(tmp_path_factory, state)).digest != before


JSON = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=3),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just({"Name": []}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path] * bool(path) + [
        place for key, item in items for place in places(item, (*path, key))
    ]


def _loaded_or_refused(read: Callable[[], Observed]) -> Observed | str:
    try:
        return read()
    except CaptureFault as fault:
        return str(fault)


@given(tenants(), st.sampled_from([0, 0, 1, 2]), st.data())
@settings(max_examples=200)
def test_a_file_is_read_as_its_plain_json_is(tmp_path_factory, state, odd, data):
    """Users are decoded straight into values, where every row has the usual shape; nobody may
    notice.
    """
    raw = captured(tmp_path_factory, state)
    if data.draw(st.booleans()):
        _respell_one(raw, data)
    for _ in range(odd):
        *path, last = data.draw(st.sampled_from(places(raw)))
        inner: Any = raw
        for key in path:
            inner = inner[key]
        inner[last] = data.draw(JSON)
    if data.draw(st.booleans()):
        raw[data.draw(st.sampled_from(("note", "Teams")))] = {}
    file = tmp_path_factory.mktemp("plain") / "capture.json"
    file.write_text(
        json.dumps(raw, ensure_ascii=data.draw(st.booleans())),
        encoding="utf-8",
        errors="surrogatepass",
    )
    whole = _loaded_or_refused(lambda: reading.load(file, tenant_id=TENANT, needs=BOTH))
    plain = _loaded_or_refused(
        lambda: reading.parse(
            files.load(file), source="capture", tenant_id=TENANT, needs=BOTH, file=str(file)
        )
    )
    assert whole == plain


@given(tenants(), st.data())
@settings(max_examples=100)
def test_no_byte_of_a_file_can_be_broken_unseen(tmp_path_factory, state, data):
    """Not even in a property that nobody looks at: a damaged file is no complete reading, whatever
    decodes it.
    """
    raw = captured(tmp_path_factory, state)
    for row in (*raw["teams"]["users"], *raw["directory"]["users"]):
        row["note"] = data.draw(st.sampled_from(["n\u00f6te", "\u65e5\u672c", "plain"]))
    body = bytearray(json.dumps(raw, ensure_ascii=False).encode())
    spots = [at for at, byte in enumerate(body) if chr(byte).isalpha() or byte > 0x7F]
    body[data.draw(st.sampled_from(spots))] = data.draw(
        st.sampled_from([0xE9, 0xFF, 0xC3, 0x80, 0x41])
    )
    file = tmp_path_factory.mktemp("broken") / "capture.json"
    file.write_bytes(body)
    whole = _loaded_or_refused(lambda: reading.load(file, tenant_id=TENANT, needs=BOTH))
    plain = _loaded_or_refused(
        lambda: reading.parse(
            files.load(file), source="capture", tenant_id=TENANT, needs=BOTH, file=str(file)
        )
    )
    assert whole == plain
    with suppress(UnicodeDecodeError):
        body.decode("utf-8")
        return
    assert isinstance(whole, str)
    assert "is not UTF-8" in whole


@pytest.mark.parametrize("count", [2, 3])
def test_a_blank_name_of_a_policy_counts_as_one_however_the_rows_were_decoded(tmp_path, count):
    raw = json.loads(
        (Path(__file__).parent / "cases" / "plain" / "capture.json").read_text("utf-8")
    )
    holders = raw["teams"]["users"]
    raw["teams"]["users"] = [
        *holders,
        {"Identity": APPS[0], "ApplicationAccessPolicy": {"Name": "", "Authority": "x"}},
    ]
    read = next(one for one in raw["teams"]["reads"] if one["cmdlet"] == "Get-CsOnlineUser")
    read["count"] = count
    raw["teams"]["reads"].append({**read, "parameters": {}, "count": len(holders) + 1})
    file = tmp_path / "capture.json"
    file.write_text(json.dumps(raw), encoding="utf-8")
    told = _loaded_or_refused(lambda: reading.load(file, tenant_id=None, needs=BOTH))
    assert told == _loaded_or_refused(
        lambda: reading.parse(
            files.load(file), source="capture", tenant_id=None, needs=BOTH, file=str(file)
        )
    )
    assert isinstance(told, str)
    assert ("returned" in told) == (count != len(holders) + 1)


@given(tenants())
def test_the_usual_capture_is_decoded_into_values(tmp_path_factory, state):
    """Or else the law above would hold because nothing ever is."""
    raw = captured(tmp_path_factory, state)
    found = decode(json.dumps(raw).encode())
    assert found is not None
    assert {type(row) for row in found["directory"]["users"]} == {User}
    assert {type(row) for row in found["directory"]["recipients"]} == {RecipientRow}
    assert {type(row) for row in found["teams"]["users"]} <= {GrantRow}
    assert found.keys() == raw.keys()
    assert found["exchange"] == raw["exchange"]


@given(
    st.recursive(
        JSON | st.text() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.booleans(),
)
def test_what_is_decoded_fast_is_what_the_library_of_python_reads(value, ascii_only):
    data = json.dumps({"": value}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    with suppress(CaptureFault):
        assert repr(files.parsed(data, "f")) == repr(json.loads(data))


@given(st.binary(max_size=40), st.sampled_from([b'{"a":%s}', b'{"a":"%s"}', b'{"a":[1,%s]}']))
@example(b"1e400", b'{"a":%s}')
@example(b"NaN", b'{"a":%s}')
@example(b"-Infinity", b'{"a":%s}')
@example(b"\\ud800", b'{"a":"%s"}')
@example(b"\xed\xa0\x80", b'{"a":"%s"}')
@example(b"123456789012345678901234567890", b'{"a":%s}')
@settings(max_examples=300)
def test_no_bytes_are_taken_that_are_no_json(middle, around):
    data = around.replace(b"%s", middle)
    try:
        found = files.parsed(data, "f")
    except CaptureFault:
        return
    assert repr(found) == repr(json.loads(data.decode("utf-8")))


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
