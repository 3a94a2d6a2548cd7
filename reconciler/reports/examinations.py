"""What `doctor` found, check by check: for a person, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.outputs import OutputCheck
from reconciler.reports.lines import Line, Tone
from reconciler.tenants.live.examining import Health

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.tenants.live.examining import Check

_TONES = {Health.OK: Tone.ADD, Health.WARNING: Tone.WARNING, Health.FAULT: Tone.FAULT}


def check_lines(check: Check) -> Iterator[Line]:
    """One check: what was found, and what to do if that is not enough."""
    yield Line(
        f"{check.health.value:8}{check.about:9}{check.what}: {check.found}", _TONES[check.health]
    )
    if check.remedy:
        yield Line(f"{'':17}-> {check.remedy}")


def readiness_lines(checks: Iterable[Check]) -> Iterator[Line]:
    """Whether the tenant can be read, and what to do next."""
    healths = {check.health for check in checks}
    yield Line()
    if Health.FAULT in healths:
        yield Line("Not ready; each failed check above says what to do about it.", Tone.FAULT)
    elif Health.WARNING in healths:
        yield Line(
            "Ready to read and plan; the warnings above say what cannot be done.", Tone.WARNING
        )
    else:
        yield Line("Ready. Next: reconciler fetch --tenant live --out capture.json", Tone.HEADING)


def check_rows(checks: Iterable[Check]) -> tuple[OutputCheck, ...]:
    """Every check as it is in the envelope."""
    return tuple(
        OutputCheck(check.about, check.found, check.health.value, check.remedy, check.what)
        for check in checks
    )
