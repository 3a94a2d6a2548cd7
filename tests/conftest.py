"""What every test relies on: nothing of the caller's environment reaches a test, and property tests
never fail for being slow.
"""

from __future__ import annotations

import io
import itertools
import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import pytest
from hypothesis import settings

from reconciler.errors import ReconcilerError
from tests.thoroughness import samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Two slow cores must see the same tests as a fast desk: a deadline would make the outcome depend on
# the machine.
settings.register_profile("reconciler", max_examples=samples(100), deadline=None, print_blob=True)
settings.load_profile("reconciler")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Property tests pass the same lines a hundred times over, at three times the price where
    coverage is measured. Other tests pass all of them too: `no_cover`, as on the seeded laws.
    """
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        item.add_marker("no_cover")


STEERING = frozenset(
    {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "CI", "GITHUB_ACTIONS"}
)
KEPT = frozenset({"RECONCILER_PWSH"})


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


_TESTS = itertools.count()

PRINTED: Final[list[str]] = []
"""What commands printed in this test, and the messages of errors."""


@pytest.fixture(autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide what steers the tool or colours its output, keep locks and journals out of the home of
    whoever runs this, and fail a test that leaves the environment altered.
    """
    state = tmp_path_factory.getbasetemp() / "state" / str(next(_TESTS))
    with pytest.MonkeyPatch.context() as patch:
        for name in _environment():
            if name in STEERING or (name.startswith("RECONCILER_") and name not in KEPT):
                patch.delenv(name)
        patch.setenv("RECONCILER_STATE_DIR", str(state))
        patch.setenv("COLUMNS", "5000")  # tests look for sentences: no line may break them
        before = _environment()
        yield
        assert _environment() == before, "this test leaves the environment altered"


def pytest_runtest_setup() -> None:
    """What is printed is of one test."""
    PRINTED.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that is said to try a remedy, and in which nothing prints it."""
    from tests.remedies import printed

    parts = printed.parts_of(item)
    with pytest.MonkeyPatch.context() as patch:
        if parts:
            patch.setattr(ReconcilerError, "__new__", _noted, raising=False)
        yield
    if missing := printed.unprinted(parts, PRINTED):
        pytest.fail(f"nothing prints the remedies that this test is said to try: {missing}")


def _noted(kind: type[ReconcilerError], *arguments: object) -> ReconcilerError:
    PRINTED.extend(map(str, arguments))
    return Exception.__new__(kind, *arguments)


class Ran(NamedTuple):
    """What a command did: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs `reconciler` with arguments; `stdin` is what is typed at it."""

    def __call__(self, *arguments: str, cwd: Path | None = None, stdin: str = "") -> Ran: ...


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process, in a folder of its own unless told where."""
    from reconciler.cli.main import run as reconciler

    def command(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Ran:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.chdir(cwd or tmp_path)
            patch.setattr(sys, "argv", ["reconciler", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            code = reconciler()
        captured = capsys.readouterr()
        PRINTED.extend(captured)
        return Ran(code, captured.out, captured.err)

    return command


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Signals as a terminal's foreground has them, for this process and those that it starts: what
    runs in the background, or under nohup, has some of them ignored.
    """
    ways = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if hasattr(signal, "SIGHUP"):
        ways[signal.SIGHUP] = signal.SIG_DFL
    before = {number: signal.signal(number, way) for number, way in ways.items()}
    yield
    for number, way in before.items():
        signal.signal(number, way)
