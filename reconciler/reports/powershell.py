"""A plan as one PowerShell script per product, for an administrator without Python.

What a step runs is the step's own text, byte for byte. Everything else that comes from a plan is
either a literal or a comment, and a comment is one line that begins with `COMMENT`: PowerShell
7.6.5 (observed) takes a comment for a requirement (`#requires`) or for the start of a signature
block only if it resembles one, whatever is around it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from reconciler.errors import TamperedPlan
from reconciler.kinds.facts import facts, in_turn
from reconciler.model import figures
from reconciler.model.addresses import PROVIDERS
from reconciler.model.plans import Invocation
from reconciler.powershell.literals import literal
from reconciler.powershell.rendering import render
from reconciler.reports import sentences, terminal, values
from reconciler.reports.lines import SIMULATED
from reconciler.reports.review import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jinja2 import Template

    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Plan, Step
    from reconciler.reports.review.composing import Digests

COMMENT: Final = "# ========== "


class _Written(str):
    """PowerShell text that is complete as it is: a comment, a step's text, a fixed expression.

    Anything else is quoted.
    """

    __slots__ = ()


class _Product(Struct, frozen=True):
    """A product as the template names it.

    Modules and versions as `doctor` asks for: the ones that a live tenant is read with, too.
    """

    title: str
    module: str
    minimum: str
    clashes: _Written
    sessions: _Written | None
    property: _Written
    disconnect: _Written


def _product(provider: Provider) -> _Product:
    own = facts(provider)
    others = [facts(name).module for name in PROVIDERS if name != provider]
    return _Product(
        title=own.title,
        module=own.module,
        minimum=own.minimum,
        clashes=_Written(", ".join(literal(module) for module in others)),
        sessions=None if own.sign_in.sessions is None else _Written(own.sign_in.sessions),
        property=_Written(own.sign_in.tenant_property),
        disconnect=_Written(own.sign_in.disconnect),
    )


_REFUSED: Final = (
    "This plan is not applicable: it was refused when it was made. Nothing was changed."
)
_FRESH: Final = (
    "This session has the other product's module loaded, or is connected already. Start a fresh one:"
    " pwsh -NoProfile -File SCRIPT"
)
_LACKING: Final = (
    "Your role does not give you every cmdlet that this script needs. Nothing was changed."
)


def script(plan: Plan, provider: Provider, digests: Digests) -> str:
    """Write the script that runs one product's steps of a plan: requirements, connection, the
    tenant's id asserted, steps, disconnection.

    Args:
        plan: The plan; one that is not applicable gives a script that throws at once.
        provider: The product; the other one's steps are not in the script.
        digests: The plan's digests, for the header.

    Raises:
        TamperedPlan: a step's text is not what its cmdlet and parameters render to.
        RenderFault: a step cannot be rendered at all.
    """
    product = _product(provider)
    steps = [step for step in plan.steps if step.provider == provider]
    return _template().render(
        product=product,
        header=[_comment(line) for line in _header(plan, provider, digests, len(steps))],
        steps=[
            _written(step, number, len(steps), plan.names) for number, step in enumerate(steps, 1)
        ],
        connect=_connect(plan, provider, steps),
        tenant=plan.tenant.tenant_id,
        cmdlets=sorted({step.cmdlet for step in steps}),
        refused=None if plan.applicable else _REFUSED,
        nothing=f"This plan has no steps for {product.title}.",
        fresh=_FRESH,
        stranger=f"This is not tenant {terminal.line(plan.tenant.tenant_id)}. Nothing was changed.",
        lacking=_LACKING,
        done=(
            f"Done: {len(steps)} of {len(steps)} steps. To see whether the tenant is as planned,"
            " plan again."
        ),
    )


def _header(plan: Plan, provider: Provider, digests: Digests, count: int) -> Iterator[str]:
    if plan.inputs.source == "simulated":
        yield SIMULATED.text
    yield (
        f"{facts(provider).title}: {count} of the {len(plan.steps)} steps of one plan for tenant"
        f" {plan.tenant.tenant_id} ({plan.tenant.organization})"
    )
    yield f"This plan: {digests.digest}"
    yield f"What it does: {digests.content_digest}"
    yield (
        f"Made from a capture of {plan.inputs.capture_taken_at}. The script does not look whether"
        " the tenant has moved since; `reconciler apply` does."
    )
    counts = figures.of_plan(plan)
    yield f"Grants of the whole plan: {phrases.planned_grants(counts)}."
    yield f"Policies of the whole plan: {phrases.planned_policies(counts)}."
    if earlier := _earlier(plan, provider):
        yield f"Run the {' and then the '.join(earlier)} script of this plan first."
    yield "Run it as a whole, in a session of its own: pwsh -NoProfile -File SCRIPT"
    if not plan.applicable:
        yield "WARNING: this plan is not applicable. The script throws before it connects."
        yield from (
            f"Refused by {note.code}: {note.address}{values.of(note.address, plan.names)}"
            for note in plan.refusals
        )


def _earlier(plan: Plan, provider: Provider) -> list[str]:
    """Titles of the products whose steps run before this one's."""
    order = in_turn()
    having = {step.provider for step in plan.steps}
    return [facts(name).title for name in order[: order.index(provider)] if name in having]


def _written(step: Step, number: int, count: int, names: Mapping[str, str]) -> Mapping[str, str]:
    if render(Invocation(step.cmdlet, step.parameters)) != step.text:
        raise TamperedPlan(
            f"step {step.id}: its text does not match its cmdlet and parameters; plan again"
        )
    return {
        "comment": _comment(
            f"{sentences.step(step.reason)}{' (temporary)' if step.temporary else ''}"
        ),
        "progress": terminal.line(
            f"Step {number} of {count}: {step.address}{values.of(step.address, names)}"
        ),
        "text": _Written(step.text),
    }


def _connect(plan: Plan, provider: Provider, steps: Sequence[Step]) -> _Written:
    """The sign-in of a person.

    Organisation and certificates belong to unattended sign-in, which this script does not do.
    """
    own = facts(provider)
    environment = own.clouds.get(str(plan.connect.get("cloud")))
    suffix = f" -{own.sign_in.cloud_parameter}:{literal(environment)}" if environment else ""
    text = own.sign_in.connect.format(
        tenant=literal(plan.tenant.tenant_id),
        cmdlets=literal(sorted({step.cmdlet for step in steps})),
    )
    return _Written(f"{text}{suffix}")


def _comment(text: str) -> _Written:
    return _Written(COMMENT + terminal.line(text))


def _finalize(value: Any) -> str:
    return value if isinstance(value, _Written) else literal(value)


@cache
def _template() -> Template:
    from jinja2 import (  # noqa: PLC0415
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    environment = Environment(  # noqa: S701  autoescape is HTML's; `finalize` quotes for PowerShell
        loader=PackageLoader("reconciler.reports", "templates"),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        auto_reload=False,
        keep_trailing_newline=True,
    )
    return environment.get_template("script.ps1.j2")
