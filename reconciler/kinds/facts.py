"""The facts of each product, and which product a cmdlet that writes belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.kinds.exchange import facts as exchange
from reconciler.kinds.teams import facts as teams
from reconciler.model.addresses import PROVIDERS

if TYPE_CHECKING:
    from reconciler.model.addresses import Provider
    from reconciler.model.product_facts import ProductFacts


def facts(provider: Provider) -> ProductFacts:
    """The facts of a product."""
    match provider:
        case "teams":
            return teams.FACTS
        case "exchange":
            return exchange.FACTS
        case _:
            assert_never(provider)


def in_turn() -> tuple[Provider, ...]:
    """All products in the order in which their steps run."""
    return tuple(sorted(PROVIDERS, key=lambda name: facts(name).turn))


def writing_product(cmdlet: str) -> Provider:
    """The product whose policies a cmdlet writes.

    Raises:
        ValueError: it is not a write cmdlet of any product.
    """
    for provider in PROVIDERS:
        if cmdlet in facts(provider).writes:
            return provider
    raise ValueError(f"{cmdlet} is not a write cmdlet of any product")
