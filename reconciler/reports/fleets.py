"""The tenants of a repository, and how the run of each ended."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from reconciler.model.outputs import WORST_LAST, ExitName
from reconciler.reports.lines import Line, Tone, counted
from reconciler.reports.outline import Chapter, Item, Outline, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.outputs import OutputFleet, OutputFleetRow, OutputTenant
    from reconciler.reports.review.value import Phrase

_CHANGES: Final = "changes"
_RESULTS: Final[Mapping[str, str]] = {
    ExitName.OK: "ok",
    _CHANGES: "with changes",
    ExitName.REFUSED: "refused",
    ExitName.FINDINGS: "with faults",
    ExitName.USAGE: "with wrong options",
    ExitName.LOCKED: "locked",
    ExitName.STALE: "stale",
    ExitName.NOT_VERIFIED: "not verified",
    ExitName.APPLIED_IN_PART: "applied in part",
    ExitName.ERROR: "with an error",
    ExitName.INTERRUPTED: "interrupted",
}
"""How a run ended, as the table has it, and as it is counted; the best first."""
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "Policies": ("policies.added", "policies.changed", "policies.removed"),
    "Grants": ("grants.added", "grants.moved", "grants.removed"),
    "Reach more": ("widens",),
    "Everyone": ("everyone",),
    "Unmanaged": ("unmanaged",),
    "Faults": ("findings.errors",),
    "Tests failed": ("tests.failed",),
}
"""Columns of the table, each with the figures of a run that it shows."""
_UNLIKELY_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9]+")


def tenant_lines(tenants: Sequence[OutputTenant]) -> Iterator[Line]:
    """A line for each tenant: name, id, and the PATHs that are read for it."""
    name = max((len(tenant.name) for tenant in tenants), default=0)
    for tenant in tenants:
        tenant_id = tenant.tenant_id or "(not readable)"
        yield Line(f"{tenant.name:<{name}}  {tenant_id:<36}  {' '.join(tenant.paths)}".rstrip())
    yield Line(f"{counted(len(tenants), 'tenant')}.", Tone.HEADING)


def github_matrix(tenants: Sequence[OutputTenant]) -> str:
    """The matrix of a job on GitHub, for `fromJSON`: `tenant`, `tenant_id` and `paths` of each."""
    return f"{json.dumps({'include': [_matrix_entry(tenant) for tenant in tenants]})}\n"


def azure_matrix(tenants: Sequence[OutputTenant]) -> str:
    """The matrix of a job on Azure Pipelines: names of legs, which take letters, digits and `_`, to
    the variables of each.
    """
    legs: dict[str, Mapping[str, str]] = {}
    for tenant in tenants:
        leg = stem = "t_" + _UNLIKELY_IN_NAMES.sub("_", tenant.name).strip("_").lower()
        number = 2
        while leg in legs:
            leg, number = f"{stem}_{number}", number + 1
        legs[leg] = _matrix_entry(tenant)
    return f"{json.dumps(legs)}\n"


def _matrix_entry(tenant: OutputTenant) -> Mapping[str, str]:
    return {
        "tenant": tenant.name,
        "tenant_id": tenant.tenant_id or "",
        "paths": " ".join(tenant.paths),
    }


def worst_exit_code(codes: Sequence[int]) -> int:
    """The exit code of several runs: the worst, in a fixed order; 0 of none."""
    return max(codes, key=WORST_LAST.index, default=0)


def block_heading(row: OutputFleetRow) -> Line:
    """What precedes the report of one tenant."""
    return Line(f"== {row.tenant} ({' '.join(row.paths)})", Tone.HEADING)


def fleet_outline(fleet: OutputFleet) -> Outline:
    """How many ended how, a row for each tenant, and what went wrong."""
    rows = fleet.rows
    titles = [
        title
        for title, figures in _COLUMNS.items()
        if any(row.summary.get(figure) for row in rows for figure in figures)
    ]
    table = Table(("Tenant", "Result", *titles), tuple(_row(row, titles) for row in rows))
    failing = tuple(_items(rows))
    worst = worst_exit_code([row.exit_code for row in rows])
    return Outline(
        command="fleet",
        simulated=False,
        headline=(f"{fleet.command[0]} for {_counts(rows)}.",),
        tone=Tone.FAULT if worst not in {0, 2} else Tone.HEADING,
        chapters=(
            Chapter(("Tenants",), table=table, noun=("tenant", "tenants")),
            *(
                (Chapter(("What went wrong",), failing, noun=("tenant", "tenants")),)
                * bool(failing)
            ),
        ),
        closing=(f"Exit code {worst}: the worst of them.",) if worst else (),
    )


def _counts(rows: Sequence[OutputFleetRow]) -> str:
    """`200 tenants: 2 refused, 12 with changes, 186 ok`, the worst first."""
    counts = Counter(_result(row) for row in rows)
    parts = [f"{counts[each]} {words}" for each, words in _RESULTS.items() if counts[each]]
    return f"{counted(len(rows), 'tenant')}: {', '.join(reversed(parts))}"


def _result(row: OutputFleetRow) -> str:
    """A plan has changes also where its exit code is 0."""
    changing = (*_COLUMNS["Policies"], *_COLUMNS["Grants"])
    has_changes = any(row.summary.get(figure) for figure in changing)
    if row.exit_name is ExitName.CHANGES_PENDING or (row.exit_name is ExitName.OK and has_changes):
        return _CHANGES
    return str(row.exit_name)


def _row(row: OutputFleetRow, titles: Sequence[str]) -> tuple[Phrase, ...]:
    return ((row.tenant,), (_result(row),), *((_cell(row, _COLUMNS[each]),) for each in titles))


def _cell(row: OutputFleetRow, figures: Sequence[str]) -> str:
    numbers = [row.summary.get(figure, 0) for figure in figures]
    if len(figures) == 1:
        return str(numbers[0]) if numbers[0] else ""
    marked = (f"{mark}{number}" for mark, number in zip("+~-", numbers, strict=True) if number)
    return " ".join(marked)


def _items(rows: Sequence[OutputFleetRow]) -> Iterator[Item]:
    for row in rows:
        if row.error is not UNSET and row.exit_code not in {0, 2}:
            first, *others = row.error.split("\n")
            more = f" (and {counted(len(others), 'more line')})" if others else ""
            yield Item((f"{row.tenant}: {first}{more}",), tone=Tone.FAULT)
