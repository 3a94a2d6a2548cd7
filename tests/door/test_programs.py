"""Whose PowerShell is started: judged on values for both ways to spell paths, and on real folders."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.powershell.door.starting import PWSH, chosen_program
from reconciler.powershell.faults import DoorFault
from reconciler.powershell.session import start_session
from reconciler.processes.programs import (
    POSIX,
    Chosen,
    NotChosen,
    PassedOver,
    UntrustedFolder,
    choose_program,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.processes.programs import Choice


@dataclass
class FakeDisk:
    """Files that can be started, folders that all may write, and links of the last name."""

    programs: set[PurePath] = field(default_factory=set)
    open_to_all: set[PurePath] = field(default_factory=set)
    links: dict[PurePath, PurePath] = field(default_factory=dict)
    asked: list[PurePath] = field(default_factory=list)

    def starts(self, path: PurePath) -> bool:
        self.asked.append(path)
        return path in self.programs or path in self.links

    def trail(self, path: PurePath) -> Sequence[PurePath]:
        further = self.links.get(path)
        return (path, *(self.trail(further) if further else ()))

    def same(self, one: PurePath, other: PurePath) -> bool:
        return str(one).lower() == str(other).lower()

    def anybody_writes(self, path: PurePath) -> bool:
        return path in self.open_to_all


def posix(path: str, *, disk: FakeDisk, named: str = "") -> Choice:
    untrusted = (
        UntrustedFolder(PurePosixPath("/docs"), "the working directory", whole=False),
        UntrustedFolder(PurePosixPath("/repo"), "the git repository", whole=True),
    )
    return choose_program(PWSH, {"PATH": path, "RECONCILER_PWSH": named}, POSIX, disk, untrusted)


def on_windows(path: str, *, disk: FakeDisk, **environ: str) -> Choice:
    untrusted = (UntrustedFolder(PureWindowsPath(r"C:\Repo"), "the git repository", whole=True),)
    return choose_program(PWSH, {"PATH": path, **environ}, windows(environ), disk, untrusted)


def posix_disk(*programs: str, links: Mapping[str, str] | None = None) -> FakeDisk:
    pairs = {PurePosixPath(a): PurePosixPath(b) for a, b in (links or {}).items()}
    return FakeDisk({PurePosixPath(one) for one in programs}, links=dict(pairs))


def windows_disk(*programs: str) -> FakeDisk:
    return FakeDisk({PureWindowsPath(one) for one in programs})


def program(choice: Choice) -> str:
    assert isinstance(choice, Chosen), choice
    return choice.program


def test_the_first_absolute_entry_that_may_be_taken_is() -> None:
    disk = posix_disk("/repo/bin/pwsh", "/docs/pwsh", "/srv/pwsh", "/usr/bin/pwsh")
    choice = posix("/repo/bin:/none:/docs:/srv:/usr/bin", disk=disk)
    assert program(choice) == "/srv/pwsh"
    assert choice.passed == (
        PassedOver("/repo/bin/pwsh", "is in the git repository /repo"),
        PassedOver("/docs/pwsh", "is in the working directory /docs"),
    )


@pytest.mark.parametrize("entry", ["", ".", "..", "bin", "./bin", "~/bin", "$HOME/bin"])
def test_an_entry_that_is_not_absolute_is_not_even_looked_into(entry: str) -> None:
    disk = posix_disk("/usr/bin/pwsh", f"{entry}/pwsh" if entry else "pwsh")
    choice = posix(f"{entry}:/usr/bin", disk=disk)
    assert program(choice) == "/usr/bin/pwsh"
    assert choice.passed == (PassedOver(repr(entry), "is not an absolute path"),)
    assert disk.asked == [PurePosixPath("/usr/bin/pwsh")]


@pytest.mark.parametrize(
    "entry", ["", ".", r"\tools", "C:tools", "C:", "%ProgramFiles%", '"tools"', '"']
)
def test_windows_entries_that_depend_on_the_working_directory_are_not_looked_into(
    entry: str,
) -> None:
    there = PureWindowsPath(entry.strip('"')) / "pwsh.exe"
    disk = windows_disk(str(there), r"D:\PowerShell\pwsh.exe")
    choice = on_windows(rf"{entry};D:\PowerShell", disk=disk)
    assert program(choice) == r"D:\PowerShell\pwsh.exe"
    assert there not in disk.asked


def test_windows_finds_by_ending_and_starts_no_batch_file() -> None:
    disk = windows_disk(r"C:\a\pwsh", r"C:\a\pwsh.cmd", r"C:\b\pwsh.bat", r"C:\c\pwsh.exe")
    path = r"C:\a;C:\b;C:\c"
    assert program(on_windows(path, disk=disk)) == r"C:\c\pwsh.exe"
    assert program(on_windows(path, disk=disk, PATHEXT=".BAT;.CMD;.EXE")) == r"C:\c\pwsh.exe"
    both = windows_disk(r"C:\a\pwsh.exe", r"C:\a\pwsh.com")
    assert program(on_windows(path, disk=both, PATHEXT=".EXE;.COM")) == r"C:\a\pwsh.exe"
    assert program(on_windows(path, disk=both, PATHEXT=".COM;.EXE")) == r"C:\a\pwsh.com"


def test_windows_paths_are_compared_without_case_and_taken_out_of_quotes() -> None:
    disk = windows_disk(r"c:\REPO\tools\pwsh.exe", r"C:\Program Files\PowerShell\7\pwsh.exe")
    choice = on_windows(r'c:\REPO\tools;"C:\Program Files\PowerShell\7"', disk=disk)
    assert program(choice) == r"C:\Program Files\PowerShell\7\pwsh.exe"
    assert [one.path for one in choice.passed] == [r"c:\REPO\tools\pwsh.exe"]


def test_a_program_that_is_named_may_leave_its_ending_out_on_windows() -> None:
    disk = windows_disk(r"C:\ps\pwsh.exe")
    for named in (r"C:\ps\pwsh.exe", r"C:\ps\pwsh", "C:/ps/pwsh.EXE"):
        assert (
            program(on_windows("", disk=disk, RECONCILER_PWSH=named)).lower() == r"c:\ps\pwsh.exe"
        )


@pytest.mark.parametrize("named", ["pwsh", "./pwsh", "bin/pwsh", "~/pwsh"])
def test_a_program_that_is_named_is_named_in_full(named: str) -> None:
    choice = posix("/usr/bin", disk=posix_disk("/usr/bin/pwsh", named), named=named)
    assert isinstance(choice, NotChosen)
    assert choice.why == (
        f"RECONCILER_PWSH is {named!r}, which is not an absolute path: name the program's whole"
        " path, as in /usr/bin/pwsh"
    )


def test_a_program_that_is_named_does_not_lie_in_the_repository() -> None:
    choice = posix("/usr/bin", disk=posix_disk("/usr/bin/pwsh", "/repo/pwsh"), named="/repo/pwsh")
    assert isinstance(choice, NotChosen)
    assert choice.why == (
        "RECONCILER_PWSH is '/repo/pwsh', which is not started: it is in the git repository /repo"
    )


def test_what_is_named_wins_over_path() -> None:
    choice = posix("/usr/bin", disk=posix_disk("/usr/bin/pwsh", "/srv/ps"), named="/srv/ps")
    assert choice == Chosen("/srv/ps", "RECONCILER_PWSH", (), "")


@pytest.mark.parametrize(
    "links",
    [
        {"/srv/pwsh": "/repo/tools/pwsh"},
        {"/srv/pwsh": "/else/pwsh", "/else/pwsh": "/repo/pwsh"},
        {"/srv/pwsh": "/repo/pwsh", "/repo/pwsh": "/usr/bin/other"},
    ],
)
def test_no_link_on_the_way_lies_in_the_repository(links: dict[str, str]) -> None:
    choice = posix("/srv:/usr/bin", disk=posix_disk("/usr/bin/pwsh", links=links))
    assert program(choice) == "/usr/bin/pwsh"


def test_a_link_is_started_as_it_is_named() -> None:
    """What a snap installs is a link to a program that looks at the name it is called by."""
    disk = posix_disk(links={"/snap/bin/pwsh": "/usr/bin/snap"})
    assert program(posix("/snap/bin", disk=disk)) == "/snap/bin/pwsh"


def test_a_folder_on_path_that_all_may_write_is_passed_over() -> None:
    disk = posix_disk("/open/pwsh", "/usr/bin/pwsh")
    disk.open_to_all = {PurePosixPath("/open")}
    choice = posix("/open:/usr/bin", disk=disk)
    assert program(choice) == "/usr/bin/pwsh"
    assert choice.passed[0].path == "/open/pwsh"
    assert "every user of this machine may write" in choice.passed[0].why


def test_a_program_that_all_may_replace_is_told() -> None:
    """It is started: on the machines that run GitHub's jobs, where nobody else is, it is so."""
    disk = posix_disk(links={"/usr/bin/pwsh": "/srv/ps/pwsh"})
    disk.open_to_all = {PurePosixPath("/srv/ps")}
    choice = posix("/usr/bin", disk=disk)
    assert choice == Chosen("/usr/bin/pwsh", "PATH", (), "/srv/ps")


