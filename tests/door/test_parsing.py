"""Values of answers have the form of the contract, or they break the session: never another error,
never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, convert, to_builtins

from reconciler.model.plans import Invocation
from reconciler.powershell.answers import Loaded, NotFound, Raised, Resolved, ServiceError
from reconciler.powershell.door import parsing
from reconciler.powershell.door.timeouts import Timeouts
from reconciler.processes.child import Broken

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = (
    "found",
    "name",
    "version",
    "path",
    "others",
    "module",
    "parameters",
    "parameterSets",
    "cmdlet",
    "id",
    "exceptions",
    "type",
    "message",
    "Get-X",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=12,
)
PARSERS: tuple[tuple[Callable[[Any], Any], *tuple[Any, ...]], ...] = (
    (parsing.fields, dict[str, Any]),
    (parsing.array, list[Any]),
    (parsing.text, str),
    (parsing.texts, tuple[str, ...]),
    (parsing.count, int),
    (parsing.invocation, Invocation),
    (parsing.errors, tuple[ServiceError, ...]),
    (parsing.error, ServiceError),
    (lambda value: parsing.module("M", value), Loaded, NotFound),
    (lambda value: parsing.resolved(["Get-X"], value), dict[str, Resolved | None]),
)
"""Each with the types of what it gives."""


def _is_of(kind: Any, value: Any) -> bool:
    """Whether a value is of a type, whatever is inside of it too."""
    try:
        return bool(convert(to_builtins(value), kind) == value)
    except ValidationError:
        return False


@given(st.sampled_from(PARSERS), VALUES)
def test_any_value_is_read_as_it_is_typed_or_breaks_the_session(
    parser: tuple[Callable[[Any], Any], *tuple[Any, ...]], value: Any
) -> None:
    parse, *kinds = parser
    try:
        parsed = parse(value)
    except Broken:
        return
    assert any(_is_of(kind, parsed) for kind in kinds)


@pytest.mark.parametrize("value", [{}, {"Get-X": None, "Get-Y": None}, {"get-x": None}])
def test_only_what_was_asked_for_is_resolved(value: Any) -> None:
    with pytest.raises(Broken):
        parsing.resolved(["Get-X"], value)


@pytest.mark.parametrize(
    "value",
    [{}, {"found": None}, {"found": "true"}, {"found": False}, {"found": False, "others": "1.0"}],
)
def test_a_module_is_found_or_not(value: Any) -> None:
    with pytest.raises(Broken):
        parsing.module("M", value)
    assert parsing.module("M", {"found": False, "others": ["1.0"]}) == NotFound("M", ("1.0",))


def test_an_error_record_has_nulls_for_what_is_not_known() -> None:
    told = parsing.error(
        {
            "id": None,
            "category": "NotSpecified",
            "exceptions": [{"type": "T", "message": None}],
            "status": "",
            "retryAfter": None,
        }
    )
    assert told == ServiceError("", "NotSpecified", "", "", "", (Raised("T", ""),))
    assert told.message == ""
    assert parsing.error({"id": "Id,X", "exceptions": []}).message == "Id,X"


def test_a_write_may_take_longer_than_a_read_and_members_longest() -> None:
    times = Timeouts()
    waits = [
        times.of(name)
        for name in (
            "Get-Recipient",
            "Test-ApplicationAccessPolicy",
            "New-ApplicationAccessPolicy",
            "Get-DistributionGroupMember",
        )
    ]
    assert waits == [300, 300, 1200, 3600]
