"""What a capture holds, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.capture_rows import shown
from reconciler.model.live_limits import unqueried
from reconciler.model.observed import ExchangeState, TeamsState
from reconciler.reports.lines import SIMULATED, Line, Tone, counted
from reconciler.reports.remedies import shell_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.observed import Observed


def written(observed: Observed, file: str) -> Iterator[Line]:
    """What was read and where it was written."""
    if observed.source == "simulated":
        yield SIMULATED
    yield Line(
        f"Capture of tenant {observed.organization} ({observed.tenant_id}), read"
        f" {observed.taken_at}:",
        Tone.HEADING,
    )
    teams, exchange = observed.state(TeamsState), observed.state(ExchangeState)
    if teams is not None:
        grants = (
            f"{counted(len(teams.users), 'user grant')},"
            f" {counted(len(teams.groups), 'group grant')}"
        )
        yield Line(f"    teams: {counted(len(teams.policies), 'policy', 'policies')}, {grants}")
    if exchange is not None:
        yield Line(f"    exchange: {counted(len(exchange.policies), 'policy', 'policies')}")
    yield from _read_once(teams)
    directory = observed.directory
    yield Line(
        f"    directory: {counted(len(directory.users), 'user')},"
        f" {counted(len(directory.groups), 'group')}, {counted(len(directory.recipients), 'recipient')}"
    )
    for warning in observed.warnings:
        yield Line(f"    {warning.provider}: {warning.cmdlet} warned: {warning.text}", Tone.WARNING)
    yield Line(f"Written to {file}. To plan on it: reconciler plan --tenant {shell_word(file)}")


def _read_once(teams: TeamsState | None) -> Iterator[Line]:
    """Policies whose holders could be read in one way only."""
    names = () if teams is None else unqueried(each.name for each in teams.policies.values())
    for name in names:
        yield Line(
            f"    Warning: the holders of policy {shown(name)} were read in one way only; its name"
            " has characters that may be special in a filter",
            Tone.WARNING,
        )
