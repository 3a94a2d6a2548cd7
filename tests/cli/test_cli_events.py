"""`apply --events`: each line is what the schema says and is there when it happens, the lines tell
what the outcome tells, and a file that takes nothing stops nothing.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from reconciler.applying import events as happening
from reconciler.characters import unfit
from reconciler.model.addresses import PROVIDERS
from reconciler.model.event_records import EventName
from reconciler.model.plans import Step
from reconciler.reports import events
from reconciler.tenants.protocol import Failed, Fault, Lost, Outcome
from reconciler.tenants.simulated import Simulator
from tests.cli.test_cli_apply import _refusing
from tests.reports import runners
from tests.reports.output_schemas import FOLDER
from tests.strategies.plans import of_annotation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.model.plans import Invocation
    from tests.conftest import Ran, Run

SIM = ("--tenant", "sim:tenant.json")
VALIDATOR = Draft7Validator(json.loads((FOLDER / "events.schema.json").read_text(encoding="utf-8")))


def rows(text: str) -> list[dict[str, Any]]:
    assert text.endswith("\n")
    told = [json.loads(line) for line in text[:-1].split("\n")]
    for row in told:
        VALIDATOR.validate(row)
    assert all(before["time"] <= after["time"] for before, after in pairwise(told))
    return told


def written(folder: Path) -> list[dict[str, Any]]:
    return rows((folder / "events.ndjson").read_text(encoding="utf-8"))


def named(told: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [row for row in told if row["event"] == name]


def test_a_whole_apply_is_told_from_its_first_to_its_last_step(run: Run, folder: Path) -> None:
    plain = run("plan", *SIM, "--out", "plan.json")
    assert plain.code == 0
    ran = run("apply", "plan.json", "--auto-approve", *SIM, "--events", "events.ndjson")
    assert ran.code == 0
    told = written(folder)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert told[0]["event"] == "apply-started"
    assert (told[0]["digest"], told[0]["steps"], told[0]["simulated"]) == (
        plan["digest"],
        13,
        True,
    )
    steps = [(step["id"], step["address"], step["cmdlet"]) for step in plan["steps"]]
    for name in ("step-started", "step-finished"):
        assert [(row["step"], row["address"], row["cmdlet"]) for row in named(told, name)] == steps
    assert {row["outcome"] for row in named(told, "step-finished")} == {"done"}
    assert (told[-1]["event"], told[-1]["exit_code"], told[-1]["exit_name"]) == (
        "finished",
        0,
        "ok",
    )
    assert not named(told, "stopped")
    assert stat.S_IMODE((folder / "events.ndjson").stat().st_mode) == 0o600


def _from_the_fifth(outcome: Outcome) -> Callable[..., Outcome]:
    """A tenant that answers no write after the fourth in any other way."""
    real, writes = Simulator.run, []

    def run(self: Simulator, invocation: Invocation, text: str) -> Outcome:
        writes.append(text)
        return outcome if len(writes) > 4 else real(self, invocation, text)

    return run


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Failed(Fault.DENIED, "no rights\n::error::x ##vso[a.b]\u202e"), "refused"),
        (Lost("no answer"), "unknown"),
    ],
)
def test_a_step_that_fails_and_the_stop_after_it_are_told(
    run: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Outcome,
    expected: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", _from_the_fifth(outcome))
        ran = run("apply", "--auto-approve", *SIM, "--events", "events.ndjson")
    assert ran.code == 6
    told = written(folder)
    last = named(told, "step-finished")[-1]
    assert (last["step"], last["outcome"]) == (5, expected)
    (stopped,) = named(told, "stopped")
    assert stopped["not_tried"] == 8
    assert told[-1]["exit_name"] == "applied-in-part"
    text = (folder / "events.ndjson").read_text(encoding="utf-8")
    for line in text.splitlines():
        assert unfit(line) is None
        assert runners.github(line) is None
        assert runners.azure(line) is None


def test_going_on_without_a_refused_step_is_told(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = "748d2cbb-3b55-40ed-8c34-2eae5932b22a"
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", _refusing(user))
        ran = run("apply", "--auto-approve", *SIM, "--keep-going", "--events", "events.ndjson")
    assert ran.code == 6
    told = written(folder)
    (went_on,) = named(told, "went-on")
    (refused,) = [row for row in named(told, "step-finished") if row["outcome"] == "refused"]
    assert went_on["step"] == refused["step"]
    assert user in refused["address"]


def test_each_line_is_there_when_it_happens(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = Simulator.run, []

    def looking(self: Simulator, invocation: Invocation, text: str) -> Outcome:
        seen.append(written(folder)[-1])
        return real(self, invocation, text)

    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "run", looking)
        ran = run("apply", "--auto-approve", *SIM, "--events", "events.ndjson")
    assert ran.code == 0
    assert [(row["event"], row["step"]) for row in seen] == [
        ("step-started", number) for number in range(1, 14)
    ]


@pytest.mark.parametrize("target", ["no/such/file.ndjson", "policies", "/dev/full", "fifo"])
def test_a_file_that_takes_nothing_stops_nothing_and_is_told_once(
    run: Run, folder: Path, target: str
) -> None:
    os.mkfifo(folder / "fifo")
    if target == "policies":
        (folder / "closed").mkdir()
        (folder / "closed" / "file").touch()
        target = "closed/file/events"
    ran = run("apply", "--auto-approve", *SIM, "--events", target)
    assert ran.code == 0, ran
    assert ran.err.count(f"Warning: --events {target}: ") == 1
    assert "Apply complete!" in ran.out


def test_a_reader_of_a_pipe_who_goes_stops_nothing(run: Run, folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    lines: list[bytes] = []

    def read() -> None:
        with (folder / "fifo").open("rb") as pipe:
            lines.append(pipe.readline())

    reader = threading.Thread(target=read)
    reader.start()
    while True:
        try:  # until the reader is there, nobody could write
            os.close(os.open(folder / "fifo", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            continue
        break
    ran = run("apply", "--auto-approve", *SIM, "--events", "fifo")
    reader.join()
    assert ran.code == 0
    assert ran.err.count("Warning: --events fifo: ") <= 1
    assert lines


@pytest.mark.parametrize(
    ("fault", "code", "name"),
    [(ZeroDivisionError("x"), 1, "error"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_an_end_that_nobody_thought_of_is_the_last_event_too(
    run: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    code: int,
    name: str,
) -> None:
    def ending(*_: object) -> Outcome:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "capture", ending)
        ran = run("apply", "--auto-approve", *SIM, "--events", "events.ndjson")
    assert ran.code == code
    assert (written(folder)[-1]["event"], written(folder)[-1]["exit_name"]) == ("finished", name)


@pytest.mark.parametrize("file", ["tenant.json", "plan.json", "policies/tenant.yaml"])
def test_what_is_read_is_not_written_over_by_events(run: Run, folder: Path, file: str) -> None:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    before = (folder / file).read_bytes()
    ran = run("apply", "plan.json", "--auto-approve", *SIM, "--events", file)
    assert ran.code == 64
    assert (folder / file).read_bytes() == before
    both = ("--events", "both.json", "--json-into", "both.json")
    assert run("apply", "plan.json", "--auto-approve", *SIM, *both).code == 64


def test_an_apply_that_never_begins_ends_its_file_too(
    type_: Callable[..., Ran], folder: Path
) -> None:
    ran = type_("apply", *SIM, "--events", "events.ndjson", answer="no\n")
    assert ran.code == 1
    (only,) = written(folder)
    assert (only["event"], only["exit_name"], only["message"]) == (
        "finished",
        "error",
        "declined: nothing was changed",
    )


STEPS = of_annotation(Step)
TEXTS = st.text() | st.sampled_from(["a\nb", "::error::x", "##vso[a.b]", "\u202e", "\ud800"])
SECONDS = st.floats(0, 1e6)
WHY = st.sampled_from(happening.ReadingReason)
PIDS = st.lists(st.integers(1, 9), max_size=2).map(tuple)
COUNTS = st.integers(0, 9)
EVENTS = {
    happening.ReadingTenant: (st.frozensets(st.sampled_from(PROVIDERS)), WHY),
    happening.CheckingPlan: (COUNTS,),
    happening.PlanLocated: (COUNTS, COUNTS),
    happening.StepStarted: (STEPS, st.integers(1, 3)),
    happening.StepDone: (STEPS, SECONDS, st.booleans()),
    happening.StepFailed: (STEPS, TEXTS, TEXTS),
    happening.WentOn: (STEPS, COUNTS),
    happening.Retrying: (STEPS, TEXTS, TEXTS, SECONDS),
    happening.WaitingToReadAgain: (WHY, SECONDS, COUNTS),
    happening.WaitingForProcess: (PIDS, SECONDS),
    happening.WaitingForLock: (TEXTS, SECONDS),
    happening.WaitingForHost: (TEXTS, SECONDS),
    happening.SharedStateDirectory: (TEXTS, TEXTS),
    happening.JournalIgnored: (TEXTS, TEXTS),
    happening.EndingProcess: (PIDS,),
    happening.Settling: (STEPS, st.integers(1, 9), SECONDS),
}


def _of_kind(kind: tuple[type, tuple[st.SearchStrategy, ...]]) -> st.SearchStrategy:
    made, values = kind
    return st.tuples(*values).map(lambda drawn: made(*drawn))


def test_every_kind_of_event_is_among_those() -> None:
    assert set(get_args(happening.Event)) == EVENTS.keys()


@given(st.sampled_from(sorted(EVENTS.items(), key=str)).flatmap(_of_kind))
def test_every_event_has_a_line_that_the_schema_knows(event: happening.Event) -> None:
    line = events.event_line(events.event_record(event, 1.5, 3))
    assert unfit(line[:-1]) is None
    assert runners.github(line) is None
    assert runners.azure(line) is None
    (row,) = rows(line)
    assert row["time"] == "1970-01-01T00:00:01.500Z"
    assert row["event"] in set(EventName)
