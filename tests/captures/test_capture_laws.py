"""How a service spells and orders its rows is no news; a row that is missing is an error."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler import canonical
from reconciler.captures import files, reading
from reconciler.captures.decoding import decode_capture
from reconciler.errors import CaptureFault, TenantFault
from reconciler.kinds import capture_directory
from reconciler.kinds.capture_directory import GroupRow, RecipientRow, UserRow
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.teams import parse
from reconciler.kinds.teams.parse import GrantRow
from reconciler.model.observed import ExchangeState, Observed, TeamsState
from reconciler.tenants.simulated import Simulator
from tests.captures import row_by_row
from tests.captures.raw import load_raw
from tests.strategies.tenants import APPS, BOTH, EVERYTHING, GROUPS, SCOPES, TENANT, USERS, tenants
from tests.thoroughness import samples

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
    return reading.parse_capture(raw, source="capture", tenant_id=TENANT, needs=BOTH)


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
    # made anew each time: the tests change what they draw
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [[]]),
    st.builds(lambda: {"Name": []}),
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
@settings(max_examples=samples(200))
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
    whole = _loaded_or_refused(lambda: reading.load_capture(file, tenant_id=TENANT, needs=BOTH))
    plain = _loaded_or_refused(
        lambda: reading.parse_capture(
            load_raw(file), source="capture", tenant_id=TENANT, needs=BOTH, file=str(file)
        )
    )
    assert whole == plain
    looked_at = _loaded_or_refused(
        lambda: reading.parse_capture(
            reading.capture_content(file),
            source="capture",
            tenant_id=TENANT,
            needs=BOTH,
            file=str(file),
            digested=False,
        )
    )
    if isinstance(looked_at, Observed) and isinstance(whole, Observed):
        assert looked_at.digest in {"", whole.digest}
        assert replace(looked_at, digest="") == replace(whole, digest="")
    else:
        assert looked_at == whole, "what nobody digests is refused for the same faults"


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
    whole = _loaded_or_refused(lambda: reading.load_capture(file, tenant_id=TENANT, needs=BOTH))
    plain = _loaded_or_refused(
        lambda: reading.parse_capture(
            load_raw(file), source="capture", tenant_id=TENANT, needs=BOTH, file=str(file)
        )
    )
    assert whole == plain
    with suppress(UnicodeDecodeError):
        body.decode("utf-8")
        return
    assert isinstance(whole, str)
    assert "is not valid UTF-8" in whole


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
    told = _loaded_or_refused(lambda: reading.load_capture(file, tenant_id=None, needs=BOTH))
    assert told == _loaded_or_refused(
        lambda: reading.parse_capture(
            load_raw(file), source="capture", tenant_id=None, needs=BOTH, file=str(file)
        )
    )
    if count == len(holders):
        assert "returned 2, but `users` has 3" in str(told)
    else:
        assert isinstance(told, Observed)
        assert told.states["teams"].users[APPS[0]] == 'NOT UNDERSTOOD: ""'


@given(tenants())
def test_the_usual_capture_is_decoded_into_typed_rows(tmp_path_factory, state):
    """Or else the laws about files would hold because nothing ever is."""
    raw = captured(tmp_path_factory, state)
    decoded = decode_capture(json.dumps(raw).encode())
    assert decoded is not None
    assert {type(row) for row in decoded["directory"]["users"]} == {UserRow}
    assert {type(row) for row in decoded["directory"]["groups"]} == {GroupRow}
    assert {type(row) for row in decoded["directory"]["recipients"]} == {RecipientRow}
    assert {type(row) for row in decoded["teams"]["users"]} <= {GrantRow}
    assert decoded.keys() == raw.keys()
    assert decoded["exchange"] == raw["exchange"]


Reading: TypeAlias = "tuple[Any, Any, Any] | list[tuple[str, str]]"


def _read(raw: dict[str, Any], *, holders_only: bool) -> Reading:
    """The users, recipients and grants of a capture's content, or every fault of them."""
    faults = FaultList()
    found = capture_directory.parse_directory(raw["directory"], "$.directory", faults)
    teams = parse.parse_section(raw["teams"], "$.teams", faults, holders_only=holders_only)
    with suppress(CaptureFault):
        faults.refuse("f")
        users = {user.id: (user.upn, user.display_name) for user in found.users.values()}
        recipients = {
            row.id: (
                row.sid,
                row.primary,
                row.addresses,
                row.display_name,
                row.type,
                row.principal,
                row.members,
            )
            for row in found.recipients.values()
        }
        return (
            (users, found.users_by_upn),
            (recipients, found.recipients_by_address),
            teams.users,
        )
    return told(faults)


