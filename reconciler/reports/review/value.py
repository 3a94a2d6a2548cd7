"""The review as a value: names resolved, grouped, sorted by danger, and nothing left out.

What is long is cut by the rendering that needs it short, with a count of what it leaves out: the
constants `MOST_*` say where.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias, assert_never

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.access_rows import Certainty, SubjectKind
    from reconciler.model.addresses import Provider
    from reconciler.model.figures import AccessFigures, Figures, ObjectFigures

HANDFUL = 5
"""People, groups or policies that one row names before it counts the others."""
MOST_TAKING = 200
"""People who lose a grant or get another one are named much longer than those who only gain one."""
MOST_ROWS = 20
"""Rows of one section of notes; refusals and what reaches EVERYONE are never cut."""
LONG_LIST = 10
"""People who only gain a grant are named up to here; of more it is their list that matters."""
MOST_COMMANDS = 25
"""Commands that are shown without being asked for."""


class NameKind(StrEnum):
    """What a name is the name of."""

    APPLICATION = "application"
    PERSON = "person"
    GROUP = "group"
    POLICY = "policy"
    OBJECT = "object"
    TEXT = "text"


class Name(Struct, frozen=True, order=True):
    """A text of others as it is shown: never broken, never read as our words.

    `text` is the name, and the id where none is known (`missing`). `id` is empty where the name
    itself identifies. `ambiguous`: something else is called the same, so the id is shown too.
    `short`: the first characters of the id of an application without a name, as many as tell it
    from the others of its plan; empty where nothing shorter does.
    """

    text: str
    id: str = ""
    kind: NameKind = NameKind.TEXT
    missing: bool = False
    ambiguous: bool = False
    short: str = ""


Phrase: TypeAlias = tuple[str | Name, ...]
"""Our words and names of others, in the order in which they are read."""


class Danger(StrEnum):
    """What becomes of an application's reach, the gravest first."""

    EVERYONE = "EVERYONE"
    MORE = "MORE"
    LESS = "LESS"


class Cause(StrEnum):
    """Why people change although only some of them may be concerned."""

    DIRECT_REPLACES = "direct-replaces"
    DIRECT_ENDS = "direct-ends"


class AccessPart(Struct, frozen=True):
    """Some of those whom applications gain or lose.

    Attributes:
        kind: What they are; people are users or mailboxes.
        names: Of a group or a policy the only one, of people all of them, of everyone none.
        size: How many they are; None is not known.
        certainty: Whether it is certain of all of them.
        excepted: Those among them whom it does not concern.
        cause: Set where a direct policy takes the place of another one, or gives it up.
    """

    kind: SubjectKind
    names: tuple[Name, ...]
    size: int | None
    certainty: Certainty
    excepted: tuple[tuple[SubjectKind, Name], ...] = ()
    cause: Cause | None = None


class AccessLine(Struct, frozen=True):
    """Applications that come to reach the same others, or no longer do.

    `was` is whom they reached before, where they come to reach everyone.
    """

    danger: Danger
    provider: Provider
    applications: tuple[Name, ...]
    parts: tuple[AccessPart, ...]
    was: tuple[AccessPart, ...] = ()


class ChangeOutcome(StrEnum):
    """What becomes of an object; `kept` is a policy of which only grants change."""

    ADDED = "added"
    CHANGED = "changed"
    REPLACED = "replaced"
    RENAMED = "renamed"
    REMOVED = "removed"
    KEPT = "kept"

    @property
    def symbol(self) -> str:
        """The sign of a change, as a diff has it."""
        match self:
            case ChangeOutcome.ADDED:
                return "+"
            case ChangeOutcome.CHANGED:
                return "~"
            case ChangeOutcome.REPLACED | ChangeOutcome.RENAMED:
                return "-/+"
            case ChangeOutcome.REMOVED:
                return "-"
            case ChangeOutcome.KEPT:
                return " "
            case _:
                assert_never(self)


class Effect(StrEnum):
    """What a change does to access."""

    WIDENS = "widens"
    NARROWS = "narrows"
    MOVES = "moves"
    NONE = "no effect"
    UNKNOWN = "effect not computed"


