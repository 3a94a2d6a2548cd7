"""`--only` and `--skip`: which addresses are held at their observed value."""

from __future__ import annotations

import difflib
import re
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.errors import UsageFault
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import (
    exchange_application,
    teams_user_grant,
)
from reconciler.model.codes import Held
from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.addresses import Address
    from reconciler.model.desired import Desired
    from reconciler.model.findings import Finding
    from reconciler.model.observed import Observed

_SELECTABLE = (
    r"teams\.policy/.+|teams\.grant/(?:user:.+|group:.+|tenant)"
    r"|exchange\.application/(?P<application>.+)|exchange\.policy/(?P<owner>[^@]+)@.+"
)

_APPLICATION = r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_CONSENT = (
    rf"(?:tenant-wide|exposure):(?:teams\.application/{_APPLICATION}"
    rf"|exchange\.application/(?:{_APPLICATION}|\*))|displaced:teams\.policy/.+"
    rf"|empty-scope:exchange\.policy/(?:{_APPLICATION}|\*)@\S+"
    r"|limits:(?:teams\.policy|teams\.grant|exchange\.policy)|policy-space:exchange"
)
"""What `--allow` takes, in any case; the same as `spec.consents` of a Tenant document, where the
schema says it.
"""

_MOST_COMPARED = 2000
"""Addresses that a mistyped one is compared with: finding a likeness is slow, and it is only a
hint.
"""


class Selection(Struct, frozen=True):
    """Addresses as they are compared: lower-case, an Exchange policy as its whole application.

    Empty `only` selects everything.
    """

    only: frozenset[str]
    skip: frozenset[str]

    def holding(self, address: Address) -> Held | None:
        """Why an address is held, None if the plan may change it."""
        name = _name(address)
        if name in self.skip:
            return Held.SKIPPED
        return Held.NOT_SELECTED if self.only and name not in self.only else None

    def concerns(self, finding: Finding) -> bool:
        """Whether a fault stands in the way: with `--only`, one that cannot bear on what is
        selected does not.

        A policy's own attributes stand in its document alone; a grant, and an Exchange application,
        can stand in any of its product.
        """
        kind, _, name = finding.subject.partition("/")
        if not self.only or kind not in {Kind.TEAMS_POLICY, Kind.EXCHANGE_POLICY}:
            return True
        product = "teams." if kind == Kind.TEAMS_POLICY else "exchange."
        concerned = {one for one in self.only if one.startswith(product)}
        if all(one.startswith("teams.policy/") for one in concerned):
            return f"teams.policy/{name}".lower() in concerned
        return True


def assert_known(chosen: Selection, desired: Desired, observed: Observed) -> None:
    """Check that there is something at every selected address: a mistyped one would hold, or let
    through, what nobody meant.

    Raises:
        UsageFault: neither the documents nor the tenant have an object at an address.
    """
    known = _known(desired, observed) if chosen.only or chosen.skip else frozenset()
    for name in sorted((chosen.only | chosen.skip) - known):
        alike = sorted(one for one in known if one.partition("/")[0] == name.partition("/")[0])
        if user := observed.directory.users_by_upn.get(name.removeprefix(teams_user_grant(""))):
            raise UsageFault(
                f"{name} cannot be selected by that name: a grant is addressed by the user's object"
                f" id, {teams_user_grant(user)}"
            )
        near = difflib.get_close_matches(name, alike[:_MOST_COMPARED], n=1)
        meant = f"; {near[0]} is there" if near else ""
        raise UsageFault(
            f"{name} cannot be selected: neither the documents nor the tenant have it{meant}"
        )


def _known(desired: Desired, observed: Observed) -> frozenset[str]:
    """All addresses of the documents and of the tenant, as they are compared."""
    addresses = chain.from_iterable(
        product.addresses(desired[name], observed.states.get(name))
        for name, product in PRODUCTS.items()
    )
    unresolved = (_name(name.address) for side in desired.values() for name in side.unresolved)
    return frozenset(chain(addresses, unresolved))


def selection(only: Iterable[str], skip: Iterable[str]) -> Selection:
    """Read the addresses of `--only` and `--skip`.

    Raises:
        UsageFault: a text is not an address of something that can be selected.
    """
    return Selection(frozenset(map(_selected, only)), frozenset(map(_selected, skip)))


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
            raise UsageFault(
                f"--allow {text!r} is not a consent: write RULE:ADDRESS exactly as a refusal prints"
                " it, for example limits:teams.grant"
            )


def _selected(text: str) -> str:
    if not re.fullmatch(_SELECTABLE, text):
        raise UsageFault(
            f"{text!r} cannot be selected; give an address as the plan prints it:"
            " teams.policy/NAME, teams.grant/user:ID, teams.grant/group:ID, teams.grant/tenant,"
            " exchange.application/APPID or exchange.policy/APPID@SCOPEID"
        )
    return _name(text)


def _name(address: str) -> str:
    """The form in which addresses are compared."""
    owner = re.fullmatch(_SELECTABLE, address)
    if owner is not None and owner["owner"]:
        return exchange_application(owner["owner"]).lower()
    return address.lower()
