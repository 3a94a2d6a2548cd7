"""Which commit brought a line of a file, along the first parents of what is checked out: for a line
of a merged branch that is the merge, which is what a person reverts.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.git.commit_files import batch_objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.git.program import Repository

MOST_COMMITS: Final = 200
"""So far back is looked."""
_FIELDS: Final = 3


class FileLine(NamedTuple):
    """A line of a file, by its path from the top folder, with `/`; blanks around it do not count.

    `text` None: the file as a whole.
    """

    file: str
    text: str | None


def line_origins(
    repository: Repository, lines: Sequence[FileLine], most: int = MOST_COMMITS
) -> dict[FileLine, str]:
    """The whole hash of the commit that brought each line, or changed the file last; a line that is in
    no commit, or that was there before the history that this clone has, is left out.

    Args:
        repository: where.
        lines: the lines; those of files whose names have a line break are left out.
        most: how many commits are looked at.

    Raises:
        GitFault: git or the repository does not give what is needed.
    """
    wanted = [line for line in dict.fromkeys(lines) if "\n" not in line.file]
    listed = repository.answer("rev-list", "--first-parent", f"-n{most + 1}", "HEAD", "--")
    commits = listed.decode("ascii").split()
    if not (wanted and commits):
        return {}
    whole = len(commits) <= most and not _is_shallow(repository)
    blobs = _blobs(repository, commits, sorted({line.file for line in wanted}))
    contents = _contents(
        repository, sorted({blob for row in blobs.values() for blob in row if blob})
    )
    brought = (
        (line, _origin(line, commits, blobs[line.file], contents, whole=whole)) for line in wanted
    )
    return {line: commit for line, commit in brought if commit}


def _origin(
    line: FileLine,
    commits: Sequence[str],
    blobs: Sequence[str],
    contents: Mapping[str, frozenset[str]],
    *,
    whole: bool,
) -> str:
    """The oldest of the newest commits that all have the line; empty if that is not known."""
    having = sum(1 for _ in takewhile(lambda blob: _has(line, blob, blobs, contents), blobs))
    if not having or (having == len(commits) and not whole):
        return ""
    return commits[having - 1]


def _has(
    line: FileLine,
    blob: str,
    blobs: Sequence[str],
    contents: Mapping[str, frozenset[str]],
) -> bool:
    if line.text is None:
        return bool(blob) and blob == blobs[0]
    return line.text.strip() in contents.get(blob, ())


def _is_shallow(repository: Repository) -> bool:
    return repository.answer("rev-parse", "--is-shallow-repository").strip() == b"true"


def _blobs(
    repository: Repository, commits: Sequence[str], files: Sequence[str]
) -> dict[str, list[str]]:
    """The name of each file's content in each commit; empty where there is no such file."""
    request = "".join(f"{commit}:{file}\n" for file in files for commit in commits)
    printed = repository.answer(
        "cat-file", "--batch-check", request=request.encode("utf-8", "surrogateescape")
    )
    names = list(_names(printed))
    step = len(commits)
    return {file: names[step * at : step * (at + 1)] for at, file in enumerate(files)}


def _names(printed: bytes) -> Iterator[str]:
    """`NAME TYPE SIZE<LF>`, or `... missing<LF>` (git-cat-file(1))."""
    for row in printed.decode("utf-8", "replace").splitlines():
        fields = row.split(" ")
        is_file = len(fields) == _FIELDS and fields[1] == "blob"
        yield fields[0] if is_file else ""


def _contents(repository: Repository, blobs: Sequence[str]) -> dict[str, frozenset[str]]:
    """The lines of each content, without blanks around them."""
    request = "".join(f"{blob}\n" for blob in blobs).encode("ascii")
    printed = repository.answer("cat-file", "--batch", request=request)
    return {
        name: frozenset(line.strip() for line in content.decode("utf-8", "replace").splitlines())
        for name, content in batch_objects(printed)
    }
