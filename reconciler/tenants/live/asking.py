"""Questions to one product during one capture, and the record of what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.tenants.live.lines import SessionLine
    from reconciler.tenants.live.questions import TenantQuestion


class Ask:
    """Asks questions through a line.

    `reads()` is what the capture says of them: cmdlet, parameters, count, time.
    """

    def __init__(self, line: SessionLine, tenant_id: str, now: Callable[[], str]) -> None:
        self.tenant_id = tenant_id
        self._line = line
        self._now = now
        self._reads: list[Json] = []
        self._warned: dict[tuple[str, str], None] = {}

    def __call__(self, question: TenantQuestion) -> Sequence[Mapping[str, Json]]:
        """Ask.

        Raises:
            TenantFault: the answer does not prove to be complete.
        """
        reading = self._line.ask(question)
        self._warned.update(dict.fromkeys((question.cmdlet, text) for text in reading.warnings))
        self._reads.append(
            {
                "cmdlet": question.cmdlet,
                "parameters": question.parameters,
                "count": len(reading.rows),
                "taken_at": self._now(),
            }
        )
        return reading.rows

    def now(self) -> str:
        """The time, as a capture has it."""
        return self._now()

    def allows(self, cmdlet: str) -> bool:
        """Whether the account has a cmdlet that a reading can do without."""
        return cmdlet in self._line.opened.allowed

    def reads(self) -> list[Json]:
        """What was read so far, in order."""
        return list(self._reads)

    def warnings(self) -> dict[str, list[Json]]:
        """What the service warned of while anything was read, as the section of a capture has it:
        nothing at all if it warned of nothing.
        """
        rows: list[Json] = [{"cmdlet": cmdlet, "text": text} for cmdlet, text in self._warned]
        return {"warnings": rows} if rows else {}

    def mark(self) -> int:
        """A mark of how much was read so far."""
        return len(self._reads)

    def forget(self, mark: int) -> None:
        """Discard what was read since a mark, because it was read again."""
        del self._reads[mark:]
