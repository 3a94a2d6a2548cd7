"""The outside of a capture against its JSON Schema.

Rows are left out: 100,000 of them are the parser's work, and it says more.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.captures.files import capture_schema
from reconciler.kinds.products import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from reconciler.kinds.capture_faults import FaultList

_LONGEST: Final = 160
_ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: tuple(rows.key for rows in product.lists) for name, product in PRODUCTS.items()},
    "directory": ("users", "groups", "recipients", "absent"),
}


def envelope_faults(raw: Mapping[str, Any], faults: FaultList) -> None:
    """Check everything but the rows: format version, tenant, time, completeness, reads."""
    errors = _validator().iter_errors(_without_rows(raw))
    for error in sorted(errors, key=lambda error: (error.json_path, error.message)):
        faults.add(error.json_path, _told(error))


def _told(error: ValidationError) -> str:
    """The library's sentence, shortened, and what the schema says about the place."""
    shape = error.schema if isinstance(error.schema, dict) else {}
    meaning = None if error.validator == "required" else shape.get("description")
    message = error.message if len(error.message) <= _LONGEST else f"{error.message[:_LONGEST]}…"
    return (
        f"{message}: fetch again"
        if meaning is None
        else f"{message} ({meaning.rstrip('.')}): fetch again"
    )


def _without_rows(raw: Mapping[str, Any]) -> dict[str, Any]:
    outside = dict(raw)
    for section, keys in _ROWS.items():
        if isinstance(part := raw.get(section), dict):
            outside[section] = {key: [] if key in keys else value for key, value in part.items()}
    return outside


@cache
def _validator() -> Validator:
    from jsonschema import (  # noqa: PLC0415
        Draft7Validator,
    )

    return Draft7Validator(capture_schema())
