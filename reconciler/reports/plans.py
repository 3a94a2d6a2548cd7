"""A plan as a text for a person, made from nothing but the plan value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.model import figures
from reconciler.model.codes import DEAD, Held
from reconciler.reports import access, access_tests, changes, notes, sentences, values
from reconciler.reports.lines import SIMULATED, Line, Tone, counted, heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.figures import Figures
    from reconciler.model.plans import Plan, Step

MOST_COMMANDS = 200
SECONDS_A_CALL = (0.4, 14.0)
"""The quickest and the slowest mean time of one write that was reported from the field, for
thousands of grants by `Grant-Cs*` cmdlets.
"""
WORTH_SAYING = 5
"""Minutes from which the time of an apply is said."""
TOKEN_MINUTES = 60
"""An access token lives 60 to 90 minutes (Microsoft identity platform, access token lifetime)."""


class Digests(Protocol):
    """The two digests of a plan, `plan:HEX` and `content:HEX`."""

    @property
    def digest(self) -> str:
        """Of the whole plan."""
        ...

    @property
    def content_digest(self) -> str:
        """Of what it would do."""
        ...


def plan_lines(value: Plan, digests: Digests, *, simulated: bool, then: str = "") -> Iterator[Line]:
    """The whole plan.

    `then` is what a person may do with it next, said if the plan has steps and is applicable.
    """
    if simulated:
        yield SIMULATED
        yield Line()
    yield from _head(value)
    yield from changes.policy_blocks(value.changes, value.names)
    yield from changes.grant_lines(value.changes, value.names)
    yield from _commands(value.steps)
    yield from access.gap_lines(value)
    yield from _consents(value)
    yield from notes.notes(value)
    yield from access_tests.plan_test_lines(value)
    yield from _closing(value)
    yield from _digests(digests)
    yield from _next(value, then)


def _head(value: Plan) -> Iterator[Line]:
    yield from changes.LEGEND
    yield Line()
    yield Line(
        f"Tenant {value.tenant.organization} ({value.tenant.tenant_id}), read {value.inputs.capture_taken_at}"
        f" from {_origin(value.inputs.source)}."
    )
    yield from access.access_lines(value)
    if value.changes:
        yield from heading(
            f"Changes: {counted(len(value.changes), 'object differs', 'objects differ')} from the"
            " documents"
        )


def _origin(source: str) -> str:
    return {
        "simulated": "a simulated tenant",
        "capture": "a capture file",
        "live": "the live tenant",
    }[source]


def _duration(calls: int) -> Iterator[Line]:
    """How long an apply may take, said where it is worth knowing beforehand."""
    least, most = (calls * seconds / 60 for seconds in SECONDS_A_CALL)
    if most < WORTH_SAYING:
        return
    yield Line(
        f"    {calls} cmdlet calls, one after the other: about {_time(least)} to {_time(most)} on a"
        " live tenant."
    )
    if most > TOKEN_MINUTES:
        yield Line(
            "    That may be longer than a sign-in lasts. If an apply has to stop, apply the"
            " same plan again: it resumes where the first one stopped."
        )


def _time(minutes: float) -> str:
    return (
        counted(max(1, round(minutes)), "minute")
        if minutes < 2 * 60
        else counted(round(minutes / 60), "hour")
    )


def _commands(steps: tuple[Step, ...]) -> Iterator[Line]:
    if not steps:
        return
    yield from heading(f"Commands, in this order: {counted(len(steps), 'step')}")
    yield from _duration(len(steps))
    width = len(str(len(steps)))
    for step in steps[:MOST_COMMANDS]:
        yield from step_lines(step, width)
    if len(steps) > MOST_COMMANDS:
        yield Line(
            f"    ... and {len(steps) - MOST_COMMANDS} more: --format powershell --product"
            " teams|exchange has all of them"
        )


def step_lines(step: Step, width: int = 0) -> Iterator[Line]:
    """A step: its number, the exact text that will run, and why.

    A text that cannot be shown raw is marked: then it cannot be pasted.
    """
    shown = Line(f"    {step.id:>{width}}  {step.text}")
    yield shown
    if not shown.printed().endswith(step.text):
        yield Line(
            f"    {'':>{width}}    (shown with escapes; --format json has the exact text)",
            Tone.WARNING,
        )
    temporary = " (temporary)" if step.temporary else ""
    yield Line(f"    {'':>{width}}    {sentences.step(step.reason)}{temporary}")


def _consents(value: Plan) -> Iterator[Line]:
    if value.consents:
        yield from heading("Consents used:")
    for consent in value.consents:
        yield Line(
            f"    {consent}{values.of(consent.partition(':')[2], value.names)}", Tone.WARNING
        )


def planned_policies(counts: Figures) -> str:
    """What is to happen to policies."""
    policies = counts.policies
    return f"{policies.created} to add, {policies.updated} to change, {policies.deleted} to destroy"


def planned_grants(counts: Figures) -> str:
    """What is to happen to grants."""
    grants = counts.grants
    return f"{grants.created} to add, {grants.updated} to move, {grants.deleted} to remove"


def _closing(value: Plan) -> Iterator[Line]:
    yield Line()
    counts = figures.of_plan(value)
    if counts.grants:
        yield Line(f"Grants: {planned_grants(counts)}.", Tone.HEADING)
    if value.changes:
        yield Line(f"Plan: {planned_policies(counts)}.", Tone.HEADING)
    elif value.unresolved:
        yield Line("Nothing can be planned for the names that were not found.", Tone.HEADING)
    elif not value.held and (dead := sum(warning.code in DEAD for warning in value.warnings)):
        yield Line(
            "No changes, but what"
            f" {counted(dead, 'policy or grant names', 'policies or grants name')} no longer exists:"
            " see the warnings above.",
            Tone.WARNING,
        )
    else:
        yield Line(_no_changes(value), Tone.HEADING)


def _no_changes(value: Plan) -> str:
    opaque = [note for note in value.held if note.code == Held.NOT_UNDERSTOOD]
    if len(value.held) > len(opaque):
        differing = counted(len(value.held) - len(opaque), "object")
        return f"No changes. What differs is held: {differing}, listed above."
    if opaque:
        return (
            "No changes. The tenant has what the documents say, as far as it is understood:"
            f" {counted(len(opaque), 'object')} could not be, listed above."
        )
    return "No changes. The tenant has what the documents say."


def _digests(digests: Digests) -> Iterator[Line]:
    yield Line()
    yield Line(f"This plan:     {digests.digest}")
    yield Line(f"What it does:  {digests.content_digest}")


def _next(value: Plan, then: str) -> Iterator[Line]:
    if not value.applicable:
        yield Line()
        yield Line(
            "This plan is not applicable: see above for what refuses it. It will not be applied as"
            " it is.",
            Tone.FAULT,
        )
    elif value.steps and then:
        yield Line()
        yield Line(then)
