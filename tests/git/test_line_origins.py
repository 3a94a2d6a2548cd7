"""Which commit brought a line: along the first parents, so that of a merged branch it is the merge."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.git.line_origins import FileLine, line_origins
from reconciler.git.program import GitFault, repository
from tests.git.repositories import Sandbox, sandbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return sandbox(tmp_path)


def brought(box: Sandbox, text: str | None, file: str = "a/b.txt", most: int = 200) -> str:
    line = FileLine(file, text)
    return line_origins(repository(box.top, (), os.environ), [line], most).get(line, "")


def test_a_line_came_with_the_commit_since_which_it_is_there(box: Sandbox) -> None:
    first = box.commit("first", a__b="one\ntwo\n")
    second = box.commit("second", a__b="zero\none\n  two\nthree\n")
    box.commit("third", other="one\n")
    assert brought(box, "one") == first
    assert brought(box, "two   ") == first
    assert brought(box, "three") == second
    assert brought(box, None) == second
    assert brought(box, "four") == ""
    assert brought(box, "one", file="nowhere.txt") == ""


def test_a_line_that_went_and_came_again_came_with_the_later_commit(box: Sandbox) -> None:
    box.commit("first", a__b="one\n")
    box.commit("second", a__b="two\n")
    again = box.commit("third", a__b="one\n")
    assert brought(box, "one") == again


def test_of_a_merged_branch_it_is_the_merge(box: Sandbox) -> None:
    box.commit("first", a__b="one\n")
    box.git("checkout", "-q", "-b", "work")
    box.commit("work", a__b="one\ntwo\n")
    box.git("checkout", "-q", "main")
    box.git("merge", "-q", "--no-ff", "-m", "merge", "work")
    assert brought(box, "two") == box.git("rev-parse", "HEAD")


def test_what_is_older_than_the_history_here_is_not_told(box: Sandbox, tmp_path: Path) -> None:
    box.commit("first", a__b="one\n")
    second = box.commit("second", a__b="one\ntwo\n")
    box.commit("third", other="x\n")
    shallow = box.clone(tmp_path / "shallow", "--depth", "2")
    assert brought(shallow, "one") == ""
    assert brought(box, "one", most=1) == ""
    assert brought(box, "two", most=2) == second


def test_hostile_names_are_looked_for_and_mean_nothing_else(box: Sandbox) -> None:
    for name in ("-x", "a b", "HEAD", "ä", "c:d"):
        (box.top / f"{name}.txt").write_text("one\n", encoding="utf-8")
    first = box.commit("first")
    for name in ("-x", "a b", "HEAD", "ä", "c:d"):
        assert brought(box, "one", file=f"{name}.txt") == first
    assert brought(box, "one", file="a\nb.txt") == ""


def test_a_repository_without_a_commit_has_no_origin(box: Sandbox) -> None:
    with pytest.raises(GitFault):
        brought(box, "one")
