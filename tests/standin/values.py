"""Objects and errors of the service as the runner puts them into JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

Json = Any

_FRACTION = re.compile(r"\.(\d+)")
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(value: Json) -> Json:
    """A value: null, text, boolean, integer, list, map."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)  # PowerShell's JSON reader does that
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("$type")
    if kind is None:
        return {key: plain(item) for key, item in value.items()}
    return _typed(kind, value)


def _typed(kind: str, value: Json) -> Json:  # noqa: PLR0911  one a kind
    if kind == "object":
        return {key: plain(item) for key, item in value["properties"].items()} or value.get(
            "text", ""
        )
    content = value["value"]
    match kind:
        case "hashtable":
            return {key: plain(item) for key, item in content.items()}
        case "list":
            return [plain(item) for item in content]
        case "datetime" | "datetimeoffset":
            return _universal(content)
        case "int32" | "int64" | "uint32":
            return int(content)
        case "switch":
            return str(content) == "True"
    return str(content)


def _universal(text: str) -> str:
    """ISO 8601 with seven digits, UTC."""
    fraction = _FRACTION.search(text)
    moment = datetime.fromisoformat(_FRACTION.sub("", text)).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction[1] if fraction else ''):0<7.7}Z"


def selected(value: Json, names: list[str]) -> Json:
    """An output object with the wanted properties only; those it has not are named."""
    shown = plain(value)
    if not names:
        return shown
    has = {key.lower(): item for key, item in shown.items()} if isinstance(shown, dict) else {}
    kept = {name: has[name.lower()] for name in names if name.lower() in has}
    absent = [name for name in names if name.lower() not in has]
    return {**kept, "(absent)": absent} if absent else kept


def error(item: Json, cmdlet: str, source: str | None) -> Json:
    """The error record that an item of the service makes."""
    exceptions = list(_chain(item.get("exception", {})))
    response = item.get("exception", {}).get("response") or {}
    writer = item.get("source") or source or cmdlet
    return {
        "id": (
            item.get("id", "")
            if item.get("terminating") == "throw"
            else f"{item.get('id', '')},{writer}"
        ),
        "category": item.get("category") or "NotSpecified",
        "reason": item.get("reason") or exceptions[0]["type"].rpartition(".")[2],
        "activity": item.get("activity") or cmdlet,
        "target": str(plain(item.get("target")) or "")[:200],
        "details": plain(item.get("details") or ""),
        "exceptions": exceptions,
        "status": str(response["status"]) if "status" in response else None,
        "retryAfter": str(response.get("retryAfter") or "") if response else None,
    }


def _chain(exception: Json) -> Any:
    while exception is not None:
        yield {
            "type": exception.get("type") or "System.Exception",
            "message": plain(exception.get("message", "")),
        }
        exception = exception.get("inner")


def failure(
    code: str,
    message: str,
    *,
    kind: str = "System.Management.Automation.RuntimeException",
    category: str = "InvalidArgument",
) -> Json:
    """An error record of PowerShell's own."""
    return error(
        {
            "id": code,
            "terminating": "throw",
            "category": category,
            "exception": {"type": kind, "message": message},
        },
        "",
        None,
    )
