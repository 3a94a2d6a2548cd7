"""What the live side cannot do although a tenant can have it: one list, which documents, plans,
`doctor`, simulated tenants and live readings all go by, so that each says the same first.

`Get-CsOnlineUser -Filter` takes the syntax of Where-Object, quoted with `'`. How it doubles a quote,
or what the Teams module makes of the characters that mean something in a URL, no public source says
(page of Get-CsOnlineUser; code of MicrosoftTeams 6.4.0 and 7.7.0).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.model.addresses import name_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

PLAIN_NAMES: Final = "letters, digits, spaces and .,()@_-"
"""Of what a policy name consists whose holders can be queried."""
LONGEST_NAME: Final = 64
"""Characters of a name that is given to a new policy. Microsoft documents no limit."""
_SPECIAL: Final = re.compile(r"[^\w .,()@-]")


class PolicyNameLimit(Struct, frozen=True):
    """Why the holders of a Teams policy cannot be queried by its name.

    `characters`: those of the name that may be special in a filter, each once, in order.
    """

    characters: str


def policy_name_limit(name: str) -> PolicyNameLimit | None:
    """Whether the live side can ask for the holders of a policy; None if it can.

    Args:
        name: as the service spells it, without `Tag:`.
    """
    characters = "".join(dict.fromkeys(_SPECIAL.findall(name)))
    return PolicyNameLimit(characters) if characters else None


def unqueried(names: Iterable[str]) -> list[str]:
    """The policies, of those that a tenant lists, whose holders are read in one way only."""
    return [name for name in names if policy_name_limit(name)]


def is_confirmed(names: Iterable[str], held_keys: Collection[str]) -> bool:
    """Whether one reading of all grants can be believed about policies that cannot be queried:
    there is another one with holders, for which a second question can be put.

    Args:
        names: every policy that the tenant lists.
        held_keys: keys of the policies that somebody holds directly.
    """
    return any(name_key(name) in held_keys and policy_name_limit(name) is None for name in names)


def names_unqueried(cmdlet: str, parameters: Mapping[str, object]) -> bool:
    """Whether a write names a Teams policy that cannot be queried. Nobody documents that the
    service's addresses take such a name either, so what the write did has to be read.
    """
    if not cmdlet.endswith("-CsApplicationAccessPolicy"):
        return False
    name = parameters.get("PolicyName", parameters.get("Identity"))
    return isinstance(name, str) and policy_name_limit(name) is not None
