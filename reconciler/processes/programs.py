"""Which program is started: never one that whoever writes the documents could bring along.

PowerShell gets the tenant's tokens and certificates, and git runs as the user does. So a pull
request that adds a program named `pwsh` or `git` must not be able to decide which one it is,
whatever PATH and the system's own search would find first (Windows looks into the working
directory).
"""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_STARTED_BY_WINDOWS: Final = (".com", ".exe")
"""Endings of files that Windows starts itself. It hands a batch file to `cmd`, which has a search
and a reading of arguments of its own (Microsoft Learn, CreateProcessW).
"""


class Flavour(NamedTuple):
    """How a system spells paths and names programs.

    `endings`: what a program's name may end with, in the order in which they are tried.
    """

    path: type[PurePath]
    separator: str
    endings: tuple[str, ...]


POSIX: Final = Flavour(PurePosixPath, ":", ("",))


class SoughtProgram(NamedTuple):
    """A program that is looked for.

    `variable`: of the environment, which may name it by its whole path. `posix`, `windows`: such a
    path, as an example.
    """

    name: str
    variable: str
    posix: str
    windows: str


def windows(environ: Mapping[str, str]) -> Flavour:
    """Windows, with those endings of PATHEXT that it starts itself."""
    listed = environ.get("PATHEXT", "").lower().split(";")
    endings = tuple(ending for ending in listed if ending in _STARTED_BY_WINDOWS)
    return Flavour(PureWindowsPath, ";", endings or _STARTED_BY_WINDOWS)


class UntrustedFolder(NamedTuple):
    """A folder from which nothing is started: others choose what lies there.

    `whole`: with everything below it, else only what lies directly in it.
    """

    folder: PurePath
    what: str
    whole: bool


class Disk(Protocol):
    """What the choice asks of the file system."""

    def starts(self, path: PurePath) -> bool:
        """Whether this is a file that this user may start."""
        ...

    def trail(self, path: PurePath) -> Sequence[PurePath]:
        """Every place that a path leads through: itself, each link on the way, and where it ends."""
        ...

    def same(self, folder: PurePath, other: PurePath) -> bool:
        """Whether two paths are one folder, however they are spelt."""
        ...

    def anybody_writes(self, path: PurePath) -> bool:
        """Whether every user of the machine may write here."""
        ...


class PassedOver(NamedTuple):
    """A program, or an entry of PATH, that was not taken, and why."""

    path: str
    why: str


class Chosen(NamedTuple):
    """The program to start, an absolute path.

    `by`: what led to it. `passed`: what was not taken before it. `replaceable`: a place on its way
    that every user of the machine may write to, empty if there is none.
    """

    program: str
    by: str
    passed: tuple[PassedOver, ...]
    replaceable: str


class NotChosen(NamedTuple):
    """There is none that may be started, and why."""

    why: str
    passed: tuple[PassedOver, ...]


Choice: TypeAlias = Chosen | NotChosen


def choose_program(
    program: SoughtProgram,
    environ: Mapping[str, str],
    flavour: Flavour,
    disk: Disk,
    untrusted: Sequence[UntrustedFolder],
    named: str | None = None,
) -> Choice:
    """Choose the program to start: the one that is named, else the first on PATH that may be.

    Args:
        program: What is looked for.
        environ: This process's environment: the program's variable and PATH.
        flavour: The system's paths.
        disk: Its files.
        untrusted: Where nothing may be started from.
        named: A path that the caller names, before the variable.
    """
    search = _Search(program, flavour, disk, untrusted)
    wanted = named or environ.get(program.variable)
    if wanted:
        return search.named(wanted, program.variable if named is None else "the caller")
    return search.on_path(environ.get("PATH", ""))


