"""Invocations that bind in PowerShell and are refused all the same: each is a named rule, and its
message says what harm it prevents.

Facts: the generated proxies of MicrosoftTeams 6.4.0 and 7.7.0, and MicrosoftDocs' pages of the
Exchange cmdlets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from reconciler.errors import BindingFault
from reconciler.powershell.parameters import is_edit, is_list, is_text

if TYPE_CHECKING:
    from reconciler.canonical import Json

Parameters: TypeAlias = "Mapping[str, Json]"

_NEW: Final = "New-CsApplicationAccessPolicy"
_SET: Final = "Set-CsApplicationAccessPolicy"
_GRANT: Final = "Grant-CsApplicationAccessPolicy"
_EXCHANGE_NEW: Final = "New-ApplicationAccessPolicy"
_EXCHANGE_SET: Final = "Set-ApplicationAccessPolicy"
_EXCHANGE_REMOVE: Final = "Remove-ApplicationAccessPolicy"
_IDS: Final = (
    "Identity",
    "Group",
    "GroupId",
    "PolicyScopeGroupId",
    "AppId",
    "PolicyType",
    "ConnectionId",
    "ModulePrefix",
)


class Refusal(Struct, frozen=True):
    """A rule: its name, the cmdlet it is about (None: every one), what is true of a refused call,
    and what to say of it.
    """

    name: str
    cmdlet: str | None
    broken: Callable[[Parameters], bool]
    message: str


def refuse_unwanted(cmdlet: str, parameters: Parameters) -> None:
    """Refuse an invocation whose values have the declared types and which must not run.

    Raises:
        BindingFault: the first rule of `REFUSALS` that the invocation breaks.
    """
    for refusal in _of(cmdlet):
        if refusal.broken(parameters):
            raise BindingFault(f"{cmdlet}: {refusal.message} [{refusal.name}]")


@cache
def _of(cmdlet: str) -> tuple[Refusal, ...]:
    return tuple(refusal for refusal in REFUSALS if refusal.cmdlet in {None, cmdlet})


def _lacks(*names: str) -> Callable[[Parameters], bool]:
    return lambda parameters: not any(name in parameters for name in names)


def _blank_id(parameters: Parameters) -> bool:
    return any(
        name in parameters
        and not (is_text(value := parameters[name]) or (value and is_list(value)))
        for name in _IDS
    )


def _subjects_are_not_one(parameters: Parameters) -> bool:
    return ("Identity" in parameters) + ("Group" in parameters) + ("Global" in parameters) != 1


def _rank_is_missing(parameters: Parameters) -> bool:
    return (
        "Group" in parameters
        and "Rank" not in parameters
        and parameters.get("PolicyName") is not None
    )


def _rank_is_below_one(parameters: Parameters) -> bool:
    return "Rank" in parameters and not parameters["Rank"]


def _is_no_single_edit(parameters: Parameters) -> bool:
    edit = parameters.get("AppIds")
    return "AppIds" in parameters and not (
        isinstance(edit, Mapping) and is_edit(edit) and len(edit) == 1 and all(edit.values())
    )


REFUSALS: Final = (
    Refusal(
        "blank-id",
        None,
        _blank_id,
        "a blank id can match everything or everyone; write the id",
    ),
    Refusal(
        "set-without-identity",
        _SET,
        _lacks("Identity"),
        "without -Identity it changes Global, the policy of everyone without a grant; add"
        " -Identity",
    ),
    Refusal(
        "nothing-to-set",
        _SET,
        _lacks("AppIds", "Description"),
        "it would set nothing; remove the call",
    ),
    Refusal(
        "not-a-single-edit",
        _SET,
        _is_no_single_edit,
        (
            "-AppIds must be one map with Add or Remove and at least one id; use two calls"
            " for two edits"
        ),
    ),
    Refusal(
        "no-list-of-applications",
        _NEW,
        lambda parameters: (
            "AppIds" in parameters and not (parameters["AppIds"] and is_list(parameters["AppIds"]))
        ),
        "-AppIds must be a list of at least one id; omit the parameter for an empty list",
    ),
    Refusal(
        "not-one-subject",
        _GRANT,
        _subjects_are_not_one,
        "expected exactly one of -Identity, -Group and -Global; without one the grant is for"
        " everyone",
    ),
    Refusal(
        "global-not-true",
        _GRANT,
        lambda parameters: parameters.get("Global") is False,
        "-Global:$false still grants to the whole tenant; omit it",
    ),
    Refusal(
        "blank-policy-name",
        _GRANT,
        lambda parameters: not _is_name_or_null(parameters),
        "-PolicyName is missing; add a name, or null to remove the grant",
    ),
    Refusal(
        "rank-without-group",
        _GRANT,
        lambda parameters: "Rank" in parameters and "Group" not in parameters,
        "-Rank requires -Group",
    ),
    Refusal(
        "rank-below-one",
        _GRANT,
        _rank_is_below_one,
        "-Rank must be at least 1; the module silently ignores 0",
    ),
    Refusal(
        "rank-missing",
        _GRANT,
        _rank_is_missing,
        "-Group requires -Rank; without it the service picks the last rank",
    ),
    Refusal(
        "not-one-application",
        _EXCHANGE_NEW,
        lambda given: isinstance(ids := given.get("AppId"), list | tuple) and len(ids) != 1,
        "-AppId must be a list of one id: the service creates one policy for each application",
    ),
    Refusal(
        "nothing-to-set",
        _EXCHANGE_SET,
        _lacks("Description"),
        "it would set nothing; remove the call",
    ),
    Refusal(
        "unanswered-question",
        _EXCHANGE_REMOVE,
        _lacks("Confirm"),
        "it asks for confirmation, and nobody can answer; add -Confirm:$false",
    ),
    Refusal(
        "question-asked-for",
        None,
        lambda parameters: parameters.get("Confirm") is True,
        "-Confirm:$true asks a question that nobody can answer; use $false",
    ),
)


def _is_name_or_null(parameters: Parameters) -> bool:
    return (
        "PolicyName" not in parameters
        or parameters["PolicyName"] is None
        or is_text(parameters["PolicyName"])
    )
