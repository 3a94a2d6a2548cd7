"""The text of one file to its trees, going on after what cannot be parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct

from reconciler.documents import rules
from reconciler.documents.merge_conflicts import conflicts
from reconciler.documents.placeholders import unquoted_variable
from reconciler.documents.repeated_lines import thinned
from reconciler.documents.trees import DEEPEST, MisplacedLinesError, TooDeepError, Tree, TreeReader
from reconciler.model.findings import Finding, Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)

_COMMENT = re.compile(r"^[^\S\n]*+#", re.MULTILINE)

_READ_AHEAD = 16
"""After so many faults of a file each document is parsed by itself: parsing all that is left after
each would take a thousand times the file for a thousand faults.
"""

_ADVICE = {
    "mapping values are not allowed in this context": (
        "put quotes around a string that contains `: `, or check the indentation"
    ),
    "could not find expected ':'": (
        "a key needs a `:` and a space after it; a multi-line string needs `>-`"
    ),
    "did not find expected key": "check the indentation against the lines above",
    "did not find expected '-' indicator": "check the indentation against the lines above",
    "did not find expected <document start>": (
        "check the indentation, or separate documents with `---`"
    ),
    "did not find expected ',' or ']'": "close the list with `]`",
    "did not find expected ',' or '}'": "close the map with `}`",
    "did not find expected node content": "a value is missing here",
    "found unexpected end of stream": "close the quotes or brackets",
    "found unexpected document indicator": "close the quotes or brackets before `---`",
    "found character that cannot start any token": (
        "put quotes around a string that starts with `@`, `%`, `` ` `` or another special character"
    ),
    "found unknown escape character": (
        "in double quotes write a backslash as `\\\\`, or use single quotes"
    ),
}
_NO_CHARACTER = "found invalid Unicode character escape code"
_BROKEN = frozenset({rules.SYNTAX.id, rules.KEY.id})
"""Rules that a variable without quotes breaks."""
_TOO_DEEP = "exceeded maximum nesting depth"
"""As libyaml 0.2.6 says it, which gives up by itself at 1,000 levels that it reads ahead."""
_NESTED = f"nested too deeply, the limit is {DEEPEST} levels: reduce the nesting"


class Parsed(Struct, frozen=True):
    """What a file's text holds, as far as it can be read."""

    trees: list[Tree]
    findings: list[Finding]


class _Source(Struct, frozen=True):
    text: str
    file: str
    parser: Callable[[str], Any]


def c_parser(text: str) -> Any:
    """PyYAML's parser in C, ten times as fast; the one in Python where PyYAML was built without it."""
    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else pure_parser(text)


def pure_parser(text: str) -> Any:
    """PyYAML's parser in Python."""
    return yaml.SafeLoader(text)


def parse_yaml(text: str, file: str, parser: Callable[[str], Any] = c_parser) -> Parsed:
    """Parse the text of a file, which must hold no character that YAML refuses.

    Args:
        text: the whole file.
        file: its name, as findings shall spell it.
        parser: makes an event parser of PyYAML.
    """
    if unresolved := [*conflicts(text, file)]:
        return Parsed([], unresolved)
    source, parsed = _Source(text, file, parser), Parsed([], [])
    start = None if _parse_without_repeated_lines(source, parsed) else _Start(0, 0, 0)
    while start is not None:
        start = _parse_from(start, source, parsed)
    findings = [*_with_variables(parsed.findings, text), *_emptiness(text, parsed, file)]
    return Parsed([tree for tree in parsed.trees if tree.value is not None], findings)


class _Start(Struct, frozen=True):
    """Where parsing begins again: index and lines before it; and how many faults led there."""

    index: int
    skipped: int
    faults: int


