"""`reconciler test`: whether what must stay true is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from reconciler.cli import annotating, options, testing

if TYPE_CHECKING:
    from pathlib import Path


@click.command("test", cls=options.Reporting, short_help="Run access tests.")
@options.documents
@options.tenant
@click.option(
    "--desired",
    is_flag=True,
    help=(
        "Test the documents alone, without a tenant; a test that depends on the tenant does"
        " not pass."
    ),
)
@click.option(
    "--plan",
    type=options.PlanFile(),
    metavar="PLAN.json",
    help="Show the test results that are stored in this plan.",
)
@options.formats("text", "markdown", "json", *annotating.ANNOTATION_FORMATS)
@options.max_bytes
def command(
    *,
    paths: tuple[Path, ...],
    tenant: str | None,
    desired: bool,
    plan: Path | None,
    form: str,
    max_bytes: int | None,
) -> int:
    """Run access tests against the current tenant or against the documents alone, or show the
    results stored in a plan.

    Each PATH is a YAML file or a folder of them; `policies` by default. `plan` runs the tests
    against the state that it leads to.

    Exit codes: 0 all pass, 3 a test fails or cannot be decided, or faults in the documents.
    """
    _refuse_two_grounds(desired=desired, plan=plan)
    options.assert_max_bytes_taken(max_bytes, form)
    if plan is not None:
        tested = testing.on_plan(plan)
    elif desired:
        tested = testing.on_documents(paths)
    else:
        tested = testing.on_tenant(paths, tenant)
    testing.show_tests(tested, form, max_bytes)
    return testing.exit_code_of_tests(tested)


def _refuse_two_grounds(*, desired: bool, plan: Path | None) -> None:
    """One ground a run; RECONCILER_TENANT does not ask for a tenant to be tested."""
    typed = (
        click.get_current_context().get_parameter_source("tenant") is ParameterSource.COMMANDLINE
    )
    if desired + typed + (plan is not None) > 1:
        raise click.UsageError("--desired, --plan and --tenant cannot be used together: choose one")
    if (
        plan is not None
        and click.get_current_context().get_parameter_source("paths") is ParameterSource.COMMANDLINE
    ):
        raise click.UsageError(
            "PATH cannot be used with --plan, which contains its test results: omit"
            " PATH, or plan again"
        )
