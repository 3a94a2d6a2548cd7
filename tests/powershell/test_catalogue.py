import json
import re
from importlib import resources

import pytest
from hypothesis import given

from reconciler.errors import BindingFault, RefusedText
from reconciler.model.plans import Invocation
from reconciler.powershell.catalogue import bind, cmdlet, cmdlets
from reconciler.powershell.reading import read_invocation
from reconciler.powershell.refusals import REFUSALS
from tests.powershell import catalogue_facts
from tests.strategies import text as hostile
from tests.strategies.invocations import invocations, writes

USER, GROUP = {"Identity": "u"}, {"Group": "g"}
GRANT = "Grant-CsApplicationAccessPolicy"
CODE = re.compile(r"\[([a-z-]+)\]$")

# What PowerShell binds and the reconciler refuses, and why.
STRICTER = {
    "unknown-parameter": (
        "names of other case, beginnings and aliases of names, common parameters, and those that"
        " the product never writes"
    ),
    "wrong-type": (
        "values that PowerShell would convert: a number or a single text for a list, null for a"
        " switch, an enumeration's member in another case"
    ),
    **{refusal.name: refusal.message for refusal in REFUSALS},
    "missing-parameter": "PolicyName: declared optional, and the module throws without it",
}


def test_the_catalogue_is_what_the_recorded_facts_give() -> None:
    text = (resources.files("reconciler.powershell") / "catalogue.json").read_text("utf-8")
    assert text == catalogue_facts.dumps(catalogue_facts.derive()), (
        "run python -m tests.powershell.catalogue_facts > reconciler/powershell/catalogue.json"
    )


def test_what_binds_here_bound_in_powershell_in_the_same_set_with_the_same_values(
    bindings: list[dict],
) -> None:
    bound, refused = set(), set()
    for row in bindings:
        found = invocation(row)
        if found is None:
            continue
        try:
            parameter_set = bind(found)
        except BindingFault as fault:
            if row["error"] is None:
                refused.add(CODE.search(str(fault))[1])
            continue
        bound.add(found.cmdlet)
        assert row["error"] is None, row["text"]
        told = {**row["bound"], **row["common"]}
        assert (parameter_set, told) == (
            row["parameterSet"],
            {name: "" if value is None else value for name, value in found.parameters.items()},
        )
    assert bound == set(cmdlets())
    assert refused <= set(STRICTER)


def invocation(row: dict) -> Invocation | None:
    """The recorded invocation as the reader reads it, blanks after the commas of a list aside."""
    try:
        found = read_invocation(row["text"].replace("', '", "','"))
    except RefusedText:
        return None
    return found if found.cmdlet in cmdlets() else None


def test_what_powershell_did_not_bind_is_refused(bindings: list[dict]) -> None:
    failed = [
        found
        for row in bindings
        if row["error"] is not None and (found := invocation(row)) is not None
    ]
    assert len(failed) > 40
    for found in failed:
        with pytest.raises(BindingFault, match=CODE):
            bind(found)


@given(invocations)
def test_what_the_product_makes_binds_in_a_set_of_its_cmdlet(made: Invocation) -> None:
    assert bind(made) in cmdlet(made.cmdlet).sets


@given(writes)
def test_the_order_of_parameters_says_nothing(made: Invocation) -> None:
    assert bind(made) == bind(Invocation(made.cmdlet, dict(reversed(made.parameters.items()))))


@given(writes, hostile.any_texts.filter(lambda name: name not in {"PassThru", "Confirm"}))
def test_a_name_that_is_not_exactly_in_the_catalogue_is_refused(
    made: Invocation, name: str
) -> None:
    known = cmdlet(made.cmdlet).parameters
    if name not in known:
        with pytest.raises(BindingFault, match="unknown-parameter"):
            bind(Invocation(made.cmdlet, {**made.parameters, name: "x"}))


@pytest.mark.parametrize(
    "name",
    [
        "Remove-Mailbox",
        "",
        "set-CsApplicationAccessPolicy",
        "Set-CsApplicationAccessPolicy\u200b",
        "Get-CsApplicationAccessPolic\u0443",
    ],
)
def test_a_cmdlet_that_is_not_exactly_in_the_catalogue_is_refused(name: str) -> None:
    with pytest.raises(BindingFault, match="unknown-cmdlet") as fault:
        bind(Invocation(name, {}))
    assert str(fault.value).isascii()