def _parse_from(start: _Start, source: _Source, into: Parsed) -> _Start | None:
    """Parse until the end or the first fault; returns where to go on."""
    alone = start.faults >= _READ_AHEAD
    end = _next_document(source.text, start.index + 1) if alone else None
    remaining, skipped = source.text[start.index : end], start.skipped
    reader = TreeReader(remaining, source.file, skipped)
    stopped: Finding | None = None
    try:
        for tree in reader.trees(source.parser(remaining)):
            into.trees.append(tree)
    except TooDeepError as fault:
        stopped = Finding(Position(source.file, *fault.place), "$", rules.TOO_DEEP.id, _NESTED)
    except yaml.YAMLError as fault:
        stopped = _syntax(fault, source.file, skipped)
    into.findings.extend(reader.findings)
    following = end
    if stopped is not None:
        into.findings.append(stopped)
        line = _line_start(source.text, start.index, stopped.position.line - 1 - skipped)
        following = _next_document(source.text, max(line, start.index + 1))
    if following is None:
        return None
    lines = source.text.count("\n", start.index, following)
    return _Start(following, skipped + lines, start.faults + (stopped is not None))


def _parse_without_repeated_lines(source: _Source, into: Parsed) -> bool:
    """Parse a whole file without the inner lines of its repeated lines; false if it has none, or if
    they are not the list items that they look like.

    Tried once for a file and not again after a fault: with a thousand faults the rest would be
    searched a thousand times.
    """
    text, blocks = thinned(source.text)
    reader = TreeReader(text, source.file, 0, blocks)
    try:
        trees = list(reader.trees(source.parser(text))) if blocks else []
    except (yaml.YAMLError, TooDeepError, MisplacedLinesError):
        return False
    if not blocks or reader.blocks:
        return False
    into.trees.extend(trees)
    into.findings.extend(reader.findings)
    return True


def _line_start(text: str, start: int, lines: int) -> int:
    """Where the line begins that is so many lines after the one of an index."""
    begin = start
    for _ in range(lines):
        begin = text.find("\n", begin) + 1
    return begin


def _next_document(text: str, start: int) -> int | None:
    """Where the next `---` from an index on is; it ends whatever came before, quoted texts too."""
    following = _DOCUMENT_START.search(text, start)
    return following.start() if following else None


def _syntax(fault: yaml.YAMLError, file: str, skipped: int) -> Finding:
    mark = getattr(fault, "problem_mark", None)
    problem = str(getattr(fault, "problem", None) or "cannot be parsed")
    place = (skipped + 1, 1) if mark is None else (mark.line + skipped + 1, mark.column + 1)
    if problem == _NO_CHARACTER:
        message = "the escape is not a character (a lone surrogate?): write the character itself"
        return Finding(
            Position(file, place[0], place[1] - len("\\u")), "$", rules.UNFIT_CHARACTER.id, message
        )
    if problem == _TOO_DEEP:
        return Finding(Position(file, *place), "$", rules.TOO_DEEP.id, _NESTED)
    context = getattr(fault, "context", None)
    where = f" {context}" if context else ""
    advice = _ADVICE.get(problem, "correct it; the cause may be just before this place")
    return Finding(
        Position(file, *place), "$", rules.SYNTAX.id, f"invalid YAML:{where} {problem}; {advice}"
    )


def _with_variables(findings: Sequence[Finding], text: str) -> Iterator[Finding]:
    """Findings, with the variable of another tool in the place of the syntax that its braces broke."""
    lines = text.split("\n") if any(finding.rule in _BROKEN for finding in findings) else []
    for finding in findings:
        at, number = finding.position, finding.position.line
        line = lines[number - 1] if finding.rule in _BROKEN and number <= len(lines) else ""
        if (variable := unquoted_variable(line)) is None:
            yield finding
        else:
            column, message = variable
            place = Position(at.file, number, column + 1)
            yield Finding(place, finding.path, rules.VARIABLE.id, message)


def _emptiness(text: str, parsed: Parsed, file: str) -> list[Finding]:
    if not parsed.trees and not parsed.findings and not _COMMENT.search(text):
        return [
            Finding(
                Position(file, 1, 1),
                "$",
                rules.EMPTY.id,
                "the file is empty: delete it, or add a comment that says why it is kept",
            )
        ]
    reported = {finding.position for finding in parsed.findings}
    empty = [
        tree
        for tree in parsed.trees
        if tree.value is None and Position(file, *tree.place) not in reported
    ]
    message = "the document is empty: remove its `---`, or add its content"
    return [
        Finding(Position(file, tree.first_line, 1), "$", rules.EMPTY.id, message) for tree in empty
    ]
