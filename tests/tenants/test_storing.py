"""Killed at any instant, a simulated tenant opens again in a state that it was in."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import canonical
from reconciler.captures import files
from reconciler.errors import CaptureFault, TenantFault
from reconciler.model.plans import Invocation
from reconciler.tenants.protocol import Done
from reconciler.tenants.simulated import Faults, Simulator
from tests.captures.raw import load_raw
from tests.strategies.tenants import (
    APPS,
    EVERYTHING,
    GROUPS,
    USERS,
    empty,
    run,
    seen,
    send,
    teams_policy,
    tenants,
    writes,
)

POLICIES = {"policies": [teams_policy("Alpha", APPS[:1]), teams_policy("Beta", APPS)]}
WRITES = [
    Invocation("Grant-CsApplicationAccessPolicy", {"Identity": USERS[0], "PolicyName": "Alpha"}),
    Invocation(
        "Grant-CsApplicationAccessPolicy", {"Group": GROUPS[0], "PolicyName": "Beta", "Rank": 1}
    ),
    Invocation(
        "Set-CsApplicationAccessPolicy", {"Identity": "Beta", "AppIds": {"Remove": APPS[1:]}}
    ),
    Invocation("Grant-CsApplicationAccessPolicy", {"Identity": USERS[0], "PolicyName": None}),
]


def logged(folder, state=None):
    """A tenant whose every write goes to the log."""
    path = folder / "tenant.json"
    path.write_bytes(
        canonical.dumps({**empty(), "teams": POLICIES, "padding": "x" * 2000, **(state or {})})
    )
    return Simulator(path, log_from=0)


def test_a_small_tenant_is_one_file(make, tmp_path):
    tenant = make(teams=POLICIES)
    for write in WRITES:
        assert send(tenant, write) == Done()
        assert [found.name for found in tmp_path.iterdir()] == ["tenant.json"]
        assert seen(Simulator(tmp_path / "tenant.json")) == seen(tenant)
    tenant.close()
    assert load_raw(tmp_path / "tenant.json")["clock"] == "2026-11-02T09:01:00Z"


def test_what_killed_writers_left_is_cleared_by_the_next_write_and_not_by_reading(make, tmp_path):
    left = [
        tmp_path / name for name in (".tenant.json.abcdefgh.tmp", ".tenant.json.log.abcdefgh.tmp")
    ]
    for path in left:
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    tenant = make(teams=POLICIES)
    tenant.capture(EVERYTHING)
    assert all(path.exists() for path in left)
    send(tenant, WRITES[0])
    assert [found.name for found in tmp_path.iterdir()] == ["tenant.json"]


def test_a_large_tenant_is_left_alone_until_it_is_closed(tmp_path):
    tenant = logged(tmp_path)
    before = (tmp_path / "tenant.json").read_bytes()
    with tenant:
        for number, write in enumerate(WRITES, 2):
            send(tenant, write)
            assert (tmp_path / "tenant.json").read_bytes() == before
            assert len((tmp_path / "tenant.json.log").read_bytes().splitlines()) == number
    assert [found.name for found in tmp_path.iterdir()] == ["tenant.json"]
    assert seen(Simulator(tmp_path / "tenant.json")) == seen(tenant)


def test_cut_anywhere_the_log_gives_the_state_after_some_write(tmp_path):
    tenant = logged(tmp_path)
    states = [seen(tenant)]
    for write in WRITES:
        send(tenant, write)
        states.append(seen(tenant))
    log = (tmp_path / "tenant.json.log").read_bytes()
    ends = [end for end in range(1, len(log) + 1) if log[:end].endswith(b"\n")]
    for end in range(len(log) + 1):
        (tmp_path / "tenant.json.log").write_bytes(log[:end])
        whole = sum(1 for done in ends[1:] if done <= end)
        assert seen(Simulator(tmp_path / "tenant.json", log_from=0)) == states[whole], end


def test_after_a_torn_line_writing_goes_on(tmp_path):
    tenant = logged(tmp_path)
    for write in WRITES[:2]:
        send(tenant, write)
    log = tmp_path / "tenant.json.log"
    log.write_bytes(log.read_bytes() + b'{"cmdlet":"Set-CsApplic')
    again = Simulator(tmp_path / "tenant.json", log_from=0)
    send(again, WRITES[2])
    assert seen(Simulator(tmp_path / "tenant.json")) == seen(again)
    assert seen(again)["teams"]["policies"][2]["AppIds"] == APPS[:1]


def test_killed_between_the_new_file_and_the_old_log(tmp_path):
    tenant = logged(tmp_path)
    for write in WRITES:
        send(tenant, write)
    log = tmp_path / "tenant.json.log"
    shutil.copy(log, tmp_path / "kept")
    tenant.close()
    shutil.copy(tmp_path / "kept", log)
    again = Simulator(tmp_path / "tenant.json", log_from=0)
    assert seen(again) == seen(tenant)
    send(again, WRITES[0])
    assert seen(Simulator(tmp_path / "tenant.json")) == seen(again)


def test_a_log_as_long_as_the_file_becomes_part_of_it(tmp_path):
    tenant = logged(tmp_path, {"padding": ""})
    for _ in range(60):
        send(tenant, WRITES[0])
        send(tenant, WRITES[3])
    assert (tmp_path / "tenant.json.log").stat().st_size <= (
        tmp_path / "tenant.json"
    ).stat().st_size + 200
    assert seen(Simulator(tmp_path / "tenant.json")) == seen(tenant)


def test_a_removal_by_spelling_is_remembered_as_one(tmp_path):
    logged(tmp_path)
    tenant = Simulator(tmp_path / "tenant.json", faults=Faults(ordinal_removal=True), log_from=0)
    run(
        tenant,
        "Set-CsApplicationAccessPolicy",
        Identity="Alpha",
        AppIds={"Remove": [APPS[0].upper()]},
    )
    assert seen(Simulator(tmp_path / "tenant.json"))["teams"]["policies"][1]["AppIds"] == APPS[:1]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{oops\n", r"tenant\.json\.log: is damaged"),
        (b"{}\n", r"tenant\.json\.log:2: does not follow"),
        (
            b'{"cmdlet":"Format-Disk","parameters":{},"ordinal":false}\n',
            r"tenant\.json\.log:2: does not follow",
        ),
        (
            b'{"cmdlet":"Remove-CsApplicationAccessPolicy","parameters":{"Identity":"Gone"},"ordinal":false}\n',
            r"tenant\.json\.log:2: does not follow",
        ),
    ],
)
def test_a_damaged_log_is_named_and_says_what_to_do(tmp_path, line, told):
    tenant = logged(tmp_path)
    send(tenant, WRITES[0])
    log = tmp_path / "tenant.json.log"
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0] + line)
    with pytest.raises(TenantFault, match=told) as caught:
        Simulator(tmp_path / "tenant.json")
    assert "delete" in str(caught.value)


def test_a_file_that_cannot_be_read_any_more_is_an_error_until_it_can(make, tmp_path):
    tenant, path = make(teams=POLICIES), tmp_path / "tenant.json"
    content = path.read_bytes()
    path.unlink()
    path.mkdir()
    with pytest.raises(TenantFault, match="cannot read the file"):
        send(tenant, WRITES[0])
    with pytest.raises(TenantFault, match="cannot read the file"):
        tenant.capture(EVERYTHING)
    path.rmdir()
    path.write_bytes(content)
    assert send(tenant, WRITES[0]) == Done()


@pytest.mark.parametrize("log_from", [0, 256 * 1024], ids=["log", "file"])
@pytest.mark.parametrize("closed", [False, True])
def test_what_somebody_else_wrote_meanwhile_is_shown_and_kept(tmp_path, log_from, *, closed):
    """Another process with a lock of its own, or a person with an editor."""
    path = tmp_path / "tenant.json"
    logged(tmp_path).close()
    ours, theirs = (Simulator(path, log_from=log_from) for _ in range(2))
    for number, write in enumerate(WRITES):
        assert send((ours, theirs)[number % 2], write) == Done()
        assert seen(ours) == seen(theirs)
        if closed:
            (theirs, ours)[number % 2].close()
    expected = seen(ours)
    ours.close()
    theirs.close()
    assert seen(Simulator(path)) == expected
    assert not path.with_name("tenant.json.log").exists()


def test_what_could_not_be_stored_has_not_happened(make, tmp_path, monkeypatch):
    tenant = make(teams=POLICIES)
    assert send(tenant, WRITES[0]) == Done()
    before = tenant.capture(EVERYTHING)

    def full(*_):
        raise CaptureFault("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_pieces", full)
        with pytest.raises(TenantFault, match="cannot store the simulated tenant"):
            send(tenant, WRITES[1])
    assert tenant.capture(EVERYTHING) == before
    assert send(tenant, WRITES[1]) == Done()


@settings(max_examples=50)
@given(tenants(), st.lists(st.tuples(writes, st.booleans()), max_size=12))
def test_a_log_and_a_file_tell_the_same(tmp_path_factory, state, script):
    folder = tmp_path_factory.mktemp("tenant")
    (folder / "plain.json").write_bytes(canonical.dumps(state))
    plain, tenant = (
        Simulator(folder / "plain.json"),
        logged(folder, {key: state[key] for key in ("teams", "exchange", "directory")}),
    )
    for write, opened_again in script:
        assert send(plain, write) == send(tenant, write)
        if opened_again:
            tenant = Simulator(folder / "tenant.json", log_from=0)
        assert seen(plain) == seen(tenant)
    tenant.close()
    stored = json.loads((folder / "tenant.json").read_bytes())
    stored.pop("padding")
    assert stored == json.loads((folder / "plain.json").read_bytes()) or not script


def test_a_file_that_is_written_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    """The log goes into the file between the two readings: the file of before and no log would be a
    tenant without the writes of the log.
    """
    writer, readings, content = logged(tmp_path), [], files.file_bytes
    send(writer, WRITES[0])

    def settled(place):
        readings.append(content(place))
        if len(readings) == 1:
            writer.close()
        return readings[-1]

    monkeypatch.setattr(files, "file_bytes", settled)
    assert seen(Simulator(tmp_path / "tenant.json", log_from=0)) == seen(writer)
    assert len(readings) == 2


def test_a_file_that_never_rests_is_named(tmp_path, monkeypatch):
    path, content = tmp_path / "tenant.json", files.file_bytes
    logged(tmp_path)

    def restless(place):
        data = content(place)
        path.write_bytes(data + b" ")
        return data

    monkeypatch.setattr(files, "file_bytes", restless)
    with pytest.raises(TenantFault, match="another process is writing"):
        Simulator(path)
