"""What the text of a plan promises beyond its cases: nothing is hidden that takes away or that
reaches everyone, numbers are right, and no line is wider than the terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from reconciler.reports.review.composing import review
from reconciler.reports.review.value import Name
from reconciler.reports.wrapping import Layout, cells, enumerated_names
from tests.reports import samples
from tests.reports.samples import change, note, step

if TYPE_CHECKING:
    from pathlib import Path

WIDE = 1_000_000
"""Columns at which no sentence is broken."""


def _text(folder: Path, **case: object) -> str:
    return plain_text(
        plans.plan_lines(
            review(samples.plan(folder, case), samples.DIGESTS), plans.Shown(Layout(WIDE))
        )
    )


def _grant(number: int, *actions: str) -> dict[str, object]:
    policy, other = {"policy": "P"}, {"policy": "Q"}
    before, after = (
        (None if "create" in actions else other if "update" in actions else policy),
        (None if "delete" in actions else policy),
    )
    return change(f"teams.grant/user:{actions[0]}-{number}", *actions, before=before, after=after)


def test_people_who_only_gain_are_cut_and_counted_and_those_who_lose_are_not(
    tmp_path: Path,
) -> None:
    changes = [
        _grant(number, action) for action in ("create", "update", "delete") for number in range(100)
    ]
    told = _text(tmp_path, changes=changes)
    assert "+ 100 people: create-0, " in told
    assert told.count("create-") == 10
    assert " and 90 more" in told
    assert told.count("update-") == 100
    assert told.count("delete-") == 100
    assert "Plan: 0 to add, 0 to change, 0 to destroy. Grants: 100 to add, 100 to move," in told
    assert "Teams: 100 grants added, 100 moved, 100 removed." in told


@pytest.mark.parametrize(("count", "shown"), [(25, True), (26, False)])
def test_commands_are_shown_while_they_are_few(count: int, shown: bool, tmp_path: Path) -> None:
    steps = [step(number, "teams.policy/A") for number in range(1, count + 1)]
    told = _text(tmp_path, steps=steps)
    assert ("  Set-It -Number:1  # A\n" in told) is shown
    assert (f"{count} Set-CsApplicationAccessPolicy\n" in told) is not shown
    assert ("(--commands shows them)" in told) is not shown


def test_all_commands_are_shown_on_demand(tmp_path: Path) -> None:
    steps = [step(number, "teams.policy/A") for number in range(1, 301)]
    value = review(samples.plan(tmp_path, {"steps": steps}), samples.DIGESTS)
    told = plain_text(plans.plan_lines(value, plans.Shown(commands=True)))
    assert all(f" {number}  Set-It -Number:{number}  # A\n" in told for number in range(1, 301))


def test_a_refusal_always_prints_its_consent(tmp_path: Path) -> None:
    rows = [
        note(
            "tenant-wide",
            f"teams.application/{number}",
            allow=f"tenant-wide:teams.application/{number}",
        )
        for number in range(80)
    ]
    told = _text(tmp_path, refusals=rows, applicable=False)
    assert all(f"--allow tenant-wide:teams.application/{number}\n" in told for number in range(80))
    assert "NOT APPLICABLE: 80 refusals." in told


def test_a_consent_is_typed_as_a_shell_takes_it(tmp_path: Path) -> None:
    consents = (
        "displaced:teams.policy/Two words",
        "displaced:teams.policy/$HOME",
        "tenant-wide:exchange.application/*",
    )
    told = _text(
        tmp_path,
        refusals=[note("displaced", "teams.policy/x", allow=consent) for consent in consents],
        applicable=False,
    )
    assert '--allow "displaced:teams.policy/Two words"\n' in told
    assert "--allow 'displaced:teams.policy/$HOME'\n" in told
    assert '--allow "tenant-wide:exchange.application/*"\n' in told


def test_names_that_were_not_found_are_no_absence_of_changes(tmp_path: Path) -> None:
    told = _text(
        tmp_path,
        unresolved=[note("user-absent", "teams.grant/user:x@y.z", text="x@y.z")],
        applicable=False,
    )
    assert "No changes." not in told
    assert "NOT APPLICABLE: 1 unresolved name." in told


def test_a_replacement_that_its_partner_does_not_confirm_is_two_objects(tmp_path: Path) -> None:
    told = _text(
        tmp_path,
        changes=[
            change("exchange.policy/a@new", "create", replaces="exchange.policy/a@old"),
            change("exchange.policy/a@old", "delete", before={}, after=None),
        ],
    )
    assert "    + Exchange  " in told
    assert "    - Exchange  " in told
    assert "-/+" not in told


def test_access_that_was_computed_is_not_called_missing(tmp_path: Path) -> None:
    computed = _text(tmp_path, access={"gained": [], "lost": [], "tenant_wide": []})
    assert "Access: not computed" not in computed
    assert "Nobody gains or loses access." in computed
    assert "Access: not computed" in _text(tmp_path)


def test_the_origin_of_the_observed_state_is_said(tmp_path: Path) -> None:
    for source, said in {
        "live": "the live tenant",
        "capture": "a capture file",
        "simulated": "a simulated tenant",
    }.items():
        text = _text(tmp_path, inputs={**samples.EMPTY["inputs"], "source": source})
        assert f"from {said}." in text
        assert text.startswith("SIMULATED TENANT") is (source == "simulated")


def test_what_no_document_has_is_counted_by_kind(tmp_path: Path) -> None:
    rows = [
        note("unmanaged", "teams.policy/A"),
        note("unmanaged", "teams.policy/B"),
        note("unmanaged", "teams.grant/user:u"),
        note("unmanaged", "exchange.policy/a@s"),
    ]
    told = _text(tmp_path, unmanaged=rows)
    assert "Unmanaged, left alone: 1 Exchange policy, 1 grant, 2 Teams policies (" in told


def test_a_detail_that_is_long_is_cut(tmp_path: Path) -> None:
    members = [str(number) for number in range(12)]
    told = _text(
        tmp_path, warnings=[note("reduces-applications", "teams.policy/A", applications=members)]
    )
    assert "A [applications 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more]" in told


def test_a_global_whose_applications_the_plan_does_not_give(tmp_path: Path) -> None:
    assert "Global is not managed" in _text(
        tmp_path, unmanaged=[note("unmanaged", "teams.policy/Global")]
    )


def _people(number: int, kind: str = "user") -> list[dict[str, object]]:
    rows = [{"kind": kind, "id": f"{kind}-{each}"} for each in range(number)]
    return [
        {"application": "app", "certainty": "certain", "provider": "teams", "subject": row}
        for row in rows
    ]


def test_people_are_cut_with_a_count_but_groups_and_policies_that_gain_never(
    tmp_path: Path,
) -> None:
    rows = [*_people(500), *_people(500, "group-members"), *_people(500, "policy-holders")]
    told = _text(tmp_path, access={"gained": rows, "lost": [], "tenant_wide": []})
    assert told.count("user-") == 5
    assert " and 495 more" in told
    assert told.count("members of group-members-") == 501  # the verdict names a handful
    assert told.count("holders of policy-holders-") == 500


def test_equal_rows_of_several_applications_are_one_row(tmp_path: Path) -> None:
    rows = [{**row, "application": name} for row in _people(3) for name in ("b", "a")]
    names = {"a": "Alpha", "b": "Beta"}
    told = _text(tmp_path, names=names, access={"gained": rows, "lost": [], "tenant_wide": []})
    assert "  + Alpha, Beta  user-0, user-1, user-2  [Teams]\n" in told


def test_people_whose_direct_policy_replaces_another_are_one_row(tmp_path: Path) -> None:
    rows = [{**row, "certainty": "possible"} for row in _people(30)]
    changes = [
        change(f"teams.grant/user:user-{each}", "create", after={"policy": "P"})
        for each in range(30)
    ]
    told = _text(
        tmp_path,
        names={"app": "Recorder"},
        access={"gained": [], "lost": [*rows, *_people(40)[30:31]], "tenant_wide": []},
        changes=changes,
    )
    assert (
        "  - Recorder  up to 30 people: user-0, user-1, user-10, user-11, user-12 and 25 more"
        " (a direct policy replaces what a group or Global gave)  [Teams]\n"
    ) in told
    assert "  - Recorder  user-30  [Teams]\n" in told


def test_what_reaches_everyone_comes_first_and_unknown_numbers_before_known_ones(
    tmp_path: Path,
) -> None:
    everyone = {
        "application": "recorder",
        "certainty": "certain",
        "provider": "exchange",
        "subject": {"kind": "everyone"},
    }
    wide = {**everyone, "was": [{"kind": "group-members", "id": "Sales"}]}
    group = _people(1, "group-members")[0]
    rows = [
        {**_people(1)[0], "application": "few"},
        everyone,
        {**group, "application": "unknown"},
        {**group, "application": "many", "subject": {"kind": "policy-holders", "id": "Many"}},
    ]
    told = _text(
        tmp_path,
        access={"gained": rows, "lost": _people(1), "tenant_wide": [wide]},
        summary={"access teams gained policy-holders Many": 12},
        names={name: name for name in ("recorder", "few", "unknown", "many", "app")},
    )
    order = ["EVERYONE", "  ! recorder", "MORE", "  + unknown", "  + many", "  + few", "LESS"]
    places = [told.index(f"\n{start}") for start in order]
    assert places == sorted(places)
    assert "1 application newly reaches EVERYONE, 3 others reach more, 1 reaches less." in told


def test_a_client_id_without_a_name_asks_for_one(tmp_path: Path) -> None:
    client = "7a774f0c-7a6f-11e0-85ad-07fb4824019b"
    rows = [{**row, "application": client} for row in _people(1)]
    access = {"gained": rows, "lost": [], "tenant_wide": []}
    assert "+ 7a774f0c… (no name: add an Application): user-0" in _text(tmp_path, access=access)
    value = review(samples.plan(tmp_path, {"access": access}), samples.DIGESTS)
    told = plain_text(plans.plan_lines(value, plans.Shown(Layout(WIDE, ids=True))))
    assert client in told


def test_two_people_of_one_name_are_told_apart(tmp_path: Path) -> None:
    names = {
        "user-0": "Alex Wilber <alex@contoso.com>",
        "user-1": "Alex Wilber <alex.w@contoso.com>",
        "user-2": "Megan Bowen <megan@contoso.com>",
        "user-3": "Sam <s@contoso.com>",
        "user-4": "Sam <s@contoso.com>",
    }
    access = {"gained": _people(5), "lost": [], "tenant_wide": []}
    told = _text(tmp_path, access=access, names=names)
    assert "Alex Wilber <alex.w@contoso.com>, Alex Wilber <alex@contoso.com>, Megan Bowen," in told
    assert "Sam <s@contoso.com> (user-3), Sam <s@contoso.com> (user-4)" in told


def test_a_name_cannot_pass_for_two_or_for_a_count(tmp_path: Path) -> None:
    names = {"user-0": "Alex, Megan <a@contoso.com>", "user-1": "x and 3 more; EVERYONE"}
    access = {"gained": _people(2), "lost": [], "tenant_wide": []}
    told = _text(tmp_path, access=access, names=names)
    assert '"Alex, Megan", "x and 3 more; EVERYONE"' in told


def test_changes_that_change_no_access_say_so(tmp_path: Path) -> None:
    told = _text(
        tmp_path,
        access={"gained": [], "lost": [], "tenant_wide": []},
        changes=[change("teams.policy/P", "update")],
    )
    assert "Nobody gains or loses access." in told
    assert "    ~ Teams  P  (no effect)\n" in told


def test_many_steps_say_how_long_an_apply_may_take(tmp_path: Path) -> None:
    few, many = (
        [samples.step(number, "teams.grant/user:u") for number in range(1, count + 1)]
        for count in (20, 1000)
    )
    assert "on a live tenant" not in _text(tmp_path, steps=few)
    assert "1000 steps, about 7 minutes to 4 hours on a live tenant;" in _text(tmp_path, steps=many)


def test_a_list_without_members_says_so(tmp_path: Path) -> None:
    created = change(
        "teams.policy/A", "create", before=None, after={"applications": [], "name": "A"}
    )
    assert "A: no applications, name" in _text(tmp_path, changes=[created])


WORDS = st.text("abc漢é", min_size=1, max_size=9)
NAMES = st.builds(Name, st.lists(WORDS, min_size=1, max_size=3).map(" ".join))


@given(st.lists(WORDS | NAMES, min_size=1, max_size=12), st.integers(20, 60))
def test_a_phrase_is_broken_between_words_and_never_inside_a_name(
    pieces: list[str | Name], width: int
) -> None:
    phrase: list[str | Name] = []
    for piece in pieces:
        phrase += [" ", piece] if phrase else [piece]
    lines = [line.text for line in Layout(width).lines(tuple(phrase), "  ", 4)]
    texts = [piece.text if isinstance(piece, Name) else piece for piece in pieces]
    assert [line[:2] for line in lines] == ["  "] * len(lines)
    assert " ".join(line.strip() for line in lines) == " ".join(texts)
    for line in lines:
        assert cells(line) <= width or line.strip() in texts
    for piece in pieces:
        if isinstance(piece, Name):
            assert any(piece.text in line for line in lines)


def test_a_list_that_is_cut_says_how_many_are_left() -> None:
    names = [Name(str(number)) for number in range(8)]
    assert Layout().text(enumerated_names(names, 3)) == "0, 1, 2 and 5 more"
    assert Layout().text(enumerated_names(names[:3], 3)) == "0, 1, 2"
