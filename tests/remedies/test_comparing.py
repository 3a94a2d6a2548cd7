"""What `--since` says to do: typed as it is printed, the comparison is made, and what is no longer
declared goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.git.repositories import GIT, Sandbox, sandbox
from tests.remedies.situations import SIM, A, B, Situation
from tests.strategies.tenants import SCOPES, USERS, exchange_policy, grant, teams_policy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ran, Run


class Compared(Situation):
    """Documents in a repository: committed to `main`, and edited on `work`."""

    def __init__(self, run: Run, box: Sandbox) -> None:
        super().__init__(run, box.top)
        self.box = box
        self.tenant["teams"]["policies"].append(teams_policy("P", [A]))
        self.tenant["teams"]["users"] = [grant(USERS[0], "P")]
        self.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[0], "RestrictAccess")]

    def begin(self) -> None:
        self.settle()
        self.box.commit("first")
        self.box.git("checkout", "-q", "-b", "work")

    def since(self, ref: str, *paths: str) -> Ran:
        return self("plan", *paths, *SIM, f"--since={ref}")


@pytest.fixture
def compared(run: Run, tmp_path: Path) -> Compared:
    made = Compared(run, sandbox(tmp_path))
    made.teams("P", applications=[A], grants={"users": [USERS[0]]})
    made.exchange("x", A, SCOPES[0])
    return made


@pytest.mark.parametrize(
    "ref",
    [*(pytest.param(ref, id=f"form {ref}") for ref in ("", "-x", "a b", "main..work")), "nowhere"],
)
def test_a_name_that_is_none(compared: Compared, ref: str) -> None:
    """The form that is named is taken, and so is the name that was meant."""
    compared.begin()
    compared.box.git("update-ref", "refs/remotes/origin/main", "main")
    compared.box.git("update-ref", "refs/remotes/origin/release", "main")
    ran = compared.since(ref)
    assert ran.code == 64
    assert re.search("as in --since origin/main|correct the name, or run", ran.err)
    assert compared.since("origin/main").code == 0
    ran = compared.since("release")
    (meant,) = re.findall(r"did you mean (\S+)\?", ran.err)
    assert compared.since(meant).code == 0


def test_a_name_of_two_commits(compared: Compared) -> None:
    compared.begin()
    compared.box.git("tag", "main", "work")
    ran = compared.since("main")
    (whole,) = re.findall(r"as in --since (\S+),", ran.err)
    assert compared.since(whole).code == 0
    assert compared.since(compared.box.git("rev-parse", "refs/tags/main")).code == 0


def test_histories_that_do_not_meet_in_one_commit(compared: Compared) -> None:
    """One of those that are named, or one that HEAD comes from."""
    compared.begin()
    box = compared.box
    left = box.commit("left")
    box.git("checkout", "-q", "main")
    right = box.commit("right")
    box.git("merge", "-q", "-m", "one", "work")
    box.git("checkout", "-q", "work")
    box.git("merge", "-q", "-m", "other", right)
    ran = compared.since("main")
    named = re.findall(r"\b[0-9a-f]{12}\b", ran.err.partition("merge bases")[2])
    assert {left[:12], right[:12]} == set(named)
    assert {compared.since(commit).code for commit in named} == {0}
    tree = box.git("rev-parse", "HEAD^{tree}")
    box.git("branch", "apart", box.git("commit-tree", tree, "-m", "apart"))
    assert "name a commit that HEAD comes from" in compared.since("apart").err
    assert compared.since("HEAD~1").code == 0


def test_a_repository_without_a_commit(compared: Compared) -> None:
    compared.settle()
    assert "has no commit yet: commit first" in compared.since("main").err
    compared.box.commit("first")
    assert compared.since("main").code == 0


def test_documents_that_are_in_no_repository(compared: Compared, tmp_path: Path) -> None:
    """Without the option they are planned, and one repository at a time is compared."""
    compared.begin()
    other = sandbox(tmp_path / "other")
    (other.top / "policies").mkdir()
    compared.settle()
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "all.yaml").write_text((compared.folder / "policies" / "all.yaml").read_text())
    ran = compared.since("main", str(bare))
    assert "or without --since" in ran.err
    assert compared("plan", str(bare), *SIM).code == 0
    (other.top / "policies" / "more.yaml").write_text("")
    ran = compared.since("main", "policies", str(other.top / "policies"))
    assert "one repository at a time" in ran.err
    assert compared.since("main", "policies").code == 0


def test_a_path_that_was_a_link(compared: Compared) -> None:
    """The folder that it leads to is named instead."""
    compared.begin()
    box = compared.box
    (box.top / "policies").rename(box.top / "real")
    outside = box.top.parent / "outside"
    outside.mkdir()
    (box.top / "policies").symlink_to(outside)
    box.commit("a link")
    (box.top / "policies").unlink()
    (box.top / "policies").symlink_to("real")
    ran = compared.since("work", "policies")
    assert "name the folder that it leads to" in ran.err, ran.out + ran.err
    assert compared.since("work", "real").code == 0


def test_git_that_is_not_found(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that is named says which one, or it goes without."""
    compared.begin()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(compared.folder))
        ran = compared.since("main")
        (variable,) = re.findall(r"RECONCILER_[A-Z]+", ran.err)
        assert compared("plan", *SIM).code == 0
        patch.setenv(variable, GIT)
        assert compared.since("main").code == 0


@pytest.mark.parametrize("kind", ["Teams", "Exchange"])
def test_a_document_that_was_taken_out(compared: Compared, kind: str) -> None:
    """With the line that is printed the policy goes, and nobody is reached who was not."""
    policies = compared.tenant["exchange"]["policies"]
    policies.append(exchange_policy(B, SCOPES[1], "DenyAccess"))
    if kind == "Exchange":
        policies.append(exchange_policy(A, SCOPES[1], "RestrictAccess"))
    compared.exchange("y", B, SCOPES[1], "DenyAccess")
    compared.begin()
    (row, *_) = (row for row in compared.documents if row["kind"].startswith(kind))
    compared.documents.remove(row)
    compared.settle()
    ran = compared.since("main")
    said = " ".join(ran.out.split())
    if kind == "Teams":
        assert "To remove: declare it with `ensure: absent`." in said
        compared.teams("P", ensure="absent")
    else:
        assert "declare it with `ensure: absent`. Without its last RestrictAccess" in said
        compared.exchange_absent("x", A, SCOPES[0])
    compared.settle()
    assert compared.applied() == frozenset()
    ran = compared.since("main")
    assert "No changes." in ran.out
    assert not re.search(r"(policy P\b|scope0@contoso\.com).* To remove", ran.out)


def test_documents_of_the_base_that_break_a_rule(compared: Compared) -> None:
    """More of them than a report lists are in the JSON."""
    for number in range(30):
        compared.teams(f"Q{number}", applications=["nobody's"])
    compared.begin()
    del compared.documents[3:]
    compared.settle()
    ran = compared.since("main")
    assert "more: --format json lists all" in ran.out
    shown = compared("plan", *SIM, "--since=main", "--format", "json").out
    assert all(f"Q{number}" in shown for number in range(30))
