"""Many faults of one kind in one file, told as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from reconciler.model.findings import Finding

_MANY = 3
"""Faults of one kind in one file that are reported one by one; more are reported as one."""
_MOST_RANGES = 12
"""Ranges of lines that a message names."""


def told_once(faults: list[Finding]) -> list[Finding]:
    """Faults with those of one kind together, where there are many: the first of them, with the lines
    of all.
    """
    if len(faults) <= _MANY:
        return faults
    by_rule: dict[str, list[Finding]] = {}
    for fault in faults:
        by_rule.setdefault(fault.rule, []).append(fault)
    return [
        fault
        for alike in by_rule.values()
        for fault in (alike if len(alike) <= _MANY else [_with_lines(alike)])
    ]


def _with_lines(alike: list[Finding]) -> Finding:
    """The first of some findings of one file and rule, with the lines of all."""
    first = min(alike)
    lines = sorted({finding.position.line for finding in alike})
    message = f"{first.message} (and so on, on {len(lines)} lines: {_ranges(lines)})"
    return replace(first, message=message)


def _ranges(lines: list[int]) -> str:
    """Line numbers as ranges: `3, 5 to 9`."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    named = [str(low) if low == high else f"{low} to {high}" for low, high in runs[:_MOST_RANGES]]
    more = len(runs) - _MOST_RANGES
    return ", ".join((*named, *(["and more"] if more > 0 else [])))
