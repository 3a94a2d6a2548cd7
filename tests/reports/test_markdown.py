"""The review as Markdown: inert, within its limit, and complete as rows and stated counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.model import figures
from reconciler.model.access_rows import AccessDelta, AccessRow, Certainty, Subject, SubjectKind
from reconciler.model.plans import Note, Plan
from reconciler.reports.markdown.inert import code, fence, phrase
from reconciler.reports.markdown.limits import LEAST_BYTES, MAX_BYTES
from reconciler.reports.markdown.plans import Wanted, plan_markdown
from reconciler.reports.remedies import shell_word
from reconciler.reports.review.composing import review
from reconciler.reports.review.value import Name
from reconciler.reports.terminal import line
from reconciler.reports.wrapping import Layout
from tests.reports import golden_cases, samples
from tests.reports.golden_cases import CASES, Case
from tests.reports.markdown_parsed import Parsed
from tests.strategies.plans import empty_plan, plans
from tests.strategies.text import ATTACKS

if TYPE_CHECKING:
    from collections.abc import Iterable

THEN = "To apply exactly this: reconciler apply plan.json"
FOLDED = {"</details>"}
TEXT = {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
HOSTILE = (
    *ATTACKS,
    *("@team", "#123", "GH-1", "o/r#1", "http://x.example", "www.x.example", "a@b.example"),
    *("<!-- x", "</details>", "<script>x</script>", "`", "``` x", "~~~", "| a | b |", "- a", "+ a"),
    *("1. a", "# a", "> a", "---", "===", "[a](javascript:b)", "![a](b)", "<http://x>", "**a**"),
    *("_a_", "~~a~~", "$a$", ":tada:", "\\", "&lt;", "a\r\n# b", "\u202eabc", "\x1b[31m", "\x00"),
    *("end", "  a  ", "", "x" * 500, "click n1 href", '"]', "#quot;", "\n```\n# x", "    a"),
)
anything = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8))


def rendered(case: Case) -> str:
    """The Markdown of a case, as large as a comment of GitHub may be."""
    return plan_markdown(golden_cases.reviewed(case), Wanted(then=THEN))


def _of(plan: Plan, **wanted: object) -> str:
    return plan_markdown(review(plan, samples.DIGESTS), Wanted(**wanted))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_markdown_of_a_case(case: Case) -> None:
    assert rendered(case) == case.expected("md")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_begins_with_the_marker_and_holds_no_html_but_ours(case: Case) -> None:
    page = Parsed(rendered(case))
    marker, *others = page.html()
    assert marker == f"<!-- reconciler:{case.plan.tenant.tenant_id} -->"
    ours = re.compile(r"<details><summary>[A-Za-z0-9 ,:]+</summary>")
    assert [text for text in others if text not in FOLDED and not ours.fullmatch(text)] == []
    assert page.inline_kinds() <= TEXT


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("most", [LEAST_BYTES, MAX_BYTES])
def test_every_case_is_within_its_limit(case: Case, most: int) -> None:
    told = plan_markdown(golden_cases.reviewed(case), Wanted(commands=True, max_bytes=most))
    assert len(told.encode()) <= most


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(plans(), st.booleans())
def test_any_plan_is_within_the_least_limit_and_holds_only_text(plan: Plan, ids: bool) -> None:
    told = _of(plan, ids=ids, commands=ids, max_bytes=LEAST_BYTES)
    assert len(told.encode()) <= LEAST_BYTES
    assert Parsed(told).inline_kinds() <= TEXT


# one name in every place that takes one
def _plan_of(name: str) -> Plan:
    gained = AccessRow("app", Subject(SubjectKind.USER, "person"), Certainty.CERTAIN, "teams")
    notes = (Note("new", "teams.policy/P", {"text": name, "in": name, "allow": f"limits:{name}"}),)
    return empty_plan(
        access=AccessDelta((gained,), (gained,), (), ()),
        applicable=False,
        names={"app": name, "person": name, "group": name, "scope": name},
        refusals=notes,
        unresolved=(Note("user-absent", f"teams.grant/user:{name}", {"text": name}),),
        warnings=(Note("held", f"teams.policy/{name}", {"objects": name}),),
        held=(Note("not-understood", f"teams.policy/{name}", {"text": name}),),
        unmanaged=(Note("unmanaged", "teams.policy/Global", {"applications": [name]}),),
    )


@given(anything)
def test_no_name_alters_the_blocks_of_a_page(name: str) -> None:
    hostile, harmless = (Parsed(_of(_plan_of(text))) for text in (name, "Name"))
    assert hostile.shape() == harmless.shape()
    assert hostile.html() == harmless.html()
    assert hostile.inline_kinds() <= TEXT
    for token in ("@", "#", "://", "www.", "GH-"):
        assert token not in hostile.plain_text()


@given(anything)
@example(" ")
@example("  ")
def test_a_code_span_is_read_as_the_name_it_was_made_from(name: str) -> None:
    page = Parsed(f"a {code(name)} b")
    assert page.inline_kinds() <= TEXT
    spans = [
        child.content
        for token in page.tokens
        for child in token.children or ()
        if child.type == "code_inline"
    ]
    assert spans == [line(name) or '""']


@given(st.lists(st.one_of(anything, st.builds(Name, anything)), max_size=4))
def test_a_phrase_is_one_paragraph_of_text_and_code(pieces: list[str | Name]) -> None:
    told = phrase(tuple(pieces), Layout())
    assert "\n" not in told
    kinds = [token.type for token in Parsed(f"- {told}").tokens]
    empty = ["bullet_list_open", "list_item_open", "list_item_close", "bullet_list_close"]
    inside = ["paragraph_open", "inline", "paragraph_close"] if told else []
    assert kinds == [*empty[:2], *inside, *empty[2:]]
    assert Parsed(f"- {told}").inline_kinds() <= TEXT


@given(st.lists(anything, max_size=4))
def test_no_line_closes_a_fence(lines: list[str]) -> None:
    (token,) = Parsed(fence(lines, "diff")).tokens
    assert token.type == "fence"
    assert token.info == "diff"
    assert token.content.splitlines() == [line(text) for text in lines]


@given(anything)
def test_a_label_of_the_picture_is_letters_digits_and_numbers_of_characters(name: str) -> None:
    created = samples.change("teams.policy/P", "create", after={"applications": ["app"]})
    case = {"names": {"app": name}, "changes": [created]}
    if name.encode("utf-8", "ignore").decode() != name:
        return
    drawn = Parsed(_written(case)).fence("Picture")
    assert drawn.language == "mermaid"
    head, *others = drawn.lines
    assert head == "flowchart LR"
    label = r'"(?:[^\W_]| |#\d+;)*"'
    node = rf"  n\d+(?:\(\[{label}\]\)|\[{label}\]|\({label}\))"
    assert [row for row in others if not re.fullmatch(rf"{node}|  n\d+ ==>\|new\| n\d+", row)] == []


def _written(case: dict[str, object]) -> str:
    made = golden_cases._of(case)
    return _of(made.plan)


def test_more_arrows_than_can_be_followed_are_counted() -> None:
    def drawn(count: int) -> Parsed:
        applications = [f"app-{number}" for number in range(count)]
        created = samples.change("teams.policy/P", "create", after={"applications": applications})
        return Parsed(_written({"changes": [created]}))

    assert drawn(50).fence("Picture").lines.count("flowchart LR") == 1
    (said,) = drawn(51).items("Picture")
    assert "51 arrows" in said


# --- facts


def _mentioned(names: dict[str, str], id_: str) -> str:
    """The name that a person is shown for an id: short if nobody shares it."""
    full = names.get(id_.lower(), id_)
    return full.partition(" <")[0]


def _more(text: str) -> int:
    return sum(int(number) for number in re.findall(r" and (\d+) more", text))


@pytest.mark.parametrize("name", ["sample", "500-grants", "10000-grants", "50-edits", "gaps"])
@pytest.mark.parametrize(("section", "sign"), [("MORE", "+"), ("LESS", "-")])
def test_every_application_and_subject_is_found_again_as_rows_and_counts(
    name: str, section: str, sign: str
) -> None:
    plan = Case(name).plan
    assert plan.access is not None
    rows = list(Parsed(rendered(Case(name))).fence(section).rows())
    assert {row[0] for row in rows} <= {sign}
    wide = {row.application for row in plan.access.tenant_wide}
    facts: dict[str, set[str]] = {}
    for row in plan.access.gained if section == "MORE" else plan.access.lost:
        if section == "MORE" and row.application in wide and row.subject.kind == "everyone":
            continue
        subject = _mentioned(plan.names, row.subject.id)
        facts.setdefault(_mentioned(plan.names, row.application), set()).add(subject)
    applications = [text.partition(": ")[0].split(", ") for _, text in rows]
    assert {app for own in applications for app in own} == set(facts)
    for app, subjects in facts.items():
        own = [
            text.partition(": ")[2]
            for (_, text), named in zip(rows, applications, strict=True)
            if app in named
        ]
        missing = [subject for subject in subjects if not any(subject in text for text in own)]
        assert len(missing) == sum(map(_more, own))


@pytest.mark.parametrize("name", ["sample", "everything"])
def test_every_application_that_reaches_everyone_is_a_row(name: str) -> None:
    plan = Case(name).plan
    assert plan.access is not None
    rows = list(Parsed(rendered(Case(name))).fence("EVERYONE").rows())
    assert {sign for sign, _ in rows} == {"!"}
    named = {app for _, text in rows for app in text.partition(": ")[0].split(", ")}
    assert named == {_mentioned(plan.names, row.application) for row in plan.access.tenant_wide}


@pytest.mark.parametrize("name", ["sample", "500-grants", "10000-grants", "everything"])
def test_every_grant_is_found_again_as_rows_and_counts(name: str) -> None:
    plan = Case(name).plan
    rows = list(Parsed(rendered(Case(name))).fence("Changes").rows())
    for sign, action in (("+", "create"), ("!", "update"), ("-", "delete")):
        ids = [
            change.address.partition(":")[2]
            for change in filter(figures.is_grant, plan.changes)
            if change.actions == (action,)
        ]
        own = [text for own_sign, text in rows if own_sign == sign and not _is_policy(text)]
        names = {_mentioned(plan.names, each) for each in ids}
        missing = [each for each in names if not any(each in text for text in own)]
        assert len(missing) == sum(map(_more, own))


def _is_policy(text: str) -> bool:
    return text.startswith(("Teams ", "Exchange "))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_policy_that_changes_is_a_row_with_its_outcome(case: Case) -> None:
    told = [text for _, text in Parsed(rendered(case)).fence("Changes").rows() if _is_policy(text)]
    outcomes = [text.split(" ")[1] for text in told]
    changes = [change for change in case.plan.changes if not figures.is_grant(change)]
    counts = figures.object_figures(changes)
    assert outcomes.count("added") == counts.added
    assert outcomes.count("replaced") == counts.replaced
    assert outcomes.count("renamed") == counts.renamed
    assert outcomes.count("removed") == counts.removed
    assert outcomes.count("changed") == counts.changed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_note_is_counted_and_every_consent_that_is_missing_stands_there(case: Case) -> None:
    page = Parsed(rendered(case))
    titles = "\n".join(page.sections())
    for notes, title in (
        (case.plan.refusals, "Refused"),
        (case.plan.unresolved, "Unresolved"),
        (case.plan.displaced, "Displaced"),
        (case.plan.held, "Held"),
        (case.plan.warnings, "Warnings"),
    ):
        assert bool(notes) == (f"{title}" in titles)
        if notes:
            assert re.search(rf"^{title}.*: {len(notes)}$", titles, re.MULTILINE)
    refused = "\n".join(page.items("Refused"))
    for note in case.plan.refusals:
        if "allow" in note.details:
            assert f"--allow {shell_word(str(note.details['allow']))}" in refused


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_closing_line_and_digest(case: Case) -> None:
    said = rendered(case)
    counts = figures.of_plan(case.plan)
    if case.plan.changes:
        grants = counts.grants
        assert (
            f"Grants: {grants.created} to add, {grants.updated} to move, {grants.deleted} to"
            " remove." in said
        )
    assert f"`{samples.DIGESTS.content_digest}`" in said


# --- cutting


def _many(applications: int, kind: str = "gained") -> Plan:
    rows = tuple(
        AccessRow(
            f"app-{number:05}",
            Subject(SubjectKind.USER, f"person-{number:05}"),
            Certainty.CERTAIN,
            "teams",
        )
        for number in range(applications)
    )
    delta = AccessDelta(rows if kind == "gained" else (), rows if kind == "lost" else (), (), ())
    names = {f"app-{number:05}": f"service-{number:05}" for number in range(applications)}
    return empty_plan(access=delta, names=names)


def _cut(told: str) -> str:
    return next((text for text in told.splitlines() if "Cut to size" in text), "")


def test_what_is_cut_is_counted_at_the_top() -> None:
    told = _of(_many(2000, "lost"), max_bytes=20_000)
    rows = list(Parsed(told).fence("LESS").rows())
    assert 100 < len(rows) < 2000
    assert f"{2000 - len(rows)} rows of LESS" in _cut(told)
    assert told.index("Cut to size") < told.index("<details>")


def test_who_gains_is_never_cut_but_counted_by_application_where_it_is_too_much() -> None:
    whole = _of(_many(200), max_bytes=20_000)
    assert len(list(Parsed(whole).fence("MORE").rows())) == 200
    told = _of(_many(20_000), max_bytes=20_000)
    assert "20000 rows of MORE (counted by application)" in _cut(told)
    items = Parsed(told).items("MORE")
    rows = [item for item in items if item.startswith("service-")]
    assert rows[0] == "service-00000: 1 person"
    assert f"and {20_000 - len(rows)} more rows" in items


def test_deletes_and_refusals_stay_when_the_rest_is_cut() -> None:
    changes = [
        samples.change(f"teams.policy/P{number:04}", *actions, before=before, after=after)
        for number in range(400)
        for actions, before, after in (
            [(("delete",), {"description": "d"}, None)]
            if number % 100 == 0
            else [(("update",), {"description": "a"}, {"description": "b"})]
        )
    ]
    refusals = [
        samples.note(
            "displaced", f"teams.policy/P{number}", allow=f"displaced:teams.policy/P{number}"
        )
        for number in range(40)
    ]
    plan = golden_cases._of({"changes": changes, "refusals": refusals, "applicable": False}).plan
    told = _of(plan, max_bytes=12_000)
    assert len(told.encode()) <= 12_000
    kept = [text for sign, text in Parsed(told).fence("Changes").rows() if sign == "-"]
    assert [text.split(" ")[2] for text in kept] == ["P0000:", "P0100:", "P0200:", "P0300:"]
    assert told.count("--allow displaced:teams.policy/P") == 40
    assert "changed policies" in _cut(told)


def test_nothing_is_said_to_be_cut_where_nothing_is() -> None:
    assert _cut(_of(_many(10))) == ""


def _ordered(texts: Iterable[str], page: str) -> bool:
    places = [page.index(text) for text in texts]
    return places == sorted(places)


def test_the_order_of_a_page() -> None:
    case = Case("sample")
    told = rendered(case)
    assert _ordered(
        ("<!-- reconciler:", "SIMULATED TENANT", "APPLICABLE", "EVERYONE:", "MORE:", "<details>"),
        told,
    )
    outside = re.sub(r"<details>.*?</details>", "", told, flags=re.DOTALL)
    for title in ("EVERYONE:", "MORE:", "Digest to approve"):
        assert title in outside
    for title in ("LESS:", "Changes", "Commands", "```mermaid", "```powershell"):
        assert title not in outside
