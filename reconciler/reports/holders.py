"""Users whom a note is about by their direct grants, in words: who they are, and what they hold in
turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from reconciler.reports.remedies import OPTION_DETAILS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.canonical import Json

GRANTS, GROUPS, USERS = "grants", "groups", "users"
_USER: Final = "teams.grant/user:"
_STATES: Final = 3
"""Direct grants before the plan, at the moment that the note is about, and after the plan."""


def in_words(details: Mapping[str, Json]) -> Mapping[str, Json]:
    """The details of a note, with its grants as `before -> after`, without an empty list of groups,
    and with the users that its options name.
    """
    grants = details.get(GRANTS)
    if not (isinstance(grants, Sequence) and not isinstance(grants, str) and grants):
        return details
    left_out = {GRANTS} if details.get(GROUPS) else {GRANTS, GROUPS}
    kept = {key: value for key, value in details.items() if key not in left_out}
    users = list(_users(details))
    return {**kept, GRANTS: _moves(list(map(str, grants))), **({USERS: users} if users else {})}


def _moves(grants: list[str]) -> str:
    """One who keeps a grant at this moment and has another one afterwards, as the shorter move."""
    if len(grants) == _STATES and grants[0] == grants[1]:
        del grants[1]
    return " -> ".join(grants)


def _users(details: Mapping[str, Json]) -> Iterator[str]:
    for option in sorted(OPTION_DETAILS):
        addresses = details.get(option)
        if isinstance(addresses, Sequence) and not isinstance(addresses, str):
            yield from (
                str(address).removeprefix(_USER)
                for address in addresses
                if str(address).startswith(_USER)
            )
