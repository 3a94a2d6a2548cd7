"""The review of a plan as Markdown: what decides is open, the rest is folded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.facts import facts
from reconciler.model.access_rows import Certainty, SubjectKind
from reconciler.model.addresses import PROVIDERS
from reconciler.reports import terminal
from reconciler.reports.lines import counted
from reconciler.reports.markdown.cutting import Head, Piece, ReportSection, fitted
from reconciler.reports.markdown.inert import (
    Inert,
    code,
    phrase,
    shortened,
    with_short_names,
    words,
)
from reconciler.reports.markdown.limits import MAX_BYTES
from reconciler.reports.markdown.picture import picture
from reconciler.reports.remedies import shell_word
from reconciler.reports.review import phrases
from reconciler.reports.review.value import (
    HANDFUL,
    LONG_LIST,
    MOST_COMMANDS,
    ChangeOutcome,
    Danger,
    Name,
    NameKind,
    Section,
)
from reconciler.reports.wrapping import Layout, enumerated, enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.reports.review.value import (
        AccessLine,
        Command,
        Consent,
        FailedTest,
        GapLine,
        GrantLine,
        NoteGroup,
        NoteLine,
        Phrase,
        PolicyBlock,
        Review,
    )

_COLUMNS = 100
"""Lines of a fence are not wrapped by the page that shows them."""
_HANGING = 8
"""Columns before what goes on from the line above: more than before a row that begins."""
_SIGNS = {
    ChangeOutcome.ADDED: "+",
    ChangeOutcome.CHANGED: "!",
    ChangeOutcome.REPLACED: "!",
    ChangeOutcome.RENAMED: "!",
    ChangeOutcome.REMOVED: "-",
    ChangeOutcome.KEPT: " ",
}
_TAKING = frozenset((ChangeOutcome.REMOVED, ChangeOutcome.REPLACED))
_NOTE_NOUNS = {
    Section.REFUSED: ("refusal", "refusals"),
    Section.UNRESOLVED: ("unresolved name", "unresolved names"),
    Section.DISPLACED: ("displaced policy", "displaced policies"),
    Section.HELD: ("held object", "held objects"),
    Section.WARNING: ("warning", "warnings"),
}
_RANKS = {
    "LESS": 1,
    Section.DISPLACED: 2,
    "tests": 3,
    "changes": 4,
    Section.HELD: 5,
    "gaps": 6,
    Section.WARNING: 7,
    "consents": 8,
    "unmanaged": 9,
    "picture": 10,
    "commands": 11,
}
"""What is kept longest where not all has room."""


class Wanted(Struct, frozen=True):
    """What a person asked to see of a review.

    `commands`: every command, however many there are. `then`: what can be typed next, said if the
    plan has steps and is applicable. `age`: of the reading, in words. `max_bytes`: of UTF-8.
    """

    ids: bool = False
    commands: bool = False
    then: str = ""
    age: str = ""
    max_bytes: int = MAX_BYTES


def plan_markdown(review: Review, wanted: Wanted | None = None) -> str:
    """The whole review, of at most `max_bytes` bytes of UTF-8."""
    chosen = wanted or Wanted()
    composed = _PlanMarkdown(review, chosen)
    return fitted(composed.head(), list(composed.sections()), chosen.max_bytes)


class _PlanMarkdown:
    def __init__(self, review: Review, wanted: Wanted) -> None:
        self._review = review
        self._wanted = wanted
        self._layout = Layout(_COLUMNS, ids=wanted.ids)

    def head(self) -> Head:
        review, verdict = self._review, self._review.verdict
        counts = phrases.counts(verdict)
        unknown = phrases.unknown_groups(verdict)
        end = [words(review.nothing or phrases.closing(verdict.figures))]
        end.append(Inert(f"Digest to approve: {code(review.content_digest)}"))
        if self._wanted.ids:
            end.append(Inert(f"Digest of all: {code(review.digest)}"))
        then = self._wanted.then
        if verdict.applicable and review.commands and then == shortened(then):
            end.append(words(then))
        return Head(
            review.tenant_id,
            review.simulated,
            words(phrases.headline(verdict)),
            (
                words(f"{shortened(phrases.plan_title(review, self._wanted.age))}."),
                words(f"{'. '.join(counts)}."),
                *((self._phrase(unknown),) if unknown else ()),
                *(() if review.access is not None else (words(phrases.NOT_COMPUTED),)),
            ),
            tuple(end),
            Inert("`--format json` has all of it, and a higher `--max-bytes` more."),
        )

    def sections(self) -> Iterator[ReportSection]:
        yield from self._since()
        yield from self._notes(Section.REFUSED, Section.UNRESOLVED)
        for danger in Danger:
            yield from self._access(danger)
        yield from self._changes()
        yield from self._picture()
        yield from self._tests()
        yield from self._notes(Section.DISPLACED, Section.HELD)
        yield from self._way()
        yield from self._notes(Section.WARNING)
        yield from self._unmanaged()
        yield from self._consents()
        yield from self._commands()

    def _since(self) -> Iterator[ReportSection]:
        """What an earlier commit tells; what is grave is never cut."""
        since = self._review.since
        if since is not None:
            rows = [(line.grave, f"- {self._phrase(line.phrase)}") for line in since.lines]
            title = f"- {self._phrase(since.title)}"
            yield ReportSection(
                phrases.SINCE,
                ("row about what was edited", "rows about what was edited"),
                [
                    Piece((title,), (title,)),
                    *(Piece((row,), (row,) if grave else ()) for grave, row in rows),
                ],
                folded=False,
                brief=lambda: [title, f"- {counted(len(rows), 'row')}: `--format json` has them"],
            )

    def _phrase(self, pieces: Phrase) -> Inert:
        return phrase(pieces, self._layout)

    def _fenced(self, pieces: Phrase, sign: str, indent: int = 1) -> Iterator[str]:
        """A phrase as lines of a `diff` fence: each begins with the sign, which colours it."""
        first = f"{sign}{' ' * indent}"
        for row in self._layout.lines(with_short_names(pieces), first, _HANGING):
            yield f"{sign[0]}{row.text[1:]}"

    def _access(self, danger: Danger) -> Iterator[ReportSection]:
        rows = [row for row in self._review.access or () if row.danger is danger]
        if not rows:
            return
        open_ = danger is not Danger.LESS
        yield ReportSection(
            phrases.SECTIONS[danger],
            (f"row of {danger}", f"rows of {danger}"),
            [self._access_row(row, kept=open_) for row in rows],
            rank=0 if open_ else _RANKS["LESS"],
            folded=not open_,
            language="diff",
            brief=(lambda: self._by_application(rows)) if open_ else None,
        )

    def _access_row(self, row: AccessLine, *, kept: bool) -> Piece:
        was: Phrase = ()
        if row.danger is Danger.EVERYONE:
            was = (", reached until now: ", *phrases.before_phrase(row))
        whole: Phrase = (
            *enumerated_names(row.applications),
            ": ",
            *phrases.access_phrase(row),
            *was,
            f"  [{facts(row.provider).title}]",
        )
        lines = tuple(self._fenced(whole, phrases.SIGNS[row.danger]))
        return Piece(lines, lines if kept else ())

    def _by_application(self, rows: Iterable[AccessLine]) -> list[str]:
        """Whom each application gains, counted."""
        totals: dict[Name, Counter[SubjectKind]] = {}
        for row in rows:
            for application in row.applications:
                own = totals.setdefault(application, Counter())
                for part in row.parts:
                    own[part.kind] += max(1, len(part.names))
        return [
            f"- {self._phrase((application,))}: "
            + ", ".join(counted(count, *_KINDS[kind]) for kind, count in own.items())
            for application, own in totals.items()
        ]

    def _changes(self) -> Iterator[ReportSection]:
        blocks = self._review.blocks
        if blocks:
            removed = [block for block in blocks if _takes(block)]
            yield ReportSection(
                f"Changes: {counted(len(blocks), 'policy', 'policies')}",
                ("changed policy", "changed policies"),
                list(map(self._block, blocks)),
                rank=_RANKS["changes"],
                language="diff",
                brief=lambda: self._removed_by_application(removed),
            )

    def _removed_by_application(self, blocks: Iterable[PolicyBlock]) -> list[str]:
        tally: Counter[Name] = Counter()
        for block in blocks:
            own = sum(
                len(row.names) for row in block.grants if row.outcome is ChangeOutcome.REMOVED
            )
            tally[_first_name(block.title)] += own + (block.outcome in _TAKING)
        return [
            f"- {self._phrase((name,))}: {count} removed or replaced"
            for name, count in tally.items()
        ]

    def _block(self, block: PolicyBlock) -> Piece:
        """A policy with its grants; what is removed is never cut."""
        head = tuple(self._fenced(self._block_head(block), _SIGNS[block.outcome]))
        grants = [
            (row, tuple(self._fenced(_grant(row, block), _SIGNS[row.outcome], 3)))
            for row in block.grants
        ]
        full = (*head, *(text for _, lines in grants for text in lines))
        removed = [text for row, lines in grants if row.outcome in _TAKING for text in lines]
        return Piece(full, (*head, *removed) if _takes(block) else ())

    def _block_head(self, block: PolicyBlock) -> Phrase:
        differing = enumerated(map(phrases.attribute_phrase, block.attributes))
        grants_only = block.outcome is ChangeOutcome.KEPT
        ids: Phrase = (" ", Name(block.address)) if self._wanted.ids else ()
        return (
            f"{facts(block.provider).title} ",
            "grants of " if grants_only else f"{block.outcome} ",
            *block.title,
            *((": ", *differing) if differing else ()),
            f"  ({phrases.effect_phrase(block)})",
            *phrases.place_phrase(block.declared_at),
            *ids,
        )

    def _picture(self) -> Iterator[ReportSection]:
        drawn = picture(self._review.blocks, self._layout)
        if drawn is not None:
            yield ReportSection(
                "Picture: what is new and what goes",
                ("picture", "pictures"),
                [Piece((drawn,))],
                rank=_RANKS["picture"],
            )

    def _notes(self, *sections: Section) -> Iterator[ReportSection]:
        for section in sections:
            groups = [group for group in self._review.notes if group.section is section]
            if groups:
                kept = section in {Section.REFUSED, Section.UNRESOLVED}
                yield self._note_section(section, groups, kept=kept)

    def _note_section(
        self, section: Section, groups: Sequence[NoteGroup], *, kept: bool
    ) -> ReportSection:
        number = sum(len(group.rows) for group in groups)
        pieces = [(self._note_group(group), len(group.rows)) for group in groups]
        return ReportSection(
            f"{phrases.NOTE_TITLES[section]}: {number}",
            _NOTE_NOUNS[section],
            [Piece(lines, lines if kept else (), objects) for lines, objects in pieces],
            rank=0 if kept else _RANKS[section],
            folded=not kept,
            brief=(lambda: self._notes_by_application(groups)) if kept else None,
        )

    def _note_group(self, group: NoteGroup) -> tuple[str, ...]:
        first = group.advice_first
        named = [row for row in group.rows if row.address not in PROVIDERS]
        rows = [f"  - {self._note(row, consents=not first)}" for row in named]
        then = [f"  - {self._phrase(group.then)}"] if group.then else []
        return (
            f"- {self._phrase(group.what)}",
            *rows,
            *(then if first else ()),
            *(f"  - {_consent(row)}" for row in named if first and row.consent),
            *(f"  - {words(text)}" for text in group.options),
            *(() if first else then),
        )

    def _note(self, row: NoteLine, *, consents: bool) -> Inert:
        details = enumerated(row.details)
        text = self._phrase((*row.about, " (", *details, ")") if details else row.about)
        if self._wanted.ids:
            text = Inert(f"{text} {code(row.address)}")
        return Inert(f"{text}. {_consent(row)}") if row.consent and consents else text

    def _notes_by_application(self, groups: Iterable[NoteGroup]) -> list[str]:
        tally = Counter(_first_name(row.about) for group in groups for row in group.rows)
        return [f"- {self._phrase((name,))}: {count}" for name, count in tally.items()]

    def _tests(self) -> Iterator[ReportSection]:
        failing = self._review.failing
        if failing:
            yield ReportSection(
                f"Access tests on the outcome: {counted(len(failing), 'problem')}",
                ("access test", "access tests"),
                list(map(self._test, failing)),
                rank=_RANKS["tests"],
            )

    def _test(self, test: FailedTest) -> Piece:
        expected = self._phrase((test.name, ": ", *test.expected))
        reasons = (f"  - {self._phrase(reason)}" for reason in test.reasons)
        return Piece(
            (f"- **{words(test.outcome)}** {expected}", f"  - {words(test.contrast)}", *reasons)
        )

    def _way(self) -> Iterator[ReportSection]:
        review = self._review
        pieces = [Piece((f"- {self._gap(gap)}",)) for gap in review.gaps]
        pieces += [
            Piece((f"- step {guard.id}: {self._phrase(guard.about)}",)) for guard in review.guards
        ]
        if pieces:
            yield ReportSection(
                phrases.WAY,
                ("row about the way", "rows about the way"),
                pieces,
                rank=_RANKS["gaps"],
            )

    def _gap(self, gap: GapLine) -> Inert:
        possibly = "possibly " if gap.certainty is Certainty.POSSIBLE else ""
        missed = enumerated(gap.missed, HANDFUL)
        proved = "proved" if gap.proved else "not proved"
        return self._phrase(
            (
                *enumerated_names(gap.applications, HANDFUL),
                f": {possibly}misses ",
                *missed,
                f", {gap.steps}: {gap.why} ({proved})",
            )
        )

    def _unmanaged(self) -> Iterator[ReportSection]:
        unmanaged = self._review.unmanaged
        lines = [f"- {words(text)}" for text in phrases.unmanaged_counts(unmanaged)]
        if unmanaged.global_applications is not None:
            members = enumerated_names(unmanaged.global_applications, LONG_LIST)
            whole: Phrase = (f"{phrases.UNMANAGED_GLOBAL}: ", *members)
            lines.append(f"- {self._phrase(whole)}")
        if lines:
            yield ReportSection(
                phrases.UNMANAGED,
                ("row about unmanaged objects", "rows about unmanaged objects"),
                [Piece((line,)) for line in lines],
                rank=_RANKS["unmanaged"],
                after=Inert("`--format json` lists them."),
            )

    def _consents(self) -> Iterator[ReportSection]:
        consents = self._review.consents
        if consents:
            yield ReportSection(
                f"Consents that this plan uses: {len(consents)}",
                ("consent", "consents"),
                list(map(self._consent, consents)),
                rank=_RANKS["consents"],
            )

    def _consent(self, consent: Consent) -> Piece:
        place = code(consent.declared_at) if consent.declared_at else "by option"
        return Piece((f"- {code(consent.text)}: {self._phrase(consent.about)} ({place})",))

    def _commands(self) -> Iterator[ReportSection]:
        commands = self._review.commands
        if not commands:
            return
        listing = self._wanted.commands or len(commands) <= MOST_COMMANDS
        tally = Counter(command.cmdlet for command in commands)
        yield ReportSection(
            f"Commands, in this order: {counted(len(commands), 'step')}",
            ("command", "commands") if listing else ("count of commands", "counts of commands"),
            [Piece(self._command(command)) for command in commands]
            if listing
            else [Piece((f"- {count} {code(cmdlet)}",)) for cmdlet, count in tally.most_common()],
            rank=_RANKS["commands"],
            language="powershell" if listing else "",
            after=Inert() if listing else Inert("`--commands` shows them."),
        )

    def _command(self, command: Command) -> tuple[str, str]:
        """The exact text, under a comment with its number and the names of the ids in it."""
        about = self._layout.text(with_short_names(command.about))
        if terminal.line(command.text) != command.text:
            about += " (shown with escapes; --format json has the exact text)"
        return f"# {command.id}: {about}", command.text


_KINDS = {
    SubjectKind.USER: ("person", "people"),
    SubjectKind.MAILBOX: ("mailbox", "mailboxes"),
    SubjectKind.GROUP_MEMBERS: ("group", "groups"),
    SubjectKind.POLICY_HOLDERS: ("policy with its holders", "policies with their holders"),
    SubjectKind.EVERYONE: ("time EVERYONE", "times EVERYONE"),
}


def _takes(block: PolicyBlock) -> bool:
    """Whether something is deleted: the policy, or a grant of it."""
    return block.outcome in _TAKING or any(row.outcome in _TAKING for row in block.grants)


def _consent(row: NoteLine) -> Inert:
    """What is typed to allow what is refused, and nothing else."""
    return Inert(f"To allow exactly this: {code(f'--allow {shell_word(row.consent)}')}")


def _first_name(pieces: Phrase) -> Name:
    """The application of a phrase, else what it begins with."""
    names = [piece for piece in pieces if isinstance(piece, Name)]
    applications = [name for name in names if name.kind is NameKind.APPLICATION]
    return (applications or names or [Name("the tenant")])[0]


def _grant(grant: GrantLine, block: PolicyBlock) -> Phrase:
    """Who gets or loses a policy; what it does to access where that is not what the block says."""
    effect = "" if grant.effect is block.effect else str(grant.effect)
    came_by = "" if grant.came_by == block.came_by else grant.came_by
    beside = ", ".join(filter(None, (effect, came_by)))
    own = f" ({beside})" if beside else ""
    who = phrases.grant_phrase(grant, phrases.most_of(grant))
    return (*who, own, *phrases.place_phrase(grant.declared_at))