class _Search:
    def __init__(
        self,
        program: SoughtProgram,
        flavour: Flavour,
        disk: Disk,
        untrusted: Sequence[UntrustedFolder],
    ) -> None:
        self._wanted, self._flavour = program, flavour
        self._disk, self._untrusted = disk, untrusted

    def named(self, text: str, by: str) -> Choice:
        path = self._flavour.path(text)
        if not path.is_absolute():
            return NotChosen(
                f"{by} is {text!r}, which is not an absolute path: name the program's whole path,"
                f" as in {self._example()}",
                (),
            )
        program = self._program(path)
        if program is None:
            return NotChosen(f"{by} is {text!r}, but there is no program there to start", ())
        why = _forbidden(program, self._disk, self._untrusted)
        if why:
            return NotChosen(f"{by} is {text!r}, which is not started: it {why}", ())
        return self._chosen(program, by, ())

    def _example(self) -> str:
        posix = self._flavour.path is PurePosixPath
        return self._wanted.posix if posix else self._wanted.windows

    def on_path(self, listed: str) -> Choice:
        passed: list[PassedOver] = []
        for entry in dict.fromkeys(listed.split(self._flavour.separator)):
            program = self._of_entry(entry)
            if isinstance(program, PassedOver):
                passed.append(program)
            elif program is not None:
                return self._chosen(program, "PATH", tuple(passed))
        return NotChosen(
            f"no absolute folder on PATH has a {self._wanted.name} to start", tuple(passed)
        )

    def _of_entry(self, entry: str) -> PurePath | PassedOver | None:
        text = _unquoted(entry, self._flavour)
        folder = self._flavour.path(text)
        if not text or not folder.is_absolute():
            # An empty entry is the working directory.
            return PassedOver(repr(entry), "is not an absolute path")
        program = self._program(folder / self._wanted.name)
        if program is None:
            return None
        why = _forbidden(program, self._disk, self._untrusted)
        if not why and self._disk.anybody_writes(folder):
            # Anybody may put a program there, in front of the one that was installed.
            why = "is in a folder to which every user of this machine may write"
        return PassedOver(str(program), why) if why else program

    def _program(self, path: PurePath) -> PurePath | None:
        """The file that a path without or with an ending names."""
        endings = self._flavour.endings
        if not path.name:
            return None
        complete = path.suffix.lower() in endings
        paths = (path,) if complete else tuple(path.with_name(path.name + end) for end in endings)
        return next(filter(self._disk.starts, paths), None)

    def _chosen(self, program: PurePath, by: str, passed: tuple[PassedOver, ...]) -> Chosen:
        return Chosen(str(program), by, passed, next(self._replaceable(program), ""))

    def _replaceable(self, program: PurePath) -> Iterator[str]:
        for place in self._disk.trail(program):
            for path in (place, place.parent):
                if self._disk.anybody_writes(path):
                    yield str(path)


def kept_entries(
    listed: str, flavour: Flavour, disk: Disk, untrusted: Sequence[UntrustedFolder]
) -> tuple[str, tuple[PassedOver, ...]]:
    """A list of folders in the form of PATH, without those that a program shall find nothing in, and
    these: what is not absolute, and what lies where nothing may be started from.
    """
    kept, passed = [], []
    for entry in dict.fromkeys(listed.split(flavour.separator)):
        text = _unquoted(entry, flavour)
        folder = flavour.path(text)
        absolute = bool(text) and folder.is_absolute()
        why = _forbidden(folder / "any", disk, untrusted) if absolute else "is not an absolute path"
        if why:
            passed.append(PassedOver(entry if absolute else repr(entry), why))
        else:
            kept.append(entry)
    return flavour.separator.join(kept), tuple(passed)


def _unquoted(entry: str, flavour: Flavour) -> str:
    """Windows takes quotes around an entry of PATH."""
    quoted = flavour.path is PureWindowsPath and len(entry) > 1
    return entry[1:-1] if quoted and entry[0] == entry[-1] == '"' else entry


def _forbidden(path: PurePath, disk: Disk, untrusted: Sequence[UntrustedFolder]) -> str:
    """Why nothing at a path may be started; empty if it may.

    Each link on the way is looked at as well: whoever writes it decides what is started.
    """
    for place in disk.trail(path):
        for folder in untrusted:
            if _within(place, folder, disk):
                return f"is in {folder.what} {folder.folder}"
    return ""


def _within(place: PurePath, untrusted: UntrustedFolder, disk: Disk) -> bool:
    folders = place.parents if untrusted.whole else (place.parent,)
    return any(
        folder == untrusted.folder or disk.same(folder, untrusted.folder) for folder in folders
    )


def told(passed: Sequence[PassedOver]) -> str:
    """What was passed over, as one text."""
    return "; ".join(f"{program.path} {program.why}" for program in passed)