class Attribute(Struct, frozen=True):
    """What differs in a policy: members of a list, or a value before and after (None: no value).

    `empty` is a list without members that comes or goes with its policy.
    """

    name: str
    before: Name | None = None
    after: Name | None = None
    added: tuple[Name, ...] = ()
    removed: tuple[Name, ...] = ()
    empty: bool = False


class GrantLine(Struct, frozen=True):
    """Grants of one policy that change alike.

    Attributes:
        outcome: Added, changed (which is moved) or removed.
        kind: User, group members or everyone.
        names: Who; of everyone nobody.
        origin: The policy that they had before; None is none.
        rank: Of a group; `old_rank` is the one it had, if it had one.
        effect: What it does to access.
        declared_at: `FILE:LINE`, of several `FILE:FIRST-LAST`; empty where that is not known.
        came_by: Whether it was edited or drifted; empty where nothing is compared.
    """

    outcome: ChangeOutcome
    kind: SubjectKind
    names: tuple[Name, ...]
    effect: Effect
    origin: Name | None = None
    rank: int | None = None
    old_rank: int | None = None
    declared_at: str = ""
    came_by: str = ""


class PolicyBlock(Struct, frozen=True):
    """One policy and its grants.

    Attributes:
        provider: The product.
        address: Its address; of a replacement the one that is created.
        outcome: What becomes of it.
        title: Its name; of Exchange the application, the right and the scope.
        effect: What all of the block does to access.
        reason: Why, in our words; empty where only grants change.
        attributes: What differs.
        grants: Grants that change.
        declared_at: `FILE:LINE`; empty where that is not known.
        came_by: Whether the policy was edited or drifted; empty where nothing is compared.
    """

    provider: Provider
    address: str
    outcome: ChangeOutcome
    title: Phrase
    effect: Effect
    reason: str
    attributes: tuple[Attribute, ...]
    grants: tuple[GrantLine, ...]
    declared_at: str = ""
    came_by: str = ""


class Section(StrEnum):
    """Sections of notes, the gravest first."""

    REFUSED = "Refused"
    UNRESOLVED = "Unresolved"
    DISPLACED = "Displaced"
    HELD = "Held"
    WARNING = "Warnings"


class NoteLine(Struct, frozen=True):
    """An object of a note, and details that the sentences do not tell; `consent` is what `--allow`
    takes to lift a refusal.
    """

    address: str
    about: Phrase
    details: tuple[Phrase, ...]
    consent: str = ""


class NoteGroup(Struct, frozen=True):
    """Objects of which the same is said: what is so, what to do, and options to type. `advice_first`:
    what to do comes before the consents.
    """

    section: Section
    code: str
    what: Phrase
    then: Phrase
    rows: tuple[NoteLine, ...]
    options: tuple[str, ...] = ()
    advice_first: bool = False


class GapLine(Struct, frozen=True):
    """Applications that miss the same people on the way only.

    `steps` says after which ones, `runs` are the first and the last of each that follow one
    another; `why` and `proved` are about the order of the steps.
    """

    applications: tuple[Name, ...]
    missed: tuple[Phrase, ...]
    certainty: Certainty
    steps: str
    why: str
    proved: bool
    span: tuple[int, int]
    runs: tuple[tuple[int, int], ...]


class UnmanagedCount(Struct, frozen=True):
    """How many objects of a kind no document declares; the kind is the head of their addresses."""

    kind: str
    count: int


class Unmanaged(Struct, frozen=True):
    """Objects of no document: how many of each kind, and the applications of a Global that nobody
    manages, which everyone without a grant has.
    """

    counts: tuple[UnmanagedCount, ...]
    global_applications: tuple[Name, ...] | None


class Command(Struct, frozen=True):
    """A step: the exact text that runs, the names of the ids in it, and why it runs."""

    id: int
    provider: Provider
    cmdlet: str
    text: str
    about: Phrase
    reason: str
    temporary: bool


class ProductFigures(Struct, frozen=True):
    """How many objects of one product change, each counted once."""

    provider: Provider
    policies: ObjectFigures
    grants: ObjectFigures


