"""Annotations as SARIF 2.1.0 (OASIS Standard), for code scanning and editors."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler import __version__
from reconciler.reports.annotated import Level
from reconciler.reports.json import json_text
from reconciler.reports.lines import SIMULATED, counted
from reconciler.reports.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.rules import DocumentRule
    from reconciler.model.findings import Position
    from reconciler.reports.annotated import Annotated, Annotation

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
BASE: Final = "%SRCROOT%"
"""What relative paths start from: the folder that the command was started in."""
FINGERPRINT: Final = "reconciler/v1"
"""Key of the fingerprints. Not `primaryLocationLineHash`: that one GitHub's upload computes."""
MOST_RESULTS: Final = 5000
"""GitHub keeps no more of a run (its documentation, "Validating your SARIF file")."""

_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTICE: "note"}
_INDEX = re.compile(r"\[\d+\]")
_PLACE = re.compile(r":\d+:\d+\b")


def sarif_log(value: Annotated, rules: Sequence[DocumentRule], *, successful: bool = True) -> str:
    """One log with one run: every rule, and a result for each annotation, worst first; `successful`
    is false of a run that could not look at everything.
    """
    shown = value.annotations[:MOST_RESULTS]
    indexes = {rule.id: index for index, rule in enumerate(rules)}
    run: dict[str, Json] = {
        "automationDetails": {"id": f"reconciler-{value.command}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": successful,
                "toolExecutionNotifications": list(_notes(value, len(shown))),
            }
        ],
        "originalUriBaseIds": {
            BASE: {"description": {"text": "The folder that reconciler was started in."}}
        },
        "results": [
            _result(annotation, fingerprint, indexes)
            for annotation, fingerprint in zip(shown, _fingerprints(shown), strict=True)
        ],
        "tool": {
            "driver": {
                "name": "reconciler",
                "rules": [_rule(rule) for rule in rules],
                "semanticVersion": __version__,
            }
        },
    }
    return json_text({"$schema": SCHEMA, "runs": [run], "version": "2.1.0"})


def _notes(value: Annotated, shown: int) -> Iterator[Json]:
    """What is not a result: what was judged, and whether that is all."""
    if value.simulated:
        yield {"level": "note", "message": {"text": SIMULATED.text}}
    yield {"level": "note", "message": _text(f"{value.ground}: {value.summary}")}
    left_out = len(value.annotations) - shown
    if left_out:
        text = f"{counted(left_out, 'more result')} not shown: correct these first"
        yield {"level": "warning", "message": {"text": text}}


def _rule(rule: DocumentRule) -> Json:
    return {
        "fullDescription": _text(rule.why),
        "help": _text(rule.why),
        "id": rule.id,
        "shortDescription": _text(rule.title),
    }


def _result(annotation: Annotation, fingerprint: str, indexes: Mapping[str, int]) -> Json:
    result: dict[str, Json] = {
        "level": _LEVELS[annotation.level],
        "message": _text(annotation.message, *annotation.advice),
        "partialFingerprints": {FINGERPRINT: fingerprint},
        "ruleId": annotation.rule,
    }
    if annotation.rule in indexes:
        result["ruleIndex"] = indexes[annotation.rule]
    if annotation.place is not None:
        result["locations"] = [_location(annotation.place, annotation.path)]
    return result


def _location(place: Position, path: str) -> Json:
    location: dict[str, Json] = {
        "physicalLocation": {
            "artifactLocation": _artifact(place.file),
            "region": {"startColumn": place.column, "startLine": place.line},
        }
    }
    if path:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(path)}]
    return location


def _artifact(file: str) -> Json:
    """Where a file is: relative to the folder of the run, unless it was named otherwise."""
    path = PurePath(file)
    # a name that has no UTF-8 has no URI either: it is marked, and so leads to no file
    uri = quote(path.as_posix(), errors="backslashreplace")
    if path.is_absolute():
        return {"uri": f"file://{uri if uri.startswith('/') else '/' + uri}"}
    return {"uri": uri, "uriBaseId": BASE}


def _fingerprints(annotations: Sequence[Annotation]) -> Iterator[str]:
    """What each is about, as a hash: the same when lines above it come and go, items of a list are
    put before it, or others of another kind are corrected; equal ones are numbered.
    """
    seen: Counter[str] = Counter()
    for annotation in annotations:
        file = "" if annotation.place is None else PurePath(annotation.place.file).as_posix()
        about = "\0".join((annotation.rule, file, *annotation.identity))
        steady = _PLACE.sub("", _INDEX.sub("[]", about))
        hashed = sha256(steady.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[hashed] += 1
        yield f"{hashed}:{seen[hashed]}"


def _text(*lines: str) -> Json:
    """A message without anything invisible, or a link (section 3.11.6 of the standard), in it."""
    return {"text": "\n".join(visible(line).replace("](", "\\](") for line in lines)}
