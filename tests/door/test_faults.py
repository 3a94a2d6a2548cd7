"""A process that misbehaves: the session is lost at once, the process is gone with all that it
started, and nothing is read into what it said.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import RefusedText
from reconciler.model.plans import Invocation
from reconciler.powershell.answers import Answer, NotFound
from reconciler.powershell.faults import DoorFault, SessionLost
from reconciler.powershell.session import Session, Timeouts, start_session
from tests.standin.places import script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ODD = (sys.executable, "-I", str(Path(__file__).with_name("odd.py")))
PROC = Path("/proc")
GET = Invocation("Get-CsOnlineUser", {})
SHORT = Timeouts(load=0.3, answer=0.3, read=0.3, write=0.3, close=0.3, terminate=0.3)

NO_ANSWERS = (
    *(
        "garbage",
        "an_empty_line",
        "not_ascii",
        "a_list",
        "deeply_nested",
        "another_nonce",
        "no_nonce",
        "another_id",
        "an_id_that_only_equals",
    ),
    *(
        "two_ends",
        "no_end",
        "no_milliseconds",
        "a_fraction",
        "not_a_number",
        "one_key_more",
        "a_value_that_is_none",
        "cut_off",
        "exit",
        "death",
    ),
    *("a_value_of_another_shape", "an_error_of_another_shape", "a_refusal_of_another_shape"),
)
OF_RUN = ("fewer_objects_than_counted", "more_objects_than_counted", "death_after_a_part")


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Starts a process with one fault."""
    with contextlib.ExitStack() as stack:

        def one(fault: str, *more: str, **options: Any) -> Session:
            executable = script(tmp_path / "pwsh", (*ODD, fault, *more), {})
            session = start_session(executable, **{"environment": os.environ, **options})
            stack.callback(session.close)
            return session

        yield one


def gone(pid: int) -> bool:
    """Not even a zombie is left."""
    return not (PROC / str(pid)).exists()


@pytest.mark.parametrize("fault", NO_ANSWERS)
def test_what_is_no_answer_ends_the_session(odd: Callable[..., Session], fault: str) -> None:
    session = odd(fault)
    with pytest.raises(SessionLost, match="the PowerShell process was lost: ") as lost:
        session.load("M", minimum="1")
    assert lost.value.sent
    assert gone(session.pid)
    with pytest.raises(SessionLost, match="has ended") as later:
        session.load("M", minimum="1")
    assert not later.value.sent


@pytest.mark.parametrize("fault", [*NO_ANSWERS, *OF_RUN])
def test_a_run_without_a_right_end_is_no_answer(odd: Callable[..., Session], fault: str) -> None:
    session = odd(fault)
    with pytest.raises(SessionLost):
        session.run(GET, "Get-CsOnlineUser")
    assert gone(session.pid)


@pytest.mark.parametrize("fault", ["silence", "silence_after_a_part"])
def test_silence_ends_the_session(odd: Callable[..., Session], fault: str) -> None:
    session = odd(fault)
    with pytest.raises(SessionLost, match=r"it did not answer within 0\.2 seconds"):
        session.run(GET, "Get-CsOnlineUser", timeout=0.2)
    assert gone(session.pid)


def test_every_operation_has_its_time(odd: Callable[..., Session]) -> None:
    for operation in (
        lambda session: session.load("M"),
        lambda session: session.read("Get-X"),
        lambda session: session.resolve(["Get-X"], ["M"]),
        lambda session: session.run(Invocation("Remove-X", {}), "Remove-X"),
    ):
        session = odd("silence", timeouts=SHORT)
        with pytest.raises(SessionLost, match=r"it did not answer within 0\.3 seconds"):
            operation(session)


def test_parts_belong_to_runs_only(odd: Callable[..., Session]) -> None:
    with pytest.raises(SessionLost, match="unknown format"):
        odd("fewer_objects_than_counted").load("M")


def test_nothing_is_sent_when_something_was_said_unasked(odd: Callable[..., Session]) -> None:
    session = odd("a_line_too_many")
    assert session.load("M") == NotFound("M", ())
    wait_for(lambda: session._child.spoke)  # type: ignore[attr-defined]
    with pytest.raises(SessionLost, match="something unexpected") as lost:
        session.load("M")
    assert not lost.value.sent
    assert gone(session.pid)


