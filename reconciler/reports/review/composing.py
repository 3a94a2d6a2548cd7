"""A plan becomes a review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from reconciler.kinds.facts import facts, in_turn
from reconciler.model import figures
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    GLOBAL,
    Address,
    ExchangePolicyAddress,
    TeamsPolicyAddress,
    TeamsTenantGrantAddress,
    parse_address,
    provider_of,
)
from reconciler.model.codes import DEAD, STILL_OPEN, Held, WarningCode
from reconciler.reports import quarantine_sentences
from reconciler.reports.access_tests import outcome_counts
from reconciler.reports.lines import counted
from reconciler.reports.review import access, changes, notes, way
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.value import (
    Consent,
    Danger,
    Name,
    ProductFigures,
    Review,
    Unmanaged,
    UnmanagedCount,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.findings import Position
    from reconciler.model.plans import Note, Plan
    from reconciler.model.since import Since
    from reconciler.reports.review.value import AccessLine, Phrase, SinceReview

SECONDS_A_CALL = (0.4, 14.0)
"""The quickest and the slowest mean time of one write that was reported from the field, for
thousands of grants by `Grant-Cs*` cmdlets.
"""
WORTH_SAYING = 5
"""Minutes from which the time of an apply is said."""
_SOURCES = {
    "simulated": "a simulated tenant",
    "capture": "a capture file",
    "live": "the live tenant",
}


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


def review(
    plan: Plan,
    digests: Digests,
    sources: Mapping[str, Position] | None = None,
    since: Since | None = None,
) -> Review:
    """Everything that a person reads about a plan.

    Args:
        plan: the plan.
        digests: what its file says of it.
        sources: where the documents declare the objects that change, by address, and give the
            consents that it uses, by their texts; if the documents are at hand.
        since: how it compares with the documents of an earlier commit, if it is compared.
    """
    naming = Naming.of_plan(plan)
    lines = access.access_lines(plan, naming)
    commands = tuple(way.command(step, naming) for step in plan.steps)
    return Review(
        simulated=plan.inputs.source == "simulated",
        organization=plan.tenant.organization,
        tenant_id=plan.tenant.tenant_id,
        read_at=plan.inputs.capture_taken_at,
        source=_SOURCES[plan.inputs.source],
        verdict=_verdict(plan, naming, lines),
        access=lines,
        blocks=changes.policy_blocks(plan, naming, sources or {}, _causes(since)),
        edited=None if since is None else frozenset(since.edited),
        drifted=None if since is None else frozenset(since.drifted),
        gaps=way.gap_lines(plan, naming),
        gap_rows=len(plan.gaps or ()),
        guards=tuple(command for command in commands if command.temporary),
        consents=tuple(_consent(text, naming, sources) for text in plan.consents),
        unmanaged=_unmanaged(plan.unmanaged, naming),
        notes=notes.note_groups(plan, naming, sources or {}),
        test_counts=outcome_counts(plan.tests) if plan.tests else "",
        failing=notes.failed_tests(plan, naming),
        commands=tuple(command for command in commands if command.text),
        digest=digests.digest,
        content_digest=digests.content_digest,
        nothing=_nothing_undone(plan) if plan.undone_plan() else _nothing(plan),
        since=None if since is None else _compared(since, plan),
        undoes=plan.undone_plan(),
    )


def _compared(since: Since, plan: Plan) -> SinceReview:
    from reconciler.reports.review.since import since_review  # noqa: PLC0415  lazy: only --since

    return since_review(since, Naming({**since.names, **plan.names}))


def _causes(since: Since | None) -> Mapping[str, str]:
    """Why each object changes, in words, by address."""
    if since is None:
        return {}
    from reconciler.reports.review.since import origins  # noqa: PLC0415  lazy: only --since

    return origins(since)


def _consent(text: str, naming: Naming, sources: Mapping[str, Position] | None) -> Consent:
    rule, _, address = text.partition(":")
    place = (sources or {}).get(text)
    declared_at = "" if sources is None else "--allow"
    if place is not None:
        declared_at = f"{PurePath(place.file).name}:{place.line}"
    return Consent(text, rule, naming.address(address), declared_at)


def _revocations(plan: Plan, naming: Naming) -> Iterator[str]:
    for note in plan.held:
        if note.code == Held.REVOCATION:
            names = note.details.get("may be")
            listed = names if isinstance(names, Sequence) and not isinstance(names, str) else ()
            who = _words(naming.address(note.address))
            yield f"{who} may be {' or '.join(map(str, listed))}"


def _still_open(plan: Plan, naming: Naming) -> Iterator[str]:
    for note in plan.held:
        if note.code in STILL_OPEN:
            application = naming.application(str(note.details.get("application")))
            place = _words(_place(note.address, naming))
            why = quarantine_sentences.why_open(note.code)
            yield f"{application.text} {place} ({why})"


def _let_in(plan: Plan, naming: Naming) -> Iterator[str]:
    """What of the tenant lets quarantined applications in and goes."""
    shut_out = plan.baseline.shut_out()
    for change in plan.changes if shut_out else ():
        leaving = {each for row in change.attributes for each in row.removed}
        policy = parse_address(change.address.lower())
        if isinstance(policy, ExchangePolicyAddress) and change.after is None:
            leaving.add(policy.application)
        for application in leaving & shut_out:
            place = _words(_place(change.address, naming))
            yield f"{naming.application(application).text} {place}"


def _place(address: str, naming: Naming) -> Phrase:
    """By what an application may reach somebody."""
    match parse_address(address):
        case TeamsPolicyAddress(name):
            return ("in the list of ", Name(name))
        case ExchangePolicyAddress(_, scope):
            return ("on ", *naming.value(scope))
        case TeamsTenantGrantAddress():
            return ("in the list of Global",)
        case _:
            return (f"in {facts(provider_of(Address(address))).title}",)


def _words(phrase: Phrase) -> str:
    return "".join(piece.text if isinstance(piece, Name) else piece for piece in phrase)


def _verdict(plan: Plan, naming: Naming, lines: Sequence[AccessLine] | None) -> Verdict:
    return Verdict(
        applicable=plan.applicable,
        access=None if plan.access is None else figures.access_figures(plan.access),
        products=tuple(_product_figures(plan)),
        figures=figures.of_plan(plan),
        refused=len(plan.refusals),
        unresolved=len(plan.unresolved),
        held=len(plan.held),
        tests_passed=sum(row.passed for row in plan.tests),
        tests=len(plan.tests),
        tests_failed=sum(not (row.passed or row.excused) for row in plan.tests),
        minutes=_minutes(len(plan.steps)),
        unknown_groups=tuple(sorted(set(_unknown_groups(lines or ())))),
        revocations=tuple(_revocations(plan, naming)),
        still_open=tuple(sorted(set(_still_open(plan, naming)))),
        let_in=tuple(sorted(set(_let_in(plan, naming)))),
    )


def _unknown_groups(lines: Iterable[AccessLine]) -> Iterator[Name]:
    """Groups of unknown size in what is gained, unless it is everyone, which says it all."""
    for line in lines:
        for part in line.parts if line.danger is Danger.MORE else ():
            if part.kind is SubjectKind.GROUP_MEMBERS and part.size is None:
                yield from part.names


def _product_figures(plan: Plan) -> Iterator[ProductFigures]:
    for provider in in_turn():
        own = [change for change in plan.changes if provider_of(change.address) == provider]
        policies = figures.object_figures(change for change in own if not figures.is_grant(change))
        grants = figures.object_figures(filter(figures.is_grant, own))
        if policies or grants:
            yield ProductFigures(provider, policies, grants)


def _minutes(steps: int) -> tuple[float, float] | None:
    least, most = (steps * seconds / 60 for seconds in SECONDS_A_CALL)
    return None if most < WORTH_SAYING else (least, most)


def _unmanaged(rows: Sequence[Note], naming: Naming) -> Unmanaged:
    others = [row for row in rows if not _is_global(row)]
    tally = Counter(row.address.partition("/")[0] for row in others)
    applications = None
    for row in filter(_is_global, rows):
        listed = row.details.get("applications")
        members = listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()
        applications = tuple(naming.application(str(member)) for member in members)
    return Unmanaged(
        tuple(UnmanagedCount(kind, count) for kind, count in sorted(tally.items())),
        applications,
    )


def _is_global(row: Note) -> bool:
    policy = parse_address(row.address.lower())
    return isinstance(policy, TeamsPolicyAddress) and policy.name == GLOBAL


def _nothing_undone(plan: Plan) -> str:
    if plan.changes:
        return ""
    left = len(plan.held)
    if not left:
        return "No changes. Nothing is left to undo: all of it is as it was before the plan."
    return f"No changes. Nothing else can be undone: {counted(left, 'object')}, listed above."


def _nothing(plan: Plan) -> str:
    """What is said where no object changes."""
    if plan.changes:
        return ""
    if plan.unresolved:
        return "Nothing can be planned for the names that were not found."
    return _nothing_held(plan)


def _nothing_held(plan: Plan) -> str:
    dead = sum(warning.code in DEAD for warning in plan.warnings)
    if dead and not plan.held:
        subjects = counted(dead, "policy or grant names", "policies or grants name")
        return f"No changes, but what {subjects} no longer exists: see the warnings."
    opaque = sum(note.code == Held.NOT_UNDERSTOOD for note in plan.held)
    still_open = sum(note.code in STILL_OPEN for note in plan.held)
    if len(plan.held) > opaque + still_open:
        differing = counted(len(plan.held) - opaque - still_open, "object")
        return f"No changes. What differs is held: {differing}, listed above."
    if opaque:
        return (
            "No changes. The tenant has what the documents say, as far as it is understood:"
            f" {counted(opaque, 'object')} could not be, listed above."
        )
    if still_open:
        return "No changes, but a quarantined application is still open: see the top."
    absent = sum(warning.code == WarningCode.USER_ABSENT for warning in plan.warnings)
    missing = counted(absent, "listed user is", "listed users are")
    return (
        f"No changes, but {missing} not in the tenant: see the warnings."
        if absent
        else "No changes. The tenant has what the documents say."
    )
