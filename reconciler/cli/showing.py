"""A plan in the format that was asked for, and the exit code that it means."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never, get_args

from msgspec import Struct

from reconciler.cli import ages, collecting, options, printing
from reconciler.cli.working import working
from reconciler.errors import (
    CHANGES_PENDING,
    SUCCESS,
    AccessTestFailed,
    Refused,
    UsageFault,
)
from reconciler.planning.planfile import SealedPlan
from reconciler.reports import plans, powershell, remedies
from reconciler.reports.markdown.limits import MAX_BYTES
from reconciler.reports.review.composing import review
from reconciler.reports.wrapping import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.addresses import Provider
    from reconciler.model.findings import Position
    from reconciler.model.plans import Plan
    from reconciler.model.since import Since
    from reconciler.reports.review.value import Review

PlanFormat: TypeAlias = Literal["text", "markdown", "json", "html", "powershell"]
"""The formats of a plan."""
PLAN_FORMATS: tuple[str, ...] = get_args(PlanFormat)


def is_simulated(plan: Plan) -> bool:
    """Whether a plan was made from a simulated tenant."""
    return plan.inputs.source == "simulated"


class View(Struct, frozen=True):
    """How a plan is shown.

    Attributes:
        form: The format.
        product: Whose script, of those that have one for each product.
        ids: Show every id beside its name.
        commands: Show every command, however many there are.
        max_bytes: How large Markdown may be; None is as large as a comment of GitHub.
        redact: `names`, if nobody is to be named.
    """

    form: PlanFormat = "text"
    product: Provider | None = None
    ids: bool = False
    commands: bool = False
    max_bytes: int | None = None
    redact: str | None = None


def show_plan(
    loaded: SealedPlan,
    view: View,
    *,
    then: str = "",
    sources: Mapping[str, Position] | None = None,
    since: Since | None = None,
) -> None:
    """Print a plan.

    Args:
        loaded: the plan and its digests.
        view: how it is shown.
        then: what a person may do with it next.
        sources: where the documents declare what changes, if they are at hand.
        since: how it compares with the documents of an earlier commit.

    Raises:
        UsageFault: `--product` without `--format powershell`, or a script of two products without
            it; `--max-bytes` without `--format markdown`; a script without people.
    """
    beside = _Beside(sources, since)
    if view.redact is not None:
        loaded, beside = _redacted(loaded, beside)
    collect_plan(loaded, shown=True)
    if beside.since is not None:
        collecting.add_part("since", beside.since)
    _assert_fitting(view)
    match view.form:
        case "text":
            _text(loaded, view, then, beside)
        case "markdown":
            _markdown(loaded, view, then, beside)
        case "json":
            pass  # it is in the envelope
        case "html":
            _page(loaded, view, then, beside)
        case "powershell":
            _script(loaded, view.product)
        case _:
            assert_never(view.form)


def _assert_fitting(view: View) -> None:
    """Check that the options have a meaning for the format."""
    if view.redact is not None and view.form == "powershell":
        raise UsageFault(
            "--redact leaves commands out, because they hold the ids of people, and a script has"
            " nothing else: choose another --format"
        )
    if view.product is not None and view.form != "powershell":
        raise UsageFault(
            "--product requires --format powershell: every other format shows both products"
        )
    options.assert_max_bytes_taken(view.max_bytes, view.form)


class _Beside(Struct, frozen=True):
    """What is shown beside a plan: where documents declare what changes, how they compare with those
    of an earlier commit.
    """

    sources: Mapping[str, Position] | None
    since: Since | None

    def review(self, loaded: SealedPlan) -> Review:
        """The review of the plan."""
        return review(loaded.plan, loaded.digests, self.sources, self.since)


def _redacted(loaded: SealedPlan, beside: _Beside) -> tuple[SealedPlan, _Beside]:
    """A plan without its people, under the digests that it has; whatever shows it cannot name them."""
    from reconciler.reports.redaction import Redaction  # noqa: PLC0415  lazy: seldom asked for

    redaction = Redaction(loaded.plan)
    collecting.current().redaction = redaction
    without = _Beside(
        None if beside.sources is None else redaction.places(beside.sources),
        None if beside.since is None else redaction.since(beside.since),
    )
    return SealedPlan(redaction.plan(), loaded.digests), without


def collect_plan(loaded: SealedPlan, *, shown: bool) -> None:
    """Collect the plan that a run is about; the plan itself only if it is `shown`."""
    collected = collecting.current()
    collected.plan, collected.digests, collected.shown = loaded.plan, loaded.digests, shown


def exit_code_of_plan(plan: Plan, *, detailed: bool) -> int:
    """The exit code of a plan: refused, tests that fail, changes pending (if asked for), or fine."""
    if plan.refusals or plan.unresolved:
        return Refused.exit_code
    if not plan.applicable:
        return AccessTestFailed.exit_code
    return CHANGES_PENDING if detailed and plan.changes else SUCCESS


def how_to_apply(saved: Path | None, tenant: str | None = None) -> str:
    """How a plan is applied that was saved to a file, or was not.

    Args:
        saved: the file.
        tenant: `--tenant` of the plan; a capture cannot be applied to, so it is not printed.
    """
    words = ["reconciler apply", remedies.shell_word("plan.json" if saved is None else str(saved))]
    if tenant is not None and (tenant == "live" or tenant.startswith("sim:")):
        words += ["--tenant", remedies.shell_word(tenant)]
    command = " ".join(words)
    if saved is None:
        return f"Not saved. To apply exactly this, add --out plan.json, then: {command}"
    return f"To apply exactly this: {command}"


def _text(loaded: SealedPlan, view: View, then: str, beside: _Beside) -> None:
    with working("Preparing the report"):
        layout = Layout(printing.columns(sys.stdout), ids=view.ids)
        shown = plans.Shown(
            layout, commands=view.commands, then=then, age=ages.age_words(loaded.plan)
        )
        lines = list(plans.plan_lines(beside.review(loaded), shown))
    printing.report(lines)


def _markdown(loaded: SealedPlan, view: View, then: str, beside: _Beside) -> None:
    from reconciler.reports.markdown import plans as markdown  # noqa: PLC0415  lazy: six modules

    with working("Preparing the report"):
        wanted = markdown.Wanted(
            view.ids,
            view.commands,
            then,
            ages.age_words(loaded.plan),
            view.max_bytes or MAX_BYTES,
        )
        text = markdown.plan_markdown(beside.review(loaded), wanted)
    printing.raw(text)


def _page(loaded: SealedPlan, view: View, then: str, beside: _Beside) -> None:
    # lazy: only this format needs them
    from reconciler.reports import html  # noqa: PLC0415
    from reconciler.reports.review.matrix import access_matrix  # noqa: PLC0415

    with working("Preparing the report"):
        shown = html.Page(then=then, ids=view.ids)
        reviewed = beside.review(loaded)
        page = html.page(reviewed, access_matrix(loaded.plan), shown)
    printing.raw(page)


def _script(loaded: SealedPlan, product: Provider | None) -> None:
    printing.raw(
        powershell.script(loaded.plan, product or _only_product(loaded.plan), loaded.digests)
    )


def _only_product(plan: Plan) -> Provider:
    concerned = sorted({step.provider for step in plan.steps})
    if len(concerned) != 1:
        whose = " and ".join(concerned) or "neither"
        raise UsageFault(
            f"a script covers one product, but this plan has steps for {whose}: choose --product"
            " teams or --product exchange"
        )
    return concerned[0]
