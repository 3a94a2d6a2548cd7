"""Which commits brought the lines of documents that still ask for what an undo takes back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import collecting, printing
from reconciler.cli.working import working
from reconciler.errors import ReconcilerError
from reconciler.model.addresses import (
    TeamsGroupGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
)
from reconciler.model.codes import WarningCode
from reconciler.model.outputs import OutputRevert
from reconciler.reports.reverts import revert_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.cli.loading import Made
    from reconciler.model.findings import Position


def tell_commits(made: Made, paths: Sequence[Path]) -> None:
    """Name the commits, where the documents are checked out of git; also for the envelope. What git
    does not give is not told: the undo does not rest on it.
    """
    declaring = dict(_still_declaring(made))
    if not declaring:
        return
    try:
        with working("Reading the history"):
            reverts = _reverts(declaring, paths)
    except (ReconcilerError, OSError):
        return
    if reverts:
        collecting.add_part("reverts", reverts)
        printing.notice(revert_lines(reverts))


def _still_declaring(made: Made) -> Iterator[tuple[Position, bool]]:
    """Where the documents ask for what is undone, and whether that is one line of a list; a policy is
    known by where its document begins.
    """
    for note in made.plan.warnings:
        if note.code == WarningCode.STILL_DECLARED and note.address in made.places:
            address = parse_address(note.address)
            is_line = isinstance(address, TeamsUserGrantAddress | TeamsGroupGrantAddress)
            yield made.places[note.address], is_line


def _reverts(declaring: Mapping[Position, bool], paths: Sequence[Path]) -> tuple[OutputRevert, ...]:
    # lazy, since only documents that are checked out of git need it
    from reconciler.git.line_origins import FileLine, line_origins  # noqa: PLC0415
    from reconciler.git.program import repository  # noqa: PLC0415
    from reconciler.git.work_trees import located  # noqa: PLC0415

    top, _ = located(paths)
    lines = {}
    for position, is_line in declaring.items():
        file = Path(os.path.realpath(position.file))
        texts = file.read_text(encoding="utf-8-sig").splitlines()
        text = texts[position.line - 1] if is_line else None
        lines[position] = FileLine(file.relative_to(top).as_posix(), text)
    commits = line_origins(repository(top, paths, os.environ), list(lines.values()))
    places: dict[str, list[str]] = {}
    for position, line in lines.items():
        if line in commits:
            place = line.file if line.text is None else f"{line.file}:{position.line}"
            places.setdefault(commits[line], []).append(place)
    return tuple(
        OutputRevert(commit, tuple(sorted(set(rows)))) for commit, rows in sorted(places.items())
    )
