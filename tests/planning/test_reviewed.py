"""Only a text that its own values render to, and that reads back as them, may run (law 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from reconciler.applying import lookups
from reconciler.errors import TamperedPlan
from reconciler.model.addresses import Address
from reconciler.model.observed import Directory, Recipient, User
from reconciler.model.plans import Change, Invocation, Note, Plan, Step
from reconciler.planning import reviewed
from reconciler.powershell.rendering import render
from tests.strategies.plans import empty_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json

USER = "748d2cbb-3b55-40ed-8c34-2eae5932b22a"
APPLICATION = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
SCOPE = "897014b0-7a43-4219-87cb-f24bccd7421d"


def step(
    cmdlet: str,
    parameters: Mapping[str, Json],
    *,
    number: int = 1,
    address: str = "teams.policy/P",
    **fields: Any,
) -> Step:
    provider: Any = address.partition(".")[0]
    made = Step(
        number,
        Address(address),
        provider,
        cmdlet,
        parameters,
        render(Invocation(cmdlet, parameters)),
        "reason",
        temporary=False,
        gaps=(),
    )
    return replace(made, **fields)


GRANT = step(
    "Grant-CsApplicationAccessPolicy",
    {"Identity": USER, "PolicyName": "P"},
    address=f"teams.grant/user:{USER}",
)
CREATE = step(
    "New-ApplicationAccessPolicy",
    {
        "AppId": [APPLICATION],
        "PolicyScopeGroupId": "even@contoso.com",
        "AccessRight": "RestrictAccess",
        "Confirm": False,
    },
    address=f"exchange.policy/{APPLICATION}@{SCOPE}",
)


def plan(*steps: Step, warnings: tuple[Note, ...] = (), changes: tuple[Change, ...] = ()) -> Plan:
    return empty_plan(steps=steps, warnings=warnings, changes=changes)


def test_an_untouched_step_runs_as_its_values_say() -> None:
    assert reviewed.reviewed_invocation(GRANT) == Invocation(GRANT.cmdlet, GRANT.parameters)
    reviewed.prove_steps(plan(GRANT, replace(CREATE, id=2)))


@pytest.mark.parametrize(
    "altered",
    [
        replace(GRANT, text=GRANT.text + " "),
        replace(GRANT, text=GRANT.text.replace("'P'", "'Q'")),
        replace(GRANT, text=GRANT.text + "; Remove-CsApplicationAccessPolicy -Identity:'P'"),
        replace(GRANT, text=GRANT.text.replace("-Policy", "\u2013Policy")),
        replace(GRANT, text=""),
        replace(GRANT, parameters={"Identity": USER, "PolicyName": "Q"}),
        replace(
            GRANT,
            parameters={"PolicyName": "P", "Global": 1},
            text="Grant-CsApplicationAccessPolicy -Global:$true -PolicyName:'P'",
        ),
        replace(GRANT, parameters={"PolicyName": "P"}),
        replace(GRANT, parameters={**GRANT.parameters, "Identity": "a\u202eb"}),
        replace(
            GRANT,
            cmdlet="Remove-Mailbox",
            parameters={"Identity": USER},
            text=f"Remove-Mailbox -Identity:'{USER}'",
        ),
        replace(
            GRANT,
            cmdlet="Get-CsApplicationAccessPolicy",
            parameters={},
            text="Get-CsApplicationAccessPolicy",
        ),
        replace(GRANT, cmdlet="Grant-CsTeamsMeetingPolicy"),
        replace(GRANT, provider="exchange"),
        replace(GRANT, address=CREATE.address),
    ],
    ids=[
        "blank",
        "name",
        "second command",
        "dash",
        "no text",
        "value",
        "number for a truth",
        "no target",
        "unfit",
        "not ours",
        "a reading",
        "cmdlet",
        "provider",
        "address",
    ],
)
def test_a_tampered_step_is_named_and_refused(altered: Step) -> None:
    with pytest.raises(TamperedPlan, match="step 2 of the plan") as caught:
        reviewed.prove_steps(plan(GRANT, replace(altered, id=2)))
    assert caught.value.exit_code == 5
    assert "plan again" in str(caught.value)


@pytest.mark.parametrize("numbers", [(2,), (1, 3), (2, 1), (1, 1)])
def test_steps_that_were_taken_out_or_moved_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(TamperedPlan, match="is out of order; expected step"):
        reviewed.prove_steps(plan(*(replace(GRANT, id=number) for number in numbers)))


def directory(*users: str, recipients: Mapping[str, str] | None = None) -> Directory:
    found = {
        one: Recipient(one, None, address, frozenset({address}), "", "", True, None)
        for address, one in (recipients or {}).items()
    }
    return Directory(
        {one: User(one, "", "") for one in users},
        {},
        found,
        frozenset(),
        {},
        dict(recipients or {}),
    )


def test_users_that_nobody_looked_for_are_looked_up_before_their_grant() -> None:
    trusted = Note("user-not-looked-for", f"teams.grant/user:{USER}", {"user": USER})
    other = Note("user-not-looked-for", "teams.grant/user:x", {"user": "x"})
    trusting = plan(GRANT, CREATE, warnings=(trusted, other, Note("policy-space", "exchange", {})))
    assert lookups.users_before(trusting, trusting.steps) == (USER,)
    assert lookups.users_before(trusting, trusting.steps[1:]) == ()
    assert lookups.users_before(plan(GRANT), (GRANT,)) == ()
    assert lookups.absent_users((USER, "x"), directory(USER)) == ("x",)


def test_a_scope_that_is_named_by_id_needs_no_lookup() -> None:
    assert (
        lookups.scope_before(
            replace(CREATE, parameters={**CREATE.parameters, "PolicyScopeGroupId": SCOPE.upper()})
        )
        is None
    )
    assert lookups.scope_before(GRANT) is None


def test_a_scope_named_by_address_is_resolved_again_before_it_is_used() -> None:
    name = lookups.scope_before(CREATE)
    assert name == lookups.ScopeName("even@contoso.com", SCOPE)
    assert lookups.still_leads(name, directory(recipients={"even@contoso.com": SCOPE}))
    assert not lookups.still_leads(name, directory(recipients={"even@contoso.com": USER}))
    assert not lookups.still_leads(name, directory())


IDENTITY = f"596ade3a-1abe-4c5b-b7d5-a169c4b05d4a\\{APPLICATION}:S-1-5-21-1;{SCOPE}"


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "address"),
    [
        (
            "Grant-CsApplicationAccessPolicy",
            {"Group": SCOPE, "PolicyName": "P", "Rank": 1},
            f"teams.grant/group:{SCOPE}",
        ),
        (
            "Grant-CsApplicationAccessPolicy",
            {"Global": True, "PolicyName": "P"},
            "teams.grant/tenant",
        ),
        (
            "Set-CsApplicationAccessPolicy",
            {"Identity": "Global", "AppIds": {"Remove": [APPLICATION]}},
            "teams.grant/tenant",
        ),
        (
            "Set-CsApplicationAccessPolicy",
            {"Identity": "Global", "AppIds": {"Remove": [APPLICATION]}},
            "teams.policy/Global",
        ),
        ("Remove-CsApplicationAccessPolicy", {"Identity": "P"}, "teams.policy/P"),
        (
            "Remove-ApplicationAccessPolicy",
            {"Identity": IDENTITY, "Confirm": False},
            f"exchange.policy/{APPLICATION}@{SCOPE}",
        ),
    ],
)
def test_a_step_stands_under_the_address_of_what_it_changes(
    cmdlet: str, parameters: Mapping[str, Json], address: str
) -> None:
    made = step(cmdlet, parameters, address=address)
    assert reviewed.reviewed_invocation(made) == Invocation(cmdlet, parameters)
    other = f"{address.rpartition('/')[0]}/{APPLICATION}@{USER}"
    with pytest.raises(TamperedPlan, match="its address and its parameters name different objects"):
        reviewed.reviewed_invocation(replace(made, address=Address(other)))


def test_a_creation_for_another_application_than_its_address_says_is_refused() -> None:
    with pytest.raises(TamperedPlan, match="its address and its parameters name different objects"):
        reviewed.reviewed_invocation(
            replace(CREATE, address=Address(f"exchange.policy/{USER}@{SCOPE}"))
        )
