"""Plans as HTML: golden pages, every fact of a plan found again by another parser, texts of others
that stay texts, and a page that asks for nothing.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.characters import plain
from reconciler.reports import html, values
from reconciler.reports.review import phrases
from reconciler.reports.review.composing import review
from reconciler.reports.review.matrix import access_matrix
from reconciler.reports.review.naming import readable
from reconciler.reports.terminal import visible
from tests.reports import samples
from tests.reports.golden_cases import CASES, reviewed
from tests.reports.html_pages import Grant, HtmlPage, Pair, words
from tests.reports.samples import change, note, step
from tests.strategies import text as hostile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.model.plans import Plan
    from tests.reports.golden_cases import Case

LARGE = frozenset(("500-grants", "10000-grants"))
"""Cases whose page nobody reads as a file; what they say is found again all the same."""
THEN = "To apply exactly this: reconciler apply plan.json"
PEOPLE = ("user", "mailbox")


def rendered(case: Case) -> str:
    """The page of a case."""
    return html.page(reviewed(case), access_matrix(case.plan), html.Page(then=THEN))


def _cases(*, large: bool = True) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in CASES if large or case.name not in LARGE]


@pytest.mark.parametrize("case", _cases(large=False))
def test_the_page_of_a_case(case: Case) -> None:
    assert rendered(case) == case.expected("html")


@pytest.fixture(scope="module", params=_cases())
def told(request: pytest.FixtureRequest) -> tuple[Plan, HtmlPage]:
    return request.param.plan, HtmlPage(rendered(request.param))


def _expected_pairs(plan: Plan) -> Iterator[Pair]:
    assert plan.access is not None
    wide = {(row.application, row.provider) for row in plan.access.tenant_wide}
    for outlook, rows in (("gained", plan.access.gained), ("lost", plan.access.lost)):
        for row in rows:
            kind = row.subject.kind.value
            everyone = kind == "everyone" and (row.application, row.provider) in wide
            yield Pair(
                row.application,
                "person" if kind in PEOPLE else kind,
                _told(row.subject.id) if kind == "policy-holders" else row.subject.id,
                "everyone" if everyone and outlook == "gained" else outlook,
                row.certainty.value == "certain",
            )
    for row in plan.access.unpopulated:
        yield Pair(row.application, "group-members", row.group, "nobody", certain=True)


def _told(policy: str) -> str:
    return re.sub(" +", " ", visible(readable(policy)))


def test_every_row_of_the_access_delta_is_a_cell_of_the_matrix_and_no_other_is(
    told: tuple[Plan, HtmlPage],
) -> None:
    plan, page = told
    pairs = Counter(pair for pair in page.pairs() if pair.outlook != "kept")
    if plan.access is None:
        assert not pairs
        return
    assert pairs == Counter(_expected_pairs(plan))
    everyone = {pair.application for pair in pairs if pair.outlook == "everyone"}
    assert everyone == {row.application for row in plan.access.tenant_wide}


def test_who_gains_and_loses_is_told_of_every_application(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    sections: dict[str, set[str]] = {"EVERYONE": set(), "MORE": set(), "LESS": set()}
    for danger, applications, _ in page.access():
        sections[danger] |= applications
    if plan.access is None:
        assert sections == {"EVERYONE": set(), "MORE": set(), "LESS": set()}
        assert "Access: not computed." in " ".join(page.texts("#access p"))
        return
    wide = {row.application for row in plan.access.tenant_wide}
    others = {
        row.application
        for row in plan.access.gained
        if not (row.application in wide and row.subject.kind.value == "everyone")
    }
    assert sections["EVERYONE"] == wide
    assert sections["MORE"] == others
    assert sections["LESS"] == {row.application for row in plan.access.lost}


def test_every_person_who_gains_or_loses_is_named(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    for section, rows in (
        ("MORE", plan.access.gained if plan.access else ()),
        ("LESS", plan.access.lost if plan.access else ()),
    ):
        named = {
            (application, title)
            for row in page.all(f'#access tr[data-danger="{section}"]')
            for application in _titles(row.css_first("th"))
            for title in _titles(row.css_first("td"))
        }
        expected = {
            (row.application, row.subject.id) for row in rows if row.subject.kind.value in PEOPLE
        }
        assert expected <= named


def _titles(node: Any) -> list[str]:
    return [name.attributes.get("title") or words(name) for name in node.css(".name")]


def test_every_change_is_told(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    addresses = {words(node) for node in page.all("#changes .address")}
    grants = Counter(page.grants())
    expected: Counter[Grant] = Counter()
    for row in plan.changes:
        kind, _, subject = row.address.partition("/")
        if kind == "teams.grant" and subject != "tenant":
            actions = tuple(action.value for action in row.actions)
            outcome = {"create": "added", "update": "changed", "delete": "removed"}[actions[0]]
            expected[Grant(subject.partition(":")[2], outcome)] += 1
            continue
        told_of = {visible(name) for name in (row.address, row.replaces) if name}
        assert addresses & told_of, row.address
        if row.replaces and "delete" in [action.value for action in row.actions]:
            old = row.address.partition("@" if "@" in row.address else "/")[2]
            assert any(old in _titles(node) for node in page.all("#changes .title"))
    assert grants == expected


def test_values_before_and_after_are_told_in_full(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    cells = set(page.texts("#changes table code"))
    for row in plan.changes:
        if row.address.startswith("teams.grant/group:"):
            continue  # the policy that a group had is told as where it moves from
        for attribute in row.attributes:
            for value in (attribute.before, attribute.after):
                if value is not None and attribute.name not in ("accessRight", "scope"):
                    assert re.sub(" +", " ", visible(values.quoted(value))) in cells


def test_every_refusal_is_at_the_top_with_its_consent(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    addresses = page.texts("#refused .address")
    rows = [*plan.refusals, *plan.unresolved]
    assert Counter(addresses) == Counter(visible(row.address) for row in rows)
    consents = page.texts("#refused .consent code")
    allowed = [row.details["allow"] for row in plan.refusals if row.details.get("allow")]
    assert len(consents) == len(allowed)
    for consent in map(str, allowed):
        assert any(visible(consent) in text for text in consents)
    headings = page.texts("main h2")
    assert headings.index("Verdict") == 0
    if rows:
        assert headings.index("Why it is not applicable") == 1


def test_every_note_is_told(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    rows = [*plan.displaced, *plan.held, *plan.warnings]
    addresses = Counter(page.texts("#notes .address"))
    assert addresses == Counter(visible(row.address) for row in rows)


def test_every_command_is_told_as_it_runs(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    codes = [node.text(deep=True) for node in page.all("#commands pre code")]
    shown = [row for row in plan.steps if row.text]  # none of a redacted plan
    assert codes == [visible(row.text) for row in shown]
    numbers = page.texts("#commands li .number")
    assert numbers == [str(row.id) for row in shown]


def test_the_figures_are_those_of_the_plan(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    assert page.texts(".headline") == [
        re.sub(" +", " ", phrases.headline(review(plan, samples.DIGESTS).verdict))
    ]
    tiles = dict(zip(page.texts(".tiles dt"), page.texts(".tiles dd"), strict=True))
    if plan.access is not None:
        everyone = {row.application for row in plan.access.tenant_wide}
        more = everyone | {row.application for row in plan.access.gained}
        less = {row.application for row in plan.access.lost}
        assert tiles["newly reach EVERYONE"] == str(len(everyone))
        assert tiles["others reach more"] == str(len(more - everyone))
        assert tiles["reach less"] == str(len(less))
        assert tiles["steps"] == str(len(plan.steps))
    state = "applicable" if plan.applicable else "refused"
    assert len(page.all(f".verdict.{state}")) == 1
    assert page.texts(".headline")[0].startswith(
        "APPLICABLE. " if plan.applicable else "NOT APPLICABLE: "
    )
    digests = page.texts("#approve dd code")
    assert digests == [samples.DIGESTS.content_digest, samples.DIGESTS.digest]


def test_a_simulated_tenant_is_said_first(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    body = page.tree.body
    assert body is not None
    said = words(body).removeprefix("Skip to the review ")
    assert said.startswith("SIMULATED TENANT") == (plan.inputs.source == "simulated")


def test_gaps_are_on_the_line_of_steps(told: tuple[Plan, HtmlPage]) -> None:
    plan, page = told
    bars = page.all("#way svg.bar")
    assert bool(bars) == bool(plan.gaps)
    covered = set()
    for bar in bars:
        for piece in bar.css(".missing"):
            first, width = (int(piece.attributes[name] or 0) for name in ("x", "width"))
            covered |= set(range(first, first + width))
    assert covered == {number for gap in plan.gaps or () for number in gap.steps}


ELEMENTS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "a",
        "header",
        "p",
        "strong",
        "h1",
        "h2",
        "h3",
        "time",
        "code",
        "span",
        "div",
        "label",
        "input",
        "output",
        "nav",
        "ul",
        "ol",
        "li",
        "main",
        "section",
        "dl",
        "dt",
        "dd",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "bdi",
        "details",
        "summary",
        "svg",
        "rect",
        "pre",
        "script",
    ]
)
ATTRIBUTES = frozenset(
    [
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "href",
        "id",
        "datetime",
        "data-ages",
        "role",
        "for",
        "type",
        "autocomplete",
        "spellcheck",
        "placeholder",
        "aria-live",
        "aria-label",
        "aria-labelledby",
        "aria-hidden",
        "tabindex",
        "title",
        "scope",
        "data-row",
        "data-danger",
        "data-label",
        "data-code",
        "data-copy",
        "data-outcome",
        "colspan",
        "open",
        "x",
        "y",
        "width",
        "height",
        "viewbox",
        "preserveaspectratio",
        "checked",
    ]
)


def _assert_inert(page: HtmlPage) -> None:
    """Nothing runs or loads, and nothing is there that the templates do not write."""
    nodes = page.all("*")
    assert {node.tag for node in nodes} <= ELEMENTS
    attributes = [
        (name.lower(), value) for node in nodes for name, value in node.attributes.items()
    ]
    assert {name for name, _ in attributes} <= ATTRIBUTES
    assert {value for name, value in attributes if name == "href"} <= {
        f"#{node.attributes['id']}" for node in nodes if "id" in node.attributes
    }
    for tag in ("script", "style", "title"):
        assert len(page.all(tag)) == 1
    links = page.all("link, img, iframe, object, embed, base, form, video, audio, source")
    assert not links
    assert "<!--" not in page.text


def _assert_readable(page: HtmlPage) -> None:
    """No character that hides or turns around what is read, and no command to a runner."""
    assert all(plain(char) or char == "\n" for char in page.text)
    assert "##[" not in page.text
    assert "##vso" not in page.text
    assert not re.search(r"^\s*::", page.text, re.MULTILINE)


def test_a_page_is_inert_and_readable(told: tuple[Plan, HtmlPage]) -> None:
    _, page = told
    _assert_inert(page)
    _assert_readable(page)


def test_headings_descend_in_order_and_ids_are_unique(told: tuple[Plan, HtmlPage]) -> None:
    _, page = told
    levels = [int((node.tag or "h0")[1]) for node in page.all("h1, h2, h3, h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
    names = [node.attributes["id"] for node in page.all("[id]")]
    assert len(names) == len(set(names))
    labelled = {node.attributes["for"] for node in page.all("label")}
    assert {node.attributes["id"] for node in page.all("input")} <= labelled


def test_only_the_style_and_the_script_of_the_page_may_do_anything(
    told: tuple[Plan, HtmlPage],
) -> None:
    """The hashes are made of what stands between the tags, as a browser makes them."""
    _, page = told
    policy = page.all("meta[http-equiv]")[0].attributes["content"] or ""
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for name, tag in (("style-src", "style"), ("script-src", "script")):
        content = page.text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives[name] == f"'sha256-{digest}'"
    assert {
        name: value for name, value in directives.items() if "sha256" not in value
    } == dict.fromkeys(("default-src", "img-src", "base-uri", "form-action"), "'none'")
    # whatever may load stands behind the policy
    assert page.text.index("http-equiv") < page.text.index("<style>") < page.text.index("<script>")


ATTACKS = (
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}",
    "javascript:alert(1)",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "<!-- ",
    "-->",
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "]]>",
    "<svg/onload=alert(1)>",
    "&lt;script&gt;",
    "\x1b[31mred",
    "\u202egnp.exe",
    "a\x00b",
    "::error::x",
    "##vso[task.setvariable]x",
    "##[error]x",
    "\u05d0\u05d1\u05d2",
    "x" * 5000,
    "</title>",
)
_TEXTS = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(
        st.sampled_from(
            hostile.PLAIN + hostile.ESCAPED + hostile.REFUSED.translate({0xD800: None})
        ),
        max_size=20,
    ),
    st.text(max_size=20),
).map(lambda text: text.encode("utf-8", "replace").decode())


def _hostile_case(name: str, policy: str, description: str) -> dict[str, Any]:
    """A plan with these texts wherever a plan has texts of others."""
    policy = policy.lstrip("\n") or "P"  # an address has a name
    address = f"teams.policy/{policy}"
    row = {
        "application": "app",
        "certainty": "certain",
        "provider": "teams",
        "subject": {"kind": "user", "id": "person"},
    }
    held = {**row, "subject": {"kind": "policy-holders", "id": policy}}
    return {
        "access": {"gained": [row, held], "lost": [], "tenant_wide": []},
        "changes": [
            change(
                address,
                "update",
                before={"description": "", "applications": []},
                after={"description": description, "applications": ["app"]},
            ),
            change("teams.grant/user:person", "create", after={"policy": policy}),
        ],
        "names": {"app": name, "person": f"{name} <a@contoso.com>"},
        "refusals": [note("tenant-wide", address, allow=f"tenant-wide:{address}")],
        "applicable": False,
        "warnings": [note("unknown-code", address, text=description)],
        "steps": [step(1, address, text=f"Set-It -Description:{description}")],
        "tenant": {
            "organization": name or "contoso",
            "tenantId": "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a",
        },
    }


@given(_TEXTS, _TEXTS, _TEXTS)
@example("</script>", "<!--", "{{ x }}")
@example("\u202e", "a\nb", "\x00")
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_texts_of_others_stay_texts(
    tmp_path: Path, name: str, policy: str, description: str
) -> None:
    plan = samples.plan(tmp_path, _hostile_case(name, policy, description))
    page = HtmlPage(html.page(review(plan, samples.DIGESTS), access_matrix(plan)))
    _assert_inert(page)
    _assert_readable(page)
    shown = [node.text(deep=True) for node in page.all("#changes table code")]
    assert description == "" or visible(values.quoted(description)) in shown
    assert page.all("#commands pre code")[0].text(deep=True) == visible(plan.steps[0].text)


@given(st.text(st.characters(categories=["Cs", "L", "P"]), max_size=20))
def test_half_of_a_surrogate_pair_is_shown_as_an_escape(text: str) -> None:
    """A plan file cannot hold one; a text that a service raised may."""
    assert html.inert(text).encode().decode() == html.inert(text)


def test_what_cannot_be_copied_as_it_runs_is_not_offered(tmp_path: Path) -> None:
    plan = samples.plan(
        tmp_path,
        {"steps": [step(1, "teams.policy/A", text="a\u202eb"), step(2, "teams.policy/A")]},
    )
    page = HtmlPage(html.page(review(plan, samples.DIGESTS), access_matrix(plan)))
    assert [node.text(deep=True) for node in page.all("#commands [data-copy]")] == [
        "Set-It -Number:2"
    ]


def test_the_way_on_is_told_only_of_what_can_be_applied(tmp_path: Path) -> None:
    for applicable in (True, False):
        plan = samples.plan(
            tmp_path, {"steps": [step(1, "teams.policy/A")], "applicable": applicable}
        )
        page = HtmlPage(html.page(review(plan, samples.DIGESTS), (), html.Page(then=THEN)))
        assert (THEN in page.texts("#approve p")) is applicable


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of `#rrggbb`."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_text_has_enough_contrast(scheme: int) -> None:
    """WCAG 2.2 asks for 4.5 to 1 (1.4.3, level AA)."""
    page = html.page(reviewed(CASES[0]), ())
    blocks = re.findall(r":root {(.*?)}", page, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[scheme]))
    texts = [name for name in colours if name not in ("paper", "panel", "line", "focus")]
    for name in [name for name in texts if not name.endswith("-panel")]:
        for ground in ("paper", f"{name}-panel", *(["panel"] if name in ("ink", "quiet") else [])):
            if ground in colours:
                assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for panel in [name for name in texts if name.endswith("-panel")]:
        for name in ("ink", "quiet"):
            assert _contrast(colours[name], colours[panel]) >= 4.5, (name, panel)
