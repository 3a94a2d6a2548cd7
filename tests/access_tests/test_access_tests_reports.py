"""Law 8 for results: whatever a name holds, JUnit stays XML, text stays lines, and neither commands
anything.
"""

from __future__ import annotations

import json as stdlib_json
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert, to_builtins

from reconciler.access.testing import AMBIGUOUS, Unnamed
from reconciler.audiences.verdicts import Asked
from reconciler.characters import unfit
from reconciler.cli.annotating import annotated_text
from reconciler.model.addresses import Address
from reconciler.model.findings import Position
from reconciler.model.test_results import AccessTestResult, ResultPath, ResultReason
from reconciler.reports import access_tests, json, junit
from reconciler.reports.annotated import of_tests
from reconciler.reports.lines import plain_text
from reconciler.reports.outline import outline_lines
from reconciler.reports.outputs import output_tests
from reconciler.reports.tested import apply_test_chapter, outline_of_tests
from reconciler.reports.wrapping import Layout
from tests.reports import runners

HOSTILE = st.lists(
    st.sampled_from(
        [
            "\x00",
            "\x1b[31m",
            "\n",
            "\r",
            "\u2028",
            "\u202e",
            "::error::",
            "##[error]",
            "##vso[x]",
            "]]>",
            "<!--",
            "&amp;",
            "<",
            '"',
            "'",
            "\ud800",
            "\uffff",
            "\ufffe",
            "ü",
            "😀",
            " ",
        ]
    )
    | st.text(max_size=3),
    max_size=6,
).map("".join)


def row(
    name: str,
    subject: str,
    *,
    passed: bool = False,
    verdict: str = "denied",
    excused: bool = False,
    kind: str = "mailbox",
) -> AccessTestResult:
    path = [{"address": f"exchange.policy/a@{subject}", "asked": "deny-covers", "holds": True}]
    why = {"decided_by": None, "path": path, "unknown": []}
    whole = {
        "application": name,
        "excused": excused,
        "expected": "granted",
        "name": name,
        "passed": passed,
        "subject": {"id": subject, "kind": kind, "written": subject},
        "verdict": verdict,
        "why": why,
    }
    return convert(whole, AccessTestResult)


def _text(value: access_tests.Tested) -> str:
    return plain_text(outline_lines(outline_of_tests(value), Layout(10_000)))


@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from(["passed", "failed", "undecided", "excused"]))
def test_no_name_leaves_its_place(name: str, subject: str, shown: str, came_out: str) -> None:
    passed = came_out == "passed"
    verdict = "granted" if passed else "depends" if came_out == "undecided" else "denied"
    results = [row(name, subject, passed=passed, verdict=verdict, excused=came_out == "excused")]
    value = access_tests.Tested(
        shown,
        results,
        [Position(name, 3, 4)],
        {name.lower(): shown, subject.lower(): shown},
        simulated=True,
    )
    written = junit.tests_junit(value)
    assert written.isascii()
    root = ET.fromstring(written)  # noqa: S314  our own text
    assert [one.tag for one in root.iter()][:3] == ["testsuites", "testsuite", "testcase"]
    assert len(list(root.iter())) == 4
    for out in (
        written,
        _text(value),
        json.json_text(to_builtins(output_tests(results, value.positions))),
    ):
        assert all(unfit(line) is None for line in out.split("\n"))
        assert not any(
            line.lstrip().startswith("::") or "##[" in line or "##vso[" in line.lower()
            for line in out.split("\n")
        )
    assert _text(value).count("\n") == (9 if passed else 10)


@given(
    st.lists(
        st.tuples(HOSTILE, HOSTILE, st.sampled_from(["passed", "failed", "undecided", "excused"])),
        max_size=15,
    ),
    st.booleans(),
)
def test_annotations_tell_what_does_not_pass_at_its_place(
    told: list[tuple[str, str, str]], placed: bool
) -> None:
    results = [
        row(
            name,
            subject,
            passed=came_out == "passed",
            verdict="depends" if came_out == "undecided" else "denied",
            excused=came_out == "excused",
        )
        for name, subject, came_out in told
    ]
    places = [Position("a.yaml", line, 4) for line in range(1, len(results) + 1)]
    value = of_tests(
        access_tests.Tested("a tenant", results, places if placed else [], {}, simulated=True)
    )
    levels = {"failed": "error", "undecided": "error", "excused": "notice"}
    failing = [
        (levels[came_out], line)
        for line, (_, _, came_out) in enumerate(told, 1)
        if came_out != "passed"
    ]
    text = annotated_text(value, "github")
    commands = [command for line in text.splitlines() if (command := runners.github(line))]
    assert [(command.name, int(command.properties.get("line", 0))) for command in commands] == [
        (level, line if placed else 0)
        for wanted in ("error", "notice")
        for level, line in [each for each in failing if each[0] == wanted][:10]
    ]
    assert text.startswith("SIMULATED TENANT")
    (run,) = stdlib_json.loads(annotated_text(value, "sarif"))["runs"]
    assert len(run["results"]) == len(failing)
    assert {result["ruleId"] for result in run["results"]} == {
        f"access-test.{came_out}" for _, _, came_out in told if came_out != "passed"
    }
    asked = [runners.azure(line) for line in annotated_text(value, "azure").splitlines()]
    assert sum(command is not None for command in asked) == len(failing)


def test_everything_has_words() -> None:
    assert access_tests.NOBODY.keys() == {*Unnamed, AMBIGUOUS}
    told = {(asked, holds) for asked in Asked for holds in (True, False, None)}
    assert told - access_tests.REASONS.keys() == {
        (Asked.GLOBAL, False),
        (Asked.GLOBAL, None),
        (Asked.UNDERSTOOD, True),
        (Asked.UNDERSTOOD, False),
        (Asked.SCOPE_FOUND, True),
        (Asked.SCOPE_FOUND, None),
    }, "Global holds for whom no grant does, and what is understood or found is not asked about"


def test_codes_of_a_newer_version_are_shown_as_they_are() -> None:
    asked = ResultPath(None, (ResultReason(Address("a/b"), "moon-phase", None),), ())
    assert list(access_tests.reasons(asked, {})) == ["moon-phase: null: a/b"]
    assert list(access_tests.reasons(ResultPath(None, (), ("moon-phase",)), {})) == ["moon-phase"]


def test_a_report_without_results_says_so() -> None:
    assert access_tests.outcome_counts([]) == "No access tests: the documents have none."
    assert list(access_tests.undecided_lines([])) == []
    assert apply_test_chapter([], {}) is None


def test_many_undecided_ones_are_cut_and_counted() -> None:
    lines = list(
        access_tests.undecided_lines(
            [row("a", str(number), verdict="depends") for number in range(60)]
        )
    )
    assert len(lines) == 1 + access_tests.MOST + 1
    assert "10 more" in lines[-1].text


def test_a_json_report_is_one_text() -> None:
    assert json.json_text({"b": 1, "a": "\u202e"}) == '{"a":"\\u202e","b":1}\n'
