"""Which shapes of a regular expression take more than linear time on some text.

Judged on the parse tree of Python's own `re`, with sets of characters from a sample alphabet. What
may take quadratic time or worse is one of three shapes:

- *nested*: a repeat that can give back what it took, inside another repeat (`(a+)*`);
- *shared*: a repeat that can give back what it took, and a later one that can take that
  (`\\s*x?\\s*`, `\\S+;\\S+;`);
- *restarted*: a search that may begin anew at every character that a repeat took before it failed
  (`\\s+$`, `'A.*B`).

A possessive repeat or an atomic group (Python 3.11) gives nothing back; a pattern that is anchored,
or used by `match` or `fullmatch`, does not begin anew.
"""

from __future__ import annotations

import re
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Chars = frozenset[str]
Alternatives = tuple[tuple[int, int], ...]
"""Which alternative of which branch, by the branch's identity."""
_ALPHABET: Final[Chars] = frozenset(map(chr, range(128))) | frozenset(
    "\x85\xa0é–\u2028中\U0001f600"
)
UNBOUNDED: Final = 200
"""From this many repetitions on a repeat counts as one without bound."""
_REPEATS: Final = {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}


class _Repeat(NamedTuple):
    """A repeat without bound: what it can take, whether it may give some of that back, whether it is
    inside another one, whether something must follow it, and in which alternatives it stands.
    """

    chars: Chars
    gives_back: bool
    nested: bool
    must_go_on: bool
    alternatives: Alternatives

    def is_before(self, other: _Repeat) -> bool:
        """Whether both can take part in one match, this one first; it stands first in the pattern."""
        mine, others = dict(self.alternatives), dict(other.alternatives)
        return self.nested or all(mine[one] == others[one] for one in mine.keys() & others.keys())


def faults(pattern: str, flags: int = 0, *, searching: bool = True) -> list[str]:
    """The shapes that are wrong with a pattern, by name."""
    tree = parser.parse(pattern, flags)
    used = tree.state.flags
    found = set()
    for branch in _branches(list(tree)):
        repeats = list(_repeats(branch, frozenset(), _Context(used)))
        found |= {"nested" for one in repeats if one.gives_back and one.nested}
        found |= {
            "shared"
            for index, one in enumerate(repeats)
            if one.gives_back
            and any(
                one.chars & later.chars and one.is_before(later) for later in repeats[index + 1 :]
            )
        }
        starts = _starts(branch, used) if searching else frozenset()
        found |= {"restarted" for one in repeats if one.must_go_on and one.chars & starts}
    return sorted(found)


def _branches(nodes: list[Any]) -> list[list[Any]]:
    """The alternatives of a whole pattern, each as a sequence."""
    if len(nodes) == 1 and nodes[0][0] is constants.BRANCH:
        return [list(one) for one in nodes[0][1][1]]
    if nodes and nodes[-1][0] is constants.BRANCH and len(nodes) > 1:
        return [[*nodes[:-1], *one] for one in nodes[-1][1][1]]
    return [nodes]


def _starts(branch: Sequence[Any], flags: int) -> Chars:
    """Characters at which a search may begin anew; none if it is anchored."""
    if branch and branch[0] == (constants.AT, constants.AT_BEGINNING):
        return frozenset("\n") if flags & re.MULTILINE else frozenset()
    if branch and branch[0] == (constants.AT, constants.AT_BEGINNING_STRING):
        return frozenset()
    return _first(branch, frozenset(), flags)


class _Context(NamedTuple):
    """Where a sequence stands.

    Attributes:
        flags: those of the pattern.
        nested: whether it is inside a repeat without bound.
        must: whether something must follow it.
        giving: whether it can be entered again from behind.
        alternatives: those that it is part of.
    """

    flags: int
    nested: bool = False
    must: bool = False
    giving: bool = True
    alternatives: Alternatives = ()


def _repeats(nodes: Sequence[Any], after: Chars, context: _Context) -> Iterator[_Repeat]:
    """The repeats without bound of a sequence that `after` may follow, in order."""
    for index, (kind, value) in enumerate(nodes):
        rest = nodes[index + 1 :]
        follow = _first(rest, after, context.flags)
        here = context._replace(must=context.must or not _nullable(rest))
        if kind in _REPEATS:
            yield from _repeat(kind, value, follow, here)
            continue
        here = here._replace(giving=here.giving and kind is not constants.ATOMIC_GROUP)
        for number, inner in enumerate(_inner(kind, value)):
            way = (*here.alternatives, (id(value), number))
            yield from _repeats(inner, follow, here._replace(alternatives=way))


