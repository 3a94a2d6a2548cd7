"""What rests on a scope that documents name and that is not in the tenant: everything about its
application, and what changes for `*`. Only a Deny may be created meanwhile: it narrows, whatever
the policy on that scope will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from reconciler.model.addresses import exchange_application
from reconciler.model.codes import Held
from reconciler.model.observed import resting_on
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from msgspec import UnsetType

    from reconciler.model.addresses import Address


def held_by_absent(
    applications: Iterable[str], awaited: Mapping[str, tuple[Address, ...]]
) -> Iterator[Note]:
    """The applications whose changes wait, each with the policies that they wait for."""
    for application in sorted(applications):
        on = [address for owner in resting_on(awaited, application) for address in awaited[owner]]
        yield Note(Held.RESTS_ON_ABSENT, exchange_application(application), {"on": on})


def awaited_rows(
    awaited: Mapping[str, tuple[Address, ...]],
) -> Mapping[str, tuple[str, ...]] | UnsetType:
    """The same for a plan's baseline, by the application's address; unset if there are none."""
    rows: dict[str, tuple[str, ...]] = {
        exchange_application(owner): addresses for owner, addresses in awaited.items()
    }
    return rows or UNSET
