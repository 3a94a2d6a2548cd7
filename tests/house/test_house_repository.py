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

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:work|farm|root|home|Users|opt)/",
    "a place outside the repository": (
        r"(?<!policies/)\bshared/|\bdesign\.md\b|\bdesign §|\breference/|\breference \w+\.md\b"
    ),
    "a package index": r"find-links|extra-index-url|--index-url|files\.pythonhosted|pypi\.org",
    "how the repository came to be": (
        r"(?i)\b(?:this|later|access|scale|journey) issue\b|\bissues"
        r" (?:show|list)\b|\bchatgpt\b|\bllm\b|\bthe chief\b"
    ),
    "something left over": r"\b(?:TODO|FIXME|XXX)\b",
}
NOT_OF_OURS = (
    "LICENSE",
    "tests/data/powershell/",  # recordings: what was fed to PowerShell, word for word
    "tests/house/test_house_repository.py",  # holds what it looks for
)


def _texts() -> list[str]:
    return [name for name in tracked() if not name.startswith(NOT_OF_OURS)]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_tracked_speaks_of(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in _texts()
        for number, line in enumerate(
            (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1
        )
        if pattern.search(line)
    ]
    expect_none(found)


MAY_BE_LEFT_OUT = {
    "tests/documents/test_language_server.py": "needs Node.js and yaml-language-server, from npm",
    "tests/house/test_house_release.py": "needs zizmor and check-jsonschema, which are in the extra `dev`",
    "tests/journey/test_pre_commit.py": "needs pre-commit, which is in the extra `dev`",
    "tests/powershell/conftest.py": "needs PowerShell, and says so by the marker pwsh",
    "tests/applying/test_lock.py": "one case needs fcntl, which Windows has not",
    "tests/reports/test_html_browser.py": "needs Chromium, its driver, and axe-core",
    "tests/cli/test_cli_streams.py": "a device that is always full is Linux's alone",
}


def test_no_test_is_switched_off() -> None:
    pattern = re.compile(r"\b(?:xfail|skipif|importorskip|pytest\.skip|mark\.skip)\b")
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in _texts()
        if name.startswith("tests/") and name.endswith(".py") and name not in MAY_BE_LEFT_OUT
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
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
    expect_none(
        [
            name
            for name in workflows
            if "\npermissions: {}\n" not in (ROOT / name).read_text(encoding="utf-8")
        ]
    )


def test_every_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    expect_none([one for one in needed if ">=" not in one])


MARKDOWN_WIDTH = 160
"""Tables and fenced output have the width of what they hold."""
MADE_MARKDOWN = ("tests/data/", "tests/reports/cases/")


def test_prose_in_markdown_is_at_most_160_characters_wide() -> None:
    wide = []
    for name in tracked():
        if not name.endswith(".md") or name.startswith(MADE_MARKDOWN):
            continue
        fenced = False
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1):
            fenced ^= line.lstrip().startswith("```")
            if len(line) > MARKDOWN_WIDTH and not (
                fenced or line.lstrip().startswith(("|", "<!--"))
            ):
                wide.append(f"{name}:{number}: {len(line)}")
    expect_none(wide)
