"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.model.addresses import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

DEFAULT_PATHS = (Path("policies"),)
FORMAT = "reconciler.format"
"""Key of `click.Context.meta`: the format that was asked for; findings are a report and come in it.
"""

_FILE = click.Path(path_type=Path, dir_okay=False)


def paths(
    _ctx: click.Context, _parameter: click.Parameter, value: tuple[Path, ...]
) -> tuple[Path, ...]:
    """The documents that are meant; `policies` if none are named."""
    return value or DEFAULT_PATHS


def remember_format(ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Let a fault of the documents be reported in the format that was asked for."""
    ctx.meta[FORMAT] = value
    return value


documents = click.argument(
    "paths", nargs=-1, type=click.Path(path_type=Path), callback=paths, metavar="[PATH]..."
)

tenant = click.option(
    "--tenant",
    envvar="RECONCILER_TENANT",
    show_envvar=True,
    metavar="CAPTURE.json|sim:FILE|live",
    help=(
        "Where the observed state comes from and where steps go: a capture file (read-only), a"
        " simulated tenant kept in FILE, or the tenant itself through PowerShell (the Tenant"
        " document says how to sign in). Default: the simulated tenant that comes with reconciler,"
        " while the documents are for it."
    ),
)

product = click.option(
    "--product",
    type=click.Choice(PROVIDERS),
    help="The product of the script, with --format powershell.",
)


max_age = click.option(
    "--max-age",
    type=click.IntRange(min=0),
    metavar="HOURS",
    help=(
        "Refuse a plan whose tenant was read more than HOURS ago. Default: a warning from 24 hours"
        " on. A simulated tenant has no age."
    ),
)


def formats(*names: str) -> Callable[[Command], Command]:
    """`--format`, with the first name as default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        callback=remember_format,
        help="How to print the report.",
    )


def file_out(name: str, text: str, *, required: bool = False) -> Callable[[Command], Command]:
    """An option that names a file to write."""
    return click.option(name, type=_FILE, required=required, metavar="FILE", help=text)


_GROUP_CHANGES = click.option(
    "--group-changes",
    type=click.Choice(["in-place", "remove-add"]),
    default="in-place",
    show_default=True,
    help=(
        "How to change the policy or rank of a group that already has a Teams policy: in-place"
        " grants again (undocumented, fails safe); remove-add removes the old grant first"
        " (documented)."
    ),
)
allow = click.option(
    "--allow",
    multiple=True,
    metavar="RULE:ADDRESS",
    help=(
        "Consent to something that would be refused otherwise; the refusal prints the"
        " exact value. Repeatable."
    ),
)
_ONLY = click.option(
    "--only",
    multiple=True,
    metavar="ADDRESS",
    help="Plan only this object and hold everything else at its observed value. Repeatable.",
)
_SKIP = click.option(
    "--skip",
    multiple=True,
    metavar="ADDRESS",
    help="Hold this object at its observed value. Repeatable.",
)


def planning(command: Command) -> Command:
    """The options of planning: consents, selection, and how a group's grant changes."""
    for decorate in (_GROUP_CHANGES, _SKIP, _ONLY, allow):
        command = decorate(command)
    return command
