"""What moved in a tenant since a plan was made, in sentences: who or what by name, what was
expected, and what was found.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from reconciler.kinds.products import PRODUCTS
from reconciler.kinds.snapshots import DESCRIPTION_OF, OTHER_HOLDERS_OF, ScopeRight
from reconciler.model.addresses import (
    ExchangePolicyAddress,
    TeamsGroupGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
    teams_group_grant,
    teams_policy,
)
from reconciler.model.plans import WidenedList
from reconciler.planning import naming, prefixes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.kinds.snapshots import SnapshotValue
    from reconciler.model.addresses import Provider
    from reconciler.model.observed import GroupAssignment, Observed
    from reconciler.model.plans import ListHolders, Plan, Step

_MOST_APPLICATIONS = 5
_LONGEST_DESCRIPTION = 60


class _Phrase(NamedTuple):
    """What is so, in three forms: `had no policy`, `have no policy` (after `should`), `has no
    policy`.
    """

    past: str
    infinitive: str
    present: str

    @classmethod
    def of(cls, past: str, infinitive: str, present: str, predicate: str) -> _Phrase:
        """Three forms of a verb before what they share."""
        return cls(f"{past} {predicate}", f"{infinitive} {predicate}", f"{present} {predicate}")


_EXISTING = _Phrase("existed", "exist", "exists")
_MISSING = _Phrase("did not exist", "not exist", "does not exist")


class _Speaker(Struct, frozen=True):
    """How the sentences of one comparison are spoken.

    Attributes:
        count: Number of the last step after which the tenant is expected to be as the plan says.
        names: Names for people, by lower-case id.
        spellings: Addresses of policies as a service or the plan spells them, by lower-case
            address.
    """

    count: int
    names: Mapping[str, str]
    spellings: Mapping[str, str]

    def sentence(self, address: str, expected: _Phrase, current: _Phrase) -> str:
        """`Carl <carl@contoso.com>: had no policy when this was planned, holds Old now (ADDRESS)`."""
        expectation = (
            f"should {expected.infinitive} after step {self.count}"
            if self.count
            else f"{expected.past} when this was planned"
        )
        spelled, name = self.spellings.get(address, address), self._name(address)
        sentence = f"{expectation}, {current.present} now"
        return f"{name}: {sentence} ({spelled})" if name else f"{spelled}: {sentence}"

    def application(self, application: str) -> str:
        """`crm (CLIENT ID)`."""
        name = self.names.get(application)
        return f"{name} ({application})" if name else application

    def policy(self, key: str) -> str:
        """The name of a policy, without what makes it an address."""
        address = teams_policy(key)
        return self.spellings.get(address, address).removeprefix(teams_policy(""))

    def _name(self, address: str) -> str:
        """What people call an object that has ids in its address; empty if no name is known."""
        match parse_address(address):
            case TeamsUserGrantAddress(subject) | TeamsGroupGrantAddress(subject):
                return self.names.get(subject, "")
            case ExchangePolicyAddress(application, scope):
                called = [self.names.get(part, "") for part in (application, scope)]
                return " on ".join(name for name in called if name)
            case _:
                return ""


class MovedObject(NamedTuple):
    """An object that is not as a plan leaves it.

    Attributes:
        entry: The entry of a snapshot that differs.
        address: Its address, as a snapshot has it.
        sentence: Who or what by name, what was expected, and what was found.
    """

    entry: str
    address: str
    sentence: str


def moved(
    plan: Plan,
    done: Sequence[Step],
    observed: Observed,
    wanted: Collection[Provider] | None = None,
) -> tuple[str, ...]:
    """A sentence for each difference between a tenant and the plan's state after these steps,
    sorted by address; empty if they are equal.

    `wanted`: the products that are compared (default: all that the plan rests on).
    """
    return tuple(each.sentence for each in moved_objects(plan, done, observed, wanted))


def moved_objects(
    plan: Plan,
    done: Sequence[Step],
    observed: Observed,
    wanted: Collection[Provider] | None = None,
) -> tuple[MovedObject, ...]:
    """The same with the address of each object. Arguments as of `moved`."""
    differences = prefixes.differences_after(plan, done, observed, wanted)
    lists = prefixes.held_by_others(plan, done, observed, wanted)
    if not (differences or lists):
        return ()
    count = done[-1].id if done else 0
    speaker = _speaker(plan, count, observed, differences.values())
    holders = {f"{OTHER_HOLDERS_OF}{row.address.lower()}": row for row in lists}
    return (
        *(
            MovedObject(name, address, sentence)
            for name, (expected, current) in sorted(differences.items())
            for address, sentence in _sentences(speaker, name, expected, current)
        ),
        *(
            MovedObject(name, row.address, f"{row.address}: {_held_otherwise(row)}")
            for name, row in sorted(holders.items())
            if name not in differences
        ),
    )


def _held_otherwise(row: WidenedList | ListHolders) -> str:
    change = "longer" if isinstance(row, WidenedList) else "shorter"
    return f"had other holders when this was planned, and its list gets {change} now"


def _speaker(
    plan: Plan,
    count: int,
    observed: Observed,
    pairs: Iterable[tuple[SnapshotValue, SnapshotValue]],
) -> _Speaker:
    # Objects that came since the plan was made have no name in it.
    ids = {
        member
        for pair in pairs
        for value in pair
        if isinstance(value, tuple)
        for member, _policy in value
    }
    for product, state in observed.states.items():
        ids |= PRODUCTS[product].names(state).keys()
    names = {**naming.of_ids(observed, ids), **plan.names}
    return _Speaker(count, names, prefixes.address_spellings(plan, observed))


def _sentences(
    speaker: _Speaker, name: str, expected: SnapshotValue, current: SnapshotValue
) -> Iterator[tuple[str, str]]:
    """What is said of one entry of a snapshot, behind the address of each object: one sentence, or
    one for each group whose grant moved.
    """
    address = name.removeprefix(DESCRIPTION_OF).removeprefix(OTHER_HOLDERS_OF)
    match expected, current:
        case (tuple(), tuple()):
            yield from _groups(speaker, expected, current)
        case (frozenset(), frozenset()):
            for sentence in _lists(speaker, address, expected, current):
                yield address, sentence
        case _:
            phrases = (_phrase(speaker, name, value) for value in (expected, current))
            if _only_described_differently(expected, current):
                phrases = (_described(_description(value)) for value in (expected, current))
            yield address, speaker.sentence(address, *phrases)


def _phrase(speaker: _Speaker, name: str, value: SnapshotValue) -> _Phrase:
    match value:
        case bool() if name.startswith(OTHER_HOLDERS_OF):
            return _Phrase.of(
                "was", "be", "is", f"held by {'somebody' if value else 'nobody'} else"
            )
        case str() | None if name.startswith(DESCRIPTION_OF):
            return _described(value)
        case str() | None if isinstance(parse_address(name), TeamsUserGrantAddress):
            return _holding(None if value is None else speaker.policy(value))
        case ScopeRight(right):
            return _Phrase.of("was", "be", "is", right)
        case frozenset():
            return _listing(_listed(speaker, sorted(value)) if value else "no application")
        case _:
            return _EXISTING if value is True else _MISSING


def _holding(policy: str | None, where: str = "") -> _Phrase:
    if policy is None:
        return _Phrase.of("had", "have", "has", "no policy")
    return _Phrase.of("held", "hold", "holds", f"{policy}{where}")


def _listing(applications: str) -> _Phrase:
    return _Phrase.of("listed", "list", "lists", applications)


def _only_described_differently(expected: SnapshotValue, current: SnapshotValue) -> bool:
    match expected, current:
        case (ScopeRight(before), ScopeRight(after)):
            return before is after
        case _:
            return False


def _description(value: SnapshotValue) -> str | None:
    return value.description if isinstance(value, ScopeRight) else None


def _described(text: str | None) -> _Phrase:
    if not text:
        return _Phrase.of("had", "have", "has", "no description")
    quoted = json.dumps(text[:_LONGEST_DESCRIPTION], ensure_ascii=False)
    cut = "…" if len(text) > _LONGEST_DESCRIPTION else ""
    return _Phrase.of("had", "have", "has", f"the description {quoted}{cut}")


def _lists(
    speaker: _Speaker, address: str, expected: frozenset[str], current: frozenset[str]
) -> Iterator[str]:
    """What left the list of a policy, and what entered it."""
    gone, new = sorted(expected - current), sorted(current - expected)
    if gone:
        pronoun = "it" if len(gone) == 1 else "them"
        after = _Phrase("", "", f"does not list {pronoun}")
        yield speaker.sentence(address, _listing(_listed(speaker, gone)), after)
    if new:
        listed, pronoun = _listed(speaker, new), "it" if len(new) == 1 else "them"
        before = _Phrase(f"did not list {listed}", f"not list {listed}", "")
        yield speaker.sentence(address, before, _Phrase("", "", f"lists {pronoun}"))


def _listed(speaker: _Speaker, applications: list[str]) -> str:
    names = ", ".join(map(speaker.application, applications[:_MOST_APPLICATIONS]))
    more = len(applications) - _MOST_APPLICATIONS
    return f"{names} and {more} more" if more > 0 else names


def _groups(
    speaker: _Speaker,
    expected: tuple[GroupAssignment, ...],
    current: tuple[GroupAssignment, ...],
) -> Iterator[tuple[str, str]]:
    """Groups that came, went, hold another policy, or are in another order.

    One that only moved up or down because of those is not said to have moved.
    """
    before, after = _places(expected), _places(current)
    stayed = before.keys() & after.keys()
    orders = [[row.group for row in rows if row.group in stayed] for rows in (expected, current)]
    reordered = {ours for ours, theirs in zip(*orders, strict=True) if ours != theirs}
    for group in sorted(before.keys() | after.keys()):
        earlier, later = before.get(group), after.get(group)
        regranted = earlier is None or later is None or earlier[0] != later[0]
        if regranted or group in reordered:
            phrases = (_standing(speaker, place) for place in (earlier, later))
            address = teams_group_grant(group)
            yield address, speaker.sentence(address, *phrases)


def _places(rows: tuple[GroupAssignment, ...]) -> dict[str, tuple[str, int]]:
    return {row.group: (row.policy, rank) for rank, row in enumerate(rows, 1)}


def _standing(speaker: _Speaker, place: tuple[str, int] | None) -> _Phrase:
    if place is None:
        return _holding(None)
    policy, rank = place
    return _holding(speaker.policy(policy), f" at rank {rank}")
