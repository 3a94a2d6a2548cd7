"""The machine that a job runs on, whatever the platform: its tools, of which most are stand-ins, and
bash. What stand-ins know and note is in the folder `$STAND_IN_STATE`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.workflows.blocks import Placed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOTED: Final = 'echo "$(basename "$0") $*" >> "$STAND_IN_STATE/tools.txt"'


EXECUTED: Final[set[str]] = set()
"""The places of all scripts that ran, as `blocks.py` gives them to texts."""
INTERPRETER: Final = Path(__file__).with_name("interpreter.py")
JQ: Final = Path(__file__).with_name("jq_tool.py")


def install_tools(folder: Path, own: Mapping[str, str]) -> None:
    """Make the tools of a machine in `folder/tools`: this reconciler, stand-ins for Python and
    PowerShell, and the platform's own ones, each a script of sh.
    """
    texts = {
        "reconciler": f'exec {Path(sys.executable).with_name("reconciler")} "$@"',
        "python": python("python"),
        "python3": python("python3"),
        "pwsh": f"{_NOTED}; echo 7.6.1",
        "sleep": _NOTED,
        "jq": stand_in(JQ),
        **own,
    }
    for name, text in texts.items():
        write_tool(folder / "tools" / name, text)


def write_tool(file: Path, text: str) -> None:
    """Make a tool of a script of sh."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)


def python(name: str) -> str:
    """The text of an interpreter that is called by this name."""
    return f'exec {sys.executable} {INTERPRETER} {name} "$@"'


def stand_in(program: Path) -> str:
    """The text of a tool that a program of ours stands in for."""
    return f'exec {sys.executable} {program} "$@"'


def noted(printed: str) -> str:
    """The text of a tool that notes how it was called, and prints something."""
    return f"{_NOTED}; {printed}"


def run_bash(
    script: str, file: Path, folder: Path, options: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a script of a job in `folder/checkout`, with this environment and the least beside it.

    Args:
        script: its text.
        file: where it is written.
        folder: the platform's.
        options: of bash, as the platform gives them.
        environment: what the platform and the step set.
    """
    assert "${{" not in script, "an expression in a script is text of somebody else's in it"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", *options, str(file)],
        cwd=folder / "checkout",
        env={
            "PATH": f"{folder / 'tools'}:/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "RECONCILER_STATE_DIR": os.environ["RECONCILER_STATE_DIR"],
            "STAND_IN_STATE": str(folder),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if isinstance(script, Placed):
        EXECUTED.add(script.place)
    return done
