"""Names of a plan as people read them: short where nothing else is called so, with the id where
there is no name or two things share one.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, assert_never

from msgspec.json import encode

from reconciler.guids import GUID, guid
from reconciler.kinds.facts import facts
from reconciler.model.addresses import (
    EVERY_APPLICATION,
    PROVIDERS,
    ExchangeApplicationAddress,
    ExchangePolicyAddress,
    TeamsApplicationAddress,
    TeamsGroupGrantAddress,
    TeamsPolicyAddress,
    TeamsTenantGrantAddress,
    TeamsUserGrantAddress,
    parse_address,
)
from reconciler.model.figures import is_grant
from reconciler.reports import values
from reconciler.reports.review.value import Name, NameKind, Phrase
from reconciler.reports.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from reconciler.canonical import Json
    from reconciler.model.plans import Plan

OTHERS = "every application without a policy of its own"
LONGEST_NAME = 60
"""Characters of a name that are shown; the rest is cut, and the id is shown beside it."""
SHORT_ID = 8
"""Characters of an application's client id that stand for it where it has no name, at least."""

_PLAIN = re.compile(r"[\w.'@()&+/<>\[\]{}#$%*=!?|~^`\\ -]+")
"""What can be read inside a list without quotes: no comma, no semicolon, no colon, no quote."""


class Naming:
    """Names of one tenant or plan.

    Args:
        names: ids to names.
        client_ids: the applications that appear, beside which the id of one without a name is
            shortened.
    """

    def __init__(self, names: Mapping[str, str], client_ids: Iterable[str] = ()) -> None:
        self._names = names
        self._made: dict[tuple[str, NameKind], Name] = {}
        self._lengths = _telling_lengths(set(filter(None, map(guid, set(client_ids)))))

    @classmethod
    def of_plan(cls, plan: Plan) -> Self:
        """The names of a plan."""
        return cls(plan.names, _client_ids(plan))

    @cached_property
    def _uses(self) -> Counter[str]:
        """How many ids are called by each name, short or long."""
        uses: Counter[str] = Counter()
        for full in self._names.values():
            uses.update({_folded(full), _folded(_short(full))})
        return uses

    def application(self, client_id: str) -> Name:
        """An application, by its client id or `*`."""
        if client_id == EVERY_APPLICATION:
            return Name(OTHERS, client_id, NameKind.APPLICATION)
        return self.of(client_id, NameKind.APPLICATION)

    def person(self, object_id: str) -> Name:
        """A user or a mailbox."""
        return self.of(object_id, NameKind.PERSON)

    def group(self, object_id: str) -> Name:
        """A group, or the scope of an Exchange policy."""
        return self.of(object_id, NameKind.GROUP)

    def of(self, object_id: str, kind: NameKind = NameKind.OBJECT) -> Name:
        """Whatever has this id; a text that no id is known for is its own name."""
        made = self._made.get((object_id, kind))
        if made is None:
            made = self._made[object_id, kind] = self._name(object_id, kind)
        return made

    def _name(self, object_id: str, kind: NameKind) -> Name:
        full = self._names.get(object_id.lower())
        if not full:
            short = self._short_id(object_id) if kind is NameKind.APPLICATION else ""
            return Name(readable(object_id), object_id, kind, missing=True, short=short)
        short = _short(full)
        if self._uses[_folded(short)] == 1:
            return Name(readable(short), object_id, kind, ambiguous=len(short) > LONGEST_NAME)
        ambiguous = self._uses[_folded(full)] > 1 or len(full) > LONGEST_NAME
        return Name(readable(full), object_id, kind, ambiguous=ambiguous)

    def _short_id(self, client_id: str) -> str:
        if guid(client_id) is None:
            return ""
        length = self._lengths.get(client_id.lower(), SHORT_ID)
        return client_id[:length] if length < len(client_id) else ""

    def address(self, address: str) -> Phrase:
        """The object of an address."""
        match parse_address(address):
            case TeamsPolicyAddress(name):
                phrase: Phrase = (Name(readable(name), kind=NameKind.POLICY),)
            case TeamsUserGrantAddress(user):
                phrase = (self.person(user),)
            case TeamsGroupGrantAddress(group):
                phrase = ("group ", self.group(group))
            case TeamsTenantGrantAddress():
                phrase = ("everyone without a grant",)
            case TeamsApplicationAddress(application) | ExchangeApplicationAddress(application):
                phrase = (self.application(application),)
            case ExchangePolicyAddress(application, scope):
                phrase = (self.application(application), " on ", self.group(scope))
            case None:
                phrase = (self.of(address),) if address not in PROVIDERS else (_title(address),)
            case unknown:
                assert_never(unknown)
        return phrase

    def value(self, value: Json) -> Phrase:
        """A value of a note: ids by their names, lists cut with a count of the rest."""
        if isinstance(value, str):
            return (self.of(value, NameKind.TEXT),)
        if not isinstance(value, (list, tuple)):
            return (values.quoted(value),)
        if not value:
            return ("none",)
        shown: list[str | Name] = []
        for item in value[:_MOST_MEMBERS]:
            shown += [", "] if shown else []
            shown += self.value(item) if isinstance(item, str) else (values.quoted(item),)
        more = len(value) - _MOST_MEMBERS
        return (*shown, f" and {more} more") if more > 0 else tuple(shown)


