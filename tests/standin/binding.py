"""What PowerShell's binder does with a command's constants: the parameter set and the bound values,
or the error's id.

From the recorded facts about the cmdlets, declared as `stubs/make_stubs.py` declares them. Names
are exact: the gate has seen to that. Held against every recorded invocation that passes the gate.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.standin.stubs.make_stubs import (
    CATALOGUE,
    MODULES,
    UNNAMED_SET,
    declared_type,
    default_set,
    exported,
    is_mandatory,
    own_parameters,
    set_names,
)

Json = Any

COMMON = (
    *(
        "Verbose",
        "Debug",
        "ErrorAction",
        "WarningAction",
        "InformationAction",
        "ProgressAction",
        "ErrorVariable",
        "WarningVariable",
    ),
    *("InformationVariable", "OutVariable", "OutBuffer", "PipelineVariable"),
)
TRANSFORMATION = "ParameterArgumentTransformationError"
NULL = "ParameterArgumentValidationErrorNullNotAllowed"
EMPTY_TEXT = "ParameterArgumentValidationErrorEmptyStringNotAllowed"
EMPTY_LIST = "ParameterArgumentValidationErrorEmptyArrayNotAllowed"
NUMBER = re.compile(r"\s*[+-]?[0-9]+\s*")
LIMITS = {"int": (-(2**31), 2**31 - 1), "uint": (0, 2**32 - 1)}


class Unbound(Exception):
    """Binding fails; nothing was called. `code` is the first half of PowerShell's error id."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Opaque:
    """A value that only .NET can hold (a certificate), as the transport shows it."""

    shown: dict[str, Json]


@dataclass(frozen=True)
class Bound:
    """A call that binds. `common` holds -Confirm and its like."""

    parameter_set: str
    parameters: dict[str, Json]
    common: dict[str, Json]


@cache
def facts(name: str) -> Json:
    """The recorded facts about a cmdlet."""
    return next(
        cmdlets[name]
        for cmdlets in map(of_module, (module.name for module in MODULES))
        if name in cmdlets
    )


@cache
def of_module(module: str) -> Json:
    """All recorded cmdlets of a module by name, those included that only connecting imports."""
    file = next(one.catalogue for one in MODULES if one.name == module)
    return json.loads((Path(CATALOGUE) / file).read_text("utf-8"))["cmdlets"]


def exported_names(module: str) -> list[str]:
    """What a module shows right after its import."""
    return exported(of_module(module))


def imported_names() -> list[str]:
    """What connecting to Exchange imports."""
    return [
        name
        for name, one in of_module("ExchangeOnlineManagement").items()
        if one.get("importedAtConnect", False)
    ]


def parameter_names(name: str) -> list[str]:
    """Every parameter that Get-Command would list."""
    asks = ["WhatIf", "Confirm"] if facts(name)["supportsShouldProcess"] else []
    return [*own_parameters(facts(name)), *COMMON, *asks]


def sets_of(name: str) -> dict[str, set[str]]:
    """Parameter sets with the parameters that bind in each."""
    cmdlet, own = facts(name), own_parameters(facts(name))
    named = {key for parameter in own.values() for key in set_names(parameter, cmdlet) if key}
    named |= {key for key in cmdlet["parameterSets"] if key != "(All)"}
    return {
        key: {
            one
            for one, parameter in own.items()
            if not set(set_names(parameter, cmdlet)).isdisjoint({key, ""})
        }
        for key in named or {UNNAMED_SET}
    }


def bind(name: str, given: dict[str, Json]) -> Bound:
    """Bind constants to a cmdlet.

    Raises:
        Unbound: PowerShell would not call it.
    """
    own = own_parameters(facts(name))
    common = {key: _common(value) for key, value in given.items() if key not in own}
    values = {
        key: _converted(own[key], name, key, value) for key, value in given.items() if key in own
    }
    return Bound(_chosen(name, set(values)), values, common)


def _common(value: Json) -> bool:
    """-Confirm:$null counts as true."""
    if value is None or isinstance(value, bool):
        return value is not False
    raise Unbound("CannotConvertArgument", "Cannot convert the value to a switch.")


