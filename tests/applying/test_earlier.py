"""Which journals of earlier applies are believed, and how long an apply that cannot be seen from
here is waited for: whatever may still write is waited for, and nobody else's process is ended
(law 10).
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.applying import applying, earlier, identity, processes, state
from reconciler.applying.events import JournalIgnored, WaitingForHost
from reconciler.applying.journal import ApplyEnd, Header, Journal
from reconciler.errors import LockHeld, ReconcilerError
from reconciler.git.index import tracks
from tests.applying import small_tenants
from tests.applying.locked import TENANT, hold
from tests.applying.test_applying import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.model.observed import Origin

HEADER = Header(
    tool="t", plan="plan:a", content="c", tenant=TENANT, source="live", steps=2, already=0
)


def journal(directory: Path, source: Origin = "live", at: float = small_tenants.NOON) -> Path:
    """An apply that was killed in its first step."""
    directory.mkdir(parents=True, exist_ok=True)
    header = Header(
        **{**{n: getattr(HEADER, n) for n in HEADER.__struct_fields__}, "source": source}
    )
    with Journal.create(directory, header, lambda: at) as lines:
        lines.started(1, 1)
    return lines.path


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where earlier versions put journals, in the folder that a command is started in."""
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone" / ".reconciler" / TENANT


def read(tmp_path: Path, told: list[Event], source: Origin = "live") -> earlier.EarlierApplies:
    places = state.prepared(TENANT, tmp_path / "state", tenant_id=TENANT)
    return earlier.read(places, "plan:a", source, told.append)


# --- what is believed


def test_a_journal_of_an_earlier_version_is_found(tmp_path: Path, old: Path) -> None:
    told: list[Event] = []
    path = journal(old)
    past = read(tmp_path, told)
    assert past.newest is not None
    assert past.newest.path == path
    assert past.wanted == 1
    assert told == []


def test_one_of_a_simulated_tenant_says_nothing_of_a_live_one(tmp_path: Path, old: Path) -> None:
    journal(old, source="simulated")
    assert read(tmp_path, []).newest is None
    assert read(tmp_path, [], source="simulated").newest is not None


def committed(path: Path) -> None:
    for command in (("init", "-q"), ("add", "-f", ".")):
        subprocess.run(["git", *command], cwd=path.parents[2], check=True)


def group_writable(path: Path) -> None:
    path.chmod(0o660)


def readable(path: Path) -> None:
    path.chmod(0o604)


def linked(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def linked_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to("moved", target_is_directory=True)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def open_folder(path: Path) -> None:
    path.parent.chmod(0o777)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (committed, "git tracks it"),
        (group_writable, "others may read or write it"),
        (readable, "others may read or write it"),
        (linked, "is a link"),
        (linked_folder, "is a link"),
        (piped, "not a regular file"),
        (open_folder, "everybody may write into"),
    ],
)
def test_one_that_may_be_somebody_else_s_is_not_believed_and_told(
    tmp_path: Path, old: Path, spoil: Callable[[Path], None], why: str
) -> None:
    path, told = journal(old), []
    spoil(path)
    assert read(tmp_path, told).last == ()
    (ignored,) = told
    assert isinstance(ignored, JournalIgnored)
    assert (ignored.path, why in ignored.why) == (str(path), True)


def test_one_of_another_user_is_not_believed(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal(old)
    places = state.prepared(TENANT, tmp_path / "state", tenant_id=TENANT)
    monkeypatch.setattr(os, "geteuid", lambda: old.stat().st_uid + 1)
    told: list[Event] = []
    assert earlier.read(places, "plan:a", "live", told.append).last == ()
    assert "another user" in str(told)


def test_one_beside_what_git_tracks_is_believed(tmp_path: Path, old: Path) -> None:
    committed(journal(old))
    path = journal(old)
    told: list[Event] = []
    newest = read(tmp_path, told).newest
    assert newest is not None
    assert newest.path == path
    assert len(told) == 1


@pytest.mark.parametrize("version", ["2", "4"])
@pytest.mark.parametrize("hashed", ["sha1", "sha256"])
@pytest.mark.parametrize("split", [False, True])
def test_what_git_tracks_is_what_its_index_says(
    tmp_path: Path, version: str, hashed: str, *, split: bool
) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)

    git("init", "-q", f"--object-format={hashed}")
    git("config", "index.version", version)
    names = ["a", "deep/a", "deep/ab", "deep/abc/x", "deep/b", "z" * 200]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    git("add", ".")
    git("add", "--intent-to-add", "deep/b")
    git("update-index", "--split-index" if split else "--no-split-index")
    for name in names:
        assert tracks(tmp_path / name), name
        assert not tracks(tmp_path / f"{name}c"), name
    (tmp_path / ".git" / "index").write_bytes(b"DIRC nonsense")
    assert tracks(tmp_path / "anything"), (
        "an index that cannot be read tells of no file that it is not there"
    )


