"""What became of an apply, as a report: accepted, visible, effective, one apart from the other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, assert_never

from msgspec import Struct

from reconciler.applying.journal import StepState
from reconciler.kinds.facts import facts, in_turn
from reconciler.model.answers import VerificationAnswer, VerifiedRow, VerifyProbe
from reconciler.model.verifications import Acceptance, Effectiveness, VerifyRemark, Visibility
from reconciler.reports.lines import Line, Tone, counted
from reconciler.reports.outline import Chapter, Item, Outline, Table
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.value import Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.applying.last_apply import LastApply
    from reconciler.model.plans import Plan
    from reconciler.model.verifications import Probe, Verification, VerifiedObject
    from reconciler.reports.review.value import Phrase

MOST_ROWS: Final = 20
"""Objects that people are shown; the wrong ones come first."""
_DIGEST: Final = len("plan:") + 12
_OBJECTS: Final = ("object", "objects")


class VerifiedApply(Struct, frozen=True):
    """What is told of an apply that was verified.

    Attributes:
        simulated: The tenant is a simulated one.
        tenant_id: Its id.
        organization: Its initial domain.
        applied: What journals say of the apply.
        verification: What became of it.
        doors: What lets quarantined applications in, in sentences.
        names: Ids to names for people.
        by_plan: It was compared with its plan; False: with the documents.
    """

    simulated: bool
    tenant_id: str
    organization: str
    applied: LastApply
    verification: Verification
    doors: tuple[str, ...]
    names: Mapping[str, str]
    by_plan: bool

    @property
    def in_part(self) -> bool:
        """Whether steps of the plan were not done."""
        applied = self.applied
        refused = applied.in_state(StepState.FAILED) - applied.done
        return bool(refused or applied.uncertain or len(applied.done) < applied.total)


def verification_outline(outcome: VerifiedApply) -> Outline:
    """The report."""
    seen = outcome.verification
    naming = Naming(outcome.names)
    fine = seen.verified and not outcome.doors and not outcome.in_part
    chapters = (
        _objects(outcome, naming),
        _differences(outcome),
        _probes(seen.objects, naming),
        _remarks(seen.objects, naming),
        _besides(seen),
        _enforcement(outcome),
        _ways_on(outcome),
    )
    return Outline(
        command="verify",
        simulated=outcome.simulated,
        tenant_id=outcome.tenant_id,
        headline=(*outcome.doors, verification_headline(outcome)),
        tone=Tone.HEADING if fine else Tone.FAULT,
        details=tuple(_details(outcome)),
        chapters=tuple(each for each in chapters if each.items or each.table),
    )


def nothing_outline(plan: Plan) -> Outline:
    """What is said of a plan that changes nothing."""
    return Outline(
        command="verify",
        simulated=plan.inputs.source == "simulated",
        tenant_id=plan.tenant.tenant_id,
        headline=("Nothing to verify: the plan has no steps.",),
        chapters=(),
    )


def verification_headline(outcome: VerifiedApply) -> str:
    """What is read first."""
    objects = outcome.verification.objects
    words = {
        "refused": sum(row.accepted is Acceptance.REFUSED for row in objects),
        "not visible": sum(row.visible in _UNSEEN for row in objects),
        "in no document": sum(row.visible is Visibility.UNJUDGED for row in objects),
        "changed since by somebody else": sum(
            row.visible is Visibility.OTHERWISE for row in objects
        ),
        "not effective": sum(row.effect is Effectiveness.CONTRADICTED for row in objects),
        "not enforced yet, as far as is known": sum(
            row.effect is Effectiveness.PENDING for row in objects
        ),
    }
    wrong = [f"{count} {text}" for text, count in words.items() if count]
    part = "APPLIED IN PART. " if outcome.in_part else ""
    total = counted(len(objects), "object")
    if wrong:
        return f"{part}NOT VERIFIED: of {total}, {', '.join(wrong)}."
    confirmed = sum(row.effect is Effectiveness.CONFIRMED for row in objects)
    effective = f"; {confirmed} effective by Exchange's own check" if confirmed else ""
    subject = "Verified" if not outcome.in_part else "What was done is verified"
    return f"{part}{subject}: {total} accepted and visible{effective}."


_UNSEEN = frozenset({Visibility.NOT_YET, Visibility.DIFFERS})


def _details(outcome: VerifiedApply) -> Iterator[Item]:
    applied, seen = outcome.applied, outcome.verification
    steps = f"{len(applied.done)} of {applied.total} steps" if applied.total else "its steps"
    last = max((step.at for step in applied.steps.values()), default=applied.began)
    when = "" if outcome.simulated else f", the last one {_moment(last)}"
    yield Item(
        (
            Name(outcome.organization),
            ": ",
            Name(applied.plan[:_DIGEST]),
            f" with {steps} done{when} (",
            Name(applied.journal.name),
            f"), read {seen.read_at.replace('T', ' ').replace('Z', ' UTC')}.",
        )
    )
    if not outcome.by_plan:
        yield Item(
            ("Compared with the documents: name the plan's file to compare with what was applied.",)
        )
    if not applied.ended:
        yield Item(
            ("The apply did not end by itself, or still runs: apply the same plan again.",),
            tone=Tone.WARNING,
        )


def _objects(outcome: VerifiedApply, naming: Naming) -> Chapter:
    seen = outcome.verification
    rows = tuple(
        (
            naming.address(row.address),
            (_accepted(row, simulated=outcome.simulated),),
            (_visible(row, seen.seen_at),),
            (_effective(row),),
        )
        for row in seen.objects[:MOST_ROWS]
    )
    more = len(seen.objects) - MOST_ROWS
    items = (Item((f"and {more} more: --format json lists all",)),) if more > 0 else ()
    table = Table(("object", "accepted", "visible", "effective"), rows)
    return Chapter(("What was changed",), items, table=table if rows else None, noun=_OBJECTS)


def _accepted(row: VerifiedObject, *, simulated: bool) -> str:
    match row.accepted:
        case Acceptance.ACCEPTED:
            # A simulated tenant has a clock of its own.
            return "yes" if simulated else f"yes, {_clock(row.accepted_at)}"
        case Acceptance.REFUSED:
            return "REFUSED"
        case Acceptance.UNKNOWN:
            return "no answer"
    assert_never(row.accepted)


def _visible(row: VerifiedObject, now: float) -> str:
    if row.accepted is Acceptance.REFUSED:
        return "-"
    if row.visible is Visibility.NOT_YET and now >= row.enforced_by:
        return "NO, as before the plan"
    return _VISIBLE[row.visible]


_VISIBLE: Mapping[Visibility, str] = {
    Visibility.VISIBLE: "yes",
    Visibility.NOT_YET: "NOT YET",
    Visibility.OTHERWISE: "NO, changed since",
    Visibility.DIFFERS: "NO, not as documented",
    Visibility.SUPERSEDED: "a later apply changed it",
    Visibility.UNJUDGED: "no document says",
}


def _effective(row: VerifiedObject) -> str:
    match row.effect:
        case Effectiveness.CONFIRMED:
            return "yes"
        case Effectiveness.CONTRADICTED:
            return "NO"
        case Effectiveness.PENDING:
            return f"not before {_clock(row.enforced_by)}"
        case Effectiveness.UNSEEN:
            visible = row.visible is Visibility.VISIBLE
            return "cannot be seen" if visible and row.accepted is not Acceptance.REFUSED else "-"
    assert_never(row.effect)


def _differences(outcome: VerifiedApply) -> Chapter:
    """What the tenant shows instead."""
    items: list[Item] = []
    if differing := sum(row.visible is Visibility.DIFFERS for row in outcome.verification.objects):
        sentence = (
            f"{counted(differing, 'object')} not as the documents say: not visible yet, changed since,"
            " or edited in the documents since; `reconciler drift` shows how."
        )
        items.append(Item((sentence,), tone=Tone.FAULT))
    for row in outcome.verification.objects[:MOST_ROWS]:
        tone = Tone.PLAIN if row.visible is Visibility.SUPERSEDED else Tone.FAULT
        items += [Item((Name(sentence),), tone=tone) for sentence in row.differences]
    return Chapter(("What the tenant shows instead",), tuple(items), Tone.FAULT)


def _probes(objects: Sequence[VerifiedObject], naming: Naming) -> Chapter:
    items = tuple(_probe(row, probe, naming) for row in objects for probe in row.probes)
    title = (
        "Exchange itself, asked by Test-ApplicationAccessPolicy, which speaks of what is configured"
    )
    return Chapter((title,), items)


def _probe(row: VerifiedObject, probe: Probe, naming: Naming) -> Item:
    about: Phrase = (*naming.address(row.address), f", {probe.side.value}: ")
    if probe.mailbox is None:
        return Item((*about, "not asked, because no mailbox is surely there"))
    meant = "granted" if probe.expected else "denied"
    if probe.granted is None:
        return Item(
            (*about, Name(probe.mailbox), " not understood: ", Name(probe.text)), tone=Tone.WARNING
        )
    answer = "granted" if probe.granted else "denied"
    expected = f", but the policies mean {meant}" if probe.contradicts else ""
    tone = Tone.FAULT if probe.contradicts else Tone.PLAIN
    return Item((*about, Name(probe.mailbox), f" {answer}{expected}"), tone=tone)


_REMARKS: Mapping[VerifyRemark, str] = {
    VerifyRemark.ASSIGNMENT_AGREES: "the effective assignment agrees (Get-CsUserPolicyAssignment)",
    VerifyRemark.ASSIGNMENT_CONTRADICTS: "the effective assignment does not agree",
    VerifyRemark.ASSIGNMENT_NOT_ASKED: "the effective assignment was not asked for",
    VerifyRemark.ASSIGNMENT_UNCLEAR: "the effective assignment is inconclusive",
    VerifyRemark.EVERY_APPLICATION: (
        "Exchange's check asks about one application, and this policy is for every other one"
    ),
    VerifyRemark.NO_CHECK: "Test-ApplicationAccessPolicy is not available to this account",
    VerifyRemark.OVER_LIMIT: "not asked about, because so many policies changed",
}


def _remarks(objects: Sequence[VerifiedObject], naming: Naming) -> Chapter:
    """What else is to be said, one line for all objects of which it is the same."""
    same: dict[VerifyRemark, list[VerifiedObject]] = {}
    items: list[Item] = []
    for row in objects:
        if row.detail and row.remark is not None:
            tone = Tone.FAULT if row.effect is Effectiveness.CONTRADICTED else Tone.WARNING
            items.append(
                Item(
                    (*naming.address(row.address), f": {_REMARKS[row.remark]}: ", Name(row.detail)),
                    tone=tone,
                )
            )
        elif row.remark is not None:
            same.setdefault(row.remark, []).append(row)
    for remark, rows in same.items():
        first = rows[0]
        who = naming.address(first.address) if len(rows) == 1 else (counted(len(rows), "object"),)
        items.append(Item((*who, f": {_REMARKS[remark]}")))
    return Chapter(("Besides the reading",), tuple(items))


def _besides(seen: Verification) -> Chapter:
    shown = seen.besides[:MOST_ROWS]
    more = len(seen.besides) - len(shown)
    items = [Item((Name(sentence),)) for sentence in shown]
    if more > 0:
        items.append(Item((f"and {more} more: --format json lists all",)))
    return Chapter(("Changed since the plan was made, and not by it",), tuple(items), noun=_OBJECTS)


def _enforcement(outcome: VerifiedApply) -> Chapter:
    """What nobody can see."""
    if outcome.simulated:
        return Chapter(())
    products = {row.provider for row in outcome.verification.objects}
    items = []
    for name in in_turn():
        if name in products:
            by = max(
                row.enforced_by for row in outcome.verification.objects if row.provider == name
            )
            items.append(Item((f"{facts(name).title}: usually by {_moment(by)}; {_SEEN[name]}",)))
    return Chapter(("When applications notice",), tuple(items))


_SEEN: Mapping[str, str] = {
    "teams": (
        "only the assignment can be seen, never its enforcement, and through groups it can take a day"
        " or more."
    ),
    "exchange": (
        "the check above tells what is configured; Graph may take longer, and nothing but a call of the"
        " application shows it."
    ),
}


def _ways_on(outcome: VerifiedApply) -> Chapter:
    advice = (*_advice_on_steps(outcome), *_advice_on_objects(outcome.verification))
    if outcome.doors:
        advice += ("Plan and apply the quarantine: `reconciler plan` says what is open.",)
    return Chapter(("What to do",), tuple(Item((text,)) for text in advice))


def _advice_on_steps(outcome: VerifiedApply) -> Iterator[str]:
    if outcome.in_part:
        yield "Apply the same plan again, or plan again for what was not done; then verify."


def _advice_on_objects(seen: Verification) -> Iterator[str]:
    until = max((row.enforced_by for row in seen.objects if row.may_become), default=0.0)
    if until > seen.seen_at:
        yield f"Verify again after {_moment(until)}, or let it wait longer with --timeout."
    elif any(row.visible is Visibility.NOT_YET for row in seen.objects):
        yield (
            "What is as before the plan is not visible yet, or somebody took it back: let verify wait"
            " longer with --timeout, or plan again."
        )
    if any(row.visible is Visibility.UNJUDGED for row in seen.objects):
        yield (
            "Name the plan that was applied: of what is there and in no document, only the plan says"
            " whether it should be."
        )
    if any(row.visible is Visibility.OTHERWISE for row in seen.objects):
        yield "See by `reconciler drift` what somebody changed, and plan again to take it back."
    if any(row.effect is Effectiveness.CONTRADICTED for row in seen.objects):
        yield (
            "The services can lag by an hour and more. If it stays so, ask Test-ApplicationAccessPolicy"
            " or Get-CsUserPolicyAssignment by hand."
        )


def waiting_line(seen: Verification, until: float, now: float) -> Line:
    """What is told while it waits."""
    visible = sum(row.visible is Visibility.VISIBLE for row in seen.objects)
    minutes = max(1, round((until - now) / 60))
    return Line(
        f"{visible} of {counted(len(seen.objects), 'object')} visible. Looking again at"
        f" {_clock(until)}, in {counted(minutes, 'minute')}."
    )


def verification_answer(outcome: VerifiedApply) -> VerificationAnswer:
    """The same for a machine."""
    applied, seen = outcome.applied, outcome.verification
    return VerificationAnswer(
        besides=seen.besides,
        compared_with="plan" if outcome.by_plan else "documents",
        done=len(applied.done),
        in_part=outcome.in_part,
        journal=str(applied.journal),
        objects=tuple(_row(row) for row in seen.objects),
        plan=applied.plan,
        quarantine=outcome.doors,
        read_at=seen.read_at,
        steps=applied.total,
        verified=seen.verified and not outcome.doors and not outcome.in_part,
    )


def _row(row: VerifiedObject) -> VerifiedRow:
    return VerifiedRow(
        accepted=row.accepted.value,
        accepted_at=_stamp(row.accepted_at),
        address=row.address,
        detail=row.detail,
        differences=row.differences,
        effective=row.effect.value,
        enforced_by=_stamp(row.enforced_by),
        probes=tuple(
            VerifyProbe(
                expected=probe.expected,
                granted=probe.granted,
                mailbox=probe.mailbox,
                side=probe.side.value,
                text=probe.text,
            )
            for probe in row.probes
        ),
        remark=None if row.remark is None else row.remark.value,
        visible=row.visible.value,
    )


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"
