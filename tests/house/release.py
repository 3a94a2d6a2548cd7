"""What has to be so before a tag is published: `python -m tests.house.release TAG REPOSITORY`.

Needs nothing but Python: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def faults(tag: str, repository: str, root: Path = ROOT) -> Iterator[str]:
    """What is wrong with a release of this tag, from this address."""
    package = (root / "reconciler" / "__init__.py").read_text(encoding="utf-8")
    (version,) = _VERSION.findall(package)
    if tag != f"v{version}":
        yield f"the tag is {tag}, and reconciler/__init__.py says {version}: tag v{version}"
    changes = (root / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## \[?{re.escape(version)}\]?(?: |$)", changes, re.MULTILINE):
        yield f".github/CHANGELOG.md has no heading `## {version}`: move what is new under one"
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, address in project["urls"].items():
        if address != repository and not address.startswith(f"{repository}/"):
            yield f"pyproject.toml: project.urls.{name} is {address}, not below {repository}"


def main() -> None:
    """Print what is wrong, and fail if anything is."""
    tag, repository = sys.argv[1:]
    wrong = list(faults(tag, repository))
    for fault in wrong:
        print(f"::error::{fault}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