def test_without_git_nothing_is_tracked(tmp_path: Path) -> None:
    assert not tracks(tmp_path / "a")


def test_the_younger_one_of_two_places_is_the_newest(tmp_path: Path, old: Path) -> None:
    places = state.prepared(TENANT, tmp_path / "state", tenant_id=TENANT)
    journal(old, at=small_tenants.NOON + 9)
    path = journal(places.lock, at=small_tenants.NOON + 10)
    past = read(tmp_path, [])
    assert past.newest is not None
    assert past.newest.path == path
    assert len(past.last) == 2, "processes of both may still run"


def test_a_list_of_places_that_cannot_be_read_is_named(tmp_path: Path, old: Path) -> None:
    places = state.prepared(TENANT, tmp_path / "state", tenant_id=TENANT)
    (places.lock / "journals.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ReconcilerError, match=r"journals\.json"):
        read(tmp_path, [])


# --- applies that cannot be seen from here


class Elsewhere:
    """A case, and an apply of its tenant by another machine or container that was killed."""

    def __init__(self, directory: Path, **differences: Any) -> None:
        self.case = Case(directory)
        self.lock = directory / "state"
        self.lock.mkdir(mode=0o700)
        path = journal(self.lock, at=self.case.clock.now)
        with path.open("a", encoding="ascii") as file:
            file.write(
                json.dumps(
                    {
                        "at": "2026-09-21T14:13:21+00:00",
                        "pid": os.getpid(),
                        "process": processes.started(os.getpid()),
                        "runner": "teams",
                    }
                )
                + "\n"
            )
        first, *others = path.read_text(encoding="ascii").splitlines()
        lines = [json.dumps({**json.loads(first), **differences}), *others]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")

    def apply(self, timeout: float = 0.0) -> bool:
        case = self.case
        with hold(self.lock, timeout=timeout) as held:
            return applying.apply(
                case.plan,
                case.door,
                held,
                tell=case.told.append,
                clock=case.clock,
                sleep=case.clock.sleep,
                patience=applying.ApplyPatience(),
            ).converged


MACHINE = {"host": "elsewhere", "pid": 7, "process": "x:1", "namespace": "pid:[1]"}
CONTAINER = {"host": "container", "pid": 7, "namespace": "pid:[1]"}


@pytest.mark.parametrize("differences", [MACHINE, CONTAINER], ids=["machine", "container"])
def test_one_that_did_not_end_by_itself_is_refused_with_its_name_and_never_ended(
    tmp_path: Path, differences: dict[str, Any]
) -> None:
    there = Elsewhere(tmp_path, **differences)
    with pytest.raises(LockHeld, match=f"process 7 on {differences['host']}") as caught:
        there.apply()
    assert "--lock-timeout 1320" in str(caught.value)
    assert there.case.door.sent == []


@pytest.mark.parametrize("differences", [MACHINE, CONTAINER], ids=["machine", "container"])
def test_it_is_waited_for_as_long_as_a_write_may_take(
    tmp_path: Path, differences: dict[str, Any]
) -> None:
    there = Elsewhere(tmp_path, **differences)
    with pytest.raises(LockHeld, match=r"let this apply wait with --lock-timeout (\d+)") as refused:
        there.apply()
    assert there.apply(timeout=float(str(refused.value).rpartition(" ")[2]))
    assert there.case.clock.now - small_tenants.NOON >= 1320
    assert [event.who for event in there.case.told if isinstance(event, WaitingForHost)] == [
        f"process 7 on {differences['host']}"
    ]


def test_one_that_was_long_ago_is_not_waited_for(tmp_path: Path) -> None:
    there = Elsewhere(tmp_path, **MACHINE)
    there.case.clock.now += 1320
    assert there.apply()
    assert not [event for event in there.case.told if isinstance(event, WaitingForHost)]


def test_one_from_before_a_restart_of_this_machine_is_not_waited_for(tmp_path: Path) -> None:
    there = Elsewhere(tmp_path, process="another boot:1")
    assert there.apply()


def test_one_that_ended_by_itself_is_not_waited_for(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    case = Case(tmp_path)
    with Journal.create(directory, HEADER, case.clock) as lines:
        lines.started(1, 1)
        lines.done(1, seen=False)
        lines.ended(ApplyEnd.STOPPED)
    path = lines.path
    content = path.read_text(encoding="ascii").replace(identity.own().host, "elsewhere", 1)
    path.write_text(content.replace(processes.started(os.getpid()), "x:1"), encoding="ascii")
    with hold(directory) as held:
        applied = applying.apply(
            case.plan,
            case.door,
            held,
            tell=case.told.append,
            clock=case.clock,
            sleep=case.clock.sleep,
        )
    assert applied.converged
    assert case.clock.now - small_tenants.NOON < 600
