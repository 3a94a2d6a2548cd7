"""Processes side by side: each told in turn, no more at a time than may be, and none left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.processes import side_by_side as module
from reconciler.processes.running import Bounds, Ended, Unfinished
from reconciler.processes.side_by_side import side_by_side

ROOT = Path(__file__).parents[2]
BOUNDS = Bounds(60.0, 1_000_000)


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_outcomes_come_in_the_order_of_the_commands(tmp_path: Path) -> None:
    commands = [
        _python(f"import time; time.sleep({(5 - number) / 20}); print({number}); exit({number})")
        for number in range(5)
    ]
    with side_by_side(commands, os.environ, tmp_path, BOUNDS, 5) as outcomes:
        told = list(outcomes)
    assert [(each.code, each.printed.split()) for each in told if isinstance(each, Ended)] == [
        (number, [str(number).encode()]) for number in range(5)
    ]


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_no_more_run_at_a_time_than_may(tmp_path: Path, at_once: int) -> None:
    code = (
        "import os, time; open(f'{os.getpid()}.run', 'x').close(); time.sleep(0.1);"
        " print(len([n for n in os.listdir() if n.endswith('.run')])); os.remove(f'{os.getpid()}.run')"
    )
    with side_by_side([_python(code)] * 6, os.environ, tmp_path, BOUNDS, at_once) as outcomes:
        counts = [int(each.printed) for each in outcomes if isinstance(each, Ended)]
    assert len(counts) == 6
    assert max(counts) <= at_once


def test_what_cannot_start_or_lasts_too_long_stops_no_other(tmp_path: Path) -> None:
    commands = [("/nowhere/at-all",), _python("import time; time.sleep(60)"), _python("print(1)")]
    with side_by_side(commands, os.environ, tmp_path, Bounds(1.0, 1000), 2) as outcomes:
        first, second, third = outcomes
    assert isinstance(first, FileNotFoundError)
    assert isinstance(second, Unfinished)
    assert isinstance(third, Ended)


def test_who_leaves_early_leaves_none_running(tmp_path: Path, default_signals: None) -> None:
    code = "import os, time; open(f'{os.getpid()}', 'x').close(); time.sleep(60)"
    with (
        pytest.raises(RuntimeError, match="left"),
        side_by_side([_python(code)] * 4, os.environ, tmp_path, BOUNDS, 2),
    ):
        _leave_once_there_are(2, tmp_path)
    assert len(_pids(tmp_path)) == 2, "nothing was started after that"
    assert not any(map(_runs, _pids(tmp_path)))


def test_what_does_not_stop_when_asked_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        " open(f'{os.getpid()}', 'x').close(); time.sleep(60)"
    )
    monkeypatch.setattr(module, "_GRACE", 0.2)
    with (
        pytest.raises(RuntimeError, match="left"),
        side_by_side([_python(code)], os.environ, tmp_path, BOUNDS, 1),
    ):
        _leave_once_there_are(1, tmp_path)
    assert not any(map(_runs, _pids(tmp_path)))


def _leave_once_there_are(count: int, folder: Path) -> None:
    _wait_for(folder, count)
    raise RuntimeError("left")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_fleet_that_is_stopped_ends_what_it_started(
    tmp_path: Path, number: signal.Signals, default_signals: None
) -> None:
    code = f"""
import os, sys
from pathlib import Path
from reconciler.cli.fleets import _ended_by_signals
from reconciler.processes.running import Bounds
from reconciler.processes.side_by_side import side_by_side
child = "import os, time; open(f'{{os.getpid()}}', 'x').close(); time.sleep(60)"
try:
    with _ended_by_signals(), side_by_side([(sys.executable, "-c", child)] * 3, os.environ,
                                           Path({str(tmp_path)!r}), Bounds(60.0, 1000), 2) as told:
        list(told)
except KeyboardInterrupt:
    sys.exit(130)
"""
    parent = subprocess.Popen(_python(code), cwd=ROOT, start_new_session=True)
    try:
        _wait_for(tmp_path, 2)
        parent.send_signal(number)
        assert parent.wait(30) == 130
    finally:
        parent.kill()
    assert not any(map(_runs, _pids(tmp_path)))


def _wait_for(folder: Path, count: int) -> None:
    until = time.monotonic() + 30
    while len(_pids(folder)) < count and time.monotonic() < until:
        time.sleep(0.02)


def _pids(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
