import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.errors import TamperedPlan
from reconciler.model.plans import Invocation, PlanTenant
from reconciler.powershell.reading import read_invocation
from reconciler.reports.powershell import COMMENT
from tests.powershell.scanning import skeleton
from tests.powershell.scripts import (
    CASES,
    GOLDEN,
    TENANT,
    hostile_plan,
    plan,
    step,
    usual_steps,
    written,
)
from tests.strategies import text as hostile

PROVIDERS = ("teams", "exchange")
CALL = re.compile(r"(New|Set|Grant|Remove)-(Cs)?ApplicationAccessPolicy ")


def lines(script: str) -> list[str]:
    """Lines as PowerShell counts them."""
    assert "\r" not in script
    return script.split("\n")


def calls(script: str) -> list[str]:
    return [line for line in lines(script) if CALL.match(line)]


@pytest.mark.parametrize("name", sorted(CASES))
def test_golden(name: str) -> None:
    assert written(*CASES[name]) == (GOLDEN / f"{name}.ps1").read_bytes().decode(), (
        "if this is meant: python -m tests.powershell.scripts"
    )


def test_every_golden_script_has_a_case() -> None:
    assert {one.stem for one in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_step_of_the_product_is_one_line_that_reads_as_its_invocation(provider: str) -> None:
    for value in (plan(*usual_steps()), hostile_plan()):
        steps = [one for one in value.steps if one.provider == provider]
        found = calls(written(value, provider))
        assert found == [one.text for one in steps]
        assert [read_invocation(text) for text in found] == [
            Invocation(one.cmdlet, one.parameters) for one in steps
        ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_names_stay_inert(provider: str) -> None:
    """With literals and comments taken away, the script of a hostile plan is that of a plan with
    harmless names.
    """
    bad = hostile_plan()
    harmless = plan(
        *(replace(one, address="x", reason="y", **again(one)) for one in bad.steps),
        tenant=PlanTenant("t", "o"),
    )
    assert bare(written(bad, provider)) == bare(written(harmless, provider))


def again(one: object) -> dict:
    """The step's call with every text replaced; a name that had needed escapes is now one that
    needs none.
    """
    parameters = {
        name: "x" if isinstance(value, str) else value for name, value in one.parameters.items()
    }
    made = step(one.id, one.provider, "x", "y", one.cmdlet, **parameters)
    return {"parameters": made.parameters, "text": made.text}


def bare(script: str) -> list[str]:
    """The script without comments and with empty literals, as PowerShell's own scanner divides it."""
    code = [line for line in lines(script) if not line.startswith(COMMENT)]
    return [skeleton(line)[0] for line in code]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_comments_are_one_kind_of_line_and_only_ours_are_requirements(provider: str) -> None:
    script = written(hostile_plan(), provider)
    for line in lines(script):
        if line.startswith("#"):
            assert line.startswith(
                (COMMENT, "#Requires -Version 7.6", "#Requires -Modules @{ ModuleName = '")
            )
        assert line.isprintable()
    assert sum(line.startswith("#Requires") for line in lines(script)) == 2


@given(
    st.lists(hostile.names, min_size=1, max_size=3),
    st.text(alphabet=hostile.PLAIN + hostile.ESCAPED + hostile.REFUSED),
)
def test_any_name_stays_inert(identities: list[str], anything: str) -> None:
    steps = [
        step(
            1,
            "teams",
            f"teams.policy/{name}{anything}",
            anything,
            "Remove-CsApplicationAccessPolicy",
            Identity=name,
        )
        for name in identities
    ]
    script = written(
        plan(
            *steps, names=dict.fromkeys(identities, anything), tenant=PlanTenant(TENANT, anything)
        ),
        "teams",
    )
    assert calls(script) == [one.text for one in steps]
    assert len(lines(script)) == len(
        lines(
            written(
                plan(
                    *[step(1, "teams", "x", "y", "Remove-CsApplicationAccessPolicy", Identity="x")]
                    * len(steps)
                ),
                "teams",
            )
        )
    )
    assert script.replace("\n", "").isprintable()


def test_each_step_has_its_reason_and_its_progress_before_it() -> None:
    script = lines(written(plan(*usual_steps()), "teams"))
    at = script.index(next(line for line in script if line.startswith("Grant-Cs")))
    assert script[at - 2 : at] == [
        f"{COMMENT}grant the policy to the user",
        (
            "Write-Host 'Step 2 of 2: teams.grant/user:748d2cbb-3b55-40ed-8c34-2eae5932b22a (Megan"
            " Bowen)'"
        ),
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_tenant_is_asserted_before_the_first_step_and_the_session_closed_after_the_last(
    provider: str,
) -> None:
    script = written(plan(*usual_steps()), provider)
    order = [
        "\ntry {",
        "ErrorActionPreference = 'Stop'",
        "\n$connections = @(Connect-",
        f"'{TENANT}', [StringComparison]::OrdinalIgnoreCase)) {{ throw ",
        calls(script)[0],
        calls(script)[-1],
        "\nfinally {",
        "Disconnect-",
    ]
    places = [script.index(piece) for piece in order]
    assert places == sorted(places)


def test_a_plan_of_a_simulated_tenant_says_so_first() -> None:
    assert lines(written(*CASES["simulated-china"]))[0].startswith(f"{COMMENT}SIMULATED TENANT")


def test_a_plan_that_is_not_applicable_throws_before_anything_else() -> None:
    value, provider = CASES["not-applicable"]
    code = [line for line in lines(written(value, provider)) if line and not line.startswith("#")]
    assert code[0].startswith("throw '")
    assert any(
        line.startswith(f"{COMMENT}WARNING: this plan is not applicable")
        for line in lines(written(value, provider))
    )


def test_a_text_that_is_not_its_steps_own_is_never_written() -> None:
    bad = replace(usual_steps()[3], text="Remove-Mailbox")
    with pytest.raises(TamperedPlan, match="step 4: its text"):
        written(plan(bad), "teams")
    assert "Remove-Mailbox" not in written(plan(bad), "exchange")
