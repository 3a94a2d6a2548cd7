"""What comes right under the verdict when a plan is compared with the documents of an earlier
commit.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, assert_never

from reconciler.kinds.facts import facts
from reconciler.model.addresses import (
    GLOBAL,
    ExchangePolicyAddress,
    TeamsPolicyAddress,
    name_key,
    parse_address,
    provider_of,
)
from reconciler.model.codes import RefusalRule
from reconciler.model.since import UndeclaredPart, Weight
from reconciler.reports import sentences, values
from reconciler.reports.lines import counted
from reconciler.reports.review.naming import readable
from reconciler.reports.review.notes import filled_sentence
from reconciler.reports.review.value import MOST_ROWS, Name, Phrase, SinceLine, SinceReview
from reconciler.reports.wrapping import enumerated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.plans import Note
    from reconciler.model.since import DecisiveEdit, NoLongerDeclared, Since
    from reconciler.reports.review.naming import Naming

SHOWN = 12
"""Digits of a commit that a person is shown."""
UNCLEAR = "edited or drifted"
_ORDER = (Weight.WEAKENS, Weight.CHANGES, Weight.STRENGTHENS)


def since_review(since: Since, naming: Naming) -> SinceReview:
    """What is said of a comparison, the gravest first."""
    lines = (
        *(_decisive(edit, naming) for edit in sorted(since.decisive, key=_gravity)),
        *(_beyond(note, naming) for note in since.beyond_limits),
        *_undeclared(since.undeclared, naming),
        *_unread(since),
    )
    return SinceReview(_title(since), lines)


def origins(since: Since) -> Mapping[str, str]:
    """Why each object changes, in words, by address."""
    return {
        **dict.fromkeys(since.edited, "edited"),
        **dict.fromkeys(since.drifted, "drifted"),
        **dict.fromkeys(since.unclear, UNCLEAR),
    }


def _title(since: Since) -> Phrase:
    edited, drifted, unclear = len(since.edited), len(since.drifted), len(since.unclear)
    counts = [f"{counted(edited, 'difference')} edited in the documents" if edited else ""]
    counts.append(f"{counted(drifted, 'difference')} drifted in the tenant" if drifted else "")
    counts.append(
        f"{counted(unclear, 'difference')} edited or drifted, not told apart" if unclear else ""
    )
    counted_all = ", ".join(filter(None, counts)) or "no difference to tell apart"
    return (
        "Since ",
        Name(readable(since.ref)),
        " (merge base ",
        Name(since.commit[:SHOWN]),
        f"): {counted_all}.",
    )


def _gravity(edit: DecisiveEdit) -> tuple[int, str, str, str]:
    return (_ORDER.index(edit.weight), edit.about, edit.setting, values.quoted(edit.after))


def _decisive(edit: DecisiveEdit, naming: Naming) -> SinceLine:
    about: Phrase = ("Edited: ", Name(readable(edit.about)))
    weaker = " (weaker)" if edit.weight is Weight.WEAKENS else ""
    if isinstance(edit.before, dict) and "access" in edit.before:
        phrase = _expectation(edit.before, edit.after, naming)
    elif edit.before is None:
        phrase = (f" {edit.setting}: added ", *_entry(edit.after, naming))
    elif edit.after is None:
        phrase = (f" {edit.setting}: removed ", *_entry(edit.before, naming))
    else:
        phrase = (f" {edit.setting}: ", *_value(edit.before), " -> ", *_value(edit.after))
    return SinceLine(edit.weight is not Weight.STRENGTHENS, (*about, *phrase, weaker))


def _value(value: Json) -> Phrase:
    return (Name(readable(value)) if isinstance(value, str) else values.quoted(value),)


def _entry(value: Json, naming: Naming) -> Phrase:
    """An entry of a list, whole: of a consent its end matters most; of an accepted object which."""
    if isinstance(value, dict) and isinstance(address := value.get("address"), str):
        return (*naming.address(address), " (", Name(address), ")")
    return (Name(values.quoted(value)),)


def _expectation(before: Mapping[str, Json], after: Json, naming: Naming) -> Phrase:
    """An expectation that nobody states any more, or of which the opposite is stated."""
    subject = next(before[key] for key in sorted(before.keys() - {"access", "application"}))
    pair: Phrase = (
        naming.application(str(before["application"])),
        " on ",
        Name(readable(str(subject))),
    )
    if isinstance(after, dict):
        return (" expects ", *pair, f" to be {after['access']}, no longer {before['access']}")
    return (" no longer expects ", *pair, f" to be {before['access']}")


def _beyond(note: Note, naming: Naming) -> SinceLine:
    """What the plan takes or gives more than the merge base allowed."""
    concerned = str(note.details.get("concerned") or "")
    about: Phrase = ()
    if concerned or note.code == RefusalRule.WIDENING:
        about = (" (", *naming.address(concerned or note.address), ")")
    sentence = filled_sentence(sentences.refusal(note.code).what, note, naming)
    return SinceLine(True, ("Beyond the limits of the merge base", *about, ": ", *sentence))


def _undeclared(rows: Sequence[NoLongerDeclared], naming: Naming) -> Iterator[SinceLine]:
    """What stays, with the way to remove it; alike ones together."""
    if not rows:
        return
    objects = len(rows)
    verb = "is" if objects == 1 else "are"
    stays = "it stays" if objects == 1 else "they stay"
    noun = counted(objects, "object")
    yield SinceLine(True, (f"{noun} {verb} no longer declared; {stays}:",))
    ordered = sorted(rows, key=lambda row: (_way(row), row))
    for way, alike in groupby(ordered, key=_way):
        names = [_named(row, naming) for row in alike]
        yield SinceLine(True, ("  ", *enumerated(names, MOST_ROWS), f". To remove: {way}"))


def _named(row: NoLongerDeclared, naming: Naming) -> Phrase:
    title = facts(provider_of(row.address)).title
    about = naming.address(row.address)
    match row.part:
        case UndeclaredPart.OBJECT:
            grants = f" with {counted(row.grants, 'grant')}" if row.grants else ""
            unseen = "" if row.seen else f" (if it is there: {title} was not read)"
            return (f"{title} policy ", *about, grants, unseen)
        case UndeclaredPart.APPLICATIONS:
            return ("the applications of ", *about)
        case UndeclaredPart.USERS:
            return (f"{counted(row.grants, 'grant')} of ", *about, " to users")
        case UndeclaredPart.GROUPS:
            return (f"{counted(row.grants, 'grant')} of ", *about, " to groups")
        case _:
            assert_never(row.part)


def _way(row: NoLongerDeclared) -> str:
    """The edit of the documents that removes what stays."""
    address = parse_address(row.address)
    is_global = isinstance(address, TeamsPolicyAddress) and name_key(address.name) == GLOBAL
    match row.part:
        case UndeclaredPart.USERS:
            return "declare the policy with `grants: {users: []}`."
        case UndeclaredPart.GROUPS:
            return "declare the policy with `grants: {groups: []}`."
        case UndeclaredPart.APPLICATIONS:
            return "list in `applications` those that it shall have, or none (`[]`)."
        case UndeclaredPart.OBJECT if is_global:
            return "declare a policy `Global` with `applications: []`."
        case UndeclaredPart.OBJECT if isinstance(address, ExchangePolicyAddress):
            return (
                "declare it with `ensure: absent`. Without its last RestrictAccess an application"
                " reaches every mailbox, which the plan then says."
            )
        case UndeclaredPart.OBJECT:
            return "declare it with `ensure: absent`."
        case _:
            assert_never(row.part)


def _unread(since: Since) -> Iterator[SinceLine]:
    if not since.unread:
        return
    number = len(since.unread)
    broken = "breaks a rule of today and is" if number == 1 else "break a rule of today and are"
    text = (
        f"{counted(number, 'document')} of the merge base {broken} not compared: what was declared"
        " there is not named."
    )
    yield SinceLine(True, (text,))
    for row in since.unread[:MOST_ROWS]:
        place = Name(f"{row.file}:{row.line}")
        yield SinceLine(True, ("  ", place, " ", Name(row.message)))
    if number > MOST_ROWS:
        yield SinceLine(True, (f"  and {number - MOST_ROWS} more: --format json lists all",))
    if not since.limits_judged:
        text = "Whether the plan exceeds the limits of the merge base could not be judged."
        yield SinceLine(True, (text,))
