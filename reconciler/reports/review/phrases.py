"""What is said of the facts of a review, in words that every rendering shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec.structs import replace

from reconciler.kinds.facts import facts
from reconciler.model.access_rows import Certainty, SubjectKind
from reconciler.reports.lines import counted
from reconciler.reports.review.value import (
    HANDFUL,
    LONG_LIST,
    MOST_TAKING,
    Cause,
    ChangeOutcome,
    Danger,
    Name,
    Phrase,
    Section,
)
from reconciler.reports.wrapping import NO_BREAK, enumerated, enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.addresses import Provider
    from reconciler.model.figures import Figures, ObjectFigures
    from reconciler.reports.review.value import (
        AccessLine,
        AccessPart,
        Attribute,
        GrantLine,
        PolicyBlock,
        Review,
        Unmanaged,
        Verdict,
    )

CAUSES = {
    Cause.DIRECT_REPLACES: "a direct policy replaces what a group or Global gave",
    Cause.DIRECT_ENDS: "a group's or Global's policy takes the place of a direct one",
}
SECTIONS = {
    Danger.EVERYONE: "EVERYONE: applications that reach everyone afterwards, and do not now",
    Danger.MORE: "MORE: whom applications reach afterwards, and do not now",
    Danger.LESS: "LESS: whom applications reach now, and do not afterwards",
}
NOTE_TITLES: Mapping[Section, str] = {
    Section.REFUSED: "Refused, so this plan will not be applied",
    Section.UNRESOLVED: "Unresolved, so nothing can be planned for",
    Section.DISPLACED: "Displaced, taken away from policies that no document declares",
    Section.HELD: "Held, not part of this plan",
    Section.WARNING: "Warnings",
}
SINCE = "Compared with an earlier commit"
WAY = "On the way: what is missing or temporary for a while"
UNMANAGED = "Unmanaged, left alone"
UNMANAGED_GLOBAL = (
    "Global is not managed, and it is not empty: everyone without a grant has these applications"
)
UNMANAGED_GLOBAL_ADVICE = (
    "To revoke them, declare a policy `Global` with `applications: []`; to keep them, list them"
    " there."
)
NOT_COMPUTED = (
    "Access: not computed. The plan does not say who is reached afterwards: read the changes with"
    " that question."
)
_UNMANAGED_KINDS: Mapping[str, tuple[str, str]] = {
    "exchange.policy": ("Exchange policy", "Exchange policies"),
    "teams.policy": ("Teams policy", "Teams policies"),
    "teams.grant": ("grant", "grants"),
}
MOST_OF_TEXT = 20
"""Characters of a text that changes; `--format json` and the command have all of it."""
_BEFORE_DIFFERENCE = 8
SIGNS = {Danger.EVERYONE: "!", Danger.MORE: "+", Danger.LESS: "-"}
_PREFIXES: Mapping[SubjectKind, Phrase] = {
    SubjectKind.GROUP_MEMBERS: ("members of ",),
    SubjectKind.POLICY_HOLDERS: ("holders of ",),
}


def part_phrase(part: AccessPart, provider: Provider, most: int | None = HANDFUL) -> Phrase:
    """Some of those whom an application gains or loses; of people at most so many by name."""
    possibly = part.certainty is Certainty.POSSIBLE
    if part.cause is not None:
        people = counted(len(part.names), "person", "people")
        return (
            f"up to {people}: ",
            *enumerated_names(part.names, most),
            f" ({CAUSES[part.cause]})",
        )
    phrase: Phrase = (
        *_subject(part, provider, most),
        *_size_and_exceptions(part, most),
    )
    return ("possibly ", *phrase) if possibly else phrase


def _subject(part: AccessPart, provider: Provider, most: int | None) -> Phrase:
    match part.kind:
        case SubjectKind.EVERYONE:
            return (facts(provider).everyone,)
        case SubjectKind.GROUP_MEMBERS | SubjectKind.POLICY_HOLDERS:
            return (*_PREFIXES[part.kind], *part.names)
        case SubjectKind.USER | SubjectKind.MAILBOX:
            return enumerated_names(part.names, most)
        case _:
            assert_never(part.kind)


def _size_and_exceptions(part: AccessPart, most: int | None) -> Phrase:
    """`(5, not Alex Wilber)`."""
    size: Phrase = ()
    if (
        part.kind in (SubjectKind.GROUP_MEMBERS, SubjectKind.POLICY_HOLDERS)
        and part.size is not None
    ):
        size = (str(part.size),)
    excepted = excepted_phrase(part.excepted, most)
    if excepted:
        excepted = ("not ", *excepted)
    inside = enumerated(phrase for phrase in (size, excepted) if phrase)
    return (" (", *inside, ")") if inside else ()


def excepted_phrase(
    excepted: Sequence[tuple[SubjectKind, Name]], most: int | None = None
) -> Phrase:
    """`members of Sales, Marketing, holders of P, Alex Wilber`; of one kind at most so many."""
    kinds: dict[SubjectKind, list[Name]] = {}
    for kind, name in excepted:
        kinds.setdefault(kind, []).append(name)
    return enumerated(
        (*_PREFIXES.get(kind, ()), *enumerated_names(own, most)) for kind, own in kinds.items()
    )


def access_phrase(line: AccessLine, most: int | None = HANDFUL) -> Phrase:
    """Whom the applications of a row gain or lose."""
    return enumerated(part_phrase(part, line.provider, most) for part in line.parts)


def before_phrase(line: AccessLine) -> Phrase:
    """Whom the applications of a row reached before they come to reach everyone."""
    was = enumerated((part_phrase(part, line.provider) for part in line.was), HANDFUL)
    return was or ("nobody",)


def headline(verdict: Verdict) -> str:
    """Which doors of quarantined applications are still open, whether the plan is applicable, and
    how many applications reach others.
    """
    word = "APPLICABLE" if verdict.applicable else f"NOT APPLICABLE: {why_not(verdict)}"
    return f"{open_doors(verdict)}{word}. {access_counts(verdict)}"


def open_doors(verdict: Verdict) -> str:
    """Which doors of quarantined applications are still open, as a sentence; empty if none are."""
    return _listed("STILL OPEN", verdict.still_open)


def let_in(verdict: Verdict) -> str:
    """What lets quarantined applications in until the plan is applied; likewise."""
    return _listed("QUARANTINED, AND LET IN TODAY", verdict.let_in)


def _listed(title: str, texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - HANDFUL} more" if len(texts) > HANDFUL else ""
    return f"{title}: {'; '.join(texts[:HANDFUL])}{more}. " if texts else ""


def unknown_groups(verdict: Verdict) -> Phrase:
    """The groups that are newly reached and whose size is unknown; empty if there are none."""
    if not verdict.unknown_groups:
        return ()
    names = enumerated_names(verdict.unknown_groups, HANDFUL)
    return ("Newly reached, and of unknown size: members of ", *names, ".")


def access_counts(verdict: Verdict) -> str:
    """How many applications come to reach others; those that reach everyone come first."""
    if verdict.access is None:
        return "Who gains and loses access was not computed."
    counts = verdict.access
    more = counts.widens - counts.everyone
    pieces = []
    if counts.everyone:
        verb = _verb(counts.everyone)
        pieces.append(f"{counted(counts.everyone, 'application')} newly {verb} EVERYONE")
    if more:
        noun = "other" if counts.everyone else "application"
        pieces.append(f"{counted(more, noun)} {_verb(more)} more")
    if counts.narrows:
        noun = "" if pieces else f" {'application' if counts.narrows == 1 else 'applications'}"
        pieces.append(f"{counts.narrows}{noun} {_verb(counts.narrows)} less")
    return f"{', '.join(pieces)}." if pieces else "Nobody gains or loses access."


def _verb(count: int) -> str:
    return "reaches" if count == 1 else "reach"


def why_not(verdict: Verdict) -> str:
    """Why a plan is not applicable, counted."""
    return (
        ", ".join(
            text
            for count, text in (
                (verdict.refused, counted(verdict.refused, "refusal")),
                (verdict.unresolved, counted(verdict.unresolved, "unresolved name")),
                (
                    verdict.tests_failed,
                    counted(verdict.tests_failed, "access test does", "access tests do")
                    + " not pass",
                ),
            )
            if count
        )
        or "the plan says so"
    )


def counts(verdict: Verdict) -> list[str]:
    """The lines under the headline: whose grants are kept, what changes by product, the work."""
    revocations = verdict.revocations
    sides = "; ".join(revocations[:HANDFUL])
    more = f"; and {len(revocations) - HANDFUL} more" if len(revocations) > HANDFUL else ""
    kept = [f"REVOCATIONS HELD: {len(revocations)} ({sides}{more})"] if revocations else []
    sentence = let_in(verdict).removesuffix(". ")
    return [*([sentence] if sentence else []), *kept, *product_counts(verdict), work(verdict)]


def product_counts(verdict: Verdict) -> Iterator[str]:
    """`Teams: 1 policy added, 2 changed; 4 grants added, 1 moved, 1 removed`."""
    for product in verdict.products:
        nouns = [
            _counts(noun, row, changed)
            for noun, row, changed in (
                (("policy", "policies"), product.policies, "changed"),
                (("grant", "grants"), product.grants, "moved"),
            )
            if row
        ]
        yield f"{facts(product.provider).title}: {'; '.join(nouns)}"


def _counts(noun: tuple[str, str], row: ObjectFigures, changed: str) -> str:
    outcomes = (
        (row.added, "added"),
        (row.changed, changed),
        (row.renamed, "renamed"),
        (row.replaced, "replaced"),
        (row.removed, "removed"),
    )
    (first, word), *others = [(count, verb) for count, verb in outcomes if count]
    return ", ".join(
        [f"{counted(first, *noun)} {word}", *(f"{count} {verb}" for count, verb in others)]
    )


def work(verdict: Verdict) -> str:
    """Steps, time, access tests, and how much is left as it is."""
    steps = counted(verdict.figures.steps, "step")
    tests = (
        f"access tests: {verdict.tests_passed} of {verdict.tests} pass"
        if verdict.tests
        else "no access tests"
    )
    time = ""
    if verdict.minutes is not None:
        least, most = map(_time, verdict.minutes)
        time = f", about {least} to {most} on a live tenant"
    left = f"; {counted(verdict.held, 'object')} held, see below" if verdict.held else ""
    return f"{steps}{time}; {tests}{left}"


def _time(minutes: float) -> str:
    if minutes < 2 * 60:
        return counted(max(1, round(minutes)), "minute")
    return counted(round(minutes / 60), "hour")


def planned_policies(counts: Figures) -> str:
    """What is to happen to policies."""
    policies = counts.policies
    return f"{policies.created} to add, {policies.updated} to change, {policies.deleted} to destroy"


def planned_grants(counts: Figures) -> str:
    """What is to happen to grants."""
    grants = counts.grants
    return f"{grants.created} to add, {grants.updated} to move, {grants.deleted} to remove"


def closing(counts: Figures) -> str:
    """The last line about what is to change."""
    return f"Plan: {planned_policies(counts)}. Grants: {planned_grants(counts)}."


def grant_phrase(line: GrantLine, most: int | None) -> Phrase:
    """Who gets, changes or loses a policy; many people from one file are counted."""
    if line.kind is SubjectKind.GROUP_MEMBERS:
        moved = line.old_rank not in (None, line.rank)
        rank = f"rank {line.old_rank} -> {line.rank}" if moved else f"rank {line.rank}"
        who: Phrase = ("members of ", *line.names, f" ({rank})" if line.rank is not None else "")
    elif most is not None and line.outcome is ChangeOutcome.ADDED and len(line.names) > most:
        who = (f"{len(line.names)} people: ", *enumerated_names(line.names, most))
    else:
        who = enumerated_names(line.names, most)
    return who if line.origin is None else (*who, " (from ", line.origin, ")")


def effect_phrase(block: PolicyBlock) -> str:
    """What a block does to access, and whether its policy was edited or drifted."""
    return ", ".join(filter(None, (str(block.effect), block.came_by)))


def grant_details(line: GrantLine, block: PolicyBlock) -> Iterator[Phrase]:
    """What a grant does to access and how it came to differ, where its policy does something else or
    came otherwise, and where it is declared.
    """
    if line.effect is not block.effect:
        yield (str(line.effect),)
    if line.came_by != block.came_by:
        yield (line.came_by,)
    if line.declared_at:
        yield (Name(line.declared_at),)


def most_of(line: GrantLine) -> int:
    """How many people of a grant are named: of those who only gain it few."""
    return LONG_LIST if line.outcome is ChangeOutcome.ADDED else MOST_TAKING


def place_phrase(declared_at: str) -> Phrase:
    """Where something is declared, behind what was said before."""
    return ("  ", Name(declared_at)) if declared_at else ()


def is_membership(attribute: Attribute) -> bool:
    """Whether it is about members that come and go."""
    return bool(attribute.added or attribute.removed)


def attribute_phrase(attribute: Attribute) -> Phrase:
    """Members of a list by name, `description "old" -> "new"` of a text."""
    if is_membership(attribute):
        return enumerated(
            (
                *((f"+{NO_BREAK}", name) for name in attribute.added),
                *((f"-{NO_BREAK}", name) for name in attribute.removed),
            )
        )
    if attribute.empty:
        return ("no applications",)
    if attribute.before is None or attribute.after is None:
        return (attribute.name,)
    old, new = _contrasted(attribute.before, attribute.after)
    return (f"{attribute.name} ", *(() if old.text == '""' else (old, " -> ")), new)


def _contrasted(before: Name, after: Name) -> Iterator[Name]:
    """Two texts from shortly before they begin to differ, cut where they are long."""
    sides = (before.text, after.text)
    same = next(
        (place for place, chars in enumerate(zip(*sides, strict=False)) if len(set(chars)) > 1),
        min(map(len, sides)),
    )
    start = max(0, same - _BEFORE_DIFFERENCE) if max(map(len, sides)) > MOST_OF_TEXT else 0
    for value in (before, after):
        text = f'"…{value.text[start:]}' if start > 1 else value.text
        ending = '"' if text.endswith('"') else ""
        cut = f"{text[: MOST_OF_TEXT - 2]}…{ending}" if len(text) > MOST_OF_TEXT else text
        yield replace(value, text=cut)


def unmanaged_counts(unmanaged: Unmanaged) -> list[str]:
    """`2 Exchange policies`, by kind."""
    return [
        counted(row.count, *_UNMANAGED_KINDS.get(row.kind, (row.kind,))) for row in unmanaged.counts
    ]


_SHORT_DIGEST = len("plan:") + 12
"""Characters of the digest of another plan that are shown to people."""


def plan_title(review: Review, age: str = "") -> str:
    """What the plan is for, when its tenant was read, and how long ago."""
    read = review.read_at.replace("T", " ").replace("Z", " UTC")
    ago = f" ({age} ago)" if age else ""
    title = f"Plan that undoes {review.undoes[:_SHORT_DIGEST]}" if review.undoes else "Plan"
    return f"{title} for {review.organization}, read {read}{ago} from {review.source}"


def consents(review: Review) -> Phrase:
    """`tenant-wide for crm, ticket-sync (tenant.yaml:1)`, by rule and place."""
    alike: dict[tuple[str, str], list[Phrase]] = {}
    for consent in review.consents:
        alike.setdefault((consent.rule, consent.declared_at), []).append(consent.about)
    return enumerated(
        (f"{rule} for ", *enumerated(abouts), f" ({place})" if place else "")
        for (rule, place), abouts in alike.items()
    )