def _chosen(name: str, given: set[str]) -> str:
    fitting = {key for key, members in sets_of(name).items() if given <= members}
    if not fitting:
        raise Unbound(
            "AmbiguousParameterSet",
            "Parameter set cannot be resolved using the specified named parameters.",
        )
    complete = {key for key in fitting if _mandatory(name, key) <= given}
    default = default_set(facts(name))
    for candidates in (complete & {default}, complete if len(complete) == 1 else set()):
        if candidates:
            return str(candidates.pop())
    if not complete and (len(fitting) == 1 or default in fitting):
        raise Unbound(
            "MissingMandatoryParameter",
            "Cannot process command because of one or more missing mandatory parameters.",
        )
    raise Unbound(
        "AmbiguousParameterSet",
        "Parameter set cannot be resolved using the specified named parameters.",
    )


def _mandatory(name: str, key: str) -> set[str]:
    cmdlet = facts(name)
    return {
        one
        for one, parameter in own_parameters(cmdlet).items()
        if any(
            is_mandatory(parameter, declared)
            for declared in set_names(parameter, cmdlet)
            if declared in {"", key}
        )
    }


def _converted(parameter: Json, name: str, key: str, value: Json) -> Json:
    declared = declared_type(parameter, "object")
    try:
        bound = _value(declared.removeprefix("System."), parameter, value)
    except (ValueError, TypeError):
        raise Unbound(
            TRANSFORMATION, f"Cannot process argument transformation on parameter '{key}'."
        ) from None
    cmdlet = facts(name)
    if any(is_mandatory(parameter, one) for one in set_names(parameter, cmdlet)):
        _expect_content(declared, parameter, bound)
    return bound


def _expect_content(declared: str, parameter: Json, value: Json) -> None:
    if value is None:
        raise Unbound(NULL, "Cannot bind argument to parameter because it is null.")
    if value == "" and declared == "string":
        raise Unbound(
            EMPTY_TEXT, "Cannot bind argument to parameter because it is an empty string."
        )
    if isinstance(value, list) and not value and not parameter.get("allowEmptyCollection"):
        raise Unbound(EMPTY_LIST, "Cannot bind argument to parameter because it is an empty array.")
    if isinstance(value, list) and declared == "string[]" and "" in value:
        raise Unbound(
            EMPTY_TEXT, "Cannot bind argument to parameter because it is an empty string."
        )
    if isinstance(value, list) and None in value:
        raise Unbound(NULL, "Cannot bind argument to parameter because it is null.")


def _value(declared: str, parameter: Json, value: Json) -> Json:  # noqa: PLR0911  one a type
    if declared.endswith("[]"):
        if value is None:
            return None
        return [
            _value(declared[:-2], parameter, item)
            for item in (value if isinstance(value, list) else [value])
        ]
    match declared:
        case "string":
            return _text(value, parameter.get("values") if parameter["type"] == "String" else None)
        case "switch":
            return _switch(value)
        case "bool":
            return _boolean(value)
        case "int" | "uint":
            return _number(value, declared)
        case "Nullable[int]":
            return None if value is None else _number(value, "int")
        case "AccountType" | "LogLevel" | "ExchangeEnvironment":
            return _member(value, parameter["values"])
        case "object":
            return value
        case "hashtable":
            return _of_type(value, dict)
    return value if value is None else _of_type(value, Opaque)


def _of_type(value: Json, kind: type) -> Json:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _text(value: Json, allowed: list[str] | None) -> str:
    if isinstance(value, list):
        raise TypeError
    if isinstance(value, dict):
        return "System.Collections.Hashtable"
    text = "" if value is None else str(value)
    if allowed and text.lower() not in {one.lower() for one in allowed}:
        raise Unbound(
            "ParameterArgumentValidationError", "The argument does not belong to the set."
        )
    return text


def _switch(value: Json) -> bool:
    if value is not None and not isinstance(value, bool):
        raise TypeError
    return bool(value)


def _boolean(value: Json) -> bool:
    if not isinstance(value, int):  # a boolean is one of those
        raise TypeError
    return bool(value)


def _number(value: Json, kind: str) -> int:
    if isinstance(value, str) and value and not NUMBER.fullmatch(value):
        raise ValueError
    number = int(value or 0)
    low, high = LIMITS[kind]
    if not low <= number <= high:
        raise ValueError
    return number


def _member(value: Json, members: list[str]) -> str:
    """Any case and any beginning that only one member has."""
    found = [one for one in members if one.lower() == str(value).lower()] or [
        one for one in members if one.lower().startswith(str(value).lower())
    ]
    if not isinstance(value, str) or len(found) != 1:
        raise ValueError
    return found[0]
