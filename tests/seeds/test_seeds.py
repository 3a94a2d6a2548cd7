"""Every documented command line is a step of the plan of the documents that say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Run

HERE = Path(__file__).parent
LINES = HERE.parent / "data" / "seeds.md"
SEEDS = ("000", "001", "002", "003", "004")

TOKEN = re.compile(
    r"""-(?P<name>[A-Za-z]+)(?=\s|$)|"(?P<quoted>[^"]*)"|(?P<comma>,)|(?P<bare>[^\s,"]+)"""
)
SETS = {"AppId", "AppIds"}  # order means nothing in these


class Line(NamedTuple):
    """A cmdlet with its parameters: sets for lists of client ids, True for a switch, else text."""

    cmdlet: str
    parameters: Mapping[str, Any]


def _value(name: str, texts: list[str]) -> object:
    if name in SETS:
        return frozenset(texts)
    return texts[0] if texts else True


def _documented(line: str) -> Line:
    """Read one line as the pages print it: named parameters, bare words or double quotes, lists
    with commas.
    """
    cmdlet, _, rest = line.partition(" ")
    found: dict[str, list[str]] = {}
    for token in TOKEN.finditer(rest):
        if token["name"]:
            found[token["name"]] = []
        elif not token["comma"]:
            found[next(reversed(found))].append(
                token["bare"] if token["quoted"] is None else token["quoted"]
            )
    return Line(cmdlet, {name: _value(name, texts) for name, texts in found.items()})


def _planned(step: Mapping[str, Any]) -> Line:
    parameters = {
        name: frozenset(value) if name in SETS else value
        for name, value in step["parameters"].items()
        if name != "Confirm"
    }
    return Line(step["cmdlet"], parameters)


def _lines(seed: str) -> list[str]:
    section = LINES.read_text(encoding="utf-8").split(f"\n## {seed}\n")[1].split("\n## ")[0]
    block = re.search(r"```powershell\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1].splitlines()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_documented_line_is_planned(seed: str, run: Run) -> None:
    ran = run(
        "plan",
        str(HERE / seed / "policies"),
        "--tenant",
        f"sim:{HERE / seed / 'tenant.json'}",
        "--format",
        "json",
    )
    assert ran.code == 0, ran.out + ran.err
    planned = [_planned(step) for step in json.loads(ran.out)["plan"]["steps"]]
    documented = [_documented(line) for line in _lines(seed)]
    assert [line for line in documented if line not in planned] == []
    assert len(planned) == len(documented), "a step that no page asks for"


def test_every_line_is_read_as_the_page_means_it() -> None:
    assert _documented('Grant-X -PolicyName Test-policy -Identity "a-b" -Global') == Line(
        "Grant-X", {"PolicyName": "Test-policy", "Identity": "a-b", "Global": True}
    )
    assert _documented('New-X -AppIds "b", "a" -Description "two words"').parameters == {
        "AppIds": frozenset({"a", "b"}),
        "Description": "two words",
    }
    assert sum(len(_lines(seed)) for seed in SEEDS) == 11
