"""The command line's entry, and the one place where a fault becomes a message and an exit code.

Only click and the version are imported here: commands load their module, and what they need, when
they are named.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from reconciler import __version__
from reconciler.cli import collecting, streams
from reconciler.errors import Interrupted, ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "init": "Start a repository of documents.",
    "validate": "Check documents.",
    "plan": "Show what would change.",
    "show": "Show a saved plan.",
    "rehearse": "Try a plan on a simulated tenant.",
    "apply": "Run the steps of a plan.",
    "verify": "See whether an apply is in effect.",
    "undo": "Plan to undo an applied plan.",
    "drift": "Show how a tenant differs from what is known of it.",
    "export": "Write what a tenant has as documents.",
    "fetch": "Save a complete reading of a tenant.",
    "test": "Run access tests.",
    "list": "List what a tenant has.",
    "reach": "List whom an application reaches.",
    "who": "List the applications that reach someone.",
    "explain": "Explain why an application reaches someone or not.",
    "diagnose": "Explain an error and how to fix it.",
    "tenants": "List the tenants of a repository.",
    "fleet": "Run a command for many tenants.",
    "ci": "Plan, apply or check for drift in a pipeline's job.",
    "schema": "Print a JSON Schema.",
    "doctor": "Check the requirements of `--tenant live`.",
}
"""Each command with its short help, so that `--help` loads none of them."""

_LIKE = 0.74
"""How like a command a word must be to be taken for it mistyped (difflib's ratio): two letters out
of four that changed places give 0.75.
"""


class Program(click.Group):
    """The commands, each in `reconciler.cli.commands` under its own name, loaded when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The commands in the order of a day's work."""
        return list(COMMANDS)

    # click's signature
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"reconciler.cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101  narrows what a module attribute is
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named first; of a mistyped one, say what it may have meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as fault:
            from difflib import get_close_matches  # noqa: PLC0415  lazy: only of a mistyped name

            close = get_close_matches(args[0].lower(), COMMANDS, cutoff=_LIKE)
            if not close:
                raise
            meant = " or ".join(map(repr, close))
            raise click.UsageError(f"{fault.message} Did you mean {meant}?", ctx) from fault

    # click's signature
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a fault that is meant for a person ends it with the fault's own exit code."""
        try:
            return super().invoke(ctx)
        except ReconcilerError as fault:
            from reconciler.cli import faults  # noqa: PLC0415  lazy: only when something is wrong

            return faults.report_fault(fault, ctx)


@click.group(
    cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="reconciler %(version)s")
def program() -> None:
    """Application access policies of Microsoft Teams and Exchange Online as code.

    YAML documents declare the desired state; `plan` shows what would change, `apply` does exactly
    that.
    """


def main() -> NoReturn:
    """Run the `reconciler` command of this process and end it."""
    try:
        code = run()
    except KeyboardInterrupt:  # one more of several, while the first was being answered
        code = Interrupted.exit_code
    # a Ctrl-C from here on must not change what is said of a run that is over
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def run() -> int:
    """Run the `reconciler` command of this process and give its exit code; never a traceback unless
    it is asked for.
    """
    streams.prepare()
    with collecting.run_of_its_own() as collected:
        code = _code()
        if collected.wanted:
            code = _enveloped(collected, code)
    streams.finish()
    return code


def _enveloped(collected: collecting.Collected, code: int) -> int:
    from reconciler.cli import enveloping, faults  # noqa: PLC0415  lazy: only where it is asked for

    try:
        return enveloping.deliver(collected, code)
    except Exception as fault:  # noqa: BLE001  as below
        return code or faults.unexpected(fault)


def _code() -> int:
    try:
        outcome = program.main(prog_name="reconciler", standalone_mode=False)
    # the last line of defence: a person gets a message, not a traceback
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001
        from reconciler.cli import faults  # noqa: PLC0415  lazy: only when something is wrong

        return faults.ended_by(fault)
    return outcome if isinstance(outcome, int) else 0
