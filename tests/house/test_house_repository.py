"""What lies in the repository, and what must not stand in it."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.house.tree import ROOT, expect_none, tracked

TOP = {
    ".ci",
    ".editorconfig",
    ".github",
    ".gitignore",
    ".pre-commit-hooks.yaml",
    "LICENSE",
    "README.md",
    "policies",
    "pyproject.toml",
    "reconciler",
    "schemas",
    "tests",
}

# Written in pieces, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:" + "wo" + r"rk|fa" + r"rm|ro" + r"ot|ho" + r"me|Users|op" + r"t)/",
    "a place outside the repository": r"\bshar" + r"ed/|\bdesign\.m" + r"d\b|\bdesi" + r"gn §|\breference/|\breference \w+\.m" + r"d\b",
    "a package index": "|".join(
        ("find-" + "links", "extra-" + "index-url", r"--index-" + r"url", r"files\.python" + "hosted", r"pypi\." + "org")
    ),
    "how the repository came to be": r"(?i)\b(?:this|later|access|scale|journey) iss"
    + r"ue\b|\bissues (?:show|list)\b|\bchat"
    + r"gpt\b|\bcla"
    + r"ude\b|\bllm"
    + r"\b|\bthe chi"
    + r"ef\b",
    "something left over": r"\b(?:TO" + "DO|FIX" + "ME|XX" + r"X)\b",
}
NOT_TEXT_OF_OURS = ("tests/data/powershell/", "LICENSE")  # recordings: what was fed to PowerShell, word for word


def _texts() -> list[str]:
    return [name for name in tracked() if not name.startswith(NOT_TEXT_OF_OURS)]


def test_the_top_level_is_fixed() -> None:
    assert {name.split("/")[0] for name in tracked()} <= TOP


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_tracked_speaks_of(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in _texts()
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    expect_none(found)


def test_no_test_is_switched_off() -> None:
    """The only tests that may be left out are those that need PowerShell, by their marker."""
    pattern = re.compile(r"\b(?:x" + r"fail|sk" + r"ipif|importor" + r"skip|pytest\.sk" + r"ip|mark\.sk" + r"ip)\b")
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in tracked()
        if name.startswith("tests/") and name.endswith(".py")
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line) and "pwsh" not in name
    ]
    expect_none(found)


def test_actions_are_pinned_by_commit() -> None:
    uses = [
        line.strip()
        for name in tracked()
        if name.startswith(".github/workflows/")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*-?\s*uses:", line)
    ]
    assert uses
    expect_none([line for line in uses if not re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)])


def test_workflows_start_without_permissions() -> None:
    workflows = [name for name in tracked() if name.startswith(".github/workflows/")]
    expect_none([name for name in workflows if "\npermissions: {}\n" not in (ROOT / name).read_text(encoding="utf-8")])


def test_every_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    expect_none([one for one in needed if ">=" not in one])
