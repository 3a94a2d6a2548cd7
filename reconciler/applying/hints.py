"""What to do about a step that failed, as one sentence: each way that it names leads on from where
the run stopped.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from reconciler.applying.outcomes import passes
from reconciler.model.addresses import ExchangePolicyAddress, exchange_application, parse_address
from reconciler.model.codes import StepReason
from reconciler.planning import continuing

if TYPE_CHECKING:
    from reconciler.applying.deciding import RunState
    from reconciler.model.addresses import Address
    from reconciler.model.plans import Plan, Step
    from reconciler.tenants.protocol import Failed

GROUP_HINT: Final = (
    "if the service does not regrant a group in place, plan again with --group-changes remove-add"
)
_MOST_SKIPPED: Final = 5
"""Addresses that one sentence gives to `--skip`; nobody would type a longer command."""


def after_refusal(plan: Plan, step: Step) -> str:
    """What plans without a step without which the run went on."""
    skipped = _skipping(plan, step)
    return f"{skipped} plans without it" if skipped else "correct the cause, then plan again"


def after_failure(
    plan: Plan, state: RunState, step: Step, outcome: Failed, *, goes_on: bool
) -> str:
    """What to do about the step at which a run stopped.

    Args:
        plan: the plan.
        state: where the run is.
        step: the step that failed.
        outcome: how.
        goes_on: `--keep-going` would carry out others.
    """
    again = "plan again" if state.refused else "apply the same plan again"
    if passes(outcome):
        return f"the service is busy: {again} later"
    if lost := _between_policies(plan, state):
        return lost
    without = f"correct the cause and {again}"
    if skipped := _skipping(plan, step):
        without += f", or plan again with {skipped} to go on without it"
    if goes_on:
        without += ", or apply with --keep-going to carry out what does not depend on it"
    return f"{without}; {GROUP_HINT}" if regrants_in_place(plan, step) else without


def regrants_in_place(plan: Plan, step: Step) -> bool:
    """Whether a step grants a policy to a group that still holds one, or another rank of it."""
    if step.reason != StepReason.MOVE_GROUP:
        return False
    alike = (other for other in plan.steps if other.address == step.address)
    return all(other.reason != StepReason.DROP_GROUP for other in alike)


def _between_policies(plan: Plan, state: RunState) -> str:
    """What to do if a group has lost its policy and not got the next one: no other plan, with
    `--skip` or without, knows the rank that it is to have. Empty if there is none.
    """
    lacking = [
        step for _, step in continuing.halfway(plan.steps, {done.id for done in state.passed})
    ]
    if not lacking:
        return ""
    then = "apply the same plan again"
    if state.refused:
        numbers = " and ".join(f"step {step.id}" for step in lacking)
        then = f"run {numbers} yourself, then plan again"
    return (
        f"correct the cause and {then}: a group has lost its policy, and only this plan knows its"
        " rank"
    )


def _skipping(plan: Plan, step: Step) -> str:
    """The options of a plan without a step, and without what would take from somebody what the step
    should have given instead. Empty if these are too many.
    """
    addresses = dict.fromkeys(map(_held_as, (step, *continuing.taking_without(plan, step))))
    if len(addresses) > _MOST_SKIPPED:
        return ""
    return " ".join(f"--skip {quote(address)}" for address in addresses)


def _held_as(step: Step) -> Address:
    """The address that `plan --skip` takes for a step: an Exchange application is held as a whole."""
    policy = parse_address(step.address)
    if isinstance(policy, ExchangePolicyAddress):
        return exchange_application(policy.application)
    return step.address