def _read_row_by_row(raw: dict[str, Any], *, holders_only: bool) -> Reading:
    faults: list[tuple[str, str]] = []

    def tell(path: str, message: str) -> None:
        faults.append((path, message))

    people, teams = raw["directory"], raw["teams"]
    users = row_by_row.users(people.get("users"), "$.directory.users", tell)
    recipients = row_by_row.recipients(people.get("recipients"), "$.directory.recipients", tell)
    grants = row_by_row.grants(teams.get("users"), "$.teams.users", tell, holders_only=holders_only)
    return faults or (users, recipients, grants)


def told(faults: FaultList) -> list[tuple[str, str]]:
    """Faults as they were told: place and words."""
    with pytest.raises(CaptureFault) as caught:
        faults.refuse("f")
    lines = f"\n{caught.value}".split("\nf: ")[1:]
    return [(place, words) for place, _, words in (line.partition(": ") for line in lines)]


ODD = st.one_of(
    JSON,
    st.sampled_from(
        [
            "",
            " ",
            "Tag:Global",
            "smtp:",
            "X500:/o=x",
            "a\u200bb",
            "\u00e9",
            {"Name": "\u00e9"},
            {"Name": ""},
            {"Name": None},
            {"Authority": "Host"},
        ]
    ),
)


@st.composite
def odd_lists(draw: st.DrawFn, raw: dict[str, Any]) -> dict[str, Any]:
    """A capture whose users, grants and recipients have up to three oddities."""
    raw = copy.deepcopy(raw)
    lists = [("directory", "users"), ("directory", "recipients"), ("teams", "users")]
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        section, key = draw(st.sampled_from(lists))
        rows = raw[section][key]
        change = draw(st.sampled_from(["value", "case", "row", "again", "wrap", "borrow", "drop"]))
        row = draw(st.sampled_from(rows)) if isinstance(rows, list) and rows else None
        if not isinstance(row, dict) or not row:
            raw[section][key] = draw(JSON)
            continue
        name = draw(st.sampled_from(sorted(row)))
        match change:
            case "value":
                row[name] = draw(ODD)
            case "case":
                row[name] = row[name].upper() if isinstance(row[name], str) else [row[name]]
            case "row":
                rows.insert(draw(st.integers(0, len(rows))), draw(ODD))
            case "again":
                rows.append(copy.deepcopy(row) | draw(st.sampled_from([{}, {name: "x"}])))
            case "wrap":
                count = len(rows) - draw(st.sampled_from([0, 0, 1]))
                raw[section][key] = {"value": rows, "Count": count}
            case "borrow":
                other = draw(st.sampled_from(rows))
                row[name] = other.get(name) if isinstance(other, dict) else other
            case "drop":
                del row[name]
    return raw


@given(tenants(), st.booleans(), st.data())
@settings(max_examples=samples(300))
def test_lists_are_read_as_one_row_after_the_other_is(tmp_path_factory, state, holders_only, data):
    """Every value, and every fault with its place, its words and its turn: however a list is
    decoded, and whatever is judged as a whole column.
    """
    raw = data.draw(odd_lists(captured(tmp_path_factory, state)))
    expected = _read_row_by_row(raw, holders_only=holders_only)
    assert _read(raw, holders_only=holders_only) == expected
    decoded = decode_capture(json.dumps(raw).encode())
    if decoded is not None:
        assert _read(dict(decoded), holders_only=holders_only) == expected


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
        assert repr(files.parse_object(data, "f")) == repr(json.loads(data))


@given(st.binary(max_size=40), st.sampled_from([b'{"a":%s}', b'{"a":"%s"}', b'{"a":[1,%s]}']))
@example(b"1e400", b'{"a":%s}')
@example(b"NaN", b'{"a":%s}')
@example(b"-Infinity", b'{"a":%s}')
@example(b"\\ud800", b'{"a":"%s"}')
@example(b"\xed\xa0\x80", b'{"a":"%s"}')
@example(b"123456789012345678901234567890", b'{"a":%s}')
@settings(max_examples=samples(300))
def test_no_bytes_are_taken_that_are_no_json(middle, around):
    data = around.replace(b"%s", middle)
    try:
        found = files.parse_object(data, "f")
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
    refused = []
    try:
        parsed(raw)
    except CaptureFault as fault:
        refused.append(str(fault))
    file = tmp_path_factory.mktemp("odd") / "tenant.json"
    file.write_bytes(json.dumps(raw).encode())
    try:
        parsed(dict(Simulator(file).capture(EVERYTHING)))
    except (TenantFault, CaptureFault) as fault:
        refused.append(str(fault))
    assert all(refused)
