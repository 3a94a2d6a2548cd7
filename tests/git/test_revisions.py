"""A name of a commit means one commit, or is refused; and where two histories part."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageFault
from reconciler.git.program import GitFault, repository
from reconciler.git.revisions import assert_fitting, merge_base
from tests.git.repositories import GIT, Sandbox, sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.git.program import Repository
    from reconciler.git.revisions import BaseCommit


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return sandbox(tmp_path)


def read(box: Sandbox) -> Repository:
    return repository(box.top, (), {"PATH": GIT.rpartition("/")[0], "HOME": "/nowhere"})


def base(box: Sandbox, ref: str) -> BaseCommit:
    return merge_base(read(box), ref)


def test_a_branch_is_compared_where_it_left(box: Sandbox) -> None:
    first = box.commit("first")
    box.git("checkout", "-q", "-b", "work")
    mine = box.commit("mine")
    box.git("checkout", "-q", "main")
    box.commit("theirs")
    box.git("checkout", "-q", "work")
    assert base(box, "main") == ("main", first, mine)
    assert base(box, "main").short == first[:12]


def test_a_rebased_branch_has_another_merge_base(box: Sandbox) -> None:
    box.commit("first")
    box.git("checkout", "-q", "-b", "work")
    box.commit("mine", mine="1")
    box.git("checkout", "-q", "main")
    second = box.commit("theirs", theirs="1")
    box.git("checkout", "-q", "work")
    box.git("rebase", "-q", "main")
    assert base(box, "main").commit == second


def test_every_way_to_name_a_commit(box: Sandbox) -> None:
    first = box.commit("first")
    box.git("tag", "-a", "-m", "release", "v1.0")
    box.git("branch", "feature/at@2")
    box.git("update-ref", "refs/remotes/origin/main", first)
    box.commit("second")
    names = ["v1.0", "HEAD~1", "@~1", "HEAD^", first, first[:10], "feature/at@2", "origin/main"]
    names += ["refs/heads/feature/at@2", "refs/tags/v1.0", "v1.0^{commit}", "main@{1}"]
    assert {name: base(box, name).commit for name in names} == dict.fromkeys(names, first)


def test_a_detached_head(box: Sandbox) -> None:
    first = box.commit("first")
    second = box.commit("second")
    box.git("checkout", "-q", "--detach", second)
    assert base(box, "HEAD~1") == ("HEAD~1", first, second)


@pytest.mark.parametrize("ref", ["v1", "v1~0", "v1^{commit}"])
def test_a_branch_and_a_tag_of_one_name_are_never_guessed_between(box: Sandbox, ref: str) -> None:
    """Also where both are one commit: tomorrow they need not be."""
    box.commit("first")
    box.git("branch", "v1")
    box.git("tag", "v1")
    box.git("config", "core.warnAmbiguousRefs", "false")
    with pytest.raises(UsageFault, match=r"ambiguous.*refs/tags/v1.*refs/heads/v1.*whole name"):
        base(box, ref)
    assert base(box, "refs/heads/v1").ref == "refs/heads/v1"


def test_a_branch_that_is_called_like_a_commit_is_ambiguous(box: Sandbox) -> None:
    first = box.commit("first")
    box.git("update-ref", f"refs/heads/{first[:8]}", first)
    with pytest.raises(UsageFault, match="ambiguous"):
        base(box, first[:8])


def test_a_branch_called_head_is_ambiguous(box: Sandbox) -> None:
    first = box.commit("first")
    box.git("update-ref", "refs/heads/HEAD", first)
    with pytest.raises(UsageFault, match="ambiguous"):
        base(box, "HEAD")


def test_a_name_that_means_nothing_says_what_to_fetch(box: Sandbox) -> None:
    first = box.commit("first")
    with pytest.raises(UsageFault, match="no such branch, tag or commit here: correct the name"):
        base(box, "nowhere")
    box.git("update-ref", "refs/remotes/origin/release", first)
    with pytest.raises(UsageFault, match="did you mean origin/release"):
        base(box, "release")


def test_what_is_no_commit_is_refused(box: Sandbox) -> None:
    box.commit("first", file="text")
    with pytest.raises(UsageFault, match="no such branch"):
        base(box, "HEAD:file.txt")


def test_several_merge_bases_are_named(box: Sandbox) -> None:
    box.commit("first")
    box.git("checkout", "-q", "-b", "work")
    left = box.commit("left")
    box.git("checkout", "-q", "main")
    right = box.commit("right")
    box.git("merge", "-q", "-m", "one", "work")
    box.git("checkout", "-q", "work")
    box.git("merge", "-q", "-m", "other", right)
    with pytest.raises(GitFault, match="2 merge bases") as fault:
        base(box, "main")
    assert left[:12] in str(fault.value)
    assert right[:12] in str(fault.value)


def test_histories_without_a_common_commit(box: Sandbox) -> None:
    box.commit("first")
    box.git("checkout", "-q", "--orphan", "other")
    box.commit("another first")
    with pytest.raises(GitFault, match="no history in common"):
        base(box, "main")


def test_a_repository_without_a_commit(box: Sandbox) -> None:
    with pytest.raises(GitFault, match="no commit yet"):
        base(box, "main")


@pytest.mark.parametrize("ref", ["origin/main", "main"])
def test_a_shallow_clone_that_lacks_the_name_says_which_fetch_to_run_and_it_helps(
    box: Sandbox, tmp_path: Path, ref: str
) -> None:
    box.commit("zero")
    first = box.commit("first")
    box.git("checkout", "-q", "-b", "work")
    box.commit("mine")
    copy = box.clone(tmp_path / "copy", "--depth=1", "--branch=work")
    with pytest.raises(GitFault, match="shallow and does not have it") as fault:
        base(copy, ref)
    command = str(fault.value).split("`")[1]
    copy.git(*shlex.split(command)[1:])
    assert base(copy, "origin/main").commit == first


def test_a_shallow_clone_whose_history_ends_too_early_is_not_believed(
    box: Sandbox, tmp_path: Path
) -> None:
    """Both tips are there, and nothing that they have in common."""
    first = box.commit("first")
    box.git("checkout", "-q", "-b", "work")
    box.commit("mine")
    box.git("checkout", "-q", "main")
    box.commit("theirs")
    box.git("checkout", "-q", "work")
    copy = box.clone(tmp_path / "copy", "--depth=1", "--no-single-branch")
    with pytest.raises(GitFault, match="shallow, and its history ends") as fault:
        base(copy, "origin/main")
    copy.git(*shlex.split(str(fault.value).split("`")[1])[1:])
    assert base(copy, "origin/main").commit == first


def test_an_old_common_commit_is_not_believed_where_a_cut_may_hide_a_later_one(
    box: Sandbox, tmp_path: Path
) -> None:
    """Merges bring `first` near to both tips, while `second`, the merge base, is behind the cut."""
    first = box.commit("first")
    second = box.commit("second")
    box.git("branch", "work")
    for branch in ("work", "main"):
        box.git("checkout", "-q", branch)
        twig = box.git("commit-tree", f"{first}^{{tree}}", "-p", first, "-m", f"twig of {branch}")
        box.commit(f"{branch} 1")
        box.commit(f"{branch} 2")
        box.git("merge", "-q", "--no-ff", "-s", "ours", "-m", "an old twig", twig)
    box.git("checkout", "-q", "work")
    copy = box.clone(tmp_path / "copy", "--depth=3", "--no-single-branch")
    assert copy.git("merge-base", "--all", "origin/main", "HEAD") == first
    with pytest.raises(GitFault, match="shallow, and its history ends"):
        base(copy, "origin/main")
    assert base(box, "main").commit == second


def test_a_shallow_clone_that_is_deep_enough_is_read(box: Sandbox, tmp_path: Path) -> None:
    box.commit("zero")
    first = box.commit("first")
    box.git("checkout", "-q", "-b", "work")
    box.commit("mine")
    copy = box.clone(tmp_path / "copy", "--depth=2", "--no-single-branch")
    assert copy.git("rev-parse", "--is-shallow-repository") == "true"
    assert base(copy, "origin/main").commit == first


@pytest.mark.parametrize(
    "ref",
    [
        *("", "-x", "--upload-pack=touch pwned", "--end-of-options", "-", "a\nb", "a b", "a\0b"),
        *("a\x1b[31m", "a\u202eb", "main..HEAD", "main...HEAD", "^main", ":/first", "x" * 300),
    ],
)
def test_what_can_be_no_name_never_reaches_git(ref: str) -> None:
    with pytest.raises(UsageFault, match="--since") as fault:
        assert_fitting(ref)
    assert str(fault.value).isprintable()


@given(st.text(max_size=20))
def test_a_name_that_passes_is_one_word_and_no_option(ref: str) -> None:
    try:
        assert_fitting(ref)
    except UsageFault:
        return
    assert ref
    assert not ref.startswith("-")
    assert ref.split() == [ref]
    assert ref.isprintable()


def test_replaced_and_grafted_commits_count_as_what_they_are(box: Sandbox) -> None:
    first = box.commit("first")
    second = box.commit("second")
    third = box.commit("third")
    (box.top / ".git" / "info").mkdir(exist_ok=True)
    (box.top / ".git" / "info" / "grafts").write_text(f"{third}\n")
    box.git("replace", first, second)
    assert base(box, first).commit == first


def test_a_work_tree_of_git_worktree(box: Sandbox, tmp_path: Path) -> None:
    first = box.commit("first")
    box.git("worktree", "add", "-q", "-b", "work", str(tmp_path / "tree"))
    other = Sandbox(tmp_path / "tree", tmp_path / "home")
    other.commit("mine")
    assert base(other, "main").commit == first


def test_a_broken_repository_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    with pytest.raises(GitFault):
        base(Sandbox(tmp_path / "repo", tmp_path / "home"), "main")
