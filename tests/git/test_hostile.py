"""Nothing that a repository configures, or brings along, runs while its objects are read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.git.commit_files import CommitFiles
from reconciler.git.program import GitFault, repository
from reconciler.git.revisions import merge_base
from tests.git.repositories import GIT, Sandbox, sandbox

if TYPE_CHECKING:
    from reconciler.git.program import Repository


def trap(folder: Path, mark: Path) -> str:
    """A program that leaves a mark when it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "trap"
    program.write_text(f"#!/bin/sh\necho ran >> {mark}\nexec cat\n")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return sandbox(tmp_path)


def environ(**more: str) -> dict[str, str]:
    return {"PATH": GIT.rpartition("/")[0], "HOME": "/nowhere", **more}


def contents(source: Repository, ref: str) -> dict[str, bytes]:
    """Everything that is read for a comparison."""
    base = merge_base(source, ref)
    files = CommitFiles(source, base.commit, (Path("docs"),))
    names = files.names(Path("docs"))
    return {name: files.read(Path("docs") / name) for name in sorted(names)}


def test_no_configured_program_runs_and_bytes_are_as_committed(
    box: Sandbox, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    box.commit("first", docs__a="user\nadele\n", docs__b="two\n")
    program = trap(tmp_path / "traps", mark)
    (box.top / ".gitattributes").write_text("* filter=evil diff=evil merge=evil text eol=crlf\n")
    box.commit("attributes")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    names = ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman")
    for folder in (hooks, box.top / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / name).write_text(f"#!/bin/sh\necho {name} >> {mark}\n")
            (folder / name).chmod(0o755)
    settings = {
        "core.fsmonitor": program,
        "core.hooksPath": str(hooks),
        "core.pager": program,
        "pager.cat-file": program,
        "pager.rev-parse": program,
        "core.editor": program,
        "core.sshCommand": program,
        "core.askPass": program,
        "core.gitProxy": program,
        "core.alternateRefsCommand": program,
        "credential.helper": f"!{program}",
        "diff.external": program,
        "diff.evil.textconv": program,
        "diff.evil.command": program,
        "filter.evil.clean": program,
        "filter.evil.smudge": program,
        "filter.evil.process": program,
        "gpg.program": program,
        "log.showSignature": "true",
        "alias.rev-parse": f"!{program}",
        "alias.cat-file": f"!{program}",
        "alias.ls-tree": f"!{program}",
        "alias.merge-base": f"!{program}",
        "trace2.eventTarget": str(mark),
        "core.excludesFile": "~/ignored",
    }
    for key, value in settings.items():
        box.git("config", key, value)
    source = repository(box.top, (), environ())
    assert contents(source, "main") == {"a.txt": b"user\nadele\n", "b.txt": b"two\n"}
    assert not mark.exists()
    (box.top / "docs" / "a.txt").write_text("touched, so that the trap would be taken\n")
    box.git("-c", "filter.evil.process=", "checkout", "--", "docs")
    assert mark.exists(), "the trap works: a checkout runs the filter"


def test_the_callers_variables_of_git_change_nothing(box: Sandbox, tmp_path: Path) -> None:
    first = box.commit("first", docs__a="mine")
    other = sandbox(tmp_path / "elsewhere")
    other.commit("theirs", docs__a="theirs")
    mark = tmp_path / "mark"
    program = trap(tmp_path / "traps", mark)
    git = str(other.top / ".git")
    variables = {
        "GIT_DIR": git,
        "GIT_WORK_TREE": str(other.top),
        "GIT_OBJECT_DIRECTORY": f"{git}/objects",
        "GIT_INDEX_FILE": f"{git}/index",
        "GIT_NAMESPACE": "other",
        "GIT_EXEC_PATH": str(tmp_path / "traps"),
        "GIT_PAGER": program,
        "GIT_EXTERNAL_DIFF": program,
        "GIT_SSH_COMMAND": program,
        "GIT_PROXY_COMMAND": program,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": program,
        "GIT_TRACE": str(mark),
        "GIT_REPLACE_REF_BASE": "refs/heads/",
        "GIT_SHALLOW_FILE": "/dev/null",
        "GIT_CEILING_DIRECTORIES": "/",
        "LD_PRELOAD": "/nowhere.so",
    }
    source = repository(box.top, (), environ(**variables))
    assert contents(source, "HEAD") == {"a.txt": b"mine"}
    assert merge_base(source, "main").commit == first
    assert not mark.exists()


@pytest.mark.parametrize("where", [".", "bin"])
def test_a_git_in_the_repository_is_not_started(
    box: Sandbox, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    Path(trap(box.top / where, mark)).rename(box.top / where / "git")
    box.commit("first", docs__a="mine")
    monkeypatch.chdir(box.top)
    folder = (box.top / where).resolve()
    path = os.pathsep.join(("", ".", str(folder), GIT.rpartition("/")[0]))
    source = repository(box.top, (Path("docs"),), {"PATH": path})
    assert contents(source, "main") == {"a.txt": b"mine"}
    assert not mark.exists()
    with pytest.raises(GitFault, match="is not started: it is in the"):
        repository(box.top, (), {"RECONCILER_GIT": str(folder / "git")})


def test_without_git_the_message_says_what_to_do(box: Sandbox) -> None:
    with pytest.raises(GitFault, match=r"needs git.*install it.*RECONCILER_GIT"):
        repository(box.top, (), {"PATH": "/nowhere"})


def test_a_named_git_is_taken(box: Sandbox) -> None:
    box.commit("first")
    source = repository(box.top, (), {"RECONCILER_GIT": GIT})
    assert source.program == GIT
    assert merge_base(source, "main")


def test_a_partial_clone_fetches_nothing_and_says_what_to_run(box: Sandbox, tmp_path: Path) -> None:
    """Neither over the network, nor by a program that its configuration names for a remote."""
    box.git("config", "uploadpack.allowFilter", "true")
    box.commit("first", docs__a="mine")
    copy = box.clone(tmp_path / "copy", "--filter=blob:none", "--no-checkout")
    mark = tmp_path / "mark"
    copy.git("config", "remote.origin.uploadpack", trap(tmp_path / "traps", mark))
    copy.git("config", "protocol.file.allow", "always")
    source = repository(copy.top, (), environ())
    with pytest.raises(GitFault, match="lacks files of commit") as fault:
        contents(source, "origin/main")
    assert not mark.exists()
    copy.git("config", "--unset", "remote.origin.uploadpack")
    copy.git(*str(fault.value).split("`")[1].split()[1:])
    assert contents(source, "origin/main") == {"a.txt": b"mine"}


def test_a_program_that_never_ends_is_killed(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration may include a pipe that nobody writes to."""
    box.commit("first")
    os.mkfifo(tmp_path / "pipe")
    box.git("config", "include.path", str(tmp_path / "pipe"))
    monkeypatch.setattr("reconciler.git.program.SECONDS", 0.3)
    with pytest.raises(GitFault, match=r"did not end within 0\.3 seconds"):
        merge_base(repository(box.top, (), environ()), "main")


def test_output_without_end_is_cut_off(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.commit("first", docs__a="x" * 5000)
    monkeypatch.setattr("reconciler.git.program.MOST_BYTES", 1000)
    with pytest.raises(GitFault, match="printed more than 1000 bytes"):
        contents(repository(box.top, (), environ()), "main")


def test_links_and_submodules_of_a_commit_never_lead_to_this_machine(
    box: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = box.top / "docs"
    folder.mkdir()
    (folder / "real.txt").write_text("real")
    links = {
        "inner": "real.txt",
        "up": "../docs/real.txt",
        "loop": "loop",
        "absolute": str(tmp_path / "secret"),
        "out": "../../secret",
        "nowhere": "nothing.txt",
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    (box.top / "other").symlink_to("docs")
    box.commit("first")
    box.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},docs/module")
    box.git("commit", "-q", "-m", "a submodule")
    source = repository(box.top, (), environ())
    files = CommitFiles(source, box.git("rev-parse", "HEAD"), (folder,))
    assert {name: files.exists(Path("docs", name)) for name in links} == {
        "inner": True,
        "up": True,
        "loop": True,
        "absolute": False,
        "out": False,
        "nowhere": False,
    }
    assert files.read(Path("other/up")) == b"real"
    assert files.real(Path("other/up")) == Path("docs/real.txt")
    assert files.leads_out(Path("docs/out"))
    assert files.leads_out(Path("docs/absolute"))
    assert not files.leads_out(Path("docs/nowhere"))
    for name in ("loop", "absolute", "out", "nowhere"):
        with pytest.raises(FileNotFoundError):
            files.read(Path("docs", name))
    assert files.is_folder(Path("docs/module"))
    with pytest.raises(OSError, match="submodule"):
        files.names(Path("docs/module"))
    with pytest.raises(IsADirectoryError):
        files.read(Path("docs"))
    assert stat.S_ISDIR(files.mode(Path("docs")))
    assert files.read(Path("docs/real.txt"), 2) == b"re"


def test_names_of_files_are_any_bytes(box: Sandbox) -> None:
    odd = ["a b.txt", "tab\t.txt", "line\nbreak.txt", "-x.txt", ":(glob)*.txt", "ü.txt"]
    (box.top / "docs").mkdir()
    for name in odd:
        (box.top / "docs" / name).write_text(name)
    box.commit("odd")
    source = repository(box.top, (), environ())
    assert contents(source, "main") == {name: name.encode() for name in sorted(odd)}