_ENTRIES = ("", ".", "bin", "/repo", "/repo/a/b", "/Repo/x", "/docs", "/docs/a", "/usr/bin", "/srv")


@given(
    entries=st.lists(st.sampled_from(_ENTRIES)),
    there=st.sets(st.sampled_from(_ENTRIES)),
    linked=st.dictionaries(st.sampled_from(_ENTRIES), st.sampled_from(_ENTRIES), max_size=3),
)
def test_whatever_is_chosen_is_absolute_and_not_of_the_repository(
    entries: list[str], there: set[str], linked: dict[str, str]
) -> None:
    links = {
        f"{a}/pwsh": f"{b}/pwsh" for a, b in linked.items() if _ENTRIES.index(a) < _ENTRIES.index(b)
    }
    disk = posix_disk(*(f"{one}/pwsh" for one in there), links=links)
    choice = posix(":".join(entries), disk=disk)
    if isinstance(choice, Chosen):
        for place in disk.trail(PurePosixPath(choice.program)):
            assert place.is_absolute()
            assert place.parts[1].lower() != "repo"
            assert str(place.parent) != "/docs"
    else:
        good = {"/usr/bin", "/srv", "/docs/a"}
        assert not any(
            one in good and one in there and f"{one}/pwsh" not in links for one in entries
        )


