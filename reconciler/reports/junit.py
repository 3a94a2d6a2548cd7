"""JUnit XML, for dashboards that show the results of tests. ASCII only, so that no terminal or log
can spoil it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.reports.access_tests import (
    TITLE,
    Outcome,
    contrast,
    expectation,
    reasons,
    row_outcome,
)
from reconciler.reports.annotated import Level
from reconciler.reports.findings import MOST
from reconciler.reports.lines import SIMULATED, counted
from reconciler.reports.terminal import line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from reconciler.model.findings import Position
    from reconciler.model.test_results import AccessTestResult
    from reconciler.reports.access_tests import Tested
    from reconciler.reports.annotated import Annotated, Annotation

_ELEMENTS = {
    Outcome.PASSED: "system-out",
    Outcome.FAILED: "failure",
    Outcome.UNDECIDED: "failure",
    Outcome.EXCUSED: "skipped",
}


def tests_junit(value: Tested) -> str:
    """The results of access tests: a test case for each expectation."""
    counts = Counter(map(row_outcome, value.rows))
    figures = {
        "tests": str(len(value.rows)),
        "failures": str(counts[Outcome.FAILED] + counts[Outcome.UNDECIDED]),
        "errors": "0",
        "skipped": str(counts[Outcome.EXCUSED]),
    }
    simulated = "SIMULATED TENANT: " if value.simulated else ""
    whole, suite = _suite("test", f"{simulated}{TITLE} on {value.ground}", figures)
    for index, row in enumerate(value.rows):
        at = value.positions[index : index + 1]
        suite.append(_case_of_row(whole, row, at, value.names))
    return _document(whole)


def annotations_junit(value: Annotated) -> str:
    """What a run found, no more than `MOST`: a test case with an error for each, so that a dashboard
    shows why there are no results. Without any, one that passes.
    """
    shown = value.annotations[:MOST]
    left_out = len(value.annotations) - len(shown)
    errors = sum(annotation.level is Level.ERROR for annotation in shown)
    figures = {
        "tests": str(len(shown) or 1),
        "failures": "0",
        "errors": str(errors),
        "skipped": str(len(shown) - errors),
    }
    simulated = f"{SIMULATED.text} " if value.simulated else ""
    whole, suite = _suite(value.command, f"{simulated}{value.ground}", figures)
    for annotation in shown:
        suite.append(_case_of_annotation(whole, annotation))
    if not shown:
        passed = {"classname": line(value.ground), "name": line(value.summary)}
        suite.append(whole.makeelement("testcase", passed))
    if left_out:
        more = suite.makeelement("system-out", {})
        more.text = f"{counted(left_out, 'more finding')} not shown: correct these first"
        suite.append(more)
    return _document(whole)


def _suite(command: str, title: str, figures: Mapping[str, str]) -> tuple[Element, Element]:
    from xml.etree import ElementTree as ET  # noqa: PLC0415  lazy: no other format needs XML

    whole = ET.Element("testsuites", {"name": f"reconciler {command}", **figures})
    return whole, ET.SubElement(whole, "testsuite", {"name": line(title), **figures})


def _document(whole: Element) -> str:
    from xml.etree import ElementTree as ET  # noqa: PLC0415  lazy: no other format needs XML

    ET.indent(whole)
    return str(ET.tostring(whole, encoding="us-ascii", xml_declaration=True), "ascii") + "\n"


def _case_of_annotation(whole: Element, annotation: Annotation) -> Element:
    place = annotation.place
    name = annotation.message if place is None else f"{place}: {annotation.path}"
    case = whole.makeelement("testcase", {"classname": annotation.rule, "name": line(name)})
    if place is not None:
        case.attrib |= {"file": line(place.file), "line": str(place.line)}
    came_out = "error" if annotation.level is Level.ERROR else "skipped"
    fault = {"message": line(annotation.message), "type": annotation.rule}
    result = case.makeelement(came_out, fault)
    result.text = "\n".join(map(line, annotation.advice))
    case.append(result)
    return case


def _case_of_row(
    whole: Element, row: AccessTestResult, at: Sequence[Position], names: Mapping[str, str]
) -> Element:
    case = whole.makeelement(
        "testcase", {"classname": line(row.name), "name": line(expectation(row, names))}
    )
    for position in at:
        case.attrib |= {"file": line(position.file), "line": str(position.line)}
    came_out = row_outcome(row)
    result = case.makeelement(_ELEMENTS[came_out], {})
    if came_out is not Outcome.PASSED:
        result.set("message", line(contrast(row)))
    if came_out in {Outcome.FAILED, Outcome.UNDECIDED}:
        result.set("type", came_out.value.lower())
    result.text = "\n".join(map(line, reasons(row.why, names)))
    case.append(result)
    return case
