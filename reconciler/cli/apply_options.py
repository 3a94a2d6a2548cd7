"""What the commands that apply have in common: their options, and the order that these make."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from reconciler.cli import executing, options, showing
from reconciler.planning.making import PlanOptions

if TYPE_CHECKING:
    from reconciler.planning.making import GroupChanges


class WantedApply(Struct, frozen=True):
    """What a command line asks to be applied.

    Attributes:
        plan: The plan's file; None: one is made.
        paths: Documents that one is made of; empty means the usual ones.
        tenant: `--tenant`.
        planning: Options of making one.
        digest: The digest that was approved.
        approved: The plan that was approved.
        max_age: Hours that readings may be old.
        run: How it is run, if nobody is asked.
    """

    plan: Path | None
    paths: tuple[Path, ...]
    tenant: str | None
    planning: PlanOptions
    digest: str | None
    approved: Path | None
    max_age: int | None
    run: executing.ApplyOptions

    def order(
        self, view: showing.View, run: executing.ApplyOptions, *, auto: bool
    ) -> executing.ApplyOrder:
        """What is carried out: how the plan is shown, how it is run, and whether nobody is asked."""
        return executing.ApplyOrder(
            plan=self.plan,
            paths=self.paths or options.DEFAULT_PATHS,
            tenant=self.tenant,
            planning=self.planning,
            digest=self.digest,
            approved=self.approved,
            max_age=self.max_age,
            auto=auto,
            view=view,
            run=run,
        )


_OPTIONS = (
    click.argument("plan", type=options.PlanFile(), required=False, metavar="[PLAN.json]"),
    click.option(
        "--digest",
        metavar="plan:HEX|content:HEX",
        help="Apply only if the plan has this digest, the one that was approved.",
    ),
    click.option(
        "--approved",
        type=options.PlanFile(),
        metavar="PLAN.json",
        help=(
            "Apply only what the approval of this plan covers: the same plan, or what is left of it."
            " Says what differs."
        ),
    ),
    options.tenant,
    click.option(
        "--state-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help=(
            "Directory for the journals of each tenant. Default: the user's state directory"
            " (RECONCILER_STATE_DIR), which has the lock in any case."
        ),
    ),
    click.option(
        "--lock-timeout",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="SECONDS",
        help=(
            "How long to wait for another apply of the tenant to end before giving up (exit code 8)."
        ),
    ),
    click.option(
        "--path",
        "paths",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Documents to plan from if PLAN.json is omitted. Repeatable; default: `policies`.",
    ),
    click.option(
        "--settle",
        type=click.IntRange(min=0),
        default=0,
        metavar="MINUTES",
        help=(
            "Minutes to wait between a step and a removal that relies on it: the services take 30 to"
            " 60 minutes to enforce a change."
        ),
    ),
    click.option(
        "--keep-going",
        is_flag=True,
        help=(
            "Carry out what does not depend on a step that the service refuses for good. Such an"
            " apply ends with exit code 6, and its plan cannot be resumed. Without it you are asked"
            " on a terminal."
        ),
    ),
    options.max_age,
    options.planning,
)


def apply_options(command: options.Command) -> options.Command:
    """The options of applying; the command gets them as one value, `wanted`."""

    @wraps(command)
    def with_wanted(
        *,
        plan: Path | None,
        digest: str | None,
        approved: Path | None,
        tenant: str | None,
        state_dir: Path | None,
        lock_timeout: int,
        paths: tuple[Path, ...],
        settle: int,
        keep_going: bool,
        max_age: int | None,
        allow: tuple[str, ...],
        only: tuple[str, ...],
        skip: tuple[str, ...],
        group_changes: GroupChanges,
        **others: Any,
    ) -> Any:
        planning = PlanOptions(allow=allow, only=only, skip=skip, group_changes=group_changes)
        if plan is not None:
            _refuse_planning(paths, planning)
        run = executing.ApplyOptions(state_dir, settle, lock_timeout, keep_going)
        wanted = WantedApply(plan, paths, tenant, planning, digest, approved, max_age, run)
        return command(wanted=wanted, **others)

    decorated: options.Command = with_wanted
    for decorate in reversed(_OPTIONS):
        decorated = decorate(decorated)
    return decorated


def _refuse_planning(paths: tuple[Path, ...], chosen: PlanOptions) -> None:
    if paths or chosen.allow or chosen.only or chosen.skip or chosen.group_changes != "in-place":
        raise click.UsageError(
            "--path, --allow, --only, --skip and --group-changes cannot be used with PLAN.json;"
            " pass them to `plan --out` instead."
        )
