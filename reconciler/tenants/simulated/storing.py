"""The file of a simulated tenant, and beside a large one a log of the writes since.

A small file is rewritten with every write, whole or not at all. A large one (100,000 grants are
20 MB) is left alone and `FILE.log` grows by one line a write, until the log is as long as the file:
then both become one again. The log's first line is the digest of the file that it goes with, so
that a process that is killed between the two never pairs a new file with an old log. A torn last
line is a write that never happened. A power cut can take the last lines along, the end of a process
cannot.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reconciler import canonical
from reconciler.captures import files
from reconciler.errors import CaptureFault, TenantFault
from reconciler.file_kinds import FileKind, why_no_json
from reconciler.files import read_regular, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from reconciler.canonical import Json

_READINGS: Final = 10
"""How often a file that another process writes meanwhile is read again."""
SMALL: Final = 256 * 1024
"""Size in bytes up to which a file is rewritten with every write."""


_Place: TypeAlias = tuple[int, int, int] | None
"""Of a file; None: it is not there."""


class Store:
    """Loads a tenant's file and makes writes last.

    Args:
        path: the file; it is made by the first write if it is not there.
        seed_from: what the tenant is before its file exists.
        small: size in bytes up to which no log is kept.
    """

    def __init__(
        self, path: Path, seed_from: Path | Traversable | None, small: int = SMALL
    ) -> None:
        self._path = path
        self._seed = seed_from
        self._small = small
        self._log = path.with_name(f"{path.name}.log")
        self._digest: str | None = None
        self._size = 0
        self._logged = 0
        self._swept = False
        self._known = self._mark()

    def load(self) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
        """The tenant's content and the writes since, oldest first. Nothing is written.

        Raises:
            TenantFault: there is no such tenant, or a file cannot be used.
        """
        for _ in range(_READINGS):
            mark = self._mark()
            loaded = self._loaded()
            if mark[0] == _place(self._path):
                self._known = mark
                return loaded
        raise TenantFault(
            f"{self._path}: another process is writing the simulated tenant: try again once it has"
            " ended"
        )

    @property
    def is_stale(self) -> bool:
        """Whether somebody else wrote since it was loaded, or written here."""
        return self._known != self._mark()

    def _mark(self) -> tuple[_Place, _Place]:
        """What differs once the file, or its log, was written."""
        return _place(self._path), _place(self._log)

    def _loaded(self) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
        self._logged = 0
        seeded = self._seed is not None and not self._path.exists()
        try:
            place = self._seed if seeded and self._seed is not None else self._path
            data = files.file_bytes(place)
            kinds = (FileKind.TENANT, FileKind.CAPTURE)
            content = files.object_of_kind(data, str(place), *kinds)
        except CaptureFault as fault:
            raise TenantFault(
                f"{fault}\nA simulated tenant is a file: start with a copy of the bundled one, or"
                " of a complete capture."
            ) from fault
        if seeded:
            return content, ()
        self._digest, self._size = hashlib.sha256(data).hexdigest(), len(data)
        return content, self._since()

    def commit(self, entry: Json, state: Callable[[], Mapping[str, Json]]) -> None:
        """Make one write last, before its answer is given.

        Raises:
            TenantFault: the disk refuses.
        """
        try:
            self._sweep()
            if self._digest is None or self._size <= self._small or self._logged > self._size:
                self.settle(state)
            else:
                self._append(canonical.dumps(entry) + b"\n")
        except (CaptureFault, OSError) as fault:
            raise TenantFault(
                f"{self._path}: cannot store the simulated tenant: {fault}"
            ) from fault

    def settle(self, state: Callable[[], Mapping[str, Json]]) -> None:
        """Rewrite the file and drop the log."""
        data = canonical.dumps(state()) + b"\n"
        files.write_pieces(self._path, (data,))
        self._digest, self._size, self._logged = hashlib.sha256(data).hexdigest(), len(data), 0
        self._log.unlink(missing_ok=True)
        self._known = self._mark()

    @property
    def has_log(self) -> bool:
        """Whether the log has writes that the file does not have yet."""
        return self._logged > 0

    def _sweep(self) -> None:
        """Remove what killed writers left behind; done once, and only by a writer."""
        if not self._swept:
            sweep(self._path)
            sweep(self._log)
            self._swept = True

    def _since(self) -> Sequence[Mapping[str, Any]]:
        lines = read_regular(self._log).splitlines(keepends=True) if self._log.exists() else []
        if not lines or lines[0] != self._header():
            return ()
        whole = [line for line in lines if line.endswith(b"\n")]
        self._logged = sum(map(len, whole))
        try:
            return [json.loads(line) for line in whole[1:]]
        except (ValueError, RecursionError) as fault:
            raise TenantFault(
                f"{self._log}: is damaged ({why_no_json(fault)}): delete it to continue from"
                f" {self._path.name}; the writes in it will be lost"
            ) from fault

    def _append(self, line: bytes) -> None:
        if not self._logged:
            header = self._header()
            files.write_pieces(self._log, (header,))
            self._logged = len(header)
        with self._log.open("r+b") as file:
            file.truncate(self._logged)
            file.seek(self._logged)
            file.write(
                line
                # not flushed to the disk: it outlives the process, and waiting would be most of what a
                # simulated write takes
            )
        self._logged += len(line)
        self._known = self._mark()

    def _header(self) -> bytes:
        return canonical.dumps({"snapshot": self._digest}) + b"\n"


def _place(path: Path) -> _Place:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
