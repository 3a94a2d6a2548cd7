"""The review of a plan as a text for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.kinds.facts import facts
from reconciler.model.access_rows import Certainty
from reconciler.model.codes import WarningCode
from reconciler.reports import terminal
from reconciler.reports.lines import SIMULATED, Line, Tone, counted, heading
from reconciler.reports.remedies import shell_word
from reconciler.reports.review import phrases
from reconciler.reports.review.value import (
    HANDFUL,
    MOST_COMMANDS,
    MOST_ROWS,
    ChangeOutcome,
    Danger,
    Effect,
    Name,
    Section,
)
from reconciler.reports.wrapping import NO_BREAK, Layout, cells, enumerated, enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.reports.review.value import (
        AccessLine,
        Command,
        GapLine,
        GrantLine,
        NoteGroup,
        NoteLine,
        Phrase,
        PolicyBlock,
        Review,
    )

_NAME_COLUMNS = 20
"""Names of applications are padded to at most so many columns."""
_DANGER_TONES = {
    Danger.EVERYONE: Tone.EVERYONE,
    Danger.MORE: Tone.WIDENS,
    Danger.LESS: Tone.NARROWS,
}
_EFFECT_TONES = {
    Effect.WIDENS: Tone.WIDENS,
    Effect.MOVES: Tone.MOVES,
    Effect.UNKNOWN: Tone.MOVES,
    Effect.NARROWS: Tone.NARROWS,
    Effect.NONE: Tone.PLAIN,
}
_SECTION_TONES = {
    Section.REFUSED: Tone.FAULT,
    Section.UNRESOLVED: Tone.FAULT,
    Section.DISPLACED: Tone.WARNING,
    Section.HELD: Tone.PLAIN,
    Section.WARNING: Tone.WARNING,
}
_ALL = "--format json lists all"


class Shown:
    """What a person asked to see of a review.

    `commands`: every command, however many there are. `then`: what can be typed next, said if the
    plan has steps and is applicable. `age`: how long ago the tenant was read, in words; a simulated
    one has none.
    """

    def __init__(
        self, layout: Layout | None = None, *, commands: bool = False, then: str = "", age: str = ""
    ) -> None:
        self.layout = layout or Layout()
        self.commands = commands
        self.then = then
        self.age = age


def plan_lines(review: Review, shown: Shown | None = None) -> Iterator[Line]:
    """The whole review."""
    yield from _PlanText(review, shown or Shown()).lines()


class _PlanText:
    def __init__(self, review: Review, shown: Shown) -> None:
        self._review = review
        self._shown = shown
        self._layout = shown.layout
        self._brief = shown.layout.briefly()

    def lines(self) -> Iterator[Line]:
        review = self._review
        if review.simulated:
            yield SIMULATED
        yield from self._head()
        yield from self._notes((Section.REFUSED, Section.UNRESOLVED))
        yield from self._access()
        yield from self._changes()
        yield from _together(
            self._way(),
            self._unmanaged(),
            self._notes((Section.DISPLACED, Section.HELD, Section.WARNING)),
            self._tests(),
        )
        yield from self._commands()
        yield from self._end()

    def _said(self, text: str, indent: int = 0, tone: Tone = Tone.PLAIN) -> Iterator[Line]:
        yield from self._layout.lines((text,), " " * indent, tone=tone)

    def _head(self) -> Iterator[Line]:
        review, verdict = self._review, self._review.verdict
        tenant = f" ({review.tenant_id})" if self._layout.ids else ""
        title = phrases.plan_title(review, self._shown.age)
        yield from self._said(f"{title}{tenant}.", tone=Tone.HEADING)
        tone = Tone.HEADING if verdict.applicable else Tone.FAULT
        if verdict.applicable and verdict.access is not None:
            tone = Tone.EVERYONE if verdict.access.everyone else tone
        yield from self._said(phrases.headline(verdict), 2, tone)
        counts = phrases.counts(verdict)
        yield from self._said(f"{'. '.join(counts)}.", 2)
        if unknown := phrases.unknown_groups(verdict):
            yield from self._layout.lines(unknown, "  ", 4, Tone.WARNING)
        yield from self._since()
        if review.consents:
            phrase = ("Consented to: ", *phrases.consents(review), ".")
            yield from self._layout.lines(phrase, "  ", 4, Tone.WARNING)

    def _since(self) -> Iterator[Line]:
        since = self._review.since
        if since is not None:
            yield from self._brief.lines(since.title, "  ", 4)
        for line in since.lines if since is not None else ():
            tone = Tone.WARNING if line.grave else Tone.PLAIN
            yield from self._brief.lines(line.phrase, "    ", 8, tone)

    def _access(self) -> Iterator[Line]:
        rows = self._review.access
        if rows is None:
            yield Line()
            yield from self._said(phrases.NOT_COMPUTED, tone=Tone.HEADING)
            return
        if rows:
            yield from heading("Access: who gains and loses")
        for danger in Danger:
            own = [row for row in rows if row.danger is danger]
            if not own:
                continue
            yield Line(str(danger), Tone.HEADING)
            widths = [cells(self._applications(row)) for row in own]
            width = max((width for width in widths if width <= _NAME_COLUMNS), default=0)
            for row in own:
                yield from self._access_row(row, width)

    def _applications(self, row: AccessLine) -> str:
        return self._layout.text(enumerated_names(row.applications))

    def _access_row(self, row: AccessLine, width: int) -> Iterator[Line]:
        applications = self._applications(row)
        sign, tone = phrases.SIGNS[row.danger], _DANGER_TONES[row.danger]
        phrase: Phrase = (*phrases.access_phrase(row), f"  [{facts(row.provider).title}]")
        first = f"  {sign} {applications}"
        missing = width - cells(applications)
        if missing >= 0:
            yield from self._layout.lines(phrase, f"{first}{' ' * missing}  ", tone=tone)
        else:
            whole: Phrase = (*enumerated_names(row.applications), ": ", *phrase)
            yield from self._layout.lines(whole, f"  {sign} ", 6, tone)

    def _changes(self) -> Iterator[Line]:
        if self._review.blocks:
            yield from heading("Changes")
        width = max((len(facts(row.provider).title) for row in self._review.blocks), default=0)
        for block in self._review.blocks:
            product = f"{facts(block.provider).title:<{width}}"
            first = f"  {block.outcome.symbol:>3} {product}  "
            tone = _EFFECT_TONES[block.effect]
            yield from self._brief.lines(self._block(block), first, tone=tone)
            if self._layout.ids:
                yield from self._said(block.address, len(first))
            if block.grants:
                grants = enumerated(_grant(grant, block) for grant in block.grants)
                yield from self._brief.lines(grants, " " * len(first), len(first) + 2, tone)

    def _block(self, block: PolicyBlock) -> Phrase:
        """A policy on its line: what differs, what that does to access, where it is declared."""
        replaced = block.outcome is ChangeOutcome.REPLACED  # its description is its successor's
        attributes = [row for row in block.attributes if not replaced or phrases.is_membership(row)]
        differing = enumerated(map(phrases.attribute_phrase, attributes))
        details: Phrase = (": ", *differing) if differing else ()
        return (
            *block.title,
            *details,
            f"  ({phrases.effect_phrase(block)})",
            *phrases.place_phrase(block.declared_at),
        )

    def _way(self) -> Iterator[Line]:
        review = self._review
        late = [group for group in review.notes if group.code == WarningCode.RELIES_ON]
        if not (review.gaps or review.guards or late):
            return
        yield from heading("On the way")
        for why, proved in dict.fromkeys((gap.why, gap.proved) for gap in review.gaps):
            alike = [gap for gap in review.gaps if (gap.why, gap.proved) == (why, proved)]
            yield from self._gaps(why, alike, proved=proved)
        for guard in review.guards:
            yield from self._brief.lines((f"step {guard.id}: ", *guard.about), "  ", 4)
        for group in late:
            yield from self._group(group)

    def _gaps(self, why: str, gaps: Sequence[GapLine], *, proved: bool) -> Iterator[Line]:
        text = f"Missing for a while: {why} ({'proved' if proved else 'not proved'})"
        yield from self._said(text, 2, Tone.WARNING)
        for gap in gaps[:MOST_ROWS]:
            possibly = "possibly " if gap.certainty is Certainty.POSSIBLE else ""
            missed = enumerated(gap.missed, HANDFUL)
            phrase: Phrase = (
                *enumerated_names(gap.applications),
                f": {possibly}",
                *missed,
                f", {gap.steps}",
            )
            yield from self._brief.lines(phrase, "    ", 6)
        yield from self._others(len(gaps), MOST_ROWS)

    def _others(self, count: int, most: int) -> Iterator[Line]:
        if count > most:
            yield Line(f"    ... and {count - most} more: {_ALL}")

    def _unmanaged(self) -> Iterator[Line]:
        unmanaged = self._review.unmanaged
        if unmanaged.counts:
            counts = ", ".join(phrases.unmanaged_counts(unmanaged))
            text = f"{phrases.UNMANAGED}: {counts} (--format json lists them)"
            yield from self._said(text, tone=Tone.HEADING)
        if unmanaged.global_applications is not None:
            yield from self._unmanaged_global(unmanaged.global_applications)

    def _unmanaged_global(self, applications: Sequence[Name]) -> Iterator[Line]:
        yield from self._said(phrases.UNMANAGED_GLOBAL, tone=Tone.HEADING)
        yield from self._layout.lines(enumerated_names(applications), "    ")
        yield from self._said(phrases.UNMANAGED_GLOBAL_ADVICE, 6)

    def _notes(self, sections: Iterable[Section]) -> Iterator[Line]:
        for section in sections:
            groups = [
                group
                for group in self._review.notes
                if group.section is section and group.code != WarningCode.RELIES_ON
            ]
            if groups:
                yield from heading(phrases.NOTE_TITLES[section])
            for group in groups:
                yield from self._group(group)

    def _group(self, group: NoteGroup) -> Iterator[Line]:
        """A sentence, its objects and what to do: in one paragraph where it is short."""
        tone = _SECTION_TONES[group.section]
        consents = any(row.consent for row in group.rows)
        if len(group.rows) <= HANDFUL and not (consents or group.options or self._layout.ids):
            yield from self._layout.lines(_paragraph(group), "  ", 4, tone)
            return
        yield from self._layout.lines(group.what, "  ", 4, tone)
        most = len(group.rows) if group.section is Section.REFUSED else MOST_ROWS
        for row in group.rows[:most]:
            yield from self._layout.lines(_note(row), "    ", 6)
            if self._layout.ids:
                yield from self._said(row.address, 6)
            if row.consent and not group.advice_first:
                yield from self._consent(row)
        yield from self._others(len(group.rows), most)
        if group.then:
            yield from self._layout.lines(group.then, "    ")
        for row in group.rows if group.advice_first else ():
            yield from self._consent(row)
        yield from (Line(f"    {text}") for text in group.options)  # typed, so never broken

    def _consent(self, row: NoteLine) -> Iterator[Line]:
        typed = Name(f"--allow {shell_word(row.consent)}")  # never broken
        consent: Phrase = ("To allow exactly this: ", typed)
        yield from self._layout.lines(consent, "      ")

    def _tests(self) -> Iterator[Line]:
        failing = self._review.failing
        if failing:
            yield from heading(f"Access tests on the outcome: {self._review.test_counts}")
        for test in failing:
            tone = Tone.FAULT if test.blocks else Tone.WARNING
            phrase: Phrase = (test.name, ": ", *test.expected)
            yield from self._brief.lines(phrase, f"  {test.outcome:<9}  ", tone=tone)
            yield from self._said(test.contrast, 13)
            for reason in test.reasons:
                yield from self._brief.lines(reason, " " * 13, 15)

    def _commands(self) -> Iterator[Line]:
        commands = self._review.commands
        if not commands:
            return
        steps = counted(len(commands), "step")
        if self._shown.commands or len(commands) <= MOST_COMMANDS:
            yield from heading(f"Commands, in this order: {steps}")
            width = len(str(len(commands)))
            for command in commands:
                yield command_line(command, self._brief, width)
            return
        tally = Counter(command.cmdlet for command in commands)
        counts = ", ".join(f"{count} {cmdlet}" for cmdlet, count in tally.most_common())
        yield from heading(f"Commands: {steps} (--commands shows them)")
        yield from self._said(counts, 2)

    def _end(self) -> Iterator[Line]:
        review = self._review
        yield Line()
        if review.nothing:
            yield from self._said(review.nothing, tone=Tone.HEADING)
        else:
            yield from self._said(phrases.closing(review.verdict.figures), tone=Tone.HEADING)
        yield Line(f"Digest to approve: {review.content_digest}")
        if self._layout.ids:
            yield Line(f"Digest of all:     {review.digest}")
        if not review.verdict.applicable:
            yield Line()
            text = "This plan is not applicable: the top says why. It will not be applied as it is."
            yield from self._said(text, tone=Tone.FAULT)
        elif review.commands and self._shown.then:
            yield Line(self._shown.then)


def _together(*sections: Iterable[Line]) -> Iterator[Line]:
    """Short sections as one block, after one blank line."""
    lines = [line for section in sections for line in section if line.text]
    if lines:
        yield Line()
        yield from lines


def _note(row: NoteLine) -> Phrase:
    details = enumerated(row.details)
    return (*row.about, " [", *details, "]") if details else row.about


def _paragraph(group: NoteGroup) -> Phrase:
    """`What is so: objects. What to do.`; the whole plan, and a whole product, are not objects."""
    rows = [row for row in group.rows if "." in row.address or row.details]
    if not rows:
        return (*group.what, " ", *group.then)
    *before, last = group.what
    ended = last.rstrip(".:") if isinstance(last, str) else last
    return (*before, ended, ": ", *enumerated(map(_note, rows)), ". ", *group.then)


def _grant(grant: GrantLine, block: PolicyBlock) -> Phrase:
    """Who gets or loses a policy; what it does to access where that is not what the block says."""
    who = phrases.grant_phrase(grant, phrases.most_of(grant))
    beside = enumerated(phrases.grant_details(grant, block))
    details: Phrase = (f"{NO_BREAK}(", *beside, ")") if beside else ()
    return (f"{grant.outcome.symbol}{NO_BREAK}", *who, *details)


def command_line(command: Command, layout: Layout, width: int = 0) -> Line:
    """A step: its number, the exact text that will run, and beside it, as a comment of PowerShell,
    the names of what is in it.

    It is one line however long it is, because what is pasted is what runs. A text that cannot be
    shown raw is marked: then it cannot be pasted.
    """
    beside = layout.text(command.about)
    if terminal.line(f" {command.text}") != f" {command.text}":
        beside += " (shown with escapes; --format json has the exact text)"
    return Line(f"{command.id:>{width + 2}}  {command.text}  # {beside}")