_MOST_MEMBERS = 10
_GRANT = "teams.grant/"


def _telling_lengths(client_ids: Iterable[str]) -> Mapping[str, int]:
    """How many characters of each id tell it from its neighbours in order, SHORT_ID at least."""
    ordered = sorted(client_ids)
    lengths = dict.fromkeys(ordered, SHORT_ID)
    for client_id, following in pairwise(ordered):
        telling = 1 + next(
            place for place in range(len(client_id)) if client_id[place] != following[place]
        )
        lengths[client_id] = max(lengths[client_id], telling)
        lengths[following] = max(lengths[following], telling)
    return lengths


def _client_ids(plan: Plan) -> Iterator[str]:
    """Every text in a plan that may be the client id of an application; grants, which may be many,
    have none.
    """
    if plan.access is not None:
        yield from (row.application for row in plan.access.gained)
        yield from (row.application for row in plan.access.lost)
        yield from (row.application for row in plan.access.tenant_wide)
    yield from (row.application for row in plan.gaps or ())
    yield from (row.application for row in plan.tests)
    changes = [change for change in plan.changes if not is_grant(change)]
    steps = [step for step in plan.steps if not step.address.startswith(_GRANT)]
    unmanaged = [note for note in plan.unmanaged if not note.address.startswith(_GRANT)]
    notes = (plan.refusals, plan.unresolved, plan.displaced, plan.held, plan.warnings)
    text = encode([changes, steps, unmanaged, *notes, plan.consents]).decode()
    yield from GUID.findall(text.lower())


def readable(text: str) -> str:
    """A text of others on one line: in quotes where it could be read as two, or as our words, and
    cut where it is very long.
    """
    if text.isascii() and len(text) <= LONGEST_NAME and _PLAIN.fullmatch(text):
        return text if text == text.strip() else values.quoted(text)
    shown = _cut(text)
    return shown if _PLAIN.fullmatch(shown) and shown == shown.strip() else values.quoted(shown)


def _cut(text: str) -> str:
    """At most LONGEST_NAME characters as they are shown, where an invisible one takes several."""
    if len(text) <= LONGEST_NAME and len(visible(text)) <= LONGEST_NAME:
        return text
    length = 0
    for index, char in enumerate(text):
        length += len(visible(char))
        if length >= LONGEST_NAME:
            return f"{text[:index]}…"
    return text


def _title(provider: str) -> str:
    return next(facts(name).title for name in PROVIDERS if name == provider)


def _short(full: str) -> str:
    """The display name of `Alex Wilber <alex.wilber@contoso.com>`."""
    display, opening, _ = full.rpartition(" <")
    return display if display and opening and full.endswith(">") else full


def _folded(name: str) -> str:
    return name.casefold()
