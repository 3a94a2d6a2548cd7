"""Which cmdlets the reconciler may call, and what each of them binds.

`catalogue.json` holds the facts: parameters and parameter sets as declared by MicrosoftTeams 6.4.0
and 7.7.0 and documented for ExchangeOnlineManagement 3.10.1 (MicrosoftDocs,
office-docs-powershell). Hidden parameters and common ones but `-Confirm` are not in it, so they are
unknown here. Names are compared by code points: PowerShell's own binder overlooks case, endings and
zero-width characters.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.errors import BindingFault
from reconciler.powershell import refusals
from reconciler.powershell.parameters import Parameter, described, mismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Invocation


class ParameterSet(Struct, frozen=True):
    """Names of the parameters that bind together, and those of them without which the call fails."""

    parameters: frozenset[str]
    required: frozenset[str]


class Cmdlet(Struct, frozen=True):
    """The facts about one cmdlet; `sets` and `parameters` by their exact names."""

    name: str
    module: str
    default_set: str | None
    sets: Mapping[str, ParameterSet]
    parameters: Mapping[str, Parameter]


def cmdlet(name: str) -> Cmdlet:
    """The cmdlet of exactly that name.

    Raises:
        BindingFault: the catalogue has no such cmdlet.
    """
    catalogued = cmdlets().get(name)
    if catalogued is None:
        raise BindingFault(f"{name!a} is not in the cmdlet catalogue [unknown-cmdlet]")
    return catalogued


@cache
def cmdlets() -> Mapping[str, Cmdlet]:
    """All cmdlets of the catalogue by name."""
    text = resources.files(__package__).joinpath("catalogue.json").read_text("utf-8")
    return {name: _parse(name, facts) for name, facts in json.loads(text).items()}


def bind(invocation: Invocation) -> str:
    """Name the one parameter set that binds an invocation, as PowerShell would.

    Stricter than PowerShell: exact names, no conversion between types, and the refusals of
    `refusals.py`.

    Raises:
        BindingFault: cmdlet or parameter unknown, a value of the wrong type, no set or several,
            something required missing, or refused.
    """
    parameters = invocation.parameters
    catalogued = cmdlet(invocation.cmdlet)
    for name, value in parameters.items():
        _check(catalogued, name, value)
    refusals.refuse_unwanted(invocation.cmdlet, parameters)
    return _bound_set(invocation.cmdlet, frozenset(parameters))


def _check(catalogued: Cmdlet, name: str, value: Json) -> None:
    declared = catalogued.parameters.get(name)
    if declared is None:
        raise BindingFault(
            f"{name!a} is not a parameter of {catalogued.name} in the catalogue [unknown-parameter]"
        )
    wanted = mismatch(declared, value)
    if wanted is not None:
        raise BindingFault(
            f"{catalogued.name} -{name}: expected {wanted}, found {described(value)} [wrong-type]"
        )


@lru_cache(maxsize=256)
def _bound_set(name: str, given: frozenset[str]) -> str:
    catalogued = cmdlet(name)
    fitting = {
        key: declared for key, declared in catalogued.sets.items() if given <= declared.parameters
    }
    if not fitting:
        raise BindingFault(f"{name}: {_listed(given)} cannot be used together [no-parameter-set]")
    complete = [key for key, declared in fitting.items() if declared.required <= given]
    if not complete:
        missing = {_listed(declared.required - given) for declared in fitting.values()}
        raise BindingFault(f"{name}: {' or '.join(sorted(missing))} is missing [missing-parameter]")
    if len(complete) == 1:
        return complete[0]
    if catalogued.default_set in complete:
        return catalogued.default_set
    raise BindingFault(
        f"{name}: {_listed(given)} matches several parameter sets,"
        f" {' and '.join(sorted(complete))} [ambiguous-parameter-set]"
    )


def _listed(names: frozenset[str]) -> str:
    return " ".join(f"-{name}" for name in sorted(names)) or "no parameters"


def _parse(name: str, facts: Mapping[str, Any]) -> Cmdlet:
    sets = {
        key: ParameterSet(frozenset(shape["parameters"]), frozenset(shape["required"]))
        for key, shape in facts["sets"].items()
    }
    parameters = {
        key: Parameter(shape["type"], frozenset(shape.get("values", ())))
        for key, shape in facts["parameters"].items()
    }
    return Cmdlet(name, facts["module"], facts["default_set"], sets, parameters)
