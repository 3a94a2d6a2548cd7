"""The cases of this room: folders of data under `faults/RULE/CASE` and `valid/CASE`."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
FAULTS = sorted(path for path in (HERE / "faults").glob("*/*") if path.is_dir())
VALID = sorted(path for path in (HERE / "valid").iterdir() if path.is_dir())


class Case(NamedTuple):
    """A case set up in a folder of its own: the PATHs to examine, relative to that folder, and what
    is expected.
    """

    paths: list[Path]
    expected: Any


def set_up(folder: Path, target: Path) -> Case:
    """Copy a case and make its links; `case.json` may name PATHs and links, otherwise the whole
    folder is the PATH.
    """
    shutil.copytree(folder, target, dirs_exist_ok=True)
    setup = (
        json.loads((folder / "case.json").read_text()) if (folder / "case.json").exists() else {}
    )
    assert setup.keys() <= {"paths", "links"}
    for link, destination in setup.get("links", {}).items():
        (target / link).symlink_to(destination)
    return Case(
        [Path(path) for path in setup.get("paths", ["."])],
        json.loads((folder / "expected.json").read_text(encoding="utf-8")),
    )
