"""A product is a value in a table: no table forgets one, and the checker has a reading of its own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from reconciler.kinds.facts import facts
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import PROVIDERS
from tests.house.tree import PACKAGE, expect_none, imports, modules, name_of

if TYPE_CHECKING:
    from pathlib import Path

OWN_READING = ("kinds", "audiences", "access")
"""What the checker of every prefix must not share a line with."""


def _tables(path: Path) -> dict[str, Mapping[object, object]]:
    """Mappings of a module that have a product among their keys."""
    name = name_of(path)
    module = importlib.import_module(f"reconciler.{name}" if name else "reconciler")
    return {
        f"{module.__name__}.{attribute}": value
        for attribute, value in vars(module).items()
        if isinstance(value, Mapping) and not {*PROVIDERS}.isdisjoint(value)
    }


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_table_by_product_has_every_product(path: Path) -> None:
    if name_of(path) == "__main__":
        return
    expect_none([name for name, table in _tables(path).items() if not {*PROVIDERS} <= {*table}])


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_list_of_products_has_every_product(path: Path) -> None:
    if name_of(path) == "__main__":
        return
    name = name_of(path)
    module = importlib.import_module(f"reconciler.{name}" if name else "reconciler")
    lists = {
        attribute: value
        for attribute, value in vars(module).items()
        if isinstance(value, tuple) and len([name for name in PROVIDERS if name in value]) > 1
    }
    expect_none([name for name, value in lists.items() if not {*PROVIDERS} <= {*value}])


def test_the_table_of_products_is_keyed_by_their_own_names() -> None:
    assert {name: product.provider for name, product in PRODUCTS.items()} == {
        name: name for name in PROVIDERS
    }
    assert len({facts(name).turn for name in PRODUCTS}) == len(PRODUCTS)
    assert len({facts(name).document_kind for name in PRODUCTS}) == len(PRODUCTS)
    kinds = [product.subject_kind for product in PRODUCTS.values() if product.subject_kind]
    assert len({*kinds}) == len(kinds)


def test_the_checker_shares_nothing_with_what_ordered_the_steps() -> None:
    checker = [path for path in modules() if (PACKAGE / "planning" / "checking") in path.parents]
    assert checker
    shared = [
        f"{name_of(path)}:{line}: {imported}"
        for path in checker
        for imported, line in imports(path)
        if imported.startswith(tuple(f"reconciler.{room}" for room in OWN_READING))
    ]
    expect_none(shared)
