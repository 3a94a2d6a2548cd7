"""The documents of an earlier commit, for the commands that compare with one (`--since`)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from reconciler.cli.working import working
from reconciler.documents import examine_earlier
from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.planning.since import EarlierDocuments


def _fitting(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what cannot be the name of a commit before anything is read."""
    if value is not None:
        from reconciler.git.revisions import assert_fitting  # noqa: PLC0415  lazy: only --since

        assert_fitting(value)
    return value


since = click.option(
    "--since",
    metavar="GITREF",
    callback=_fitting,
    help=(
        "Compare with the documents at the merge base of GITREF (a branch, tag or commit) and HEAD:"
        " which differences were edited and which drifted, what is no longer declared, and which"
        " limits, consents, client ids and access tests were edited. The plan stays the same."
    ),
)


def earlier_documents(paths: Sequence[Path], ref: str) -> EarlierDocuments:
    """Read the documents at the merge base of a commit and of what is checked out.

    Args:
        paths: PATHs of the command line.
        ref: a name of a commit.

    Raises:
        UsageFault: a path is in no repository, or the name means no commit or several.
        GitFault: git or the repository does not give what is needed.
    """
    # lazy, since only this option needs git
    from reconciler.git.commit_files import CommitFiles  # noqa: PLC0415
    from reconciler.git.program import repository  # noqa: PLC0415
    from reconciler.git.revisions import merge_base  # noqa: PLC0415
    from reconciler.git.work_trees import located  # noqa: PLC0415
    from reconciler.planning.since import EarlierDocuments  # noqa: PLC0415

    for path in paths:
        if not os.path.lexists(path):
            raise UsageFault(f"PATH {path} does not exist: pass a file or folder of YAML documents")
    top, inside = located(paths)
    with working("Reading the earlier documents"):
        source = repository(top, paths, os.environ)
        base = merge_base(source, ref)
        files = CommitFiles(source, base.commit, inside)
        for path, place in zip(paths, inside, strict=True):
            if files.leads_out(place):
                raise UsageFault(
                    f"--since {ref}: at {base.short}, PATH {path} is a link that leads out of the"
                    " repository: name the folder that it leads to"
                )
        examined = examine_earlier(inside, files)
    return EarlierDocuments(ref, base.commit, examined.documents, examined.findings)
