"""The toy: nobody is reached by a name, so that only the service can refuse a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.planning.checking.verdicts import Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.plans import Step


def judge(section: Mapping[str, bool], steps: Sequence[Step]) -> Iterator[Violation]:
    """Follow the steps: a name is created where there is none, and removed where there is one."""
    now = dict(section)
    for step in steps:
        name = str(step.parameters.get("Identity"))
        creates = step.cmdlet == "New-ToyName"
        if name not in now:
            yield Violation("toy", step.id, step.address, ViolationKind.UNKNOWN)
        elif now[name] is creates:
            yield Violation("toy", step.id, step.address, ViolationKind.REFUSED)
        now[name] = creates
