"""The review says what the plan says: every row of access and every change is in it once, its counts
add up, and what a change does to access follows from the rows.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reconciler.model import figures
from reconciler.model.access_rows import SubjectKind
from reconciler.planning.making import PlanOptions, make_plan
from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from reconciler.reports.review.composing import review
from reconciler.reports.review.naming import Naming
from reconciler.reports.review.phrases import attribute_phrase
from reconciler.reports.review.value import Attribute, ChangeOutcome, Danger, Effect, Name
from reconciler.reports.terminal import visible
from reconciler.reports.values import quoted
from reconciler.reports.wrapping import Layout
from tests.ordering import exchange_judge as judge
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
    tenant,
)
from tests.reports.golden_cases import CASES, reviewed
from tests.reports.samples import DIGESTS
from tests.reports.text_facts import text_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.access_rows import AccessRow
    from reconciler.model.plans import Plan
    from reconciler.reports.review.value import AccessLine, Review

GAINING = {Effect.WIDENS, Effect.MOVES}
LOSING = {Effect.NARROWS, Effect.MOVES}


def _random_plan(seed: int) -> Plan:
    """Teams and Exchange, each of a random tenant and random documents."""
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
    world = random_teams(chance, *sizes)
    store, wanted = (random_exchange(chance, APPS[:2], SCOPES[:3]) for _ in range(2))
    declared = documents(random_teams_documents(chance, *sizes), exchange_documents(wanted))
    here = replace(observed(world, store), directory=judge.people())
    return make_plan(replace(declared, tenant=tenant()), here, PlanOptions())


@cache
def _plan(index: int) -> Plan:
    """The random plans, then the golden ones."""
    return _random_plan(index) if index < RANDOM else CASES[index - RANDOM].plan


RANDOM = 120
EVERY = pytest.mark.parametrize("index", range(RANDOM + len(CASES)))


def _facts(line: AccessLine) -> Iterator[tuple[str, ...]]:
    """Application, product, kind and subject, one for each row that a line stands for."""
    for application in line.applications:
        for part in line.parts:
            for name in part.names or (None,):
                subject = "" if name is None else name.id or name.text
                yield application.id, line.provider, part.kind, subject.lower(), part.certainty


def _expected(rows: tuple[AccessRow, ...], wide: set[tuple[str, str]]) -> Counter[tuple[str, ...]]:
    return Counter(
        (
            row.application,
            row.provider,
            row.subject.kind,
            row.subject.id.lower(),
            row.certainty,
        )
        for row in rows
        if not (
            row.subject.kind is SubjectKind.EVERYONE and (row.application, row.provider) in wide
        )
    )


@EVERY
def test_every_row_of_access_is_in_the_review_once(index: int) -> None:
    plan = _plan(index)
    value = review(plan, DIGESTS)
    if plan.access is None:
        assert value.access is None
        return
    assert value.access is not None
    wide = {(row.application, row.provider) for row in plan.access.tenant_wide}
    for danger, rows in ((Danger.MORE, plan.access.gained), (Danger.LESS, plan.access.lost)):
        lines = [line for line in value.access if line.danger is danger]
        assert Counter(fact for line in lines for fact in _facts(line)) == _expected(rows, wide)
    everyone = [line for line in value.access if line.danger is Danger.EVERYONE]
    assert Counter(
        (name.id, line.provider) for line in everyone for name in line.applications
    ) == Counter(wide)
    order = [list(Danger).index(line.danger) for line in value.access]
    assert order == sorted(order)


@EVERY
def test_the_counts_of_the_verdict_are_those_of_its_sections(index: int) -> None:
    plan = _plan(index)
    value = review(plan, DIGESTS)
    if value.access is not None and value.verdict.access is not None:
        by_danger = {
            danger: {
                name.id
                for line in value.access
                if line.danger is danger
                for name in line.applications
            }
            for danger in Danger
        }
        counts = value.verdict.access
        assert counts.everyone == len(by_danger[Danger.EVERYONE])
        assert counts.widens == len(by_danger[Danger.EVERYONE] | by_danger[Danger.MORE])
        assert counts.narrows == len(by_danger[Danger.LESS])
    _assert_objects_add_up(plan, value)


def _assert_objects_add_up(plan: Plan, value: Review) -> None:
    blocks = Counter(
        (block.provider, block.outcome.value)
        for block in value.blocks
        if block.outcome is not ChangeOutcome.KEPT
    )
    grants = Counter(
        (block.provider, grant.outcome.value)
        for block in value.blocks
        for grant in block.grants
        for _ in grant.names
    )
    said = {product.provider: product for product in value.verdict.products}
    for product in said.values():
        for tally, row in ((blocks, product.policies), (grants, product.grants)):
            for outcome in ("added", "changed", "replaced", "removed", "renamed"):
                assert tally[product.provider, outcome] == getattr(row, outcome)
    assert {provider for provider, _ in [*blocks, *grants]} <= said.keys()
    closing = value.verdict.figures
    assert closing == figures.of_plan(plan)
    for noun in ("policies", "grants"):
        once = [getattr(product, noun) for product in said.values()]
        by_action = getattr(closing, noun)
        assert sum(row.added + row.replaced + row.renamed for row in once) == by_action.created
        assert sum(row.removed + row.replaced + row.renamed for row in once) == by_action.deleted
        assert sum(row.changed for row in once) == by_action.updated


@EVERY
def test_what_the_changes_do_to_access_is_what_the_rows_say(index: int) -> None:
    plan = _plan(index)
    if plan.access is None:
        return
    value = review(plan, DIGESTS)
    for provider in ("teams", "exchange"):
        delta = plan.access.of(provider)
        effects = {block.effect for block in value.blocks if block.provider == provider}
        assert bool(effects & GAINING) is bool(delta.gained)
        assert bool(effects & LOSING) is bool(delta.lost)


@EVERY
def test_the_text_shows_who_gains_and_loses_or_counts_them(index: int) -> None:
    """Rows and the counts of what is left out account for every row."""
    plan = _plan(index)
    value = review(plan, DIGESTS)
    text = plain_text(plans.plan_lines(value, plans.Shown(Layout(1_000_000, ids=True))))
    for line in value.access or ():
        for name in line.applications:
            assert name.id in text
        for part in line.parts:
            if part.kind in (SubjectKind.GROUP_MEMBERS, SubjectKind.POLICY_HOLDERS):
                assert all((name.id or name.text) in text for name in part.names)
    for block in value.blocks:
        assert visible(block.address) in text
    for group in value.notes:
        for row in group.rows:
            assert not row.consent or row.consent in text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_widening_change_comes_before_one_that_narrows(case: object) -> None:
    blocks = reviewed(case).blocks  # type: ignore[arg-type]
    for provider in ("teams", "exchange"):
        effects = [block.effect for block in blocks if block.provider == provider]
        widening = [index for index, effect in enumerate(effects) if effect is Effect.WIDENS]
        others = [index for index, effect in enumerate(effects) if effect is Effect.NARROWS]
        assert not widening or not others or max(widening) < min(others)


SIGNS = {"added": "+", "changed": "~", "removed": "-", "replaced": "-/+"}


@EVERY
def test_the_rows_of_the_text_and_their_counts_account_for_the_whole_plan(index: int) -> None:
    """Read back by a parser, against the plan itself."""
    plan = _plan(index)
    if "\u202e" in str(plan) or plan.access is None:
        return  # hostile names have cases of their own
    value = review(plan, DIGESTS)
    text = plain_text(plans.plan_lines(value, plans.Shown(Layout(1_000_000, ids=True))))
    said = text_facts("\n".join(line for line in text.splitlines() if " teams." not in line))
    wide = {(row.application, row.provider) for row in plan.access.tenant_wide}
    titles = {"teams": "Teams", "exchange": "Exchange"}
    expected = Counter(("EVERYONE", titles[product], application) for application, product in wide)
    for section, rows in (("MORE", plan.access.gained), ("LESS", plan.access.lost)):
        for application, product, *_ in _expected(rows, wide).elements():
            expected[section, titles[product], application] += 1
    assert said.access == expected
    policies = [change for change in plan.changes if not figures.is_grant(change)]
    for product, title in titles.items():
        own = [change for change in policies if change.address.startswith(product)]
        once = figures.object_figures(own)
        counts = Counter({"-/+": once.renamed})
        for outcome, sign in SIGNS.items():
            counts[sign] += getattr(once, outcome)
        assert all(said.policies[title, sign] == counts[sign] for sign in counts)
    grants = Counter(
        {"create": "+", "update": "~", "delete": "-"}[change.actions[0]]
        for change in plan.changes
        if figures.is_grant(change)
    )
    assert Counter({sign: said.grants["Teams", sign] for sign in "+~-"}) == Counter(
        {sign: grants[sign] for sign in "+~-"}
    )


@pytest.mark.parametrize("shared", [0, 7, 8, 12, 20, 35])
def test_the_short_ids_of_unnamed_applications_tell_them_apart(shared: int) -> None:
    client_id = "0123abcd-0123-0123-0123-0123456789ab"
    other = client_id[:shared] + client_id[shared:].translate(str.maketrans("0123", "4567"))
    other = other[:-1] + "c"
    naming = Naming({}, (client_id, other.upper(), "no id", "0" * 36))
    names = [naming.application(each) for each in (client_id, other)]
    shown = [Layout(advising=False).name(name) for name in names]
    assert len({text.rstrip("…") for text in shown}) == 2
    for text, name in zip(shown, names, strict=True):
        assert name.id.startswith(text.rstrip("…"))
        assert len(text.rstrip("…")) >= 8
    assert naming.application("89abcdef-0123-0123-0123-0123456789ab").short == "89abcdef"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a", "b", 'description "a" -> "b"'),
        ("", "b", 'description "b"'),
        ("b", "", 'description "b" -> ""'),
        (
            "Members of all the OddUsers group",
            "Members of all the EvenUsers group",
            'description "…all the OddUsers…" -> "…all the EvenUser…"',
        ),
        ("x" * 50, "x" * 51, 'description "…xxxxxxxx" -> "…xxxxxxxxx"'),
    ],
)
def test_a_text_that_changes_is_shown_where_it_differs(before: str, after: str, told: str) -> None:
    old, new = (Name(quoted(text)) for text in (before, after))
    assert Layout().text(attribute_phrase(Attribute("description", old, new))) == told
