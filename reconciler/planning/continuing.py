"""What of a plan may still be run once the service refused a step for good.

Left out is what rests on a step that does not run: what the service would refuse without it, what
would expose somebody, what takes away for good what the plan gives the same person by another way,
and what products say belongs together. The order of the others stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.products import PRODUCTS
from reconciler.planning import checking

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.model.plans import Plan, Step


def continuation(plan: Plan, done: Sequence[Step], remaining: Sequence[Step]) -> tuple[Step, ...]:
    """Choose the steps that do not rest on any that does not run.

    Args:
        plan: The plan; those of its steps that are in neither list do not run.
        done: Steps that are done, in their order.
        remaining: Steps that could come next, in their order.

    Returns: Those of `remaining` that may still run; nobody gains access by them that the plan does
    not give, and each intermediate state is safe.
    """
    return _continued(plan, done, remaining)[0]


def taking_without(plan: Plan, refused: Step) -> tuple[Step, ...]:
    """The steps of a plan that, without another one of its steps, would take from somebody what the
    plan gives the same person by another way; in their order.
    """
    others = [step for step in plan.steps if step.id != refused.id]
    taking = _continued(plan, (), others)[1]
    return tuple(step for step in others if step.id in taking)


def _continued(
    plan: Plan, done: Sequence[Step], remaining: Sequence[Step]
) -> tuple[tuple[Step, ...], frozenset[int]]:
    """The steps that may run, and the ids of those that would take away too much."""
    left, taking = list(remaining), frozenset[int]()
    while True:
        kept = tuple(_admitted(plan, done, left))
        more = _unreplaced(plan, done, kept)
        if not more:
            return kept, taking
        taking |= more
        left = [step for step in left if step.id not in more]


def halfway(steps: Sequence[Step], done: Collection[int]) -> Iterator[tuple[Step, Step]]:
    """Groups whose policy was taken away and not granted again yet; only the plan knows their rank.

    Args:
        steps: All steps of a plan.
        done: Ids of those that are done.

    Returns: For each group the step that is done, and the one that is not.
    """
    dropped: dict[str, Step] = {}
    for step in steps:
        if "Group" not in step.parameters:
            continue
        drop = dropped.get(step.address)
        if drop is not None and step.id not in done:
            yield drop, step
        elif step.id in done and step.parameters["PolicyName"] is None:
            dropped[step.address] = step


def is_safe(plan: Plan, course: Sequence[Step]) -> bool:
    """Say whether the checker finds nothing wrong with running these steps of a plan instead of all
    of them. Consents do not count: they were given for a moment that may not end without the rest.
    """
    return not checking.violations(plan.baseline, course, toward=plan.steps)


def _admitted(plan: Plan, done: Sequence[Step], left: Sequence[Step]) -> Iterator[Step]:
    """Follow the steps, skipping those that depend on what is missing."""
    judge = checking.StepwiseJudge(plan.baseline, plan.steps)
    if not all(judge.admits(step) for step in done):
        return
    running = {step.id for step in (*done, *left)}
    lacking: dict[str, set[str]] = {provider: set() for provider in PRODUCTS}
    for step in plan.steps:
        if step.id not in running:
            lacking[step.provider] |= PRODUCTS[step.provider].ties(step).provides
    for step in left:
        ties = PRODUCTS[step.provider].ties(step)
        if ties.requires.isdisjoint(lacking[step.provider]) and judge.admits(step):
            yield step
        else:
            lacking[step.provider] |= ties.provides


def _unreplaced(plan: Plan, done: Sequence[Step], kept: Sequence[Step]) -> frozenset[int]:
    return frozenset().union(
        *(
            product.unreplaced(
                plan.baseline, *(_of(name, steps) for steps in (done, kept, plan.steps))
            )
            for name, product in PRODUCTS.items()
        )
    )


def _of(provider: str, steps: Sequence[Step]) -> Sequence[Step]:
    return [step for step in steps if step.provider == provider]
