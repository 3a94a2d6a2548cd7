"""Recorded answers of PowerShell 7.6.5, and a real PowerShell where there is one."""

import itertools
import json
import os
import queue
import re
import shutil
import subprocess
import threading
from importlib import resources
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[1] / "data" / "powershell"
MINIMUM = (7, 6)


def recorded(name: str) -> list[dict]:
    """The rows of a recording.

    Lines end at LF only: a value may hold what Python takes for a line end.
    """
    return [json.loads(line) for line in (RECORDED / name).read_text("utf-8").split("\n") if line]


@pytest.fixture(scope="session")
def literals() -> list[dict]:
    return recorded("literals.jsonl")


@pytest.fixture(scope="session")
def arguments() -> list[dict]:
    return recorded("arguments.jsonl")


@pytest.fixture(scope="session")
def gate() -> list[dict]:
    return recorded("gate.jsonl")


@pytest.fixture(scope="session")
def runner_reads() -> list[dict]:
    return recorded("read.jsonl")


@pytest.fixture(scope="session")
def bindings() -> list[dict]:
    return recorded("invocations.jsonl")


@pytest.fixture(scope="session")
def classes() -> dict[str, frozenset[int]]:
    return {
        row["class"]: _code_points(row["codePoints"])
        for row in recorded("characters.jsonl")
        if "codePoints" in row
    }


def _code_points(ranges: list[str]) -> frozenset[int]:
    bounds = [[int(bound, 16) for bound in one.split("-")] for one in ranges]
    return frozenset(point for bound in bounds for point in range(bound[0], bound[-1] + 1))


@pytest.fixture(scope="session")
def pwsh() -> str:
    """The path of a PowerShell that is new enough: RECONCILER_PWSH, else `pwsh` on PATH."""
    found = shutil.which(os.environ.get("RECONCILER_PWSH") or "pwsh")
    if found is None:
        pytest.skip("no PowerShell 7.6 or newer on PATH or in RECONCILER_PWSH")
    answer = subprocess.run(
        [found, "--version"], capture_output=True, text=True, timeout=120, check=False
    ).stdout
    version = re.search(r"PowerShell (\d+)\.(\d+)", answer)
    if version is None or tuple(map(int, version.groups())) < MINIMUM:
        pytest.skip(f"{found} is {answer.strip() or 'no PowerShell'}; 7.6 or newer is needed")
    return found


class Runner:
    """One process of the package's runner: a request line in, an answer line out."""

    def __init__(self, pwsh: str, script: Path, home: Path) -> None:
        keep = {
            name: os.environ[name]
            for name in ("PATH", "SYSTEMROOT", "DOTNET_ROOT")
            if name in os.environ
        }
        quiet = {
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "POWERSHELL_UPDATECHECK": "Off",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
        }
        places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(home))
        command = [
            pwsh,
            "-NoLogo",
            "-NoProfile",
            "-NonInteractive",
            "-OutputFormat",
            "Text",
            "-File",
            str(script),
        ]
        self._process = subprocess.Popen(
            command,
            env=keep | quiet | places,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._ids = itertools.count(1)
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)

    def ask(self, op: str, **request: object) -> dict:
        """One operation's answer line."""
        line = json.dumps({"id": next(self._ids), "op": op, **request})
        self._process.stdin.write(line.encode("ascii") + b"\n")
        self._process.stdin.flush()
        return json.loads(self._lines.get(timeout=120))

    def close(self) -> None:
        """End the process; it disconnects and exits when its input ends."""
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


@pytest.fixture(scope="session")
def runner(pwsh: str, tmp_path_factory: pytest.TempPathFactory):
    with resources.as_file(resources.files("reconciler.powershell") / "runner.ps1") as script:
        process = Runner(pwsh, script, tmp_path_factory.mktemp("home"))
        try:
            assert process.ask("open", nonce="n")["value"]["powershell"]
            yield process
        finally:
            process.close()
