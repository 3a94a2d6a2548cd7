"""What earlier applies to a tenant left behind: journals in the user's state directory, and
journals outside it that are certain to be this user's own.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.applying import journal
from reconciler.applying.events import JournalIgnored
from reconciler.applying.journal import StepState
from reconciler.applying.state import is_link, is_own
from reconciler.errors import ReconcilerError, TamperedPlan
from reconciler.file_kinds import FileKind, told_apart
from reconciler.files import read_regular
from reconciler.git import index
from reconciler.model.histories import LaterPlan, PlanHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.applying.events import Event
    from reconciler.applying.journal import EarlierApply
    from reconciler.applying.state import StateDirectories
    from reconciler.model.observed import Origin


class EarlierApplies(Struct, frozen=True):
    """The last apply of the tenant, of whatever plan, the last one of this plan, and the last one
    of each directory, whose processes may still run.
    """

    newest: EarlierApply | None
    same: EarlierApply | None
    last: tuple[EarlierApply, ...]

    @property
    def wanted(self) -> int:
        """The number of steps of this plan that the tenant should show once all writes are visible."""
        if self.same is None:
            return 0
        return max(self.same.reached, self.same.open_step or 0)

    @property
    def without(self) -> frozenset[int]:
        """The steps of this plan that the service refused and that its last apply continued
        without.
        """
        return frozenset() if self.same is None else frozenset(self.same.without)

    @property
    def foreign(self) -> bool:
        """Say whether a write of another plan may still take effect, or lines are unreadable: no
        state of this plan would show that.
        """
        if self.newest is None:
            return False
        return self.newest.damaged or (
            self.newest.open_step is not None
            and (self.same is None or self.newest.path != self.same.path)
        )


def read(
    directories: StateDirectories, digest: str, source: Origin, tell: Callable[[Event], None]
) -> EarlierApplies:
    """Read what earlier applies left.

    Args:
        directories: The tenant's.
        digest: The plan's, as a journal's first line has it.
        source: Journals outside the user's state directory are of simulated and live tenants.
        tell: Is told which journals are not believed.

    Raises:
        ReconcilerError: a journal cannot be read.
    """
    places = [journal.journal_files(directories.lock)]
    places += [
        list(_believed(journal.journal_files(place), source, tell))
        for place in directories.outside
        if place.is_dir()
    ]
    last = tuple(past for paths in places if (past := journal.newest(paths)) is not None)
    same = (past for paths in places if (past := journal.newest_of(paths, digest)) is not None)
    return EarlierApplies(
        max(last, key=_age, default=None), max(same, key=_age, default=None), last
    )


def believed_journals(
    own: Path, outside: Iterable[Path], source: Origin, tell: Callable[[Event], None]
) -> Iterator[Path]:
    """The journals of a tenant, newest first in each directory.

    Args:
        own: its directory in the user's state directory, which may be missing.
        outside: further ones, of which only what is certain to be this user's own is believed.
        source: as of `read`.
        tell: as of `read`.
    """
    if own.is_dir():
        yield from journal.journal_files(own)
    for place in outside:
        yield from _believed(journal.journal_files(place), source, tell)


def history(
    directories: StateDirectories,
    digest: str,
    source: Origin,
    tell: Callable[[Event], None],
    named: Path | None = None,
) -> PlanHistory | None:
    """What journals say of a plan; None if no step of it was tried, as far as they go.

    Args:
        directories: The tenant's.
        digest: The plan's, as a journal's first line has it.
        source: What kind of tenant it is.
        tell: Is told which journals are not believed.
        named: A journal that a person names, which need not lie here.

    Raises:
        ReconcilerError: a journal cannot be read.
        TamperedPlan: the named journal is of another plan, or of another kind of tenant.
    """
    named_here = () if named is None else (named_journal(named, digest, source),)
    outside = filter(Path.is_dir, directories.outside)
    paths = believed_journals(directories.lock, outside, source, tell)
    pasts = [*map(journal.read_journal, paths), *named_here]
    tried = [past for past in pasts if past.states or past.damaged]
    same = max((past for past in tried if past.plan == digest), key=_age, default=None)
    if same is None:
        return None
    if same.damaged:
        raise ReconcilerError(
            f"{same.path}: lines of this journal cannot be read, so it is not known which steps of"
            " the plan were done: undo them by editing the documents"
        )
    done = {step for step, state in same.states.items() if state is StepState.DONE}
    return PlanHistory(
        done=frozenset({*range(1, same.already + 1), *done}),
        uncertain=same.open_step,
        later=later_plans(tried, same),
    )


def later_plans(tried: Iterable[EarlierApply], past: EarlierApply) -> tuple[LaterPlan, ...]:
    """Other plans of which steps were run after an apply."""
    later = sorted((each for each in tried if each.began > past.began), key=_age)
    return tuple(_later(each) for each in later if each.plan != past.plan)


def named_journal(path: Path, digest: str | None, source: Origin) -> EarlierApply:
    """A journal that a person names; `digest`: the plan's that it has to be of, if there is one.

    Raises:
        ReconcilerError: it cannot be read.
        TamperedPlan: it is of another plan, or of another kind of tenant.
    """
    past = journal.read_journal(path)
    if not past.plan:
        raise TamperedPlan(
            told_apart(str(path), read_regular(path), FileKind.JOURNAL)
            or f"{path}: is not the journal of an apply; name a file `apply-*.jsonl`"
        )
    if digest is not None and past.plan != digest:
        raise TamperedPlan(
            f"{path}: is the journal of {past.plan}, and this plan is {digest}; name the journal of"
            " this plan, or the plan file that was applied"
        )
    if past.source != source:
        raise TamperedPlan(
            f"{path}: is the journal of an apply to a {past.source} tenant; name one of a {source}"
            " tenant"
        )
    return past


def _later(past: EarlierApply) -> LaterPlan:
    addresses = [past.addresses.get(step, "").lower() for step in past.states]
    changed = frozenset(addresses)
    unknown = past.damaged or not all(addresses)
    return LaterPlan(past.plan, None if unknown else changed)


def _age(past: EarlierApply) -> float:
    return past.began


def _believed(paths: list[Path], source: Origin, tell: Callable[[Event], None]) -> Iterator[Path]:
    for path in paths:
        why = _doubt(path)
        if why:
            tell(JournalIgnored(str(path), why))
        elif journal.source(path) in {source, ""}:
            yield path


def _doubt(path: Path) -> str:
    """Why a journal may not be this user's own. Its processes would be waited for and killed, so
    trusting a journal that somebody else wrote could harm this user.
    """
    try:
        for folder in (path.parent.parent, path.parent):
            doubt = _leads_away(folder) or _written_by_all(folder)
            if doubt:
                return doubt
        return _leads_away(path) or _open_to_others(path) or _committed(path)
    except OSError as error:
        return f"it cannot be examined: {error.strerror}"


def _leads_away(place: Path) -> str:
    status = place.lstat()
    if is_link(status):
        return f"{place.name} is a link"
    return "" if is_own(status) else f"{place.name} belongs to another user"


def _written_by_all(folder: Path) -> str:
    mode = folder.lstat().st_mode
    # In a sticky one nobody replaces what is somebody else's. Windows' modes say nothing.
    replaceable = sys.platform != "win32" and mode & stat.S_IWOTH and not mode & stat.S_ISVTX
    return f"everybody may write into {folder.name}" if replaceable else ""


def _committed(path: Path) -> str:
    tracked = index.tracks(path)
    return "git tracks it, so it is what somebody committed" if tracked else ""


def _open_to_others(path: Path) -> str:
    if sys.platform == "win32":  # pragma: no cover  Windows only
        # Its modes say nothing; a user's profile is private by its access list.
        private = path.resolve().is_relative_to(Path.home().resolve())
        return "" if private else "it is not in this user's profile"
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        return "it is not a regular file"
    return "others may read or write it (`chmod 600` if it is yours)" if mode & 0o077 else ""
