"""`--only` and `--skip`: which addresses are held at their observed value."""

from __future__ import annotations

import difflib
import re
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from reconciler.errors import UsageFault
from reconciler.kinds.facts import facts
from reconciler.kinds.products import PRODUCTS
from reconciler.model.codes import Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.kinds.product import Product
    from reconciler.model.addresses import Address
    from reconciler.model.desired import Desired
    from reconciler.model.findings import Finding
    from reconciler.model.observed import Observed

_FORMS: Final = tuple(
    form
    for product in PRODUCTS.values()
    for form in (*product.consent_forms, *product.single_consent_forms)
)
_CONSENT: Final = "|".join(_FORMS)
"""What `--allow` takes, in any case: what `spec.consents` of a Tenant document takes, where the
schema says it, and what is consented to for one plan only.
"""
_RULES: Final = frozenset(
    rule
    for form in _FORMS
    if (head := re.match(r"(?:\(\?:)?([a-z|-]+)\)?:", form))
    for rule in head[1].split("|")
)
"""Rules that a consent can lift: what a form begins with."""

_BY_DOCUMENT_KIND: Final[Mapping[str, Product[Any, Any]]] = {
    facts(name).document_kind: product for name, product in PRODUCTS.items()
}
APPLICATION = "application/"
"""What the name or the client id of an application stands behind that is meant in all products."""
_MOST_COMPARED = 2000
"""Addresses that a mistyped one is compared with: finding a likeness is slow, and it is only a
hint.
"""


class Selection(Struct, frozen=True):
    """Addresses as they are compared, lower-case.

    Empty `only` selects everything.
    """

    only: frozenset[str]
    skip: frozenset[str]
    in_part: frozenset[str] = frozenset()
    """What `only` has parts of."""

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.only or self.skip)

    def holding(self, address: Address) -> Held | None:
        """Why an address is held, None if the plan may change it.

        What is a part of something else is chosen with it; and what has a part that is chosen is
        not held as a whole.
        """
        if self.is_everything:
            return None
        names = compared_forms(address)
        if not self.skip.isdisjoint(names):
            return Held.SKIPPED
        if not self.only or not self.only.isdisjoint(names):
            return None
        return None if names[0] in self.in_part else Held.NOT_SELECTED

    def adding(self, only: Iterable[str] = (), skip: Iterable[str] = ()) -> Selection:
        """The same with more addresses, as a person would type them."""
        more = selection(only, skip)
        return Selection(self.only | more.only, self.skip | more.skip, self.in_part | more.in_part)

    def concerns(self, finding: Finding) -> bool:
        """Whether a fault blocks the plan: with `--only`, one that cannot bear on what is
        selected does not.
        """
        kind, _, name = finding.subject.partition("/")
        product = _BY_DOCUMENT_KIND.get(kind)
        return not self.only or product is None or product.bears_on(name, self.only)


def assert_known(chosen: Selection, desired: Desired, observed: Observed) -> None:
    """Check that there is something at every selected address: a mistyped one would hold, or let
    through, what nobody meant.

    Raises:
        UsageFault: neither the documents nor the tenant have an object at an address.
    """
    addresses = {} if chosen.is_everything else known_addresses(desired, observed)
    for name in sorted((chosen.only | chosen.skip) - addresses.keys()):
        alike = sorted(
            address for address in addresses if address.partition("/")[0] == name.partition("/")[0]
        )
        near = difflib.get_close_matches(name, alike[:_MOST_COMPARED], n=1)
        meant = f"; did you mean {addresses[near[0]]}?" if near else ""
        raise UsageFault(f"{name} not found in the documents or the tenant{meant}")


def known_addresses(desired: Desired, observed: Observed) -> Mapping[str, str]:
    """All addresses of the documents and of the tenant, as they are compared, with how each is
    written; the tenant's spelling before that of a document.
    """
    addresses = chain.from_iterable(
        product.addresses(desired[name], observed.states.get(name))
        for name, product in PRODUCTS.items()
    )
    unresolved = chain.from_iterable(
        compared_forms(name.address) for side in desired.values() for name in side.unresolved
    )
    return {address.lower(): address for address in chain(unresolved, addresses)}


def selection(only: Iterable[str], skip: Iterable[str]) -> Selection:
    """Read the addresses of `--only` and `--skip`.

    Raises:
        UsageFault: a text is not an address of something that can be selected.
    """
    chosen = frozenset(map(_selected, only))
    in_part = frozenset(whole for address in chosen for whole in compared_forms(address)[1:])
    return Selection(chosen, frozenset(map(_selected, skip)), in_part)


def is_consent(text: str) -> bool:
    """Whether a text has the form of a consent, `RULE:ADDRESS`."""
    return re.fullmatch(_CONSENT, text, re.IGNORECASE) is not None


def assert_consents(allow: Iterable[str]) -> None:
    """Check the values of `--allow`.

    Raises:
        UsageFault: a text is not a consent.
    """
    for text in allow:
        if not is_consent(text):
            raise UsageFault(_no_consent(text))


def _no_consent(text: str) -> str:
    """What is wrong with a text that is not a consent, and leads to none."""
    rule, _, named = text.partition(":")
    if named and rule.lower() in _RULES:
        return (
            f"--allow {text!r} is not a consent: nothing that {rule.lower()} can be about is called"
            f" {named!r}. Names of documents, user principal names and addresses of scopes are taken;"
            " the refusal prints the whole consent"
        )
    return (
        f"--allow {text!r} is not a consent: write RULE:ADDRESS exactly as a refusal prints it, for"
        " example limits:teams.grant"
    )


def selection_of_addresses(only: Iterable[str], skip: Iterable[str]) -> Selection:
    """The same before names are known: everything, if one of the texts has not the form of an
    address. What a name means only the tenant tells; until then every fault may concern it.
    """
    texts = (*only, *skip)
    if all(any(product.selected_form(text) for product in PRODUCTS.values()) for text in texts):
        return selection(only, skip)
    return selection((), ())


def _selected(text: str) -> str:
    for product in PRODUCTS.values():
        if form := product.selected_form(text):
            return form
    raise not_an_address(text)


def not_an_address(text: str, alike: Sequence[str] = ()) -> UsageFault:
    """What is wrong with a text that should say what is selected; `alike` is what it may mean."""
    forms = (form for name in PRODUCTS for form in facts(name).selectable)
    *others, last = (*forms, f"{APPLICATION}NAME for an application in all products")
    guess = f"did you mean {alike[0]}? Otherwise " if alike else ""
    return UsageFault(
        f"{text!r} is neither the name of an object nor an address; {guess}write an address as the"
        f" plan prints it: {', '.join(others)}, or {last}"
    )


def compared_forms(address: str) -> tuple[str, ...]:
    """The form in which an address is compared, and behind it that of what it is a part of."""
    for product in PRODUCTS.values():
        if form := product.selected_form(address):
            whole = product.whole_form(address)
            return (form,) if whole is None else (form, whole)
    return (address.lower(),)
