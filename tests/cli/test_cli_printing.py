"""Colour is only colour, and progress is only as loud as it must be."""

from __future__ import annotations

import io
import os
import re
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.applying.events import (
    PlanLocated,
    ReadingReason,
    ReadingTenant,
    Retrying,
    StepDone,
    StepStarted,
)
from reconciler.cli import printing, watching
from reconciler.cli.recording import Recorder
from reconciler.cli.working import working
from reconciler.model.plans import Step
from reconciler.reports.lines import Line, Tone, plain_text
from reconciler.reports.outline import Outline
from tests.cli.sample import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Run

lines = st.lists(st.builds(Line, st.text(max_size=120), st.sampled_from(Tone)), max_size=6)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(lines)
@example([Line("0\x1f\x1f\U00018cd6\U00018d09\U00018d09 ")])
def test_with_its_colour_stripped_a_report_is_the_plain_text(report: list[Line]) -> None:
    from rich.console import Console

    stream = Terminal()
    options = {"highlight": False, "markup": False, "emoji": False, "soft_wrap": True}
    printing.coloured(
        report,
        Console(file=stream, force_terminal=True, color_system="standard", width=40, **options),
    )
    assert re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()) == plain_text(report)


def test_every_tone_has_a_style() -> None:
    assert set(printing.STYLES) == set(Tone)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, True),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm"}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, wanted: bool
) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("TERM", raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        assert printing.colours(Terminal()) is wanted
        assert not printing.colours(io.StringIO())


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_can_be_forced_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, wanted: bool
) -> None:
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        assert printing.colours(io.StringIO()) is wanted
        assert not printing.animated(io.StringIO())


def test_forced_colour_is_written_to_a_file_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    ran = run("plan", cwd=ROOT)
    assert "\x1b[1;31m" in ran.out
    plain = re.sub(r"\x1b\[[0-9;]*m", "", ran.out)
    monkeypatch.delenv("FORCE_COLOR")
    assert plain == run("plan", cwd=ROOT).out


def _step(number: int) -> Step:
    return Step(
        number,
        "teams.policy/A",
        "teams",
        "Set-It",
        {},
        "Set-It",
        "describe",
        temporary=False,
        gaps=(),
    )  # type: ignore[arg-type]


def _told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_where_no_terminal_is_what_goes_well_is_told_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds: Iterator[float] = iter(number / 10 for number in range(10_000))
    show = watching.Plain(1000, clock=lambda: next(seconds))
    show(PlanLocated(0, 1000))
    for number in range(1, 1001):
        show(StepStarted(_step(number), 1))
        show(StepDone(_step(number), 0.1, seen=False))
    told = _told(capsys)
    assert told[0] == "Nothing has changed since the plan was made."
    assert told[-1].startswith("[1000/1000] done")
    assert len(told) < 90
    assert any(
        "steps a minute; about " in line and line.endswith(tuple("0123456789")) for line in told
    )


def test_what_does_not_go_well_is_always_told(capsys: pytest.CaptureFixture[str]) -> None:
    show = watching.Plain(10, clock=lambda: 0.0)
    for attempt in (1, 2, 3):
        show(StepStarted(_step(1), attempt))
        show(Retrying(_step(1), "throttled", "too many.", 30.0))
    assert len(_told(capsys)) == 5


def test_the_bar_moves_and_shows_trouble_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", stream)
        patch.setenv("TERM", "xterm")
        with watching.event_display(10, Recorder(None)) as tell:
            tell(ReadingTenant(frozenset({"teams"}), ReadingReason.BASELINE))
            tell(PlanLocated(3, 10))
            tell(StepStarted(_step(4), 1))
            tell(Retrying(_step(4), "throttled", "\x1b[2J", 30.0))
            tell(StepDone(_step(4), 1.0, seen=False))
    assert "throttled: \\u{1B}[2J" in stream.getvalue()


def test_an_apply_goes_on_when_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            tried.append(text)
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", Gone())
        with watching.event_display(1, Recorder(None)) as tell:
            tell(PlanLocated(0, 1))
    assert tried


@pytest.mark.usefixtures("default_signals")
def test_the_first_signal_is_a_wish_and_the_second_an_order(
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with watching.stopping() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert "Finishing the step in flight" in capfd.readouterr().err


def test_a_terminal_that_goes_away_takes_no_outcome_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Gone(Terminal):
        def write(self, _: str) -> int:
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", Gone())
        patch.setattr("sys.stdout", Gone())
        patch.setenv("TERM", "xterm")
        with watching.event_display(1, Recorder(None)) as tell:
            tell(PlanLocated(0, 1))
            tell(Retrying(_step(1), "throttled", "too many.", 30.0))
        done = Outline(command="apply", simulated=False, chapters=(), closing=("done",))
        printing.outline_done(done, "text")
        with pytest.raises(printing.Unprinted, match="Input/output error"):
            printing.report([Line("done")])


def test_work_that_lasts_is_told_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with working("Planning", quiet=30.0):
        pass
    assert _told(capsys) == []
    told, before = threading.Event(), threading.enumerate()
    monkeypatch.setattr(printing, "notice", lambda lines: (printing.report(lines), told.set()))

    def failing() -> None:
        with working("Planning", quiet=0.01):
            assert told.wait(30)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert threading.enumerate() == before
    assert capsys.readouterr().out.splitlines()[0] == "Planning: 0 s so far."


def test_work_that_lasts_moves_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    written = threading.Event()

    class Watched(Terminal):
        def write(self, text: str) -> int:
            if "Planning" in text:
                written.set()
            return super().write(text)

    stream = Watched()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", stream)
        patch.setenv("TERM", "xterm")
        with working("Planning", quiet=0.01):
            assert written.wait(30)
    assert stream.getvalue().endswith("\x1b[2K"), "nothing is left on the terminal"
