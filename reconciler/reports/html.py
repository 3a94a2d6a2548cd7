"""The review of a plan as one HTML page that needs nothing else: no file, no network, no script.

Texts of others are shown as the terminal shows them, invisible characters as escapes, and
everything that a template prints is escaped. A policy in the page lets one style and one script
run, by their hashes, and nothing else: neither a request nor what a text of others could smuggle
in (Content Security Policy Level 3, https://www.w3.org/TR/CSP3/).
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections import Counter
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from reconciler.kinds.facts import facts
from reconciler.model.access_rows import Certainty
from reconciler.model.addresses import PROVIDERS
from reconciler.reports.lines import SIMULATED, counted
from reconciler.reports.remedies import shell_word
from reconciler.reports.review import phrases
from reconciler.reports.review.access import PEOPLE
from reconciler.reports.review.value import (
    MOST_COMMANDS,
    AccessPart,
    ChangeOutcome,
    Danger,
    Effect,
    Name,
    Section,
)
from reconciler.reports.terminal import visible
from reconciler.reports.wrapping import Layout, enumerated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from jinja2 import Template

    from reconciler.model.addresses import Provider
    from reconciler.reports.outline import Outline
    from reconciler.reports.review.matrix import Cell, Matrix, MatrixRow, Outlook
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

FOLDED_FROM = 12
"""People of one row from which their list is folded; it is in the page all the same."""
_TOLD_FIRST = 3
"""People that a folded list names."""
MOST_COLUMNS = 6
"""Columns of one table of the matrix; more are further tables, each with the rows that it needs."""
OPEN_ROWS = 40
"""Rows of all tables of the matrix up to which they are unfolded."""
_CODE = re.compile("`([^`]+)`")
_AT_THE_TOP = (Section.REFUSED, Section.UNRESOLVED)
_EFFECT_CLASSES = {
    Effect.WIDENS: "widens",
    Effect.MOVES: "moves",
    Effect.UNKNOWN: "moves",
    Effect.NARROWS: "narrows",
    Effect.NONE: "none",
}
_OUTCOME_WORDS = {
    ChangeOutcome.ADDED: "added",
    ChangeOutcome.CHANGED: "changed",
    ChangeOutcome.REPLACED: "replaced",
    ChangeOutcome.RENAMED: "renamed",
    ChangeOutcome.REMOVED: "removed",
    ChangeOutcome.KEPT: "grants only",
}
_GRANT_WORDS = {
    ChangeOutcome.ADDED: "gets it",
    ChangeOutcome.CHANGED: "moves to it",
    ChangeOutcome.REMOVED: "loses it",
}


class _Markup(str):
    """Text that is HTML already; everything else is escaped where it is printed."""

    __slots__ = ()

    def __html__(self) -> _Markup:
        """What Jinja2 asks a text for that needs no escape."""
        return self


class Page(Struct, frozen=True):
    """What a page has beside the review.

    Attributes:
        then: What can be typed next, said if the plan has steps and is applicable.
        ids: Whether ids are shown beside names when the page is opened; a click shows them anyway.
    """

    then: str = ""
    ids: bool = False


def page(review: Review, matrices: Sequence[Matrix], shown: Page | None = None) -> str:
    """Write the page: a whole document, UTF-8, every line ended by LF.

    Args:
        review: what a person reads about the plan.
        matrices: of the same plan, what becomes of each pair, by product.
        shown: what the page has beside them.
    """
    style, script = (_source(name) for name in ("plan.css", "plan.js"))
    return _template().render(
        review=review,
        shown=shown or Page(),
        style=_Markup(style),
        script=_Markup(script),
        policy=_policy(style, script),
        title=phrases.plan_title(review),
        words=phrases,
        simulated=SIMULATED.text,
        read=review.read_at.replace("T", " ").replace("Z", " UTC"),
        headline=phrases.headline(review.verdict),
        counts=phrases.counts(review.verdict),
        unknown_groups=phrases.unknown_groups(review.verdict),
        closing=phrases.closing(review.verdict.figures),
        unnamed=any(name.missing for row in review.access or () for name in row.applications),
        access=list(_access_sections(review)),
        tables=[table for matrix in matrices for table in _tables(matrix)],
        blocks=list(_products(review.blocks)),
        urgent=list(_notes(review.notes, _AT_THE_TOP)),
        notes=list(_notes(review.notes, [name for name in Section if name not in _AT_THE_TOP])),
        gaps=list(_gaps(review)),
        folds_matrix=sum(len(matrix.rows) for matrix in matrices) > OPEN_ROWS,
        folds_commands=len(review.commands) > MOST_COMMANDS,
    )


def outline_page(outline: Outline) -> str:
    """Write a report without steps as a page of its own."""
    style = _source("plan.css")
    template = _environment().get_template("outline.html.j2")
    page: str = template.render(
        outline=outline,
        style=_Markup(style),
        policy=_policy(style),
        title=Layout().text(outline.headline),
        simulated=SIMULATED.text,
    )
    return page


def _policy(style: str, script: str | None = None) -> str:
    """What the page may do: its own style and its own script, and nothing else."""
    scripts = "'none'" if script is None else f"'{_hash(script)}'"
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {scripts};"
        " img-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


class _AccessSection(Struct, frozen=True):
    danger: Danger
    title: str
    rows: Sequence[AccessLine]


def _access_sections(review: Review) -> Iterator[_AccessSection]:
    for danger in Danger:
        rows = [row for row in review.access or () if row.danger is danger]
        if rows:
            yield _AccessSection(danger, phrases.SECTIONS[danger].partition(": ")[2], rows)


class _Table(Struct, frozen=True):
    """Some columns of a matrix, and the rows that have anything in them.

    `title` says which columns of how many.
    """

    title: str
    provider: Provider
    columns: Sequence[tuple[Name, ...]]
    rows: Sequence[tuple[MatrixRow, Sequence[tuple[Cell, ...]]]]


def _tables(matrix: Matrix) -> Iterator[_Table]:
    """A matrix as tables that are not too wide; every cell is in one of them."""
    count = len(matrix.columns)
    for first in range(0, count, MOST_COLUMNS):
        columns = matrix.columns[first : first + MOST_COLUMNS]
        cut = [(row, row.cells[first : first + MOST_COLUMNS]) for row in matrix.rows]
        title = facts(matrix.provider).title
        if count > MOST_COLUMNS:
            title = f"{title}, columns {first + 1} to {first + len(columns)} of {count}"
        rows = [(row, cells) for row, cells in cut if any(cells)]
        yield _Table(title, matrix.provider, columns, rows)


_OUTLOOK_WORDS: Mapping[Outlook, str] = {
    "everyone": "! newly EVERYONE",
    "gained": "+ gained",
    "lost": "- lost",
    "kept": "= kept",
    "nobody": "nobody in it",
}
_REACHED = {True: "reached", False: "not reached"}


def _matrix_cell(cell: Cell) -> _Markup:
    """What becomes of one pair, and what decides it before and after."""
    possibly = "possibly " if cell.certainty is Certainty.POSSIBLE else ""
    size = f" ({cell.size})" if cell.size is not None and cell.outlook != "nobody" else ""
    excepted = phrases.excepted_phrase(cell.excepted)
    without = _phrase((", but not ", *excepted)) if excepted else ""
    word = f"{_OUTLOOK_WORDS[cell.outlook]}{size}"
    sides = "".join(
        f'<span class="side"><span class="moment">{moment}</span> {_REACHED[reached]}:'
        f" {_phrase(rule)}</span>"
        for moment, reached, rule in _moments(cell)
    )
    return _Markup(
        f'<div class="cell {cell.outlook}"><strong>{possibly}{word}</strong>{without}{sides}</div>'
    )


def _moments(cell: Cell) -> Iterator[tuple[str, bool, Phrase]]:
    match cell.outlook:
        case "everyone" | "gained":
            reached = (False, True)
        case "lost":
            reached = (True, False)
        case "kept":
            reached = (True, True)
        case "nobody":
            return
        case _:
            assert_never(cell.outlook)
    yield "before", reached[0], cell.before
    yield "after", reached[1], cell.after


def _matrix_subject(row: MatrixRow, provider: Provider) -> _Markup:
    """Who a row of the matrix is about."""
    return _part(AccessPart(row.kind, row.names, None, Certainty.CERTAIN), provider)


def _products(blocks: Iterable[PolicyBlock]) -> Iterator[tuple[str, list[PolicyBlock]]]:
    for provider, own in groupby(blocks, key=lambda block: block.provider):
        yield facts(provider).title, list(own)


def _notes(
    groups: Sequence[NoteGroup], sections: Sequence[Section]
) -> Iterator[tuple[str, list[NoteGroup]]]:
    for section in sections:
        own = [group for group in groups if group.section is section]
        if own:
            yield phrases.NOTE_TITLES[section], own


def _gaps(review: Review) -> Iterator[tuple[str, list[GapLine]]]:
    """Gaps by why they are there."""
    for why, proved in dict.fromkeys((gap.why, gap.proved) for gap in review.gaps):
        alike = [gap for gap in review.gaps if (gap.why, gap.proved) == (why, proved)]
        yield f"{why} ({'proved' if proved else 'not proved'})", alike


def inert(text: str) -> str:
    """Text as HTML shows it as text, in an element or in a quoted attribute.

    A page may be printed into the log of a job, so the commands that runners look for there are
    written with an entity in them.
    """
    shown = html.escape(visible(text))
    if "::" in shown or "##" in shown:
        return shown.replace("##", "#&#35;").replace("::", ":&#58;")
    return shown


def _printed(value: Any) -> Any:
    """Whatever a template prints; what a macro made is HTML already."""
    return value if hasattr(value, "__html__") else _Markup(inert(str(value)))


def _name(name: Name) -> _Markup:
    """A name, with its id where a pointer finds it, and beside it where the name does not say who
    it is.
    """
    if name.missing:
        object_id = name.id or name.text
        if name.short:
            shortened = inert(f"{name.short}…")
            return _Markup(f'<code class="name" title="{inert(object_id)}">{shortened}</code>')
        return _Markup(f'<code class="name">{inert(object_id)}</code>')
    text = inert(name.text)
    if not name.id:
        return _Markup(f'<bdi class="name">{text}</bdi>')
    object_id = inert(name.id)
    beside = f" <code>{object_id}</code>" if name.ambiguous else ""
    return _Markup(f'<bdi class="name" title="{object_id}">{text}</bdi>{beside}')


def _prose(text: str) -> _Markup:
    """Our words, with what they have between back-ticks as code."""
    return _Markup(_CODE.sub(r"<code>\1</code>", inert(text)))


def _phrase(phrase: Phrase) -> _Markup:
    """Our words and names; what is between back-ticks, names included, is code."""
    shown, is_code = "", False
    for piece in phrase:
        if isinstance(piece, Name):
            shown += f"<code>{inert(piece.text)}</code>" if is_code else _name(piece)
            continue
        for number, text in enumerate(piece.split("`")):
            is_code ^= number > 0
            shown += f"<code>{inert(text)}</code>" if is_code and text else inert(text)
    return _Markup(shown)


def _typed(text: str) -> _Markup:
    """`To do this: words`, of which the words can be copied as they are typed."""
    purpose, colon, command = text.partition(": ")
    if not colon:
        return _prose(text)
    copied = " data-copy" if visible(command) == command else ""
    return _Markup(f"{_prose(purpose)}: <code{copied}>{inert(command)}</code>")


def _is_its_address(row: NoteLine) -> bool:
    """Whether a note has nothing better to call its object than its address; a product has not."""
    if row.address in PROVIDERS:
        return True
    names = [piece.id or piece.text if isinstance(piece, Name) else piece for piece in row.about]
    return names == [row.address]


def _tally(block: PolicyBlock) -> str:
    """How many grants of a policy change, for when they are folded."""
    tally: Counter[str] = Counter()
    for grant in block.grants:
        tally[grant.outcome.value] += len(grant.names)
    counts = ", ".join(f"{count} {word}" for word, count in tally.items())
    return f"grants: {counts}" if counts else ""


def _gravity(review: Review) -> str:
    """The colour of the verdict: the gravest that is so."""
    counts = review.verdict.access
    if not review.verdict.applicable or (counts is not None and counts.everyone):
        return "gravest"
    return "grave" if counts is None or counts.widens else "fine"


def _names(names: Sequence[Name]) -> _Markup:
    """Names with commas between them."""
    return _Markup(", ".join(map(_name, names)))


def _folded(summary: str, names: Sequence[Name]) -> _Markup:
    """Many names as a list that unfolds; the first of them are shown anyway."""
    first = ", ".join(name.text for name in names[:_TOLD_FIRST])
    summary = f"{summary}: {first} and {len(names) - _TOLD_FIRST} more"
    items = "".join(f"<li>{_name(name)}</li>\n" for name in names)
    return _Markup(
        f'<details class="people"><summary>{inert(summary)}</summary>\n<ul>\n{items}</ul></details>'
    )


def _part(part: AccessPart, provider: Provider) -> _Markup:
    """Some of those whom an application gains or loses; every one of them by name."""
    if part.kind not in PEOPLE or len(part.names) < FOLDED_FROM:
        return _phrase(phrases.part_phrase(part, provider, None))
    people = counted(len(part.names), "person", "people")
    if part.cause is not None:
        return _folded(f"up to {people} ({phrases.CAUSES[part.cause]})", part.names)
    possibly = "possibly " if part.certainty is Certainty.POSSIBLE else ""
    return _folded(f"{possibly}{people}", part.names)


def _grant(grant: GrantLine) -> _Markup:
    """Who gets, changes or loses a policy; every one of them by name."""
    if len(grant.names) < FOLDED_FROM:
        return _phrase(phrases.grant_phrase(replace(grant, origin=None), None))
    return _folded(counted(len(grant.names), "person", "people"), grant.names)


def _cell(value: Name | None) -> _Markup:
    """One side of an attribute; None: no value."""
    if value is None:
        return _Markup('<span class="nothing">nothing</span>')
    return _Markup(f"<code>{inert(value.text)}</code>")


def _bar(gap: GapLine, steps: int) -> _Markup:
    """The steps after which somebody misses something, on the line of all steps."""
    total = max(steps, gap.span[1]) + 1
    missing = "".join(
        f'<rect class="missing" x="{first}" y="0" width="{last - first + 1}" height="10"/>'
        for first, last in gap.runs
    )
    label = inert(f"{gap.steps} of {steps}")
    return _Markup(
        f'<svg class="bar" role="img" aria-label="{label}" viewBox="0 0 {total} 10"'
        f' preserveAspectRatio="none"><rect class="track" x="0" y="4" width="{total}" height="2"/>'
        f"{missing}</svg>"
    )


def _runs_as_shown(command: Command) -> bool:
    """Whether the text of a command can be copied from the page: what is escaped in it is not what
    runs.
    """
    return visible(command.text) == command.text


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "attribute_value": _cell,
    "bar": _bar,
    "counted": counted,
    "counts": phrases.unmanaged_counts,
    "effect_phrase": phrases.effect_phrase,
    "effect_class": _EFFECT_CLASSES.__getitem__,
    "gravity": _gravity,
    "grant": _grant,
    "grant_word": _GRANT_WORDS.__getitem__,
    "enumerated": enumerated,
    "is_its_address": _is_its_address,
    "matrix_cell": _matrix_cell,
    "matrix_subject": _matrix_subject,
    "names": _names,
    "outcome_word": _OUTCOME_WORDS.__getitem__,
    "part": _part,
    "phrase": _phrase,
    "prose": _prose,
    "product": lambda provider: facts(provider).title,
    "runs_as_shown": _runs_as_shown,
    "shell_word": shell_word,
    "tally": _tally,
    "typed": _typed,
    "sign": phrases.SIGNS.__getitem__,
}


def _source(name: str) -> str:
    """The style or the script, as it is written between its tags."""
    environment = _environment()
    loader = environment.loader
    text, _, _ = loader.get_source(environment, name)
    return str(text)


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        autoescape=True,
        loader=PackageLoader("reconciler.reports", "templates"),
        undefined=StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    return environment


@cache
def _template() -> Template:
    template: Template = _environment().get_template("plan.html.j2")
    return template
