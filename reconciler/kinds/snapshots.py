"""The part of a tenant that a plan rests on, at one moment: as its baseline says, after some of its
steps, or as the tenant is now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from reconciler.model.observed import GroupAssignment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.documents import AccessRight
    from reconciler.model.plans import ParameterValue


class ScopeRight(Struct, frozen=True):
    """What an Exchange policy does with its scope, and its description."""

    right: AccessRight
    description: str


class ResizedLists(Struct, frozen=True):
    """Lower-case addresses of objects whose list of applications gets longer, and shorter."""

    longer: frozenset[str] = frozenset()
    shorter: frozenset[str] = frozenset()


SnapshotValue: TypeAlias = (
    frozenset[str] | tuple[GroupAssignment, ...] | ScopeRight | str | bool | None
)
"""Applications that a Teams policy lists, group grants in rank order, an Exchange policy, the key of
a granted policy or a description, whether somebody else holds a policy; None is what is not there.
"""

Snapshot: TypeAlias = dict[str, SnapshotValue]
"""What is compared, by a name for people. Flat, so that "equal", "what moved" and "after k steps"
cost what the steps touch, not what the tenant holds.
"""

DESCRIPTION_OF = "description of "
OTHER_HOLDERS_OF = "other holders of "
"""What a snapshot has of an object beside the object itself. It comes before the address: a name
may end in anything.
"""


OPAQUE_MARK = " (not understood)"
"""How the name of an entry ends that is what was read of something that is not understood."""


def opaque_snapshot(texts: Mapping[str, Iterable[str]]) -> Snapshot:
    """The entries of a snapshot for what was read, by the address that is held for it."""
    return {f"{address}{OPAQUE_MARK}": frozenset(read) for address, read in texts.items()}


def parameter_text(value: ParameterValue) -> str:
    """A parameter that is text.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, str):
        raise TypeError(f"expected a string, found {value!r}")
    return value


def parameter_ids(value: ParameterValue) -> frozenset[str]:
    """A parameter that is a list of ids, lower-case.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {value!r}")
    return frozenset(text.lower() for text in value)
