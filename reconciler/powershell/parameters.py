"""What a parameter of a given type takes.

No conversions: the values that PowerShell would bend into the type are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.canonical import Json

EDIT_KEYS: Final = frozenset(("Add", "Remove"))


class Parameter(Struct, frozen=True):
    """A declared parameter: the name of its type in the catalogue, and the members if that is an
    enumeration.
    """

    type: str
    values: frozenset[str] = frozenset()


def mismatch(parameter: Parameter, value: Json) -> str | None:
    """What the parameter takes, in words, if it does not take the value; None if it does."""
    if parameter.values:
        return (
            None
            if isinstance(value, str) and value in parameter.values
            else " or ".join(sorted(parameter.values))
        )
    words, takes = _TYPES[parameter.type]
    return None if takes(value) else words


def described(value: Json) -> str:
    """The kind of a value, in words, without its content."""
    for kind, words in (
        (bool, "a boolean"),
        (str, "text"),
        (int, f"the number {value}"),
        (Mapping, "a map"),
        (list | tuple, "a list"),
    ):
        if isinstance(value, kind):
            return words
    return "null" if value is None else f"a {type(value).__name__}"


def is_text(value: Json) -> bool:
    """Whether a value is text that says something: not empty, not only blanks."""
    return isinstance(value, str) and bool(value.strip())


def is_list(value: Json) -> bool:
    """Whether a value is a list of texts that say something; it may be empty."""
    return isinstance(value, list | tuple) and all(map(is_text, value))


def is_edit(value: Json) -> bool:
    """Whether a value is a map of `Add` and `Remove` to lists."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and value.keys() <= EDIT_KEYS
        and all(map(is_list, value.values()))
    )


def _is_switch(value: Json) -> bool:
    return isinstance(value, bool)


def _is_number_to(largest: int) -> Callable[[Json], bool]:
    return lambda value: (
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest
    )


def _is_size(value: Json) -> bool:
    return value == "Unlimited" if isinstance(value, str) else _is_signed(value)


_is_signed: Final = _is_number_to(2**31 - 1)

_Check: TypeAlias = "tuple[str, Callable[[Json], bool]]"
_IDENTITY: Final[_Check] = ("a string that is not blank", is_text)
_LIST: Final[_Check] = ("a list of strings, none blank", is_list)
_TYPES: Final[Mapping[str, _Check]] = {
    "String": ("a string or null", lambda value: value is None or isinstance(value, str)),
    "String[]": _LIST,
    "RecipientTypeDetails[]": _LIST,
    "SwitchParameter": ("true or false", _is_switch),
    "Nullable[Int32]": ("a number from 0 to 2147483647", _is_signed),
    "UInt32": ("a number from 0 to 4294967295", _is_number_to(2**32 - 1)),
    "Unlimited": ("`Unlimited` or a number", _is_size),
    "Object": (
        "a list of strings, or a map of Add and Remove to such lists",
        lambda value: is_list(value) or is_edit(value),
    ),
    "ApplicationAccessPolicyIdParameter": _IDENTITY,
    "DistributionGroupMemberIdParameter": _IDENTITY,
    "GroupIdParameter": _IDENTITY,
    "RecipientIdParameter": _IDENTITY,
}
