"""What the commands that make a plan have in common: their options, and what becomes of the plan."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from reconciler.cli import ages, loading, options, showing, sources
from reconciler.planning.making import PlanOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reconciler.cli.loading import Made
    from reconciler.cli.showing import PlanFormat
    from reconciler.model.addresses import Provider
    from reconciler.model.findings import Position
    from reconciler.model.since import Since
    from reconciler.planning.making import GroupChanges
    from reconciler.planning.planfile import SealedPlan

    Command = Callable[..., Any]


class WantedPlan(Struct, frozen=True):
    """What a command line asks of a plan.

    Attributes:
        planning: Consents, selection, and how a group's grant changes.
        view: How it is shown.
        out: Where it is saved; None is nowhere.
        max_age: Hours that the reading of the tenant may be old; None: only warn.
        detailed: Whether changes have an exit code of their own.
    """

    planning: PlanOptions
    view: showing.View
    out: Path | None
    max_age: int | None
    detailed: bool


_OPTIONS = (
    options.file_out("--out", "Save the plan for `apply FILE`, even if it is not applicable."),
    options.planning,
    click.option(
        "--detailed-exitcode", is_flag=True, help="Exit with code 2 if there are changes."
    ),
    options.formats(*showing.PLAN_FORMATS),
    options.product,
    options.viewing,
    options.max_bytes,
    options.redact,
    options.max_age,
)


def plan_options(command: Command) -> Command:
    """The options of making and showing a plan; the command gets them as one value, `wanted`."""

    @wraps(command)
    def with_wanted(
        *,
        out: Path | None,
        allow: tuple[str, ...],
        only: tuple[str, ...],
        skip: tuple[str, ...],
        group_changes: GroupChanges,
        detailed_exitcode: bool,
        form: PlanFormat,
        product: Provider | None,
        ids: bool,
        commands: bool,
        max_bytes: int | None,
        redact: str | None,
        max_age: int | None,
        **others: Any,
    ) -> Any:
        planning = PlanOptions(allow=allow, only=only, skip=skip, group_changes=group_changes)
        view = showing.View(form, product, ids, commands, max_bytes, redact)
        return command(wanted=WantedPlan(planning, view, out, max_age, detailed_exitcode), **others)

    decorated: Command = with_wanted
    for decorate in reversed(_OPTIONS):
        decorated = decorate(decorated)
    return decorated


class KeptPlan(Struct, frozen=True):
    """A plan that is sealed and saved, and what is shown beside it.

    Attributes:
        loaded: The plan and its digests.
        places: Where the documents declare what changes.
        since: How it compares with the documents of an earlier commit.
        then: How it is applied.
    """

    loaded: SealedPlan
    places: Mapping[str, Position]
    since: Since | None
    then: str

    def show(self, view: showing.View) -> None:
        """Print it.

        Raises:
            UsageFault: options contradict each other.
        """
        showing.show_plan(self.loaded, view, then=self.then, sources=self.places, since=self.since)


def kept_plan(
    made: Made,
    wanted: WantedPlan,
    paths: Sequence[Path],
    tenant: str | None,
    since: Since | None = None,
) -> KeptPlan:
    """Seal a plan and save it. Takes and raises what `show_made` does."""
    ages.check_age(made.plan, wanted.max_age)
    files = [] if wanted.out is None else [wanted.out]
    sources.assert_spared(made.source, paths, files)
    loaded = loading.sealed_plan(made.plan, *files)
    return KeptPlan(loaded, made.places, since, showing.how_to_apply(wanted.out, tenant))


def show_made(
    made: Made,
    wanted: WantedPlan,
    paths: Sequence[Path],
    tenant: str | None,
    since: Since | None = None,
) -> int:
    """Save a plan, print it, and give the exit code that it means.

    Args:
        made: the plan, and what it was made of.
        wanted: what the command line asks of it.
        paths: the documents that were named; no file is written over them.
        tenant: `--tenant`, for the line that says how to apply it.
        since: how it compares with the documents of an earlier commit.

    Raises:
        Refused: the tenant was read too long ago.
        UsageFault: the plan would be written over what was read, or options contradict each other.
        OSError: the file cannot be written.
    """
    kept_plan(made, wanted, paths, tenant, since).show(wanted.view)
    return showing.exit_code_of_plan(made.plan, detailed=wanted.detailed)
