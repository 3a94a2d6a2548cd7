"""The table of products. Adding a name to `Provider` makes the type checker ask for it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reconciler.kinds.exchange.product import Exchange
from reconciler.kinds.teams.product import Teams
from reconciler.model.addresses import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.kinds.product import Product
    from reconciler.model.access_rows import SubjectKind
    from reconciler.model.addresses import Provider


def _product(provider: Provider) -> Product[Any, Any]:
    match provider:
        case "teams":
            return Teams()
        case "exchange":
            return Exchange()
        case _:
            assert_never(provider)


PRODUCTS: Mapping[Provider, Product[Any, Any]] = {name: _product(name) for name in PROVIDERS}
"""By name. That a state of `Observed.states` has the type of its product is what captures make
sure of, so the types of the states are left open here.
"""


def asked_product(kind: SubjectKind) -> Product[Any, Any]:
    """The product that a question about a user's meetings, or about a mailbox, is asked of."""
    return next(product for product in PRODUCTS.values() if product.subject_kind is kind)