def _repeat(kind: Any, value: Any, follow: Chars, context: _Context) -> Iterator[_Repeat]:
    _, most, body = value
    endless = most >= UNBOUNDED
    chars = _first(body, frozenset(), context.flags)
    giving = context.giving and kind is not constants.POSSESSIVE_REPEAT
    if endless:
        yield _Repeat(
            _all(body, context.flags),
            giving and bool(chars & follow),
            context.nested,
            context.must,
            context.alternatives,
        )
    inside = context._replace(nested=context.nested or endless, giving=giving)
    yield from _repeats(body, follow | chars, inside)


def _inner(kind: Any, value: Any) -> list[Any]:
    if kind is constants.SUBPATTERN:
        return [value[3]]
    if kind is constants.ATOMIC_GROUP:
        return [value]
    if kind is constants.BRANCH:
        return list(value[1])
    if kind in {constants.ASSERT, constants.ASSERT_NOT}:
        return [value[1]]
    return []


def _nullable(nodes: Sequence[Any]) -> bool:
    return all(_can_be_empty(kind, value) for kind, value in nodes)


def _can_be_empty(kind: Any, value: Any) -> bool:
    """Whether a node always matches, at least the empty text."""
    if kind in _REPEATS:
        return value[0] == 0 or _nullable(value[2])
    if kind is constants.BRANCH:
        return any(map(_nullable, value[1]))
    if kind in {constants.SUBPATTERN, constants.ATOMIC_GROUP}:
        return all(map(_nullable, _inner(kind, value)))
    return False


def _first(nodes: Sequence[Any], after: Chars, flags: int) -> Chars:
    """What a sequence may begin with, or what follows it where it may be empty."""
    found: set[str] = set()
    for kind, value in nodes:
        if kind in {constants.AT, constants.ASSERT, constants.ASSERT_NOT}:
            continue  # takes no character
        if kind in _REPEATS:
            found |= _first(value[2], frozenset(), flags)
        elif kind in {constants.SUBPATTERN, constants.ATOMIC_GROUP, constants.BRANCH}:
            for inner in _inner(kind, value):
                found |= _first(inner, frozenset(), flags)
        else:
            found |= _chars(kind, value, flags)
        if not _can_be_empty(kind, value):
            return frozenset(found)
    return frozenset(found) | after


def _all(nodes: Sequence[Any], flags: int) -> Chars:
    """Every character that a sequence may take."""
    found: set[str] = set()
    for kind, value in nodes:
        if kind in _REPEATS:
            found |= _all(value[2], flags)
        elif inner := _inner(kind, value):
            for one in inner:
                found |= _all(one, flags)
        elif kind is not constants.AT:
            found |= _chars(kind, value, flags)
    return frozenset(found)


def _chars(kind: Any, value: Any, flags: int) -> Chars:
    if kind is constants.ANY:
        return _ALPHABET if flags & re.DOTALL else _ALPHABET - {"\n"}
    if kind is constants.LITERAL:
        return _cased(frozenset({chr(value)}), flags)
    if kind is constants.NOT_LITERAL:
        return _ALPHABET - _cased(frozenset({chr(value)}), flags)
    if kind is constants.IN:
        negated = value[0][0] is constants.NEGATE
        members: set[str] = set()
        for one in value[negated:]:
            members |= _member(*one)
        taken = _cased(frozenset(members), flags)
        return _ALPHABET - taken if negated else taken
    return _ALPHABET  # a reference to a group: anything


def _member(kind: Any, value: Any) -> Chars:
    if kind is constants.RANGE:
        low, high = value
        return frozenset(char for char in _ALPHABET if low <= ord(char) <= high) or frozenset(
            {chr(low)}
        )
    if kind is constants.CATEGORY:
        return frozenset(filter(re.compile(_CATEGORIES[value]).fullmatch, _ALPHABET))
    return frozenset({chr(value)})


def _cased(chars: Chars, flags: int) -> Chars:
    if not flags & re.IGNORECASE:
        return chars
    return frozenset(one for char in chars for one in (char.lower(), char.upper()))


_CATEGORIES: Final = {
    constants.CATEGORY_DIGIT: r"\d",
    constants.CATEGORY_NOT_DIGIT: r"\D",
    constants.CATEGORY_SPACE: r"\s",
    constants.CATEGORY_NOT_SPACE: r"\S",
    constants.CATEGORY_WORD: r"\w",
    constants.CATEGORY_NOT_WORD: r"\W",
}