@pytest.mark.parametrize(
    ("name", "parameters", "code"),
    [
        ("Set-CsApplicationAccessPolicy", {"Description": "x"}, "set-without-identity"),
        ("Set-CsApplicationAccessPolicy", {"Identity": " ", "Description": "x"}, "blank-id"),
        ("Set-CsApplicationAccessPolicy", {"Identity": None, "Description": "x"}, "blank-id"),
        ("Set-CsApplicationAccessPolicy", USER, "nothing-to-set"),
        ("Set-CsApplicationAccessPolicy", USER | {"AppIds": ["a"]}, "not-a-single-edit"),
        ("Set-CsApplicationAccessPolicy", USER | {"AppIds": {"Add": []}}, "not-a-single-edit"),
        (
            "Set-CsApplicationAccessPolicy",
            USER | {"AppIds": {"Add": ["a"], "Remove": ["b"]}},
            "not-a-single-edit",
        ),
        ("Set-CsApplicationAccessPolicy", USER | {"AppIds": {"Replace": ["a"]}}, "wrong-type"),
        ("Set-CsApplicationAccessPolicy", USER | {"AppIds": {"Add": [""]}}, "wrong-type"),
        ("New-CsApplicationAccessPolicy", {}, "missing-parameter"),
        ("New-CsApplicationAccessPolicy", USER | {"AppIds": []}, "no-list-of-applications"),
        (
            "New-CsApplicationAccessPolicy",
            USER | {"AppIds": {"Add": ["a"]}},
            "no-list-of-applications",
        ),
        ("New-CsApplicationAccessPolicy", USER | {"AppIds": "a"}, "wrong-type"),
        ("New-CsApplicationAccessPolicy", USER | {"Description": 5}, "wrong-type"),
        ("New-CsApplicationAccessPolicy", USER | {"Confirm": True}, "question-asked-for"),
        (
            "New-CsApplicationAccessPolicy",
            USER | {"MsftInternalProcessingMode": "x"},
            "unknown-parameter",
        ),
        ("New-CsApplicationAccessPolicy", USER | {"WhatIf": True}, "unknown-parameter"),
        ("Get-CsApplicationAccessPolicy", {"Confirm": False}, "unknown-parameter"),
        ("Get-CsApplicationAccessPolicy", USER | {"Filter": "x"}, "no-parameter-set"),
        (GRANT, {"PolicyName": "p"}, "not-one-subject"),
        (GRANT, {}, "not-one-subject"),
        (GRANT, USER | GROUP | {"PolicyName": "p", "Rank": 1}, "not-one-subject"),
        (GRANT, USER | {"Global": True, "PolicyName": "p"}, "not-one-subject"),
        (GRANT, {"Global": False, "PolicyName": "p"}, "global-not-true"),
        (GRANT, {"Global": 1, "PolicyName": "p"}, "wrong-type"),
        (GRANT, {"Identity": "", "PolicyName": "p"}, "blank-id"),
        (GRANT, {"Group": "\u00a0", "PolicyName": None}, "blank-id"),
        (GRANT, USER, "missing-parameter"),
        (GRANT, USER | {"PolicyName": ""}, "blank-policy-name"),
        (GRANT, USER | {"PolicyName": " "}, "blank-policy-name"),
        (GRANT, USER | {"PolicyName": "p", "Rank": 1}, "rank-without-group"),
        (GRANT, GROUP | {"PolicyName": "p", "Rank": 0}, "rank-below-one"),
        (GRANT, GROUP | {"PolicyName": "p", "Rank": -1}, "wrong-type"),
        (GRANT, GROUP | {"PolicyName": "p", "Rank": True}, "wrong-type"),
        (GRANT, GROUP | {"PolicyName": "p", "Rank": 2**31}, "wrong-type"),
        (GRANT, GROUP | {"PolicyName": "p"}, "rank-missing"),
        (
            "New-ApplicationAccessPolicy",
            {"AppId": ["a", "b"], "PolicyScopeGroupId": "g", "AccessRight": "DenyAccess"},
            "not-one-application",
        ),
        (
            "New-ApplicationAccessPolicy",
            {"AppId": [], "PolicyScopeGroupId": "g", "AccessRight": "DenyAccess"},
            "blank-id",
        ),
        (
            "New-ApplicationAccessPolicy",
            {"AppId": ["a"], "PolicyScopeGroupId": "", "AccessRight": "DenyAccess"},
            "wrong-type",
        ),
        (
            "New-ApplicationAccessPolicy",
            {"AppId": ["a"], "PolicyScopeGroupId": "g", "AccessRight": "denyaccess"},
            "wrong-type",
        ),
        (
            "New-ApplicationAccessPolicy",
            {"AppId": ["a"], "PolicyScopeGroupId": "g", "AccessRight": 1},
            "wrong-type",
        ),
        (
            "New-ApplicationAccessPolicy",
            {"AppId": ["a"], "AccessRight": "DenyAccess"},
            "missing-parameter",
        ),
        ("Set-ApplicationAccessPolicy", USER | {"Confirm": False}, "nothing-to-set"),
        ("Remove-ApplicationAccessPolicy", USER, "unanswered-question"),
        (
            "Get-ConnectionInformation",
            {"ConnectionId": ["a"], "ModulePrefix": ["b"]},
            "no-parameter-set",
        ),
        ("Get-Recipient", {"ResultSize": "5"}, "wrong-type"),
    ],
)
def test_each_refusal_by_name(name: str, parameters: dict, code: str) -> None:
    with pytest.raises(BindingFault) as fault:
        bind(Invocation(name, parameters))
    assert CODE.search(str(fault.value))[1] == code


def test_every_refusal_has_a_case() -> None:
    cases = {
        mark.args[1][index][2]
        for mark in test_each_refusal_by_name.pytestmark
        for index in range(len(mark.args[1]))
    }
    assert {refusal.name for refusal in REFUSALS} <= cases


def test_a_message_does_not_repeat_what_it_refuses() -> None:
    with pytest.raises(BindingFault) as fault:
        bind(Invocation("New-CsApplicationAccessPolicy", {"Identity": ["\u202e"]}))
    assert json.dumps(str(fault.value), ensure_ascii=False).isascii()
    assert "expected a string or null, found a list" in str(fault.value)


def test_a_default_set_is_taken_where_several_bind() -> None:
    assert bind(Invocation("Get-Recipient", {"Filter": "x"})) == "Identity"
    assert bind(Invocation("Get-Recipient", {"Anr": "x"})) == "AnrSet"
