"""Starting PowerShell: which one, with what, and what to say when it is missing or too old."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.powershell.door.conversation import Conversation
from reconciler.powershell.door.hiding import Hiding
from reconciler.powershell.door.homes import make_home, note
from reconciler.powershell.door.log import Log
from reconciler.powershell.environment import carried_secrets, child_environment
from reconciler.powershell.faults import DoorFault, SessionLost
from reconciler.processes.child import Child
from reconciler.processes.programs import (
    Choice,
    Chosen,
    NotChosen,
    PassedOver,
    SoughtProgram,
    choose_program,
    kept_entries,
    told,
)
from reconciler.processes.running import Bounds, Unfinished, run_to_end
from reconciler.processes.untrusted import (
    RealDisk,
    flavour_here,
    untrusted_folders,
    working_directory,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.powershell.door.timeouts import Timeouts

PWSH: Final = SoughtProgram(
    "pwsh", "RECONCILER_PWSH", "/usr/bin/pwsh", r"C:\Program Files\PowerShell\7\pwsh.exe"
)
MINIMUM: Final = (7, 6)
"""What the runner and ExchangeOnlineManagement 3.10 need (Microsoft Learn, About the Exchange
Online PowerShell module).
"""
_LOADED_FROM: Final = frozenset({"PATH", "PSMODULEPATH", "DOTNET_ROOT"})
"""Variables that say where programs and libraries lie that PowerShell loads."""
_SWITCHES: Final = ("-NoLogo", "-NoProfile", "-NonInteractive", "-OutputFormat", "Text")
_VERSION_BOUNDS: Final = Bounds(seconds=60, most_bytes=64 * 1024)
_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})")
_INSTALL: Final = {
    "linux": "sudo snap install powershell --classic",
    "darwin": "brew install powershell",
    "win32": "winget install --id Microsoft.PowerShell",
}


def converse(
    executable: str | None,
    *,
    environment: Mapping[str, str],
    reads: Iterable[Path],
    log: Path | None,
    pass_on: Iterable[str],
    show: Callable[[str], None] | None,
    timeouts: Timeouts,
) -> Conversation:
    """Start PowerShell with the runner and open the conversation.

    Raises:
        DoorFault: there is no PowerShell, it is too old, or the log cannot be written.
        SessionLost: it did not open the conversation.
    """
    program = _found(chosen_program(environment, reads, executable))
    names = tuple(pass_on)
    hiding = Hiding()
    hiding.learn(carried_secrets(environment, names))
    with ExitStack() as cleanup:
        home = make_home(cleanup)
        variables = child_environment(environment, home, pass_on=names)
        variables, _ = _without_untrusted(variables, reads)
        printed = _log(hiding, log)
        child = _spawned(_command(program, cleanup), variables, home, printed)
        note(home, child.pid)
        conversation = Conversation(child, printed, timeouts, cleanup.pop_all(), show=show)
    try:
        conversation.open()
    except SessionLost as lost:
        _expect_new_enough(_asked_version(program, environment, reads), program)
        raise lost from None
    try:
        _expect_new_enough(conversation.powershell, program)
    except DoorFault:
        conversation.close()
        raise
    return conversation


def chosen_program(
    environment: Mapping[str, str], reads: Iterable[Path], executable: str | None = None
) -> Choice:
    """Which program would be started: what was named, else RECONCILER_PWSH, else `pwsh` on PATH.

    Args:
        environment: This process's.
        reads: What this run reads: paths of documents, of a plan. Nothing beside them is started.
        executable: A program that the caller names.
    """
    reads = tuple(reads)
    where = untrusted_folders(reads, working_directory())
    choice = choose_program(
        PWSH, environment, flavour_here(environment), RealDisk(), where, executable
    )
    unused = _unused_folders(environment, reads)
    return choice._replace(passed=(*choice.passed, *unused)) if unused else choice


def _unused_folders(
    environment: Mapping[str, str], reads: Iterable[Path]
) -> tuple[PassedOver, ...]:
    """What PowerShell does not load from, although a variable says so."""
    variables = child_environment(environment, Path(os.devnull))
    given = {name: value for name, value in variables.items() if name.upper() != "PATH"}
    return _without_untrusted(given, reads)[1]


def _without_untrusted(
    variables: Mapping[str, str], reads: Iterable[Path]
) -> tuple[dict[str, str], tuple[PassedOver, ...]]:
    """Variables without folders that others choose: a module, or .NET itself, that lies there would
    run with the tenant's tokens.
    """
    where, flavour = untrusted_folders(reads, working_directory()), flavour_here(variables)
    kept, passed = dict(variables), list[PassedOver]()
    for name in sorted(variables):
        if name.upper() in _LOADED_FROM:
            value, unused = kept_entries(variables[name], flavour, RealDisk(), where)
            passed += (PassedOver(f"{name} {entry.path}", entry.why) for entry in unused)
            kept[name] = value
            if not value:
                del kept[name]
    return kept, tuple(passed)


def _found(choice: Choice) -> str:
    if isinstance(choice, Chosen):
        return choice.program
    raise DoorFault(not_chosen(choice))


def not_chosen(choice: NotChosen) -> str:
    """What to say when there is no program to start."""
    passed = f" ({told(choice.passed)})" if choice.passed else ""
    return f"PowerShell was not found: {choice.why}{passed}; {_advice()}"


def _advice() -> str:
    line = _INSTALL.get(sys.platform, "https://learn.microsoft.com/powershell/scripting/install")
    return (
        f"install {'.'.join(map(str, MINIMUM))} or newer with `{line}`, or name one that is"
        f" installed, by its whole path, in {PWSH.variable}"
    )


def _expect_new_enough(version: str, program: str) -> None:
    numbers = _VERSION.search(version)
    if numbers and tuple(map(int, numbers.groups())) < MINIMUM:
        raise DoorFault(f"{program} is PowerShell {numbers.group()}, which is too old: {_advice()}")


def _asked_version(program: str, environment: Mapping[str, str], reads: Iterable[Path]) -> str:
    """What a PowerShell that did not run the runner says of its version; the runner itself asks for
    the one it needs.
    """
    with ExitStack() as cleanup, contextlib.suppress(OSError, Unfinished):
        home = make_home(cleanup)
        variables, _ = _without_untrusted(child_environment(environment, home), reads)
        ended = run_to_end((program, "--version"), variables, home, _VERSION_BOUNDS)
        return ended.printed.decode("utf-8", "replace")
    return ""


def _command(program: str, cleanup: ExitStack) -> tuple[str, ...]:
    script = cleanup.enter_context(
        resources.as_file(resources.files("reconciler.powershell") / "runner.ps1")
    )
    return (program, *_SWITCHES, "-File", str(script.absolute()))


def _log(hiding: Hiding, path: Path | None) -> Log:
    try:
        return Log(hiding, path)
    except OSError as why:
        raise DoorFault(f"cannot write the log {path}: {why.strerror}") from None


def _spawned(command: tuple[str, ...], variables: Mapping[str, str], home: Path, log: Log) -> Child:
    try:
        return Child(command, variables, home, log)
    except OSError as why:
        log.close()
        raise DoorFault(f"cannot start {command[0]}: {why.strerror}; {_advice()}") from None
