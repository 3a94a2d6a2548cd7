"""The toy: nobody is reached by a name, so that only the service can refuse a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.planning.checking.verdicts import Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.plans import Step


class ToyJudging:
    """Follows the steps: a name is created where there is none, and removed where there is one."""

    def __init__(self, section: Mapping[str, bool]) -> None:
        """Begin with these names."""
        self._now = dict(section)

    def after(self, step: Step) -> Iterator[Violation]:
        """Do a step, or say why it cannot be done."""
        name, creates = str(step.parameters.get("Identity")), step.cmdlet == "New-ToyName"
        if name not in self._now:
            yield Violation("toy", step.id, step.address, ViolationKind.UNKNOWN)
        elif self._now[name] is creates:
            yield Violation("toy", step.id, step.address, ViolationKind.REFUSED)
        else:
            self._now[name] = creates

    def admits(self, step: Step) -> bool:
        """Do a step if it can be done."""
        return next(self.after(step), None) is None
