"""What people type for an address, with names instead of ids: `exchange.policy/crm@board@contoso.com`,
`teams.grant/user:adele@contoso.com`, `tenant-wide:teams.application/scheduling-bot`, or the name of
an object alone; `application/crm` is an application in all products. Names become ids before anything
is compared or stored.
"""

from __future__ import annotations

from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.errors import UsageFault
from reconciler.kinds.products import PRODUCTS
from reconciler.kinds.typed_names import NamedObjects
from reconciler.planning.selection import APPLICATION, not_an_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.addresses import Address
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed

_MOST_LISTED = 10
"""Objects that a message lists of those that a text may mean."""


class TypedNames(Struct, frozen=True):
    """What names lead to: what documents and tenant have, and every address of either, as it is
    compared, with how it is written.
    """

    documents: Documents
    observed: Observed
    addresses: Mapping[str, str]

    def selected(self, texts: Iterable[str], option: str) -> tuple[str, ...]:
        """The addresses that the values of `--only` or `--skip` stand for.

        Raises:
            UsageFault: a text may mean several objects.
        """
        return tuple(chain.from_iterable(self._selected(text, option) for text in texts))

    def consents(self, texts: Iterable[str], is_consent: Callable[[str], bool]) -> tuple[str, ...]:
        """The consents that the values of `--allow` stand for.

        Raises:
            UsageFault: a text may mean several objects.
        """
        return tuple(self._consent(text, is_consent) for text in texts)

    def _selected(self, text: str, option: str) -> tuple[str, ...]:
        if text.lower() in self.addresses:
            return (text,)
        meanings = [
            meaning
            for meaning in self._meanings(_named(text))
            if all(address.lower() in self.addresses for address in meaning)
            and _is_meant(text, meaning)
        ]
        whole = _whole_applications(meanings)
        if whole:
            return _only_one(whole, f"{option} {text}")
        if any(product.selected_form(text) for product in PRODUCTS.values()):
            return (text,)
        raise not_an_address(text, self._alike(text))

    def _alike(self, text: str) -> Sequence[str]:
        """The names of documents, and of whole applications, that a text may be a slip of."""
        applications = [each.name for each in self.documents.applications]
        teams = [each.name for each in self.documents.teams]
        exchange = [each.name for each in self.documents.exchange]
        whole = [f"{APPLICATION}{name}" for name in applications]
        return get_close_matches(text, [*whole, *applications, *teams, *exchange], n=1)

    def _consent(self, text: str, is_consent: Callable[[str], bool]) -> str:
        rule, _, named = text.partition(":")
        if not named or text.lower().startswith("displaced:"):
            return text  # a policy's name is an address already
        meanings = [
            tuple(f"{rule}:{address}" for address in meaning)
            for meaning in self._meanings(named)
            if all(is_consent(f"{rule}:{address}") for address in meaning)
        ]
        if not meanings:
            return text
        consents = _only_one(meanings, f"--allow {text}")
        if len(consents) > 1:
            raise _several(f"--allow {text}", consents)
        return consents[0]

    def _meanings(self, text: str) -> Iterator[tuple[Address, ...]]:
        objects = NamedObjects(self.documents, self.observed.directory)
        meanings = (
            product.meanings(text, objects, self.observed.states.get(name))
            for name, product in PRODUCTS.items()
        )
        yield from dict.fromkeys(chain.from_iterable(meanings))


def _named(text: str) -> str:
    """What is behind `application/`, if a text begins so."""
    is_application = text.lower().startswith(APPLICATION)
    return text[len(APPLICATION) :] if is_application else text


def _is_meant(text: str, meaning: Iterable[str]) -> bool:
    """Whether a meaning is an application, if the text says that it is one."""
    return _named(text) == text or all(_application(address) for address in meaning)


def _application(address: str) -> str:
    """The client id of an application's address on the side of a product; empty for others."""
    kind, _, client_id = address.partition("/")
    return client_id.lower() if kind.endswith(".application") else ""


def _whole_applications(meanings: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The same meanings, but an application that a name alone stands for is meant on the sides of all
    products.
    """
    whole: dict[str, list[str]] = {}
    for meaning in meanings:
        if len(meaning) == 1 and (client_id := _application(meaning[0])):
            whole.setdefault(client_id, []).append(meaning[0])
    others = [
        meaning for meaning in meanings if not (len(meaning) == 1 and _application(meaning[0]))
    ]
    return [*map(tuple, whole.values()), *others]


def _only_one(meanings: Sequence[tuple[str, ...]], typed: str) -> tuple[str, ...]:
    if len(meanings) > 1:
        raise _several(typed, sorted({*chain.from_iterable(meanings)}))
    return meanings[0]


def _several(typed: str, candidates: Iterable[str]) -> UsageFault:
    every = list(candidates)
    listed = ", ".join(every[:_MOST_LISTED])
    more = f" and {len(every) - _MOST_LISTED} more" if len(every) > _MOST_LISTED else ""
    return UsageFault(f"{typed} may mean several objects; write one of them: {listed}{more}")