def test_noise_does_not_stop_the_process_and_is_not_kept_whole(
    odd: Callable[..., Session], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    session = odd("noise", log=log)
    assert session.load("M") == NotFound("M", ())
    session.close()
    tail = session.tail()
    assert len(tail) <= 64 * 1024
    assert tail.endswith("the last line, without an end")
    assert "\x1b" not in tail
    kept = log.read_text("utf-8")
    assert "noise 99999 \ufffd\n" in kept
    assert len(kept) < 5_000_000
    assert log.stat().st_mode & 0o077 == 0


def test_a_process_that_takes_no_line_is_ended(odd: Callable[..., Session]) -> None:
    session = odd("deaf", timeouts=SHORT)
    assert session.load("M") == NotFound("M", ())
    name = "x" * 300_000
    with pytest.raises(SessionLost) as lost:
        session.read(f"Get-X -Identity:'{name}'")
    assert lost.value.sent
    assert gone(session.pid)


@pytest.mark.parametrize("fault", ["stubborn", "slow_to_end"])
def test_a_process_that_does_not_end_is_ended(odd: Callable[..., Session], fault: str) -> None:
    session = odd(fault, timeouts=SHORT)
    assert session.load("M") == NotFound("M", ())
    started = children_of(session.pid)
    session.close()
    session.close()
    assert gone(session.pid)
    assert started or fault != "stubborn"
    for child in started:
        wait_for(lambda child=child: dead(child))
    with pytest.raises(SessionLost, match="it was closed"):
        session.load("M")


def test_what_a_process_leaves_behind_is_ended(odd: Callable[..., Session]) -> None:
    session = odd("a_child_that_stays")
    left = int(session.load("M").name)  # type: ignore[union-attr]
    assert not dead(left)
    session.close()
    wait_for(lambda: dead(left))


def wait_for(true: Callable[[], bool]) -> None:
    """What another process or thread is about to do."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def children_of(pid: int) -> list[int]:
    return [
        int(child)
        for task in (PROC / str(pid) / "task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def dead(pid: int) -> bool:
    """Gone, or a zombie that the system's first process has not taken yet: it runs no more."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def test_an_interrupted_operation_ends_the_process(odd: Callable[..., Session]) -> None:
    session = odd("fewer_objects_than_counted")

    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.run(GET, "Get-CsOnlineUser", part=interrupt)
    assert gone(session.pid)
    with pytest.raises(SessionLost, match="it was interrupted"):
        session.read("Get-X")


@pytest.mark.parametrize(
    ("invocation", "text"),
    [
        (GET, "Get-CsOnlineUser; Remove-X"),
        (GET, "Get-CsOnlineUser -Identity:(Remove-X)"),
        (GET, "Get-CsOnlineUser -Identity:$x"),
        (GET, "Get-CsOnlineUser > f"),
        (GET, "Get-CsOnlineUser # c"),
        (GET, "Get-CsOnlineUser -Identity:\u2018a\u2019"),
        (GET, "gcsu"),
        (GET, "Get-CsOnlineUser -Identity:'a'"),
        (GET, "Get-CsOnlineuser"),
        (Invocation("Get-X", {"A": 1}), "Get-X -A:$true"),
        (Invocation("Get-X", {"A": "1"}), "Get-X -A:1"),
        (Invocation("Get-X", {"A": ["a"]}), "Get-X -A:'a'"),
        (Invocation("Get-X", {"A": {"Add": ["a"]}}), "Get-X -A:@{Remove=@('a')}"),
        (Invocation("Get-X", {"A": "\ud800"}), "Get-X -A:'\ud800'"),
    ],
)
def test_a_text_that_is_not_exactly_the_invocation_never_leaves(
    odd: Callable[..., Session], invocation: Invocation, text: str
) -> None:
    session = odd("death")
    with pytest.raises(RefusedText):
        session.run(invocation, text)
    assert not gone(session.pid)


def test_lone_surrogates_never_leave(odd: Callable[..., Session]) -> None:
    session = odd("nothing_wrong")
    with pytest.raises(RefusedText, match="lone surrogate"):
        session.load("M\ud800")
    assert session.load("M") == NotFound("M", ())


def test_lists_are_tuples_or_lists(odd: Callable[..., Session]) -> None:
    session = odd("nothing_wrong")
    made = Invocation("Set-X", {"A": {"Add": ("a", "b")}, "B": ("c",), "C": None})
    assert session.run(made, "Set-X -A:@{Add=@('a','b')} -B:@('c') -C:$null") == Answer(
        [], (), (), ()
    )


def test_a_failed_open_is_told_with_what_was_printed(odd: Callable[..., Session]) -> None:
    with pytest.raises(SessionLost, match="it exited without answering"):
        odd("open:exit")
    with pytest.raises(SessionLost, match="unknown format"):
        odd("open:a_value_that_is_none")


def test_a_program_that_is_gone_again_cannot_be_asked_for_its_version(tmp_path: Path) -> None:
    program = script(
        tmp_path / "pwsh", ("sh", "-c", f"rm '{tmp_path / 'pwsh'}'; echo gone >&2"), {}
    )
    with pytest.raises(SessionLost, match=r"its last output: gone$"):
        start_session(program, environment=os.environ)


def test_too_old_is_told_whether_it_answers_or_not(odd: Callable[..., Session]) -> None:
    with pytest.raises(
        DoorFault, match=r"is PowerShell 7\.4, which is too old: install 7\.6 or newer with `"
    ):
        odd("nothing_wrong", "7.4.11")
    with pytest.raises(DoorFault, match=r"is PowerShell 7\.5, which is too old"):
        odd("open:exit", "7.5.0")


def test_a_preview_and_a_later_version_will_do(odd: Callable[..., Session]) -> None:
    assert odd("nothing_wrong", "7.7.0-preview.1").powershell == "7.7.0-preview.1"
    assert odd("nothing_wrong", "8.0.0").powershell == "8.0.0"


def test_a_session_shows_no_more_of_itself_than_needed(odd: Callable[..., Session]) -> None:
    session = odd("nothing_wrong")
    assert repr(session) == f"<PowerShell 7.6.5, process {session.pid}>"
    session.close()
    assert repr(session) == f"<PowerShell 7.6.5, process {session.pid}, ended>"
