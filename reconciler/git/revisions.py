"""A name of a commit that a person typed, and where its history and ours part.

One name means one commit, or is refused: git itself takes the tag where a branch and a tag have one
name (gitrevisions(7)), and only warns.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.errors import UsageFault
from reconciler.git.program import GitFault, complaint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.git.program import Repository

SHOWN: Final = 12
"""Digits of a commit that a person is shown."""
_PLACES: Final = (
    "refs/{}",
    "refs/tags/{}",
    "refs/heads/{}",
    "refs/remotes/{}",
    "refs/remotes/{}/HEAD",
)
"""Where git looks for a name, beside its own folder (gitrevisions(7))."""
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
_NAME: Final = re.compile(r"(?:(?!@\{)[^~^:])+")
"""What of a revision is a name: before `~3`, `^`, `@{1}`, `:path`."""
_HASH: Final = re.compile("[0-9a-f]{4,64}", re.IGNORECASE)
_MOST: Final = 200


class BaseCommit(NamedTuple):
    """Where two histories parted: the name that was typed, and the whole hash of the merge base.

    `head`: the whole hash of what is checked out.
    """

    ref: str
    commit: str
    head: str

    @property
    def short(self) -> str:
        """The hash as a person is shown it."""
        return self.commit[:SHOWN]


def merge_base(repository: Repository, ref: str) -> BaseCommit:
    """Find the merge base of a commit and of what is checked out.

    Args:
        repository: where.
        ref: a name of a commit, as a person typed it.

    Raises:
        UsageFault: the name cannot be one, means nothing, or means two things.
        GitFault: there is no merge base, there are several, or this clone is too shallow to tell.
    """
    assert_fitting(ref)
    head = _commit(repository, "HEAD")
    if not head:
        raise GitFault(f"--since: the repository {repository.top} has no commit yet: commit first")
    _assert_single(repository, ref)
    theirs = _commit(repository, ref)
    if not theirs:
        raise _missing(repository, ref)
    bases = repository.ask("merge-base", "--all", theirs, head)
    commits = bases.printed.decode("ascii", "replace").split()
    if bases.code not in {0, 1}:
        raise GitFault(f"git merge-base failed in {repository.top}: {complaint(bases)}")
    if len(commits) > 1:
        named = ", ".join(commit[:SHOWN] for commit in commits)
        raise GitFault(
            f"--since {ref}: its history and that of HEAD meet in {len(commits)} merge bases"
            f" ({named}), so there is no single state to compare with: merge or rebase first, or"
            " name one of these commits"
        )
    if _cut_short(repository, theirs, head, commits):
        raise GitFault(
            f"--since {ref}: this clone is shallow, and its history ends before the merge base is"
            f" certain: run `{_fetch(ref)}`, then try again"
        )
    if not commits:
        raise GitFault(
            f"--since {ref}: it has no history in common with HEAD: name a commit that HEAD comes"
            " from"
        )
    return BaseCommit(ref, commits[0], head)


def assert_fitting(ref: str) -> None:
    """See to it that a text can be the name of one commit, and nothing else of a command line.

    Raises:
        UsageFault: it cannot.
    """
    shown = ascii(ref[:_MOST])
    advice = "name a branch, a tag or a commit, as in --since origin/main"
    if not ref or len(ref) > _MOST:
        raise UsageFault(f"--since {shown} cannot be the name of a commit: {advice}")
    if ref.startswith("-"):
        raise UsageFault(f"--since {shown} begins with a dash, as no name of git does: {advice}")
    if _UNFIT.search(ref) or not ref.isprintable():
        raise UsageFault(f"--since {shown} has a character that no name of git has: {advice}")
    if ".." in ref or ref.startswith(("^", ":")):
        raise UsageFault(f"--since {shown} is a range or a search, not one commit: {advice}")


def _commit(repository: Repository, ref: str) -> str:
    """The whole hash of a commit; empty if the name means none.

    Raises:
        UsageFault: git finds it ambiguous.
    """
    asked = repository.ask("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    if b"ambiguous" in asked.complaints.lower():
        raise UsageFault(f"--since {ref} is ambiguous: {_whole_names(complaint(asked))}")
    return asked.printed.decode("ascii", "replace").strip() if asked.code == 0 else ""


def _assert_single(repository: Repository, ref: str) -> None:
    name = _NAME.match(ref)
    if name is None:
        return
    meanings = [*_meanings(repository, name.group())]
    if len(meanings) > 1:
        listed = " and ".join(f"`{meaning}`" for meaning in meanings)
        raise UsageFault(f"--since {ref} is ambiguous: {_whole_names(f'it may be {listed}')}")


def _whole_names(why: str) -> str:
    return f"{why}: write one by its whole name, as in --since refs/heads/main, or a whole hash"


def _meanings(repository: Repository, name: str) -> Iterator[str]:
    """The references that git may take a name for, and, where there is one that looks like a hash,
    the objects that it abbreviates.
    """
    references = [
        reference
        for reference in (place.format(name) for place in _PLACES)
        if repository.ask(*("rev-parse", "--verify", "--quiet", "--end-of-options", reference)).code
        == 0
    ]
    yield from references
    if references and _HASH.fullmatch(name):
        objects = repository.ask("rev-parse", f"--disambiguate={name}").printed.split()
        yield from (line.decode("ascii", "replace") for line in objects)


def _missing(repository: Repository, ref: str) -> Exception:
    """What to say of a name that means nothing here."""
    if _is_shallow(repository):
        return GitFault(
            f"--since {ref}: this clone is shallow and does not have it: run `{_fetch(ref)}`, then"
            " try again"
        )
    remote = f"origin/{ref}"
    if _NAME.fullmatch(ref) and _commit(repository, remote):
        return UsageFault(
            f"--since {ref}: there is no such branch, tag or commit here: did you mean {remote}?"
        )
    return UsageFault(
        f"--since {ref}: there is no such branch, tag or commit here: correct the name, or run"
        f" `{_fetch(ref, whole=False)}`, then try again"
    )


def _fetch(ref: str, *, whole: bool = True) -> str:
    """The command that fetches what a name means, with all of its history."""
    name = _NAME.match(ref)
    branch = "" if name is None else name.group()
    remote, slash, own = branch.removeprefix("refs/remotes/").partition("/")
    words = ["git", "fetch", *(["--unshallow"] if whole else []), "origin"]
    if slash and remote == "origin" and own:
        words.append(f"+refs/heads/{own}:refs/remotes/origin/{own}")
    else:
        words += ["--tags", "+refs/heads/*:refs/remotes/origin/*"]
    return " ".join(map(shlex.quote, words))


def _is_shallow(repository: Repository) -> bool:
    return repository.answer("rev-parse", "--is-shallow-repository").strip() == b"true"


def _cut_short(repository: Repository, theirs: str, head: str, commits: list[str]) -> bool:
    """Whether the history ends, for this clone, before a better merge base can be ruled out: among
    the commits of either side that do not lead to the one that was found.
    """
    if not _is_shallow(repository):
        return False
    file = repository.answer("rev-parse", "--git-path", "shallow").decode(
        "utf-8", "surrogateescape"
    )
    ends = frozenset((repository.top / file.strip("\n")).read_text(encoding="ascii").split())
    apart = repository.answer("rev-list", theirs, head, *(f"^{commit}" for commit in commits))
    return bool(ends & set(apart.decode("ascii").split()))
