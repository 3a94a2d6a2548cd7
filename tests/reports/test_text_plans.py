"""What the text of a plan promises beyond its cases: nothing is hidden that takes away, and numbers
are right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from tests.reports import samples
from tests.reports.samples import change, note, step

if TYPE_CHECKING:
    from pathlib import Path


def _text(folder: Path, **case: object) -> str:
    return plain_text(
        plans.plan_lines(samples.plan(folder, case), samples.DIGESTS, simulated=False)
    )


def _grant(number: int, *actions: str) -> dict[str, object]:
    policy = {"policy": "P"}
    before, after = (
        (None if "create" in actions else policy),
        (None if "delete" in actions else policy),
    )
    return change(f"teams.grant/user:{actions[0]}-{number}", *actions, before=before, after=after)


def test_long_lists_of_additions_are_cut_and_counted_and_what_takes_away_is_not(
    tmp_path: Path,
) -> None:
    changes = [
        _grant(number, action) for action in ("create", "update", "delete") for number in range(100)
    ]
    told = _text(tmp_path, changes=changes)
    assert told.count("  + teams.grant/") == 20
    assert "... and 80 more" in told
    assert told.count("  ~ teams.grant/") == 100
    assert told.count("  - teams.grant/") == 100
    assert "Grants: 100 to add, 100 to move, 100 to remove.\n" in told
    assert "Plan: 0 to add, 0 to change, 0 to destroy.\n" in told


def test_every_command_stands_there_up_to_the_cap(tmp_path: Path) -> None:
    few = _text(tmp_path, steps=[step(number, "teams.policy/A") for number in range(1, 201)])
    assert all(f" {number}  Set-It -Number:{number}\n" in few for number in range(1, 201))
    many = _text(tmp_path, steps=[step(number, "teams.policy/A") for number in range(1, 301)])
    assert "... and 100 more: --format powershell" in many


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
    assert "not applicable" in told


def test_a_replacement_that_its_partner_does_not_confirm_is_two_objects(tmp_path: Path) -> None:
    told = _text(
        tmp_path,
        changes=[
            change("exchange.policy/a@new", "create", replaces="exchange.policy/a@old"),
            change("exchange.policy/a@old", "delete", before={}, after=None),
        ],
    )
    assert "  + exchange.policy/a@new\n" in told
    assert "  - exchange.policy/a@old\n" in told


def test_a_set_that_was_no_list_before_and_values_of_every_kind(tmp_path: Path) -> None:
    after = {"applications": ["b", 1], "flag": True, "number": 3, "nested": {"k": [None, "v"]}}
    told = _text(tmp_path, changes=[change("teams.policy/A", "create", after=after)])
    for expected in (
        "+ applications:\n          + 1\n          + b\n",
        "+ flag = true\n",
        "+ number = 3\n",
        '+ nested = {k = [null, "v"]}\n',
    ):
        assert expected in told
    gone = _text(
        tmp_path, changes=[change("teams.policy/A", "update", before={"flag": False}, after={})]
    )
    assert "- flag = false\n" in gone


def test_access_that_was_computed_is_not_called_missing(tmp_path: Path) -> None:
    assert "Access: not computed" not in _text(
        tmp_path, access={"gained": [], "lost": [], "tenant_wide": []}
    )


def test_the_origin_of_the_observed_state_is_said(tmp_path: Path) -> None:
    for source, said in {
        "live": "the live tenant",
        "capture": "a capture file",
        "simulated": "a simulated tenant",
    }.items():
        assert f"from {said}." in _text(
            tmp_path, inputs={**samples.EMPTY["inputs"], "source": source}
        )


def test_a_detail_that_is_long_is_cut(tmp_path: Path) -> None:
    told = _text(
        tmp_path,
        unmanaged=[
            note("unmanaged", "teams.policy/A", applications=[str(number) for number in range(12)])
        ],
    )
    assert "[applications 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more]" in told
    assert "1 object in no document" in told


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
    assert "    app: +members of 500 groups, +holders of 500 policies, +500 users\n" in told
    assert told.count("      + user-") == 20
    assert "      ... and 480 more" in told
    assert (
        told.count("      + members of group-members-")
        == told.count("      + holders of policy-holders-")
        == 500
    )


def test_an_application_that_becomes_tenant_wide_stands_first_and_says_whom_it_reached(
    tmp_path: Path,
) -> None:
    """The line of the manual: `recorder: now reaches EVERY mailbox (was: Sales)`."""
    row = {
        "application": "recorder",
        "certainty": "certain",
        "provider": "exchange",
        "subject": {"kind": "everyone"},
    }
    wide = {**row, "was": [{"kind": "group-members", "id": "Sales"}]}
    other = {**row, "application": "a-first", "subject": {"kind": "mailbox", "id": "somebody"}}
    told = _text(tmp_path, access={"gained": [other, row], "lost": [], "tenant_wide": [wide]})
    assert (
        "    recorder: now reaches EVERY mailbox (was: members of Sales)\n      + EVERY mailbox\n  "
        "  a-first: +1 mailbox\n" in told
    )


def test_changes_that_change_no_access_say_so(tmp_path: Path) -> None:
    told = _text(
        tmp_path,
        access={"gained": [], "lost": [], "tenant_wide": []},
        changes=[change("teams.policy/P", "update")],
    )
    assert "Access: nobody gains or loses any\n" in told


def test_many_steps_say_how_long_an_apply_may_take(tmp_path: Path) -> None:
    few, many = (
        [samples.step(number, "teams.grant/user:u") for number in range(1, count + 1)]
        for count in (20, 1000)
    )
    assert "on a live tenant" not in _text(tmp_path, steps=few)
    assert (
        "    1000 cmdlet calls, one after the other: about 7 minutes to 4 hours on a live tenant.\n"
        in _text(tmp_path, steps=many)
    )


def test_an_object_without_members_says_so(tmp_path: Path) -> None:
    created = change(
        "teams.policy/A", "create", before=None, after={"applications": [], "name": "A"}
    )
    destroyed = change(
        "teams.policy/B", "delete", before={"applications": [], "name": "B"}, after=None
    )
    told = _text(tmp_path, changes=[created, destroyed])
    assert "      + applications: (none)\n" in told
    assert "      - applications: (none)\n" in told
    assert "null" not in told
