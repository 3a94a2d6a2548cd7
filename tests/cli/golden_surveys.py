"""What `list`, `reach` and `who` say of a tenant: `python -m tests.cli.golden_surveys` puts what they
say now into `surveys/`, which holds a capture, documents, and a folder for each case: `arguments.txt`, the
command, and an `expected` file for each format.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.kinds import golden_folders

HERE: Final = Path(__file__).parent / "surveys"
FOLDERS: Final = sorted(path.parent for path in HERE.glob("*/arguments.txt"))
FORMATS: Final = {"txt": "text", "markdown": "markdown", "json": "json"}


def said(folder: Path, suffix: str) -> str:
    """What a command prints in the format of a suffix; the version of the tool is left out."""
    command, *others = (folder / "arguments.txt").read_text(encoding="utf-8").split()
    documents = [*(["--path"] if command == "who" else []), str(HERE / "policies")]
    tenant = ["--tenant", str(HERE / "capture.json")]
    with tempfile.TemporaryDirectory() as scratch:
        ran = golden_folders.run(
            Path(scratch),
            *(command, *others, *documents, *tenant, "--format", FORMATS[suffix]),
        )
    assert ran.code == 0, ran.err
    out = ran.out.replace(f"{HERE}/", "")
    return _as_data(out) if suffix == "json" else out


def _as_data(text: str) -> str:
    envelope: dict[str, Any] = json.loads(text)
    del envelope["tool"]
    return json.dumps(envelope, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for folder in FOLDERS:
        for suffix in FORMATS:
            (folder / f"expected.{suffix}").write_text(said(folder, suffix), encoding="utf-8")