class Verdict(Struct, frozen=True):
    """What is read first.

    Attributes:
        applicable: Whether `apply` takes the plan.
        access: How many applications reach others; None is not computed.
        products: What changes, by product; only those in which something does.
        figures: The figures of the closing lines.
        revocations: Who keeps a grant because a listed name may be that person's, renamed: both, in
            words.
        refused: Objects that a rule refuses.
        unresolved: Names that were not found.
        held: Objects that are left at their observed value.
        tests_passed: Access tests that pass on the outcome.
        tests: Access tests in all.
        tests_failed: Those that fail and block the plan.
        minutes: The least and the most that an apply may take; None where that is not worth saying.
        unknown_groups: Groups that are newly reached and whose size is not known.
        still_open: By what quarantined applications may still reach somebody, in words.
        let_in: What lets quarantined applications in today and no longer does with the plan, in words.
    """

    applicable: bool
    access: AccessFigures | None
    products: tuple[ProductFigures, ...]
    figures: Figures
    refused: int
    unresolved: int
    held: int
    tests_passed: int
    tests: int
    tests_failed: int
    minutes: tuple[float, float] | None
    unknown_groups: tuple[Name, ...] = ()
    revocations: tuple[str, ...] = ()
    still_open: tuple[str, ...] = ()
    let_in: tuple[str, ...] = ()


class Consent(Struct, frozen=True):
    """A consent that was needed and given: its text, the rule that it lifts, what it is about, and
    what gives it: the place of a document, or `--allow` (empty where that is not known).
    """

    text: str
    rule: str
    about: Phrase
    declared_at: str = ""


class FailedTest(Struct, frozen=True):
    """An expectation that is not certain to be met: how it came out, what is expected and what was
    found, and the way to the verdict.
    """

    outcome: str
    blocks: bool
    name: Name
    expected: Phrase
    contrast: str
    reasons: tuple[Phrase, ...]


class SinceLine(Struct, frozen=True):
    """Something that an earlier commit tells of a plan; `grave` if a reviewer must not miss it."""

    grave: bool
    phrase: Phrase


class SinceReview(Struct, frozen=True):
    """A plan compared with the documents of an earlier commit: which, what differs, counted, and
    what comes right under the verdict.
    """

    title: Phrase
    lines: tuple[SinceLine, ...]


class Review(Struct, frozen=True):
    """Everything that a person reads about a plan.

    Attributes:
        simulated: Whether the tenant is a simulated one.
        organization: The tenant's initial domain.
        tenant_id: The tenant's id.
        read_at: When it was read, ISO 8601.
        source: Where it was read, in our words.
        verdict: What is read first.
        access: Who gains and loses access, the gravest first; None is not computed.
        blocks: What changes, by product.
        edited: Addresses that somebody edited in the documents; None is not known.
        drifted: Addresses that changed in the tenant; None is not known.
        gaps: Who misses on the way what is granted before and after.
        gap_rows: How many rows of the plan the gaps are.
        guards: Steps that a later one undoes.
        consents: Consents that the plan uses.
        unmanaged: Objects of no document.
        notes: Refusals, unresolved names and the like, the gravest first.
        test_counts: How the access tests came out, counted; empty if there are none.
        failing: Access tests whose expectation is not certain to be met.
        commands: The steps, in the order in which they run; none where their texts are redacted.
        digest: Of the whole plan.
        content_digest: Of what it does, which an approval covers.
        nothing: What is said where nothing changes; empty where something does.
        since: What an earlier commit tells of it; None if it is not compared with one.
        undoes: The digest of the plan that this one undoes; empty if it undoes none.
    """

    simulated: bool
    organization: str
    tenant_id: str
    read_at: str
    source: str
    verdict: Verdict
    access: tuple[AccessLine, ...] | None
    blocks: tuple[PolicyBlock, ...]
    edited: frozenset[str] | None
    drifted: frozenset[str] | None
    gaps: tuple[GapLine, ...]
    gap_rows: int
    guards: tuple[Command, ...]
    consents: tuple[Consent, ...]
    unmanaged: Unmanaged
    notes: tuple[NoteGroup, ...]
    test_counts: str
    failing: tuple[FailedTest, ...]
    commands: tuple[Command, ...]
    digest: str
    content_digest: str
    nothing: str
    since: SinceReview | None = None
    undoes: str = ""
