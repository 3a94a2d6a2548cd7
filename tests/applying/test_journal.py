"""A journal says what is known of each step, whatever instant its process was killed at (law 10)."""

from __future__ import annotations

import json
import os
import socket
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.applying import identity, journal, processes
from reconciler.applying.journal import ApplyEnd, Header, Journal, StepState
from reconciler.errors import ReconcilerError
from reconciler.model.processes import RunnerProcess

if TYPE_CHECKING:
    from pathlib import Path

HEADER = Header(
    tool="reconciler 1",
    plan="plan:aa",
    content="content:bb",
    tenant="t",
    source="simulated",
    steps=5,
    already=0,
)
NOON = 1_790_000_000.25


def clock() -> float:
    return NOON


def written(directory: Path, header: Header = HEADER) -> Path:
    """A journal of three steps: one done, one that needed two attempts, one whose outcome nobody
    knows.
    """
    with Journal.create(directory, header, clock) as lines:
        lines.started(1, 1, "teams.policy/A")
        lines.done(1, seen=False)
        lines.started(2, 1, "teams.policy/B")
        lines.failed(2, "throttled", "too busy")
        lines.started(2, 2, "teams.policy/B")
        lines.done(2, seen=True)
        lines.started(3, 1, "teams.policy/C")
        lines.unknown(3, "no answer")
        lines.ended(ApplyEnd.UNKNOWN)
    return lines.path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    past = journal.read_journal(written(tmp_path))
    assert past.states == {1: StepState.DONE, 2: StepState.DONE, 3: StepState.UNKNOWN}
    assert (past.plan, past.content, past.already, past.process.pid, past.end) == (
        "plan:aa",
        "content:bb",
        0,
        os.getpid(),
        "unknown",
    )
    assert past.addresses == {1: "teams.policy/A", 2: "teams.policy/B", 3: "teams.policy/C"}
    assert past.times == dict.fromkeys((1, 2, 3), NOON)
    assert past.process.started == processes.started(os.getpid())
    assert (past.reached, past.open_step, past.last_write, past.damaged) == (2, 3, NOON, False)


def test_steps_that_an_apply_went_on_without_are_read(tmp_path: Path) -> None:
    with Journal.create(tmp_path, HEADER, clock) as lines:
        for step in (1, 2):
            lines.started(step, 1)
            lines.failed(step, "invalid", "no")
            lines.without(step)
        path = lines.path
    past = journal.read_journal(path)
    assert (past.without, past.open_step, past.damaged) == ((1, 2), None, False)


def test_the_first_line_names_plan_tool_tenant_and_process(tmp_path: Path) -> None:
    first = json.loads(written(tmp_path).read_text(encoding="ascii").splitlines()[0])
    assert first == {
        "already": 0,
        "at": "2026-09-21T14:13:20.250+00:00",
        "content": "content:bb",
        "format_version": "1.0",
        "host": socket.gethostname(),
        "namespace": identity.own().namespace,
        "pid": os.getpid(),
        "plan": "plan:aa",
        "process": processes.started(os.getpid()),
        "source": "simulated",
        "steps": 5,
        "tenant": "t",
        "tool": "reconciler 1",
    }


def test_the_announcement_of_a_step_is_on_the_disk_before_it_runs(tmp_path: Path) -> None:
    synced: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch, Journal.create(tmp_path, HEADER, clock) as lines:
        patch.setattr(os, "fsync", lambda _descriptor: synced.append(lines.path.read_bytes()))
        lines.started(1, 1)
    assert b'"state":"started"' in synced[-1]


@given(st.data())
def test_cut_at_any_byte_it_says_no_less_than_what_was_known_and_nothing_wrong(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = written(tmp_path_factory.mktemp("journal"))
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    past = journal.read_journal(path)
    lines = [json.loads(line) for line in whole[:cut].split(b"\n")[:-1]]
    assert past.states == {line["step"]: line["state"] for line in lines if "state" in line}
    assert not past.damaged
    assert past.open_step in (None, *past.states)


def test_a_step_in_flight_when_the_process_died_is_open(tmp_path: Path) -> None:
    with Journal.create(tmp_path, HEADER, clock) as lines:
        lines.started(1, 1)
    past = journal.read_journal(lines.path)
    assert (past.open_step, past.reached, past.end) == (1, 0, None)


def test_steps_of_earlier_applies_count_as_reached(tmp_path: Path) -> None:
    header = Header(tool="t", plan="p", content="c", tenant="t", source="s", steps=9, already=4)
    with Journal.create(tmp_path, header, clock) as lines:
        assert journal.read_journal(lines.path).reached == 4
        lines.started(5, 1)
        lines.done(5, seen=False)
        assert journal.read_journal(lines.path).reached == 5


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1]",
        '{"state":"started"}',
        '{"state":"odd","step":1,"at":"2026-01-01"}',
        '{"format_version":"1.0"}',
        '{"runner":"teams","pid":"x","process":""}',
    ],
)
def test_a_line_that_cannot_be_read_is_known_to_be_missing(tmp_path: Path, line: str) -> None:
    path = written(tmp_path)
    path.write_text(f"{path.read_text(encoding='ascii')}{line}\n", encoding="ascii")
    past = journal.read_journal(path)
    assert past.damaged
    assert past.reached == 2


