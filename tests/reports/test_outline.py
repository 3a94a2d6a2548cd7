"""What a report says is in text, in Markdown and in the envelope alike, and nothing of it is cut by the
terminal.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.reports.html import outline_page
from reconciler.reports.lines import plain_text
from reconciler.reports.markdown.limits import LEAST_BYTES
from reconciler.reports.markdown.outlines import outline_markdown
from reconciler.reports.outline import Chapter, Item, Outline, Table, outline_lines
from reconciler.reports.review.value import Name
from reconciler.reports.wrapping import Layout, cells
from tests.cli.sample import settle
from tests.reports.markdown_parsed import Parsed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return settle(tmp_path)


def _told(run: Run, *command: str) -> tuple[str, str, dict]:
    """Text without line breaks inside a sentence, what the Markdown says, and the envelope."""
    text = run(*command).out
    page = run(*command, "--format", "markdown").out
    envelope = json.loads(run(*command, "--format", "json").out)
    return " ".join(text.split()), " ".join(Parsed(page).told().split()), envelope


@pytest.mark.parametrize(
    "question",
    [
        ("--app", "mailbox-analytics", "--mailbox", "adele.vance@contoso.com"),
        ("--app", "scheduling-bot", "--meetings-of", "adele.vance@contoso.com"),
    ],
    ids=["exchange", "teams"],
)
def test_an_explanation(run: Run, folder: Path, question: tuple[str, ...]) -> None:
    assert folder
    text, page, envelope = _told(run, "explain", *question)
    answer = envelope["explanation"]
    places = [row["declared_at"] for row in (*answer["path"], *answer["would_change"])]
    for told in (text, page):
        assert answer["verdict"].upper() in told
        for place in filter(None, places):
            assert told.count(place) == places.count(place)
        assert answer["application"]["name"] in told
        assert answer["subject"]["name"].partition(" <")[0] in told
    assert len(re.findall(r" \d\. ", text)) == len(answer["path"])


def test_a_run_of_access_tests(run: Run, folder: Path) -> None:
    assert folder
    text, page, envelope = _told(run, "test", *SIM)
    assert len(envelope["tests"]) == 5
    for told in (text, page):
        for row in envelope["tests"]:
            assert f"{row['name']}: " in told
        assert f"{envelope['summary']['tests.passed']} passed" in told
        reasons = [reason for row in envelope["tests"] for reason in row["why"]["path"]]
        listed = [reason for reason in reasons if reason["asked"] == "listed"]
        assert len(re.findall(r"the policy (lists|does not list) the application", told)) == len(
            listed
        )


def test_a_rehearsal(run: Run, folder: Path) -> None:
    assert folder
    run("plan", *SIM, "--out", "plan.json")
    text, page, envelope = _told(run, "rehearse", "plan.json", "--most", "2")
    answer = envelope["rehearsal"]
    assert answer["passed"]
    for told in (text, page):
        assert "Rehearsal passed" in told
        assert f"{answer['steps']} steps in {len(answer['runs'])} runs" in told
        stopped = [each for each in answer["runs"] if each["trouble"] == "stopped"]
        assert f"Stopped after a step: {len(stopped)} of {len(stopped)} converge" in told


def test_an_apply(run: Run, folder: Path) -> None:
    run("plan", *SIM, "--out", "plan.json")
    before = (folder / "tenant.json").read_bytes()
    closing = set()
    for form in ("text", "markdown", "json"):
        (folder / "tenant.json").write_bytes(before)
        log = folder / "tenant.json.log"
        log.unlink(missing_ok=True)
        ran = run("apply", "plan.json", "--auto-approve", *SIM, "--format", form)
        assert ran.code == 0, ran.err
        if form == "json":
            envelope = json.loads(ran.out)
            assert envelope["applied"]["converged"]
            figures = envelope["summary"]
            assert figures["applied.policies.added"] + figures["applied.policies.replaced"] == 3
        else:
            told = Parsed(ran.out).told() if form == "markdown" else ran.out
            closing |= set(re.findall(r"Apply complete! .*removed\.", told))
            assert "5 passed." in told
    assert len(closing) == 1
    assert "Policies: 3 added, 3 changed, 1 destroyed." in closing.pop()


WORDS = st.text("ab ", min_size=1, max_size=30)
HOSTILE = st.text(min_size=1, max_size=12) | st.sampled_from(
    ("| a |", "`x`", "<!-- x", "</details>", "@team", "::error::", "\x1b[31m", "https://a.example")
)
PHRASES = st.lists(WORDS | HOSTILE.map(Name), min_size=1, max_size=4).map(tuple)
ITEMS = st.tuples(PHRASES, st.integers(1, 3)).map(lambda pair: Item(*pair))
TABLES = st.lists(st.tuples(PHRASES, PHRASES), max_size=4).map(
    lambda rows: Table(("One", "Other"), tuple(rows))
)
CHAPTERS = st.tuples(PHRASES, st.lists(ITEMS, max_size=4).map(tuple), st.none() | TABLES).map(
    lambda parts: Chapter(parts[0], parts[1], table=parts[2])
)
OUTLINES = st.tuples(PHRASES, st.lists(CHAPTERS, max_size=3).map(tuple), PHRASES).map(
    lambda parts: Outline(
        command="list", simulated=False, headline=parts[0], chapters=parts[1], closing=parts[2]
    )
)


@given(OUTLINES, st.integers(40, 120))
def test_whatever_is_in_an_outline_stays_text_and_within_its_width(
    outline: Outline, width: int
) -> None:
    text = plain_text(outline_lines(outline, Layout(width)))
    assert all(line.isprintable() for line in text.splitlines())
    for line in text.splitlines():
        names = [word for word in line.split() if cells(word) > width // 2]
        assert cells(line) <= width or names or len(line) < 2 * width
    page = outline_markdown(outline, LEAST_BYTES)
    assert len(page.encode("utf-8", "backslashreplace")) <= LEAST_BYTES
    assert page.startswith("<!-- reconciler:list:unknown -->\n")
    assert not any(line.lstrip().startswith("::") for line in page.splitlines())


def test_a_table_that_has_no_room_is_told_row_by_row() -> None:
    table = Table(("Policy", "Applications"), ((("P",), ("crm",)), (("Q",), ())))
    outline = Outline(command="list", simulated=False, chapters=(Chapter(("T",), table=table),))
    wide = plain_text(outline_lines(outline, Layout(80)))
    assert wide == "\nT\n  Policy  Applications\n  P       crm\n  Q\n"
    narrow = plain_text(outline_lines(outline, Layout(12)))
    assert narrow == "\nT\n  P\n    Applications:\n      crm\n  Q\n"


def test_a_name_inside_of_back_ticks_is_code_with_its_words() -> None:
    said = ("write `movedFrom: ", Name("a@b.c"), "` into the `spec` of ", Name("crm"), ".")
    outline = Outline(
        command="list", simulated=False, headline=("T",), chapters=(Chapter(("C",), (Item(said),)),)
    )
    page = outline_markdown(outline)
    assert "- write `movedFrom: a@b.c` into the `spec` of `crm`." in page
    html = outline_page(outline)
    assert "write <code>movedFrom: </code><code>a@b.c</code> into the <code>spec</code> of " in html
