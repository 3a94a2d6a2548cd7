"""What Exchange's own check answers is read by its values, whatever else it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.tenants.live.access_checks import checked_access
from reconciler.tenants.protocol import NotUnderstood

if TYPE_CHECKING:
    from reconciler.canonical import Json


@pytest.mark.parametrize(
    ("results", "meant"),
    [
        (["Granted"], True),
        (["DENIED"], False),
        (["Denied", "Denied"], False),
        (["Granted", "Denied"], NotUnderstood('"Granted", "Denied"')),
        (["Zugriff erteilt"], NotUnderstood('"Zugriff erteilt"')),
        (["Not Granted"], NotUnderstood('"Not Granted"')),
        ([1], NotUnderstood("1")),
        ([True], NotUnderstood("true")),
        ([None], NotUnderstood("null")),
        ([{"Value": "Granted"}], NotUnderstood("an object")),
        ([["Granted"]], NotUnderstood("a list")),
        ([], NotUnderstood("nothing")),
    ],
)
def test_only_the_two_known_values_are_understood(
    results: list[Json], meant: bool | NotUnderstood
) -> None:
    assert checked_access(results) == meant
    assert type(checked_access(results)) is type(meant)
