"""The README is executed: every command it shows prints what it says."""

from __future__ import annotations

import difflib
import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from reconciler import errors
from reconciler.cli.main import COMMANDS
from tests.docs.__main__ import main
from tests.docs.console import DOCS, ROOT, rewritten, sample

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "commands.md").read_text(encoding="utf-8")


def _fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_every_console_block_prints_what_the_page_says(tmp_path: Path) -> None:
    now = rewritten(README, sample(tmp_path)).page
    assert now == README, "".join(
        difflib.unified_diff(
            README.splitlines(keepends=True), now.splitlines(keepends=True), "README.md", "printed"
        )
    )


PAGE = "# Page\n\n```console\n$ printf 'a\\nb\\nc\\nd\\ne\\n'\n{}```\n"


def test_a_page_is_rewritten_around_what_it_leaves_out(tmp_path: Path) -> None:
    now = rewritten(PAGE.format("old\n[...]\nc\n[...]\nold\n"), sample(tmp_path))
    assert now == (PAGE.format("a\n[...]\nc\n[...]\ne\n"), [])


def test_an_excerpt_that_is_printed_no_more_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    page = PAGE.format("old\n[...]\nx\ny\n[...]\nold\n")
    readme.write_text(page, encoding="utf-8")
    assert main(["--write"], readme) == 1
    assert readme.read_text(encoding="utf-8") == page
    said = capsys.readouterr().err
    assert "printf" in said
    assert "x\ny\n" in said
    readme.write_text(PAGE.format("old\n[...]\nb\n[...]\nold\n"), encoding="utf-8")
    assert main(["--write"], readme) == 0
    assert "\na\n[...]\nb\n[...]\ne\n" in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize("document", _fenced("yaml"))
def test_every_yaml_block_is_a_valid_document(document: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "readme.yaml").write_text(document, encoding="utf-8")
    ran = run("validate")
    assert ran.code == 0, ran.out + ran.err


def test_every_link_leads_somewhere() -> None:
    pages = [
        ROOT / "README.md",
        *sorted((ROOT / ".github").glob("**/*.md")),
        *sorted((ROOT / "schemas").glob("*.md")),
    ]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", _prose(page))
        if not (page.parent / target).exists()
    ]
    assert dead == []


def _prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )


def test_it_is_short() -> None:
    assert README.count("\n") < 200


def _command(name: str) -> str:
    found = re.findall(rf"<!-- command: {name} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("name", ["run", "test"])
def test_each_of_the_two_commands_is_one_line_with_all_its_set_up(name: str) -> None:
    line = _command(name)
    assert line.count("\n") == 1
    assert line.startswith("python3 -m venv .venv && .venv/bin/python -m pip install -q -e ")


def test_every_command_has_its_row() -> None:
    assert [name for name in COMMANDS if f"| `reconciler {name}" not in REFERENCE] == []


def test_every_option_is_named() -> None:
    commands = [import_module(f"reconciler.cli.commands.{name}").command for name in COMMANDS]
    options = {
        max(parameter.opts, key=len)
        for command in commands
        for parameter in command.params
        if parameter.param_type_name == "option"
    }
    assert [option for option in sorted(options) if f"`{option}" not in REFERENCE] == []


def test_every_environment_variable_has_its_row() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "reconciler").rglob("*.py")]
    names = {name for source in sources for name in re.findall(r"\bRECONCILER_[A-Z]+\b", source)}
    assert [name for name in sorted(names) if f"| `{name}` |" not in REFERENCE] == []


def test_every_exit_code_has_its_row() -> None:
    faults = [
        fault
        for fault in vars(errors).values()
        if isinstance(fault, type) and issubclass(fault, errors.ReconcilerError)
    ]
    assert [
        code for code in {fault.exit_code for fault in faults} if f"| {code} |" not in REFERENCE
    ] == []