# real folders


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    for one in (".git", "policies", "tools"):
        (folder / one).mkdir(parents=True)
    return folder


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    path.chmod(0o700)
    return path


def looked(path: str, *reads: Path, named: str = "") -> Choice:
    return chosen_program({"PATH": path, "RECONCILER_PWSH": named}, reads)


def test_nothing_of_the_repository_of_the_documents_is_taken(
    repository: Path, tmp_path: Path
) -> None:
    inside, outside = made(repository / "tools" / "pwsh"), made(tmp_path / "bin" / "pwsh")
    path = os.pathsep.join(map(str, (inside.parent, outside.parent)))
    assert program(looked(path)) == str(inside), "no document says that it is a repository's"
    for reads in (repository, repository / "policies", repository / "policies" / "plan.json"):
        assert program(looked(path, reads)) == str(outside)
        assert isinstance(looked("", reads, named=str(inside)), NotChosen)


def test_without_a_repository_the_folder_of_the_documents_counts(tmp_path: Path) -> None:
    inside, beside = made(tmp_path / "policies" / "a" / "pwsh"), made(tmp_path / "pwsh")
    path = os.pathsep.join(map(str, (inside.parent, beside.parent)))
    assert program(looked(path, tmp_path / "policies")) == str(beside)
    plan = tmp_path / "plan.json"
    assert isinstance(looked(str(beside.parent), plan), NotChosen), "it lies beside the plan"
    assert program(looked(str(inside.parent), plan)) == str(inside)