def test_a_line_nested_without_end_is_one_that_cannot_be_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    with path.open("ab") as lines:
        lines.write(b"[" * 200_000 + b"\n")
    assert journal.read_journal(path).damaged
    path.write_bytes(b'{"a":' * 200_000 + b"\n")
    assert journal.source(path) == ""


def test_a_journal_is_a_regular_file(tmp_path: Path) -> None:
    path = tmp_path / "apply-0001.jsonl"
    os.mkfifo(path)
    with pytest.raises(ReconcilerError, match="not a regular file"):
        journal.read_journal(path)


def test_lines_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(f'{path.read_text(encoding="ascii")}{{"weather":"fine"}}\n', encoding="ascii")
    assert not journal.read_journal(path).damaged


@pytest.mark.parametrize(("version", "damaged"), [("1.0", False), ("1.7", False), ("2.0", True)])
def test_a_journal_of_another_major_version_is_not_understood(
    tmp_path: Path, version: str, damaged: bool
) -> None:
    path = written(tmp_path)
    text = path.read_text(encoding="ascii")
    assert '"format_version":"1.0"' in text
    path.write_text(text.replace('"format_version":"1.0"', f'"format_version":"{version}"'))
    assert journal.read_journal(path).damaged is damaged


def test_the_processes_that_run_steps_are_named(tmp_path: Path) -> None:
    with Journal.create(tmp_path, HEADER, clock) as lines:
        lines.runner("teams", RunnerProcess(7, "boot:1"))
        lines.runner("teams", RunnerProcess(7, "boot:1"))
        lines.runner("exchange", RunnerProcess(8, ""))
    assert journal.read_journal(lines.path).runners == (
        ("teams", 7, "boot:1"),
        ("exchange", 8, ""),
    )


def test_a_service_s_message_is_bounded_and_never_becomes_syntax(tmp_path: Path) -> None:
    with Journal.create(tmp_path, HEADER, clock) as lines:
        lines.failed(
            1, "unknown", '\x1b[31m\x9b31m\u202e"}\n{"state":"done","step":2}' + "x" * 10_000
        )
    raw = lines.path.read_bytes()
    assert raw.isascii()
    assert b"\x1b" not in raw
    assert raw.count(b"\n") == 2
    assert len(raw) < 2000
    assert journal.read_journal(lines.path).states == {1: StepState.FAILED}


def test_each_apply_has_its_own_file_and_the_newest_that_tried_a_step_is_found(
    tmp_path: Path,
) -> None:
    assert journal.newest(journal.journal_files(tmp_path)) is None
    first = written(tmp_path)
    other = written(
        tmp_path,
        Header(tool="t", plan="plan:cc", content="c", tenant="t", source="s", steps=5, already=0),
    )
    with Journal.create(tmp_path, HEADER, clock) as untried:
        pass
    (tmp_path / "lock").touch()
    assert [path.name for path in (first, other, untried.path)] == [
        "apply-000001.jsonl",
        "apply-000002.jsonl",
        "apply-000003.jsonl",
    ]
    newest, same = (
        journal.newest(journal.journal_files(tmp_path)),
        journal.newest_of(journal.journal_files(tmp_path), "plan:aa"),
    )
    assert newest is not None
    assert same is not None
    assert (newest.path, same.path) == (other, first)
    assert journal.newest_of(journal.journal_files(tmp_path), "plan:dd") is None


def test_the_ten_thousandth_journal_is_still_the_newest(tmp_path: Path) -> None:
    written(tmp_path).rename(tmp_path / "apply-999999.jsonl")
    assert written(tmp_path).name == "apply-1000000.jsonl"
    newest = journal.newest(journal.journal_files(tmp_path))
    assert newest is not None
    assert newest.path.name == "apply-1000000.jsonl"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    assert stat.S_IMODE(written(tmp_path).stat().st_mode) & 0o077 == 0


def test_a_journal_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    def read_only(*_arguments: object) -> int:
        raise OSError(30, "Read-only file system")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", read_only)
        with pytest.raises(
            ReconcilerError, match="cannot write the journal: Read-only file system"
        ):
            Journal.create(tmp_path, HEADER, clock)
    with pytest.raises(ReconcilerError, match="cannot read the journal"):
        journal.read_journal(tmp_path / "apply-000009.jsonl")


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_stops_the_step_before_it_runs(tmp_path: Path, call: str) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    with Journal.create(tmp_path, HEADER, clock) as lines, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(
            ReconcilerError, match=r"No space left on device; no step runs without it"
        ):
            lines.started(1, 1)


def test_a_line_that_fits_only_in_part_stops_the_step_too(tmp_path: Path) -> None:
    with Journal.create(tmp_path, HEADER, clock) as lines, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", lambda _descriptor, line: len(line) - 1)
        with pytest.raises(ReconcilerError, match="the disk is full"):
            lines.started(1, 1)
