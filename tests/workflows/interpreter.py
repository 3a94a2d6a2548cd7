"""Stands in for `python`: it notes what it is asked; packages are neither fetched nor built, and tests
are not run, but what needs this repository alone is really run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ["STAND_IN_STATE"])
BUILT = ("m365_access_reconciler-0-py3-none-any.whl", "m365_access_reconciler-0.tar.gz")


def _after(words, option):
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def _pip(words):
    """Say which file is not there, or has no hashes, as pip does."""
    files = [*_after(words, "-r"), *_after(words, "-c"), *_after(words, "--requirement")]
    files += [word for word in words if word.endswith(".whl")]
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        return f"ERROR: Could not open {missing}"
    if "--require-hashes" in words and not all(map(_has_hashes, files)):
        return "ERROR: Hashes are required in --require-hashes mode"
    return 0


def _has_hashes(file):
    """Whether every requirement of a file has some, each on lines of its own that go on."""
    text = Path(file).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    return all("--hash=sha256:" in line for line in lines)


def _venv(words):
    """An environment whose tools are this one and what is installed into it."""
    tools = Path(words[0]) / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    own = f'exec {sys.executable} {__file__} "$0" "$@"'
    listed = 'for last; do :; done; echo "$0 $*" >> "$STAND_IN_STATE/tools.txt"; echo {} > "$last"'
    for name, text in (("python", own), ("cyclonedx-py", listed)):
        (tools / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    return 0


def _pytest(_words):
    """What the last lines of a run are, and how it ends."""
    told = STATE / "pytest.txt"
    text = told.read_text(encoding="utf-8") if told.exists() else "0"
    code, _, lines = text.partition("\n")
    print(lines)
    return int(code)


def _build(words):
    (folder,) = _after(words, "--outdir")
    Path(folder).mkdir()
    for name in BUILT:
        (Path(folder) / name).touch()
    return 0


def _twine(words):
    files = [Path(word) for word in words if "/" in word]
    refused = (STATE / "twine.txt").exists()
    return 0 if files and all(file.is_file() for file in files) and not refused else 1


MODULES = {"pip": _pip, "venv": _venv, "pytest": _pytest, "build": _build, "twine": _twine}


if __name__ == "__main__":
    name, *asked = sys.argv[1:]
    with (STATE / "tools.txt").open("a", encoding="utf-8") as noted:
        noted.write(f"{name} {' '.join(asked)}\n")
    if asked[:1] == ["-m"] and asked[1] in MODULES:
        sys.exit(MODULES[asked[1]](asked[2:]))
    sys.exit(subprocess.run([sys.executable, *asked], check=False).returncode)
