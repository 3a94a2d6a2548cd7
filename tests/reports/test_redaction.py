"""`--redact names`: nobody of a plan is named in any format, and everything else is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.planning import planfile
from reconciler.reports import html, plans
from reconciler.reports.lines import plain_text
from reconciler.reports.markdown.plans import Wanted, plan_markdown
from reconciler.reports.redaction import LEFT_OUT, Redaction, Unplanned
from reconciler.reports.review.composing import review
from reconciler.reports.review.matrix import access_matrix
from reconciler.reports.wrapping import Layout
from tests.reports import golden_cases, samples
from tests.reports.golden_cases import CASES, Case
from tests.reports.samples import change, note, step

if TYPE_CHECKING:
    from reconciler.model.plans import Plan

APP = "aaaaaaaa-0000-4000-8000-000000000001"
GROUP = "bbbbbbbb-0000-4000-8000-000000000001"
SCOPE = "bbbbbbbb-0000-4000-8000-000000000002"
KEPT = {APP: "crm", GROUP: "Meeting hosts", SCOPE: "sales@contoso.com"}
SMALL = [case for case in CASES if case.name != "10000-grants"]  # `500-grants` is as that one
_HAND = "abcdefghijklmnopqrstuvwxyzäöß'-. 0123456789"
local_parts = st.from_regex(r"zz[a-z0-9.+_-]{1,8}z", fullmatch=True)
displays = st.text(_HAND, min_size=3, max_size=12).map(lambda text: f"Zq{text}qZ")


def _person(number: int) -> str:
    return f"cccccccc-0000-4000-8000-{number:012}"


def _shown(plan: Plan) -> dict[str, str]:
    """A plan in each format that takes `--redact`, with everything that can be asked for."""
    reviewed = review(plan, samples.DIGESTS)
    shown = plans.Shown(Layout(5000, ids=True), commands=True)
    return {
        "text": plain_text(plans.plan_lines(reviewed, shown)),
        "markdown": plan_markdown(reviewed, Wanted(ids=True, commands=True)),
        "html": html.page(reviewed, access_matrix(plan), html.Page(ids=True)),
        "json": b"".join(planfile.chunks(plan, samples.DIGESTS)).decode(),
    }


def _plan(local: str, display: str) -> tuple[Plan, list[str]]:
    """A plan that names people wherever a plan can, and what must not be seen of them."""
    ids = [_person(number) for number in range(9)]
    mails = [f"{local}{number}@contoso.com" for number in range(9)]
    names = {
        person: f"{display}{n} <{mail}>"
        for n, (person, mail) in enumerate(zip(ids, mails, strict=True))
    }
    row = {"application": APP, "certainty": "certain", "provider": "teams"}
    everyone = {"kind": "everyone", "except": [{"kind": "user", "id": ids[3]}]}
    asked = {"address": f"teams.grant/user:{ids[4]}", "asked": "direct-grant", "holds": True}
    case = {
        "names": {**names, **KEPT},
        "access": {
            "gained": [{**row, "subject": {"kind": "user", "id": ids[0]}}],
            "lost": [{**row, "subject": {"kind": "mailbox", "id": ids[1]}}],
            "tenant_wide": [{**row, "subject": everyone, "was": [{"kind": "user", "id": ids[2]}]}],
        },
        "gaps": [
            {
                "application": APP,
                "certainty": "certain",
                "proved": True,
                "reason": "no-better-order",
                "steps": [1],
                "subject": {"kind": "user", "id": ids[5]},
            }
        ],
        "changes": [
            change(f"teams.grant/user:{ids[0]}", "create", after={"policy": "P"}),
            change(f"exchange.policy/{APP}@{SCOPE}", "create", after={}),
            change(f"teams.grant/group:{GROUP}", "create", after={"policy": "P", "rank": 1}),
            change(
                "teams.policy/P",
                "update",
                before={"description": f"for {display}1"},
                after={"description": f"for {mails[1]} and stranger@elsewhere.example"},
            ),
        ],
        "steps": [step(1, f"teams.grant/user:{ids[0]}", text=f"Grant {ids[0]}", parameters={})],
        "baseline": {"teams": {"groups": [], "others": {}, "policies": {}, "users": {ids[6]: "p"}}},
        "unresolved": [
            note("user-absent", f"teams.grant/user:{mails[7]}", text=mails[7]),
            note("user-absent", f"teams.grant/user:{display}8", text=f"{display}8"),
            note("scope-absent", f"exchange.policy/{APP}@{mails[8]}", text=mails[8]),
        ],
        "held": [note("not-understood", "teams.policy/P", text=f'{{"by": "{display}2"}}', why="x")],
        "displaced": [note("displaced", "teams.policy/P", users=[ids[6], mails[6]])],
        "warnings": [note("reduces-applications", "teams.policy/P", users=[ids[7]])],
        "refusals": [
            note(
                "displaced",
                f"teams.grant/user:{ids[8]}",
                allow=f"removed:teams.grant/user:{ids[8]}",
                group=GROUP,
            )
        ],
        "consents": [f"removed:teams.grant/user:{ids[3].upper()}"],
        "tests": [
            {
                "application": APP,
                "excused": False,
                "expected": "denied",
                "name": f"{display}4-stays-out",
                "passed": False,
                "subject": {"kind": "user", "id": ids[4], "written": mails[4]},
                "verdict": "granted",
                "why": {"decided_by": None, "path": [asked], "unknown": []},
            }
        ],
        "unmanaged": [note("unmanaged", f"teams.grant/user:{ids[5]}", policy="P")],
        "applicable": False,
    }
    secrets = [*ids, *mails, *(f"{display}{number}" for number in range(9))]
    return golden_cases._of(case).plan, [*secrets, "stranger"]


@settings(max_examples=30)
@given(local_parts, displays)
def test_nobody_is_named_in_any_format(local: str, display: str) -> None:
    plan, secrets = _plan(local, display)
    before, after = _shown(plan), _shown(Redaction(plan).plan())
    for form, told in after.items():
        folded = told.casefold()
        assert [secret for secret in secrets if secret.casefold() in folded] == [], form
        for kept in KEPT.values():
            assert (kept in told) == (kept in before[form]), f"{form}: {kept}"


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_nobody_of_a_case_is_named(case: Case) -> None:
    told = "".join(_shown(Redaction(case.plan).plan()).values())
    tokens = set(re.findall(r"[\w.+@-]+", told.lower()))
    people = {
        name_id: re.split(" <|>", name)
        for name_id, name in case.plan.names.items()
        if re.search("<.+@.+>", name)
    }
    assert tokens.isdisjoint(people)
    assert tokens.isdisjoint(mail.lower() for _, mail, *_ in people.values())
    for display, *_ in list(people.values())[:50]:
        assert not re.search(rf"(?<![\w-]){re.escape(display)}(?![\w-])", told)


def test_people_are_numbered_by_their_ids_and_alike_on_every_surface() -> None:
    plan, _ = _plan("zzaz", "ZqabcqZ")
    redacted = Redaction(plan).plan()
    assert redacted.access is not None
    assert redacted.access.gained[0].subject.id == "person-1"
    assert redacted.access.lost[0].subject.id == "person-2"
    told = _shown(redacted)
    assert "Person 1" in told["html"]
    for form in ("text", "markdown"):
        assert re.search(rf"\+ crm \({APP}\):? +Person 1 \(person-1\)  \[Teams\]", told[form])
    again = json.loads(told["json"])
    assert again["names"]["person-1"] == "Person 1"
    assert "teams.grant/user:person-1" in [row["address"] for row in again["changes"]]


def test_counts_and_digests_are_those_of_the_plan() -> None:
    for case in SMALL:
        before, after = (
            review(plan, samples.DIGESTS) for plan in (case.plan, Redaction(case.plan).plan())
        )
        assert after.verdict == before.verdict
        assert after.commands == ()
        assert sorted(block.effect for block in after.blocks) == sorted(
            block.effect for block in before.blocks
        )
        assert len(after.access or ()) == len(before.access or ())


def test_what_was_read_and_not_understood_is_not_quoted() -> None:
    plan, _ = _plan("zzaz", "ZqabcqZ")
    (held,) = Redaction(plan).plan().held
    assert held.details == {"text": LEFT_OUT, "why": "x"}


def test_no_redacted_plan_is_a_plan_file(tmp_path) -> None:
    plan, _ = _plan("zzaz", "ZqabcqZ")
    file = tmp_path / "plan.json"
    file.write_bytes(b"".join(planfile.chunks(Redaction(plan).plan(), samples.DIGESTS)))
    with pytest.raises(planfile.TamperedPlan, match="modified"):
        planfile.load_plan(file)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("user 'adele.vance' not found", "user (redacted) not found"),
        ('"Adele Vance" is no UPN', "(redacted) is no UPN"),
        (
            "unknown key 'grnats'; the plan's tenant isn't",
            "unknown key 'grnats'; the plan's tenant isn't",
        ),
        ("a.yaml:3: adele@contoso.com.", "a.yaml:3: (redacted)."),
        (f"user {APP.upper()}: no", "user (redacted): no"),
    ],
)
def test_without_a_plan_whatever_may_be_a_name_is_left_out(said: str, left: str) -> None:
    assert Unplanned().message(said) == left
