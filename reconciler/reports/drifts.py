"""How a tenant differs from what is known of it, as a report: who gained and lost access by that,
what nobody accepted, and both ways out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from reconciler.kinds.facts import facts
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    GLOBAL,
    ExchangePolicyAddress,
    TeamsGroupGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
    teams_policy,
)
from reconciler.model.answers import DriftAnswer, DriftedObject
from reconciler.model.codes import DriftCode
from reconciler.model.documents import AccessRight
from reconciler.reports.lines import Tone, counted
from reconciler.reports.outline import Chapter, Item, Outline
from reconciler.reports.remedies import shell_word
from reconciler.reports.review import phrases
from reconciler.reports.review.naming import readable
from reconciler.reports.review.value import Danger, Name, NameKind, Section
from reconciler.reports.wrapping import enumerated, enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.addresses import Provider
    from reconciler.model.plans import Note
    from reconciler.reports.review.naming import Naming
    from reconciler.reports.review.value import AccessLine, Phrase, PolicyBlock, Review

_OBJECTS = ("object", "objects")
_SHORT = {Danger.EVERYONE, Danger.MORE}
"""What a plan gives, and so what the tenant lacks."""


class DriftTold(Struct, frozen=True):
    """What is said about a drift beside the review of the plan that leads back.

    Attributes:
        unread: What was not read.
        objects: Unmanaged objects that are new, changed or gone.
        declared: Accepted objects that documents declare by now.
        accepted: How many objects are as they were accepted.
        differing: How many objects a plan would change, holds, or cannot find.
        where: PATHs and `--tenant`, to be typed again.
        folder: Where documents are.
        only: The only product that was asked about; None: all were.
    """

    unread: tuple[Note, ...]
    objects: tuple[Note, ...]
    declared: tuple[Note, ...]
    accepted: int
    differing: int
    where: str = ""
    folder: str = "policies"
    only: Provider | None = None


def drift_outline(review: Review, drifted: DriftTold, naming: Naming) -> Outline:
    """The report.

    Args:
        review: the plan that leads back to the documents.
        drifted: the rest.
        naming: names for ids of both.
    """
    read = review.read_at.replace("T", " ").replace("Z", " UTC")
    title: Phrase = (Name(review.organization), f", read {read} from {review.source}.")
    chapters = (
        _unread(drifted, naming),
        _access(review, "Gained: the tenant has it, the documents do not", gained=True),
        _access(review, "Lost: the documents have it, the tenant does not", gained=False),
        _objects(drifted, DriftCode.NEW, naming),
        _objects(drifted, DriftCode.CHANGED, naming),
        _objects(drifted, DriftCode.GONE, naming),
        _changes(review),
        _notes(review),
        _declared(drifted, naming),
        _ways_out(review, drifted),
    )
    differs = bool(drifted.differing or drifted.objects)
    return Outline(
        command="drift",
        simulated=review.simulated,
        tenant_id=review.tenant_id,
        headline=(
            phrases.open_doors(review.verdict),
            phrases.let_in(review.verdict),
            drift_headline(drifted),
        ),
        tone=Tone.FAULT if differs or drifted.unread else Tone.HEADING,
        details=(Item(title), *_details(review, drifted), *_since(review)),
        chapters=tuple(chapter for chapter in chapters if chapter.items),
    )


def drift_headline(drifted: DriftTold) -> str:
    """What is read first: what was not read, and how much differs."""
    counts = dict.fromkeys(DriftCode, 0)
    for note in drifted.objects:
        counts[DriftCode(note.code)] += 1
    pieces = [
        text
        for count, text in (
            (
                drifted.differing,
                _verb(drifted.differing, "differs", "differ") + " from the documents",
            ),
            (counts[DriftCode.NEW], "unmanaged and not accepted"),
            (counts[DriftCode.CHANGED], "changed since accepted"),
            (counts[DriftCode.GONE], "gone since accepted"),
        )
        if count
        for text in (f"{count} {text}",)
    ]
    unread = "NOT READ IN FULL. " if drifted.unread else ""
    if pieces:
        return f"{unread}DRIFT: {', '.join(pieces)}."
    return f"{unread}Nothing that was read differs." if unread else "No drift."


def _verb(count: int, singular: str, plural: str) -> str:
    return f"{'object' if count == 1 else 'objects'} {singular if count == 1 else plural}"


def _details(review: Review, drifted: DriftTold) -> Iterator[Item]:
    if review.access:
        gained = _applications(review.access, gained=True)
        lost = _applications(review.access, gained=False)
        pieces = [
            f"{counted(count, 'application')} {'reaches' if count == 1 else 'reach'} {more}"
            for count, more in ((gained, "more"), (lost, "less"))
            if count
        ]
        yield Item((f"{' and '.join(pieces)} than the documents say.",), tone=Tone.WARNING)
    elif drifted.differing and review.access is not None:
        yield Item(("Nobody gained or lost access by what differs from the documents.",))
    if review.nothing.startswith("No changes, but"):
        yield Item((f"{review.nothing} `reconciler plan` shows them.",), tone=Tone.WARNING)
    if drifted.only is not None:
        title = facts(drifted.only).title
        yield Item((f"Only {title} was asked about (--product): the other product may differ.",))
    if drifted.accepted:
        verb = "is as it was" if drifted.accepted == 1 else "are as they were"
        yield Item((f"{counted(drifted.accepted, 'unmanaged object')} {verb} accepted.",))


def _since(review: Review) -> Iterator[Item]:
    """How the documents compare with those of an earlier commit."""
    since = review.since
    if since is not None:
        yield Item(since.title)
        for line in since.lines:
            yield Item(line.phrase, level=2, tone=Tone.WARNING if line.grave else Tone.PLAIN)


def _applications(rows: Iterable[AccessLine], *, gained: bool) -> int:
    """How many applications the drift lets reach more, or less."""
    own = _access_rows(rows, gained=gained)
    return len({name for row in own for name in row.applications})


def _access_rows(rows: Iterable[AccessLine], *, gained: bool) -> list[AccessLine]:
    """Rows of what the drift gave, which a plan takes back; or of what it took."""
    return [row for row in rows if (row.danger in _SHORT) is not gained]


def _unread(drifted: DriftTold, naming: Naming) -> Chapter:
    return Chapter(
        ("Not read, so not known to be clean",),
        tuple(Item(unread_phrase(note, naming), tone=Tone.FAULT) for note in drifted.unread),
        Tone.FAULT,
    )


def unread_phrase(note: Note, naming: Naming) -> Phrase:
    """What was not read, and what to do."""
    subject = naming.address(note.address)
    if "rule" in note.details:
        return (*subject, ": the reading is doubtful; the plan is refused for it, see below")
    if "text" in note.details:
        named = Name(readable(str(note.details["text"])))
        return (
            *subject,
            ": ",
            named,
            " is not covered by this reading: read the tenant itself, or fetch again",
        )
    fault = str(note.details.get("fault") or "")
    if fault:
        return (*subject, " was not read completely: ", Name(fault))
    return (
        *subject,
        " was not read: fetch all of it, or say in `spec.connect` how to sign in to it",
    )


def _access(review: Review, title: str, *, gained: bool) -> Chapter:
    rows = _access_rows(review.access or (), gained=gained)
    return Chapter((title,), tuple(_access_item(row, gained=gained) for row in rows))


def _access_item(row: AccessLine, *, gained: bool) -> Item:
    everyone = any(part.kind is SubjectKind.EVERYONE for part in row.parts)
    mark, tone = ("!", Tone.EVERYONE) if everyone else ("+", Tone.WIDENS)
    if not gained:
        mark, tone = "-", Tone.NARROWS
    phrase: Phrase = (
        *enumerated_names(row.applications),
        ": ",
        *phrases.access_phrase(row),
        f"  [{facts(row.provider).title}]",
    )
    return Item(phrase, tone=tone, mark=mark)


_TITLES: Mapping[DriftCode, str] = {
    DriftCode.NEW: "Unmanaged, and not accepted",
    DriftCode.CHANGED: "Changed since accepted",
    DriftCode.GONE: "Gone since accepted",
}


def _objects(drifted: DriftTold, code: DriftCode, naming: Naming) -> Chapter:
    rows = [note for note in drifted.objects if note.code == code]
    items: list[Item] = []
    for note in rows:
        tone = Tone.NARROWS if code is DriftCode.GONE else Tone.WIDENS
        items.append(
            Item(
                (*unmanaged_phrase(note.address, naming), ": ", *what_phrase(note, naming)),
                tone=tone,
            )
        )
        items.append(Item((Name(note.address),), level=3))
    return Chapter((f"{_TITLES[code]}: {len(rows)}",), tuple(items), noun=_OBJECTS)


def unmanaged_phrase(address: str, naming: Naming) -> Phrase:
    """An object with what it is."""
    match parse_address(address):
        case ExchangePolicyAddress():
            return ("Exchange policy of ", *naming.address(address))
        case TeamsUserGrantAddress() | TeamsGroupGrantAddress():
            return ("grant of ", *naming.address(address))
        case _:
            return ("Teams policy ", *naming.address(address))


def what_phrase(note: Note, naming: Naming) -> Phrase:
    """What is to be said of an unmanaged object: what it opens, or what has changed of it."""
    code = DriftCode(note.code)
    reason: Phrase = (" (accepted: ", Name(readable(str(note.details.get("reason")))), ")")
    match code:
        case DriftCode.NEW:
            return opens_phrase(note.address, note.details, naming)
        case DriftCode.CHANGED:
            return (*enumerated(_changed_parts(note, naming)), *reason)
        case DriftCode.GONE:
            return ("does not exist any more", *reason)
        case DriftCode.DECLARED:
            return ("documents declare it by now: take the entry out", *reason)
        case DriftCode.NOT_READ:
            return unread_phrase(note, naming)
    assert_never(code)


def opens_phrase(address: str, parts: Mapping[str, Json], naming: Naming) -> Phrase:
    """What an unmanaged object opens or closes."""
    right = parts.get("accessRight")
    if right == AccessRight.RESTRICT:
        return (
            "restricts the application to this scope and those of its other RestrictAccess policies",
        )
    if right == AccessRight.DENY:
        return ("keeps the application out of this scope",)
    if "policy" in parts:
        return ("of ", _policy(parts["policy"]))
    return _policy_opens(address, parts, naming)


def _policy_opens(address: str, parts: Mapping[str, Json], naming: Naming) -> Phrase:
    who = _holders(address, parts, naming)
    if "applications" not in parts:
        return ("documents leave open who holds it: ", *(who or ("nobody",)))
    listed = parts["applications"]
    if listed is None:
        return ("it does not exist, and is held all the same by ", *who)
    applications = [naming.application(str(each)) for each in _sequence(listed)]
    if not applications:
        return ("lists no application", *((", held by ", *who) if who else ()))
    opened = enumerated_names(applications)
    if not who:
        return ("nobody holds it; it lists ", *opened)
    return ("opens the meetings of ", *who, " to ", *opened)


def _holders(address: str, parts: Mapping[str, Json], naming: Naming) -> Phrase:
    if address.lower() == teams_policy(GLOBAL):
        return ("everyone without a grant",)
    groups = [row for row in _sequence(parts.get("groups")) if isinstance(row, dict)]
    pieces: list[Phrase] = [
        ("members of ", naming.group(str(row["group"])), f" (rank {row['rank']})") for row in groups
    ]
    users = [naming.person(str(user)) for user in _sequence(parts.get("users"))]
    if users:
        count = parts.get("holders")
        more = (count if isinstance(count, int) else len(users)) - len(users)
        names = enumerated_names(users)
        pieces.append((*names, f" and {counted(more, 'other')}") if more > 0 else names)
    return enumerated(pieces)


def _changed_parts(note: Note, naming: Naming) -> Iterator[Phrase]:
    before, after = note.details.get("before"), note.details.get("after")
    was = before if isinstance(before, dict) else {}
    for part, value in sorted(after.items() if isinstance(after, dict) else ()):
        yield _changed_part(part, was.get(part), value, naming)


def _changed_part(part: str, before: Json, after: Json, naming: Naming) -> Phrase:
    match part:
        case "applications":
            return _changed_list(before, after, naming)
        case "groups":
            return ("groups ", *_ranked(before, naming), " -> ", *_ranked(after, naming))
        case "users":
            return _changed_users(before, after)
        case "policy":
            return ("of ", _policy(before), " -> ", _policy(after))
        case "sid":
            return ("the scope was recreated: its security id is another one",)
        case _:
            return (
                "access right " if part == "accessRight" else f"{part} ",
                _text(before),
                " -> ",
                _text(after),
            )


def _changed_list(before: Json, after: Json, naming: Naming) -> Phrase:
    if after is None:
        return ("the policy itself does not exist any more",)
    old, new = set(map(str, _sequence(before))), set(map(str, _sequence(after)))
    signs = [("+ ", each) for each in sorted(new - old)]
    signs += [("- ", each) for each in sorted(old - new)]
    return enumerated((sign, naming.application(each)) for sign, each in signs)


def _text(value: Json) -> Name:
    return Name(readable("none" if value is None else str(value)))


def _policy(value: Json) -> Name:
    return Name(readable(str(value)), kind=NameKind.POLICY)


def _changed_users(before: Json, after: Json) -> Phrase:
    counts = [side.get("count", 0) if isinstance(side, dict) else 0 for side in (before, after)]
    if counts[0] == counts[1]:
        return (f"other direct holders, {counts[1]} as before",)
    return (f"direct holders {counts[0]} -> {counts[1]}",)


def _ranked(groups: Json, naming: Naming) -> Phrase:
    rows = [row for row in _sequence(groups) if isinstance(row, dict)]
    named = ((naming.group(str(row["group"])), f" (rank {row['rank']})") for row in rows)
    return enumerated(named) if rows else ("none",)


def _sequence(value: Json) -> Sequence[Json]:
    return value if isinstance(value, (list, tuple)) else ()


def _changes(review: Review) -> Chapter:
    items: list[Item] = []
    for block in review.blocks:
        came_by = f"  [{block.came_by}]" if block.came_by else ""
        items.append(Item((*block_phrase(block), came_by), mark=block.outcome.symbol))
        grants = [
            (
                f"{line.outcome.symbol} ",
                *phrases.grant_phrase(line, phrases.most_of(line)),
                f" [{line.came_by}]" if line.came_by else "",
            )
            for line in block.grants
        ]
        if grants:
            items.append(Item(enumerated(grants), level=3))
    return Chapter(("Differs: what a plan would change back",), tuple(items))


def block_phrase(block: PolicyBlock) -> Phrase:
    """A policy that a plan would change back, and what of it."""
    differing = enumerated(map(phrases.attribute_phrase, block.attributes))
    details: Phrase = (": ", *differing) if differing else ()
    return (
        f"{facts(block.provider).title}  ",
        *block.title,
        *details,
        *phrases.place_phrase(block.declared_at),
    )


def _notes(review: Review) -> Chapter:
    """What keeps a plan from leading back."""
    sections = (Section.REFUSED, Section.UNRESOLVED, Section.HELD)
    items: list[Item] = []
    for group in review.notes:
        if group.section in sections:
            items.append(Item(group.what, tone=Tone.WARNING))
            items += [Item(row.about, level=2) for row in group.rows]
    return Chapter(
        ("What keeps a plan from changing all of it back (reconciler plan says what to do)",),
        tuple(items),
    )


def _declared(drifted: DriftTold, naming: Naming) -> Chapter:
    return Chapter(
        ("Accepted, and declared by now: take these out of `spec.accepted`",),
        tuple(Item(unmanaged_phrase(note.address, naming)) for note in drifted.declared),
    )


def _ways_out(review: Review, drifted: DriftTold) -> Chapter:
    items: list[Item] = []

    def way(title: str, *commands: str) -> None:
        items.append(Item((title,)))
        items.extend(Item((Name(command),), level=3) for command in commands)

    where = f" {drifted.where}" if drifted.where else ""
    if review.blocks:
        way(
            "Accept what the tenant has, in the documents:",
            f"reconciler drift{where} --patch drift.patch",
            "git apply drift.patch",
        )
        way("Or change the tenant back:", f"reconciler plan{where} --out plan.json")
    codes = {note.code for note in drifted.objects}
    if codes & {DriftCode.NEW, DriftCode.CHANGED}:
        way(
            "Accept an unmanaged object as it is, each by its address:",
            f"reconciler export{where} --accept ADDRESS --reason WHY",
        )
        way(
            "Or manage it, and delete it by `ensure: absent` if nobody wants it:",
            f"reconciler export{where} --out-dir {shell_word(drifted.folder)} --only ADDRESS",
        )
    if DriftCode.GONE in codes:
        way("What is gone: take its entry out of `spec.accepted`.")
    return Chapter(("Ways out",), tuple(items))


def drift_answer(drifted: DriftTold, *, clean: bool) -> DriftAnswer:
    """The same for a machine, beside the plan."""
    return DriftAnswer(
        accepted=drifted.accepted,
        clean=clean,
        differing=drifted.differing,
        not_read=tuple(note.address for note in drifted.unread),
        objects=tuple(map(_answer, (*drifted.objects, *drifted.declared))),
    )


def _answer(note: Note) -> DriftedObject:
    details = note.details
    if note.code == DriftCode.NEW:
        return DriftedObject(note.address, dict(details), {}, "", note.code)
    before, after = details.get("before"), details.get("after")
    return DriftedObject(
        note.address,
        after if isinstance(after, dict) else {},
        before if isinstance(before, dict) else {},
        str(details.get("reason", "")),
        note.code,
    )