def test_nothing_of_the_working_directory_is_taken(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain"
    beside, below = made(plain / "pwsh"), made(plain / "bin" / "pwsh")
    monkeypatch.chdir(plain)
    path = os.pathsep.join(map(str, ("", ".", beside.parent, below.parent)))
    assert program(looked(path)) == str(below)
    tools = made(repository / "tools" / "pwsh").parent
    monkeypatch.chdir(repository / "policies")
    assert program(looked(os.pathsep.join(map(str, (tools, beside.parent))))) == str(beside)


def test_a_working_directory_that_is_gone_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, outside = tmp_path / "gone", made(tmp_path / "bin" / "pwsh")
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert program(looked(f":{outside.parent}")) == str(outside)
    monkeypatch.chdir(tmp_path)


def test_links_into_and_through_the_repository_are_followed(
    repository: Path, tmp_path: Path
) -> None:
    inside, outside = made(repository / "tools" / "pwsh"), made(tmp_path / "bin" / "pwsh")
    into, folder, through = tmp_path / "into", tmp_path / "folder", tmp_path / "through"
    into.mkdir()
    (into / "pwsh").symlink_to(inside)
    folder.symlink_to(inside.parent)
    (repository / "onward").symlink_to(outside.parent)
    through.symlink_to(repository / "onward")
    for one in (into, folder, through, repository / "tools" / ".." / "onward"):
        choice = looked(os.pathsep.join(map(str, (one, outside.parent))), repository)
        assert program(choice) == str(outside)
        assert [passed.path for passed in choice.passed] == [str(one / "pwsh")]
    linked = tmp_path / "documents"
    linked.symlink_to(repository / "policies")
    assert program(looked(os.pathsep.join(map(str, (inside.parent, outside.parent))), linked)) == (
        str(outside)
    )


def test_a_link_that_leads_in_circles_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "pwsh").symlink_to(tmp_path / "pwsh")
    assert isinstance(looked(str(tmp_path)), NotChosen)


def test_a_submodule_belongs_to_the_repository_around_it(repository: Path, tmp_path: Path) -> None:
    inside, outside = made(repository / "tools" / "pwsh"), made(tmp_path / "bin" / "pwsh")
    submodule = repository / "policies"
    (submodule / ".git").write_text("gitdir: ../.git/modules/policies\n", encoding="utf-8")
    path = os.pathsep.join(map(str, (inside.parent, outside.parent)))
    assert program(looked(path, submodule)) == str(outside)


def test_a_folder_that_all_may_write_is_passed_over(tmp_path: Path) -> None:
    shared, outside = made(tmp_path / "shared" / "pwsh"), made(tmp_path / "bin" / "pwsh")
    shared.parent.chmod(0o1777)
    path = os.pathsep.join(map(str, (shared.parent, outside.parent)))
    assert program(looked(path)) == str(outside)
    outside.chmod(0o707)
    assert looked(path).replaceable == str(outside)


def test_what_may_not_be_started_is_told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(repository / "pwsh")
    monkeypatch.chdir(repository)
    with pytest.raises(DoorFault) as fault:
        start_session(environment={"PATH": f".:{repository}"})
    assert str(fault.value).startswith(
        "PowerShell was not found: no absolute folder on PATH has a pwsh to start ('.' is not an"
        f" absolute path; {repository}/pwsh is in the working directory {repository}); install "
    )
    with pytest.raises(DoorFault, match="RECONCILER_PWSH is 'pwsh', which is not an absolute path"):
        start_session(environment={"PATH": str(repository), "RECONCILER_PWSH": "pwsh"})


def test_a_real_repository_is_known_as_one(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "one")], check=True)
    inside = made(tmp_path / "one" / "deep" / "pwsh")
    (tmp_path / "one" / "policies").mkdir()
    assert isinstance(looked(str(inside.parent), tmp_path / "one" / "policies"), NotChosen)
