"""Something to name in RECONCILER_PWSH: the stand-in, or a real PowerShell with the stub modules,
in front of one stub server.
"""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.standin.stubs.stub_server import StubServer

STAND_IN = (sys.executable, "-I", str(Path(__file__).with_name("stand_in.py")))


@dataclass(frozen=True)
class Place:
    """Where tests of processes run.

    `modules`: the stub modules on disk, for a real PowerShell; the stand-in holds its own.
    """

    program: tuple[str, ...] = STAND_IN
    modules: Path | None = None

    @property
    def real(self) -> bool:
        return self.modules is not None

    def executable(
        self,
        folder: Path,
        server: StubServer | None = None,
        *,
        without_modules: bool = False,
        **variables: str,
    ) -> str:
        """A program in `folder` that starts it.

        The door gives its child few variables, so the program brings those of the test.
        """
        brought = {**(server.environment() if server else {}), **variables}
        if self.modules:
            brought["PSModulePath"] = str(folder if without_modules else self.modules)
        elif without_modules:
            brought["STAND_IN_MODULES"] = ""
        return script(folder / "pwsh", self.program, brought)


def script(path: Path, program: tuple[str, ...], variables: dict[str, str]) -> str:
    """A shell script that becomes a program, with these variables."""
    lines = [
        "#!/bin/sh",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        f'exec {shlex.join(program)} "$@"',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o700)
    return str(path)
