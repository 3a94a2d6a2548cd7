"""What documents decide without a tenant, and what they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.access import declared
from reconciler.documents import load_documents
from tests.access_tests.documents import BOT, CRM, access_test

if TYPE_CHECKING:
    from pathlib import Path

TEAMS = """---
apiVersion: reconciler/v1
kind: TeamsApplicationAccessPolicy
metadata: {name: Hosts}
spec: {applications: [BOT], grants: {users: [Megan@contoso.com]}}
---
apiVersion: reconciler/v1
kind: TeamsApplicationAccessPolicy
metadata: {name: Unlisted}
spec: {grants: {users: [nestor@contoso.com]}}
"""
EXCHANGE = """---
apiVersion: reconciler/v1
kind: ExchangeApplicationAccessPolicy
metadata: {name: NAME}
spec: {applications: [WHO], scope: SCOPE, accessRight: RIGHT}
"""


def exchange(who: str, scope: str, right: str) -> str:
    name = f"{right}-{scope}-{len(who)}"
    return (
        EXCHANGE.replace("NAME", name)
        .replace("WHO", who)
        .replace("SCOPE", scope)
        .replace("RIGHT", right)
    )


def verdicts(folder: Path, text: str, *expected: str) -> list[tuple[str, str | None]]:
    """Verdict and what decides, or what would, in the order of subjects."""
    (folder / "a.yaml").write_text(
        text.replace("BOT", BOT).replace("CRM", CRM) + access_test("t", *expected), encoding="utf-8"
    )
    results = declared.judge_declared(load_documents([folder]))
    return [(one.verdict, one.row().why.decided_by or one.row().why.unknown[0]) for one in results]


def test_a_listed_user_has_the_policy_that_lists_them(tmp_path: Path) -> None:
    assert verdicts(tmp_path, TEAMS, f"{BOT} meetingsOf megan@contoso.com granted") == [
        ("granted", "teams.policy/Hosts")
    ]
    assert verdicts(tmp_path, TEAMS, f"{CRM} meetingsOf MEGAN@contoso.com denied") == [
        ("denied", "teams.policy/Hosts")
    ]


def test_whom_no_document_lists_and_what_no_document_says_is_left_to_the_tenant(
    tmp_path: Path,
) -> None:
    assert verdicts(tmp_path, TEAMS, f"{BOT} meetingsOf adele@contoso.com denied") == [
        ("depends", "teams.grant/user:adele@contoso.com")
    ]
    assert verdicts(tmp_path, TEAMS, f"{BOT} meetingsOf nestor@contoso.com denied") == [
        ("depends", "teams.policy/Unlisted")
    ]


DENY, RESTRICT, OTHER = (
    exchange("CRM", "ceo@contoso.com", "DenyAccess"),
    exchange("CRM", "ceo@contoso.com", "RestrictAccess"),
    exchange("CRM", "Sales@contoso.com", "RestrictAccess"),
)
EVERY = exchange("'*'", "Board@contoso.com", "DenyAccess")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (DENY, ("denied", f"exchange.policy/{CRM}@ceo@contoso.com")),
        (
            exchange("'*'", "ceo@contoso.com", "DenyAccess"),
            ("denied", "exchange.policy/*@ceo@contoso.com"),
        ),
        (RESTRICT, ("depends", "exchange.application/*")),
        (RESTRICT + EVERY, ("depends", "exchange.policy/*@board@contoso.com")),
        (
            RESTRICT
            + EXCHANGE.replace("NAME", "e")
            .replace("WHO", "'*'")
            .replace("SCOPE", "x@contoso.com")
            .replace("RIGHT}", "RestrictAccess, allowEveryApplication: true}"),
            ("granted", f"exchange.policy/{CRM}@ceo@contoso.com"),
        ),
        (OTHER, ("depends", f"exchange.policy/{CRM}@sales@contoso.com")),
        ("", ("depends", f"exchange.application/{CRM}")),
        (
            RESTRICT.replace("accessRight: RestrictAccess", "ensure: absent"),
            ("depends", f"exchange.application/{CRM}"),
        ),
    ],
)
def test_a_mailbox_is_covered_by_the_scope_that_is_itself_and_maybe_by_any_other(
    tmp_path: Path, text: str, verdict: tuple[str, str]
) -> None:
    assert verdicts(tmp_path, text, f"{CRM} mailbox CEO@contoso.com denied") == [verdict]


def test_a_decided_test_that_fails_is_a_fault_at_its_place_and_an_undecided_one_is_none(
    tmp_path: Path,
) -> None:
    verdicts(
        tmp_path,
        DENY,
        f"{CRM} mailbox ceo@contoso.com granted",
        f"{CRM} mailbox cfo@contoso.com granted",
        f"{CRM} meetingsOf a@contoso.com denied",
    )
    (finding,) = declared.contradictions(declared.judge_declared(load_documents([tmp_path])))
    assert (finding.rule, finding.path, finding.position.line, finding.subject) == (
        declared.FAILED.id,
        "$.spec.expect[0].mailbox",
        12,
        "AccessTest/t",
    )
    assert (
        f"expected `granted` for application {CRM} and the mailbox `ceo@contoso.com`, but the documents"
        " make it denied" in finding.message
    )
