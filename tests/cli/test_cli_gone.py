"""What policies and grants name and the tenant no longer has: told in every plan with what follows
for access, never advised to be joined, and never said of what a reading does not know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import TENANT_ID, tenant_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

MAILER = "82d41ec2-84d5-4e13-8609-c8f1dbd81d34"
BOARD, MADE_ANEW = "0b02e909-d902-4a8a-8027-8d3e613a59bb", "8ec0f922-cc74-4797-8eef-b3463469a4ab"
SALES, HOSTS = "5a1e5000-0000-4000-8000-000000000002", "40575000-0000-4000-8000-000000000001"
BOSS, ANNA = "05b1f356-646c-44bf-8765-f6f1b65aea3b", "2bc1ecb4-10e1-42bc-883b-ce6f212b41e1"
NO_CHANGES = "No changes. The tenant has what the documents say."
NAMES = {BOARD: "Board", SALES: "Sales", ANNA: "Anna"}


def _policy(scope: str, right: str) -> dict[str, Any]:
    raw = f"S-1-5-21-1-2-3-{int(scope[:4], 16)};{scope}"
    return {
        "Identity": f"{TENANT_ID}\\{MAILER}:{raw}",
        "AppId": MAILER,
        "AccessRight": right,
        "ScopeName": NAMES[scope],
        "ScopeIdentity": f"{NAMES[scope]}20240101",
        "ScopeIdentityRaw": raw,
        "Description": "",
        "IsValid": True,
        "ObjectState": "Unchanged",
        "ShardType": "All",
    }


def _recipient(object_id: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    address = f"{name.lower()}@contoso.com"
    return {
        "id": object_id,
        "sid": f"S-1-5-21-1-2-3-{int(object_id[:4], 16)}",
        "primary": address,
        "addresses": [address],
        "displayName": name,
        "type": kind,
        "isValidSecurityPrincipal": True,
        **more,
    }


PEOPLE = [_recipient(BOSS, "Boss", "UserMailbox"), _recipient(ANNA, "Anna", "UserMailbox")]
SALES_GROUP = _recipient(SALES, "Sales", "MailUniversalSecurityGroup", members=[ANNA])
NEW_BOARD = _recipient(MADE_ANEW, "Board", "MailUniversalSecurityGroup", members=[BOSS])


@pytest.fixture
def tenant(tmp_path: Path) -> Callable[..., None]:
    """Writes a simulated tenant and documents about it."""

    def write(
        document: str,
        *,
        policies: tuple[dict[str, Any], ...] = (),
        recipients: tuple[dict[str, Any], ...] = (),
        grants: tuple[str, ...] = (),
        groups: tuple[str, ...] = (),
    ) -> None:
        state = {
            "format_version": "1.0",
            "tenant": {"tenantId": TENANT_ID, "organization": "contoso.onmicrosoft.com"},
            "clock": "2026-11-02T06:30:00Z",
            "teams": {
                "policies": [
                    {"Identity": "Global", "AppIds": [], "Description": ""},
                    {"Identity": "Tag:Hosts", "AppIds": [MAILER], "Description": ""},
                ],
                "groupAssignments": [
                    {
                        "GroupId": group,
                        "PolicyType": "ApplicationAccessPolicy",
                        "PolicyName": "Hosts",
                        "Priority": rank,
                    }
                    for rank, group in enumerate(grants, 1)
                ],
                "users": [],
            },
            "exchange": {"policies": list(policies)},
            "directory": {
                "users": [],
                "groups": [{"id": group, "displayName": group[:4]} for group in groups],
                "recipients": [*PEOPLE, *recipients],
            },
        }
        (tmp_path / "tenant.json").write_text(json.dumps(state), encoding="utf-8")
        (tmp_path / "policies").mkdir()
        (tmp_path / "policies" / "all.yaml").write_text(
            f"{tenant_document()}---\n{document}", encoding="utf-8"
        )

    return write


def _exchange(scope: str, right: str, name: str = "mailer") -> str:
    return (
        "apiVersion: reconciler/v1\nkind: ExchangeApplicationAccessPolicy\n"
        f"metadata: {{name: {name}}}\nspec: {{applications: [{MAILER}], scope: {scope}, accessRight:"
        f" {right}}}\n"
    )


def _teams(*groups: str) -> str:
    rows = ", ".join(f"{{group: {group}, rank: {rank}}}" for rank, group in enumerate(groups, 1))
    return (
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name: Hosts}\n"
        f"spec: {{applications: [{MAILER}], grants: {{groups: [{rows}]}}}}\n"
    )


@pytest.mark.parametrize(
    ("right", "consequence"),
    [
        ("DenyAccess", "it protects nobody"),
        ("RestrictAccess", "the application is blocked from every mailbox"),
    ],
)
def test_a_policy_whose_scope_is_gone_is_named_with_what_follows(
    tenant: Callable[..., None], run: Run, right: str, consequence: str
) -> None:
    tenant(_exchange(BOARD, right), policies=(_policy(BOARD, right),))
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert ran.code == 0
    assert consequence in ran.out
    assert f"{MAILER[:8]}… (no name: add an Application) on Board" in ran.out
    assert NO_CHANGES not in ran.out
    assert "No changes, but what 1 policy or grant names no longer exists" in ran.out


def test_a_restrict_whose_scope_is_gone_among_others_blocks_only_its_own_part(
    tenant: Callable[..., None], run: Run
) -> None:
    tenant(
        f"{_exchange(BOARD, 'RestrictAccess')}---\n{_exchange(SALES, 'RestrictAccess', 'sales')}",
        policies=(_policy(BOARD, "RestrictAccess"), _policy(SALES, "RestrictAccess")),
        recipients=(SALES_GROUP,),
    )
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert "only its other RestrictAccess policies do" in ran.out
    assert "blocked from every mailbox" not in ran.out


@pytest.mark.parametrize("named", ["board@contoso.com", MADE_ANEW])
def test_a_scope_that_was_recreated_is_told_before_the_policy_is_put_on_it(
    tenant: Callable[..., None], run: Run, named: str
) -> None:
    tenant(
        _exchange(named, "DenyAccess"),
        policies=(_policy(BOARD, "DenyAccess"),),
        recipients=(NEW_BOARD,),
    )
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert "a group that was recreated under its address" in ran.out
    assert "check who is in it before you apply" in ran.out


@pytest.mark.parametrize("other", ["DenyAccess", "RestrictAccess"])
def test_nothing_is_created_on_a_scope_that_is_gone(
    tenant: Callable[..., None], run: Run, other: str
) -> None:
    """The service would remove the policy and refuse the new one."""
    standing = "DenyAccess" if other == "RestrictAccess" else "RestrictAccess"
    tenant(_exchange(BOARD, other), policies=(_policy(BOARD, standing),))
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert ran.code == 0
    assert "The tenant has no such recipient" in ran.out
    assert "No changes. What differs is held" in ran.out
    assert "Remove-ApplicationAccessPolicy" not in ran.out


def _advised(run: Run, mailbox: str) -> list[tuple[str, str]]:
    ran = run(
        *("explain", "--tenant", "sim:tenant.json", "--app", MAILER, "--mailbox", mailbox),
        *("--format", "json"),
    )
    return [
        (row["remedy"], row["address"])
        for row in json.loads(ran.out)["explanation"]["would_change"]
    ]


def test_nobody_is_advised_to_join_a_scope_that_is_gone(
    tenant: Callable[..., None], run: Run
) -> None:
    tenant(
        f"{_exchange(BOARD, 'RestrictAccess')}---\n{_exchange(SALES, 'RestrictAccess', 'sales')}",
        policies=(_policy(BOARD, "RestrictAccess"), _policy(SALES, "RestrictAccess")),
        recipients=(SALES_GROUP,),
    )
    assert _advised(run, "boss@contoso.com") == [
        ("replace-scope", f"exchange.policy/{MAILER}@{BOARD}"),
        ("join-scope", f"exchange.policy/{MAILER}@{SALES}"),
    ]


def test_a_deny_whose_scope_is_gone_is_advised_to_be_put_on_another(
    tenant: Callable[..., None], run: Run
) -> None:
    tenant(_exchange(BOARD, "DenyAccess"), policies=(_policy(BOARD, "DenyAccess"),))
    assert _advised(run, "boss@contoso.com")[0] == (
        "replace-scope",
        f"exchange.policy/{MAILER}@{BOARD}",
    )


def test_nobody_can_be_added_to_a_scope_that_is_a_mailbox(
    tenant: Callable[..., None], run: Run
) -> None:
    tenant(_exchange(ANNA, "RestrictAccess"), policies=(_policy(ANNA, "RestrictAccess"),))
    assert _advised(run, "boss@contoso.com") == [
        ("add-scope", f"exchange.policy/{MAILER}@{ANNA}"),
    ]


def test_a_grant_of_a_group_that_is_gone_is_named(tenant: Callable[..., None], run: Run) -> None:
    tenant(_teams(BOARD), grants=(BOARD,), groups=(HOSTS,))
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert "A policy is granted to a group that no longer exists" in ran.out
    assert f"group {BOARD}" in ran.out
    assert NO_CHANGES not in ran.out


def test_dropping_a_group_that_is_gone_is_told_to_take_nothing_from_anybody(
    tenant: Callable[..., None], run: Run
) -> None:
    tenant(_teams(HOSTS), grants=(BOARD, HOSTS), groups=(HOSTS, SALES))
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert "takes a policy away from a group that no longer exists" in ran.out
    assert "nobody loses anything by it" in ran.out


@pytest.mark.parametrize(
    ("groups", "recipients"),
    [((BOARD, HOSTS), ()), ((), ()), ((HOSTS,), (_recipient(BOARD, "Board", "GroupMailbox"),))],
    ids=["is-there", "no-groups-are-known", "is-a-recipient"],
)
def test_a_group_is_not_said_to_be_gone_where_it_is_there_or_nothing_knows(
    tenant: Callable[..., None],
    run: Run,
    groups: tuple[str, ...],
    recipients: tuple[dict[str, Any], ...],
) -> None:
    tenant(_teams(BOARD), grants=(BOARD,), groups=groups, recipients=recipients)
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert "no longer exists" not in ran.out
    assert NO_CHANGES in ran.out


def test_a_scope_that_is_a_group_without_an_address_is_not_said_to_be_gone(
    tenant: Callable[..., None], run: Run
) -> None:
    """The same reading looks for it as a recipient, in vain, and tells it as a group."""
    tenant(
        f"{_exchange(BOARD, 'DenyAccess')}---\n{_teams(BOARD)}",
        policies=(_policy(BOARD, "DenyAccess"),),
        grants=(BOARD,),
        groups=(BOARD,),
    )
    ran = run("plan", "--tenant", "sim:tenant.json")
    assert "no longer exists" not in ran.out
