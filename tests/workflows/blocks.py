"""The scripts of workflows, actions and templates, each with the place where it stands: what runs one
notes that place, and nobody else can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GITHUB: Final = ROOT / ".github"
KEYS: Final = ("run", "bash", "script", "inlineScript", "pwsh", "powershell")
"""Below which GitHub and Azure Pipelines take a script; what is a mapping there is none."""


class Placed(str):
    """A text of a file, with the line on which it begins."""

    __slots__ = ("place",)
    place: str


class _Loader(yaml.SafeLoader):
    """Gives texts with their places."""


def _placed(loader: _Loader, node: yaml.ScalarNode) -> Placed:
    text = Placed(node.value)
    text.place = f"{loader.name}:{node.start_mark.line + 1}"
    return text


_Loader.add_constructor("tag:yaml.org,2002:str", _placed)


def loaded(file: Path) -> Any:
    """A file of YAML, with the places of its texts."""
    with file.open(encoding="utf-8") as stream:
        loader = _Loader(stream)
        loader.name = file.relative_to(GITHUB).as_posix()
        return loader.get_single_data()


def scripts(part: Any) -> Iterator[Placed]:
    """Every script below a part of a file."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in KEYS and isinstance(value, Placed):
                yield value
            yield from scripts(value)
    elif isinstance(part, list):
        for item in part:
            yield from scripts(item)


def every_script() -> dict[str, frozenset[str]]:
    """The places of all scripts of each file that has any."""
    files = sorted(file for file in GITHUB.rglob("*.yml") if file.is_file())
    found = {
        file.relative_to(GITHUB).as_posix(): frozenset(each.place for each in scripts(loaded(file)))
        for file in files
    }
    return {name: places for name, places in found.items() if places}
