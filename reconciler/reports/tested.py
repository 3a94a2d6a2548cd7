"""The report of `reconciler test`: every expectation, for people, as JSON, as JUnit XML."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from msgspec import Struct, to_builtins

from reconciler.reports.access_tests import (
    TITLE,
    Outcome,
    contrast,
    count,
    expectation,
    explained,
    outcome,
)
from reconciler.reports.json import printed
from reconciler.reports.lines import Line, Tone
from reconciler.reports.plans import SIMULATED
from reconciler.reports.reasons import reasons
from reconciler.reports.terminal import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from reconciler.canonical import Json
    from reconciler.model.findings import Position
    from reconciler.model.test_results import AccessTestResult


_ELEMENTS = {
    Outcome.PASSED: "system-out",
    Outcome.FAILED: "failure",
    Outcome.UNDECIDED: "failure",
    Outcome.EXCUSED: "skipped",
}


class Tested(Struct, frozen=True):
    """The results of one run.

    Attributes:
        ground: What was judged, in words: the documents alone, a plan's outcome, a tenant.
        rows: The results, each as a plan file has it.
        positions: Where each expectation is written; empty if that is not known.
        names: Ids to names for people.
        simulated: It is about a simulated tenant.
    """

    ground: str
    rows: Sequence[AccessTestResult]
    positions: Sequence[Position]
    names: Mapping[str, str]
    simulated: bool


def report(value: Tested) -> Iterator[Line]:
    """Every expectation with the way to its verdict, then how many passed."""
    if value.simulated:
        yield SIMULATED
        yield Line()
    yield Line(f"{TITLE} on {value.ground}", Tone.HEADING)
    for row in value.rows:
        yield from explained(row, value.names)
    yield Line()
    yield Line(count(value.rows), Tone.HEADING)


def as_json(value: Tested) -> str:
    """The run as one JSON text."""
    results: list[dict[str, Json]] = [to_builtins(row) for row in value.rows]
    for row, at in zip(results, value.positions, strict=False):
        row["position"] = {"column": at.column, "file": at.file, "line": at.line}
    return printed(
        {
            "ground": value.ground,
            "names": value.names,
            "results": results,
            "simulated": value.simulated,
        }
    )


def junit(value: Tested) -> str:
    """The run as JUnit XML: a test case for each expectation.

    ASCII only, so that no terminal or log can spoil it.
    """
    found = Counter(map(outcome, value.rows))
    failing = found[Outcome.FAILED] + found[Outcome.UNDECIDED]
    figures = {
        "tests": str(len(value.rows)),
        "failures": str(failing),
        "errors": "0",
        "skipped": str(found[Outcome.EXCUSED]),
    }
    whole = ET.Element("testsuites", {"name": "reconciler test", **figures})
    simulated = "SIMULATED TENANT: " if value.simulated else ""
    suite = ET.SubElement(
        whole, "testsuite", {"name": line(f"{simulated}{TITLE} on {value.ground}"), **figures}
    )
    for index, row in enumerate(value.rows):
        _case(
            ET.SubElement(suite, "testcase"), row, value.positions[index : index + 1], value.names
        )
    ET.indent(whole)
    return str(ET.tostring(whole, encoding="us-ascii", xml_declaration=True), "ascii") + "\n"


def _case(
    case: Element, row: AccessTestResult, at: Sequence[Position], names: Mapping[str, str]
) -> None:
    case.attrib |= {"classname": line(row.name), "name": line(expectation(row, names))}
    for position in at:
        case.attrib |= {"file": line(position.file), "line": str(position.line)}
    came_out = outcome(row)
    said = case.makeelement(_ELEMENTS[came_out], {})
    if came_out is not Outcome.PASSED:
        said.set("message", line(contrast(row)))
    if came_out in {Outcome.FAILED, Outcome.UNDECIDED}:
        said.set("type", came_out.value.lower())
    said.text = "\n".join(map(line, reasons(row.why, names)))
    case.append(said)
