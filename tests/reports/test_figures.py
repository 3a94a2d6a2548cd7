"""One set of figures of a plan and of an apply, which every output has and which adds up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.model import figures
from reconciler.model.access_rows import (
    AccessDelta,
    AccessRow,
    Certainty,
    Subject,
    SubjectKind,
    TenantWideRow,
)
from reconciler.model.addresses import TEAMS_TENANT_GRANT, Address, Provider
from reconciler.model.applied import Applied
from reconciler.model.plans import Action, Change, Note, ObjectKind, Step
from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from reconciler.reports.review.composing import review
from tests.reports.samples import DIGESTS
from tests.strategies.plans import empty_plan

_KINDS = {
    "teams.policy/": ObjectKind.TEAMS_POLICY,
    "teams.grant/": ObjectKind.TEAMS_GRANT,
    "exchange.policy/": ObjectKind.EXCHANGE_POLICY,
}
ACTIONS = st.sampled_from(
    [(Action.CREATE,), (Action.UPDATE,), (Action.DELETE,), (Action.DELETE, Action.CREATE)]
)
ADDRESSES = st.builds(
    "".join,
    st.tuples(st.sampled_from(sorted(_KINDS)), st.sampled_from(["A", "b", "user:u", "tenant"])),
)


def _change(address: str, actions: tuple[Action, ...]) -> Change:
    kind = next(kind for start, kind in _KINDS.items() if address.startswith(start))
    return Change(address, kind, actions, "declared", None, None, (), None)


def _step(number: int, address: str) -> Step:
    provider = "teams" if address.startswith("teams") else "exchange"
    return Step(number, address, provider, "Set-It", {}, "Set-It", "describe", False, ())  # type: ignore[arg-type]


CHANGES = st.dictionaries(ADDRESSES, ACTIONS, max_size=8).map(
    lambda drawn: tuple(_change(address, actions) for address, actions in sorted(drawn.items()))
)


@given(CHANGES)
def test_every_action_of_every_change_is_counted_once(changes: tuple[Change, ...]) -> None:
    counted = figures.plan_figures(changes, (), ())
    total = sum(
        getattr(counts, name)
        for counts in (counted.policies, counted.grants)
        for name in ("created", "updated", "deleted")
    )
    flipped = sum(
        len(change.actions) > 1 and change.address != TEAMS_TENANT_GRANT for change in changes
    )
    assert total == len(changes) + flipped


@given(CHANGES, st.lists(st.integers(0, 3), min_size=8, max_size=8), st.data())
def test_applies_that_resume_add_up_to_the_plan(
    changes: tuple[Change, ...], steps: list[int], data: st.DataObject
) -> None:
    """However often it stops: what the applies of one plan finished is what the plan announced."""
    addresses = [
        change.address
        for change, more in zip(changes, steps, strict=False)
        for _ in range(more + 1)
    ]
    order = data.draw(st.permutations(addresses))
    plan = empty_plan(
        changes=changes, steps=tuple(_step(number, each) for number, each in enumerate(order, 1))
    )
    stops = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=3)))
    parts = [
        figures.apply_figures(plan, _applied(start, end, len(order)))
        for start, end in zip([0, *stops], [*stops, len(order)], strict=True)
    ]
    whole = figures.of_plan(plan)
    for noun in ("policies", "grants"):
        for name in ("created", "updated", "deleted"):
            done = sum(getattr(getattr(part, noun), name) for part in parts)
            assert done == getattr(getattr(whole, noun), name)
    assert sum(part.steps for part in parts) == whole.steps


def _applied(start: int, end: int, steps: int) -> Applied:
    return Applied(
        done=tuple(range(start + 1, end + 1)),
        already=start,
        failed=None,
        unknown=None,
        not_tried=tuple(range(end + 1, steps + 1)),
        converged=end == steps,
        moved=(),
    )


def test_a_tenant_wide_grant_changes_global_and_grants_nobody_anything() -> None:
    for action in (Action.CREATE, Action.UPDATE):
        counted = figures.plan_figures([_change(TEAMS_TENANT_GRANT, (action,))], (), ())
        assert counted.policies == figures.Counts(0, 1, 0)
        assert not counted.grants
    value = empty_plan(changes=(_change(TEAMS_TENANT_GRANT, (Action.CREATE,)),))
    told = plain_text(plans.plan_lines(review(value, DIGESTS)))
    assert "Plan: 0 to add, 1 to change, 0 to destroy. Grants: 0 to add, 0 to move," in told


def test_the_unmanaged_count_of_the_text_is_that_of_the_plan() -> None:
    rows = tuple(Note("unmanaged", f"teams.policy/{name}", {}) for name in ("A", "B", "Global"))
    value = empty_plan(unmanaged=rows)
    told = plain_text(plans.plan_lines(review(value, DIGESTS)))
    assert figures.of_plan(value).unmanaged == 3
    assert "Unmanaged, left alone: 2 Teams policies (" in told
    assert "\nGlobal is not managed, and it is not empty: " in told
    beside = empty_plan(unmanaged=rows[:2])
    told = plain_text(plans.plan_lines(review(beside, DIGESTS)))
    assert "Unmanaged, left alone: 2 Teams policies (" in told
    assert "Global" not in told
    alone = plain_text(plans.plan_lines(review(empty_plan(unmanaged=rows[2:]), DIGESTS)))
    assert "Unmanaged," not in alone
    assert "\nGlobal is not managed, and it is not empty: " in alone


@given(CHANGES)
def test_objects_counted_once_and_counted_by_action_agree(changes: tuple[Change, ...]) -> None:
    nouns = [
        [change for change in changes if figures.is_grant(change) is grants]
        for grants in (False, True)
    ]
    counts = figures.plan_figures(changes, (), ())
    for rows, by_action in zip(nouns, (counts.policies, counts.grants), strict=True):
        once = figures.object_figures(rows)
        assert once.added + once.changed + once.replaced + once.removed == len(rows)
        assert once.added + once.replaced == by_action.created
        assert once.removed + once.replaced == by_action.deleted
        assert once.changed == by_action.updated


def test_two_objects_that_replace_one_another_are_one_replaced() -> None:
    def half(scope: str, other: str, action: Action) -> Change:
        address = Address(f"exchange.policy/a@{scope}")
        change = _change(address, (action,))
        return replace(change, replaces=Address(f"exchange.policy/a@{other}"))

    old, new = half("old", "new", Action.DELETE), half("new", "old", Action.CREATE)
    assert figures.object_figures((old, new)) == figures.ObjectFigures(replaced=1)
    assert figures.object_figures((new,)) == figures.ObjectFigures(added=1)
    assert figures.object_figures((old,)) == figures.ObjectFigures(removed=1)


def test_a_teams_policy_that_takes_another_s_place_is_one_renamed() -> None:
    old, new = (Address(f"teams.policy/{name}") for name in ("Old", "New"))
    gone = replace(_change(old, (Action.DELETE,)), replaces=new)
    made = replace(_change(new, (Action.CREATE,)), replaces=old)
    assert figures.object_figures((gone, made)) == figures.ObjectFigures(renamed=1)
    assert figures.object_figures((made,)) == figures.ObjectFigures(added=1)


def test_an_application_that_reaches_everyone_is_among_those_that_widen() -> None:
    def row(application: str, provider: Provider) -> AccessRow:
        return AccessRow(application, Subject(SubjectKind.USER, "u"), Certainty.CERTAIN, provider)

    wide = TenantWideRow("a", Subject(SubjectKind.EVERYONE), Certainty.CERTAIN, "teams", ())
    delta = AccessDelta(
        gained=(row("b", "teams"), row("b", "exchange")),
        lost=(row("b", "exchange"), row("c", "teams")),
        tenant_wide=(wide,),
        unpopulated=(),
    )
    assert figures.access_figures(delta) == figures.AccessFigures(everyone=1, widens=2, narrows=2)
