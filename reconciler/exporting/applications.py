"""Names for applications that have none: a capture knows client ids only, and nobody can review
those.

A name is made of where the application is used, and the beginning of its client id: it reads, it is
the only one, and it is the same whenever the tenant is.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from reconciler.exporting.plain_words import dashed
from reconciler.exporting.texts import comment, scalar
from reconciler.model.addresses import name_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_ID_LENGTHS: Final = (4, 8, 36)
"""How much of a client id a name has: as little as tells it from the others."""
_HINT: Final = 24
_MOST_USES: Final = 4
"""Places that a comment names; the others are counted."""


class Use(Struct, frozen=True, order=True):
    """A place in which an application is used: how many applications share it, its name, and in what
    way it is used there.
    """

    shared: int
    name: str
    way: str


def invented_names(uses: Mapping[str, Sequence[Use]], taken: Collection[str]) -> Mapping[str, str]:
    """A name for each application.

    Args:
        uses: where each application is used, by client id.
        taken: names that others have, as `name_key`s.
    """
    hints = {
        application: dashed(min(places).name, "app")[:_HINT].strip("-") if places else "app"
        for application, places in uses.items()
    }
    names: dict[str, str] = {}
    for length in _ID_LENGTHS:
        candidates = {
            application: f"{hint}-{application[:length]}"
            for application, hint in hints.items()
            if application not in names
        }
        counts = Counter(candidates.values())
        names |= {
            application: name
            for application, name in candidates.items()
            if counts[name] == 1 and name_key(name) not in taken
        }
    return dict(sorted(names.items()))


def application_documents(
    names: Mapping[str, str], uses: Mapping[str, Sequence[Use]], modeline: str
) -> Iterable[str]:
    """The document of each application, sorted by name."""
    for application, name in sorted(names.items(), key=lambda pair: (pair[1], pair[0])):
        yield (
            f"{modeline}# {comment_of_uses(uses[application])}\n"
            "apiVersion: reconciler/v1\nkind: Application\n"
            f"metadata: {{name: {scalar(name)}}}\nspec:\n  appId: {application}\n"
        )


def comment_of_uses(places: Sequence[Use]) -> str:
    """Where an application is used, in a comment."""
    ways: dict[str, list[str]] = {}
    for place in sorted(places, key=lambda place: (place.way, place.name)):
        ways.setdefault(place.way, []).append(comment(place.name))
    return "; ".join(f"{way} {_some(names)}" for way, names in ways.items())


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_USES
    return ", ".join((*names[:_MOST_USES], *([f"{more} more"] if more > 0 else [])))


def merged_uses(
    *products: Mapping[str, Sequence[Use]],
) -> Mapping[str, Sequence[Use]]:
    """Where each application is used, in all products."""
    applications = sorted(set(chain.from_iterable(products)))
    return {
        application: [*chain.from_iterable(uses.get(application, ()) for uses in products)]
        for application in applications
    }
