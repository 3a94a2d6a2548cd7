"""The bytes of a capture file -> its content, where the rows of users and recipients, of which
there may be 100,000, are values at once.

Only a file whose every part has the usual shape is decoded so. Any other is decoded as plain JSON,
where the parsers find what is odd about it: nothing is judged here, and what comes out is judged by
the same rules.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reconciler.captures.directory import RecipientRow  # noqa: TC001  the same
from reconciler.kinds.teams.parse import GrantRow  # noqa: TC001  decoders look annotations up
from reconciler.model.observed import User  # noqa: TC001  the same

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Teams(Struct, forbid_unknown_fields=True):
    users: list[GrantRow]
    complete: Any = UNSET
    tenantId: Any = UNSET  # noqa: N815  as the file spells it
    reads: Any = UNSET
    policies: Any = UNSET
    groupAssignments: Any = UNSET  # noqa: N815


class _Directory(Struct, forbid_unknown_fields=True):
    users: list[User]
    groups: Any = UNSET
    recipients: list[RecipientRow] | UnsetType = UNSET
    absent: Any = UNSET


class _Capture(Struct, forbid_unknown_fields=True):
    teams: _Teams
    directory: _Directory
    exchange: Any = UNSET
    format_version: Any = UNSET
    tool: Any = UNSET
    simulated: Any = UNSET
    tenant: Any = UNSET
    taken_at: Any = UNSET


@cache
def _decoder() -> msgspec.json.Decoder[_Capture]:
    return msgspec.json.Decoder(_Capture)


def decode(data: bytes) -> Mapping[str, Any] | None:
    """The content of a capture file with users as `GrantRow` and `User`, recipients as
    `RecipientRow`; None for a file that has to be looked at more closely.
    """
    try:
        if not data.isascii():
            data.decode(
                "utf-8"
                # in properties that nobody looks at, the decoder lets broken bytes pass: such a file is
                # damaged
            )
        capture = _decoder().decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return {
        **_given(capture),
        "teams": _given(capture.teams),
        "directory": _given(capture.directory),
    }


def _given(part: Struct) -> dict[str, Any]:
    return {
        name: value
        for name in part.__struct_fields__
        if (value := getattr(part, name)) is not UNSET
    }
