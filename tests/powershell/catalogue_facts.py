"""Derives the package's cmdlet catalogue from the recorded facts: `python -m
tests.powershell.catalogue_facts > reconciler/powershell/catalogue.json`.
"""

import json
import sys
from pathlib import Path

FACTS = Path(__file__).parents[1] / "data" / "powershell"
WANTED = {
    "cmdlets-teams.json": (
        "New-CsApplicationAccessPolicy",
        "Get-CsApplicationAccessPolicy",
        "Set-CsApplicationAccessPolicy",
        "Grant-CsApplicationAccessPolicy",
        "Remove-CsApplicationAccessPolicy",
        "Get-CsGroupPolicyAssignment",
        "Get-CsOnlineUser",
        "Get-CsUserPolicyAssignment",
    ),
    "cmdlets-exchange.json": (
        "New-ApplicationAccessPolicy",
        "Get-ApplicationAccessPolicy",
        "Set-ApplicationAccessPolicy",
        "Remove-ApplicationAccessPolicy",
        "Test-ApplicationAccessPolicy",
        "Get-ConnectionInformation",
        "Get-Recipient",
        "Get-DistributionGroupMember",
        "Get-Group",
    ),
}
# Parameters of these types are never written by the product; neither are hidden ones, nor those
# that exist on premises only.
LEFT_OUT_TYPES = {
    "AuthenticationType",
    "Boolean",
    "DatabaseIdParameter",
    "MultiValuedProperty",
    "OrganizationalUnitIdParameter",
    "PropertySet",
    "RecipientType[]",
    "AccountType",
}


def derive() -> dict:
    """The catalogue as it must be, cmdlets in the order of `WANTED`."""
    found = {}
    for file, names in WANTED.items():
        facts = json.loads((FACTS / file).read_text("utf-8"))
        found |= {name: _cmdlet(facts["module"], facts["cmdlets"][name]) for name in names}
    return found


def dumps(catalogue: dict) -> str:
    """The file's text."""
    return json.dumps(catalogue, indent=1) + "\n"


def _cmdlet(module: str, facts: dict) -> dict:
    parameters = {name: one for name, one in facts["parameters"].items() if _is_written(name, one)}
    marked = next(
        (name for name, one in facts["parameterSets"].items() if one.get("default")), None
    )
    confirmable = facts["supportsShouldProcess"]
    named = {
        name: _set(name, one, facts, parameters, confirmable)
        for name, one in facts["parameterSets"].items()
    }
    return {
        "module": module,
        "default_set": facts.get("defaultParameterSet") or marked or facts.get("assumedDefaultSet"),
        "sets": {
            ("__AllParameterSets" if name == "(All)" else name): one for name, one in named.items()
        },
        "parameters": (
            {name: _parameter(one) for name, one in parameters.items()}
            | ({"Confirm": {"type": "SwitchParameter"}} if confirmable else {})
        ),
    }


def _is_written(name: str, facts: dict) -> bool:
    return not (
        facts.get("hidden")
        or facts.get("onPremOnly")
        or facts["type"] in LEFT_OUT_TYPES
        or name in {"WhatIf", "Confirm"}
    )


# a fact, not an option
def _set(name: str, one: dict, facts: dict, parameters: dict, confirmable: bool) -> dict:
    members = [
        key
        for key, parameter in parameters.items()
        if "(All)" in parameter["sets"] or name in parameter["sets"]
    ]
    required = {
        *one["mandatory"],
        *one.get("runtimeMandatory", ()),
        *facts.get("runtimeMandatory", ()),
    }
    return {
        "parameters": sorted([*members, *(["Confirm"] if confirmable else [])]),
        "required": sorted(required),
    }


def _parameter(facts: dict) -> dict:
    return {"type": facts["type"]} | ({"values": facts["values"]} if "values" in facts else {})


if __name__ == "__main__":
    sys.stdout.write(dumps(derive()))
