"""What is said about a value of the wrong shape: one sentence that says what belongs there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.documents import rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.rules import Rule

NEVER_SHOWN = ("spec", "connect")
"""Values below this may be pasted secrets: messages do not repeat them (they end up in logs)."""

KEYWORDS: Mapping[str, Rule] = {
    "const": rules.ENUM,
    "enum": rules.ENUM,
    "pattern": rules.PATTERN,
    "minimum": rules.RANGE,
    "maximum": rules.RANGE,
    "minLength": rules.LENGTH,
    "maxLength": rules.LENGTH,
    "minItems": rules.LENGTH,
    "maxItems": rules.LENGTH,
}
"""The rule of a keyword whose schema names none."""

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "array": "a list",
    "object": "a map",
    "null": "null",
}

_ADVICE: Mapping[str, str] = {
    rules.API_VERSION.id: "write `apiVersion: reconciler/v1`",
    rules.BLANK.id: "write something, or leave the entry out",
    rules.NAME_FORM.id: "a name has 1 to 64 characters, no blanks around them, and is not `*`",
    rules.POLICY_NAME.id: (
        "a policy's name has 1 to 64 characters, no blanks around them, none of * ? [ ] / \\ ' \" ;"
    ),
    rules.CLIENT_ID.id: (
        "write the application (client) id, a GUID like ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
    ),
    rules.GROUP_ID.id: (
        "write the group's object id, a GUID like 566b8d39-5c5c-4aaa-bc07-4f36278a1b38; its name"
        " goes to `label`"
    ),
    rules.TENANT_ID.id: (
        "write the directory (tenant) id, a GUID like 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
    ),
    rules.USER_ID.id: "write the user's object id or user principal name",
    rules.SCOPE.id: "write the SMTP address or the object id of the group or mailbox",
    rules.MAILBOX.id: "write an SMTP address or the object id of the mailbox",
    rules.RANK_RANGE.id: "ranks are whole numbers from 1 to 2147483647, 1 is the strongest",
    rules.ORGANIZATION.id: "write the tenant's initial domain, like contoso.onmicrosoft.com",
    rules.USERS_FROM_NAME.id: (
        "write a path relative to this file, with `/`, that ends in .csv or .txt"
    ),
    rules.CONSENT.id: "write RULE:ADDRESS with lower-case ids, exactly as the refusal prints it",
    rules.CONNECT_VARIABLE.id: (
        "write the name of an environment variable in upper case, like EXO_TOKEN, never the secret"
        " itself"
    ),
}


def shown(value: Any) -> str:
    """A value of a document, short enough for a message."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a map"
    if isinstance(value, str):
        # a line's worth
        return f"`{value}`" if len(value) <= 80 else f"`{value[:77]}...`"  # noqa: PLR2004
    if value is None or isinstance(value, bool):
        return f"`{_plain(value)}`"
    return f"the number {str(value)[:20]}"


def nearest(word: Json, known: Sequence[str]) -> str:
    """Suggest the known word that is most like a mistyped one."""
    from difflib import get_close_matches  # noqa: PLC0415  lazy: only faults need it

    found = get_close_matches(str(word).lower()[:80], [name.lower() for name in known], 1, 0.6)
    return next(
        (f", did you mean `{name}`" for name in known if found and name.lower() == found[0]), ""
    )


def type_fault(error: Any, *, secret: bool) -> str:
    """Say which type belongs there and which one stands there."""
    if error.validator == "const":
        return (
            f"null stands here, `{_plain(error.validator_value)}` is the only value: write it, or"
            " leave the entry out"
        )
    wanted = error.validator_value
    names = " or ".join(_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted))
    if error.instance is None:
        return f"nothing stands here, {names} belongs here: write it, or remove the entry"
    quotes = (
        ": put it in quotes"
        if "string" in wanted and not isinstance(error.instance, (list, dict))
        else ""
    )
    return f"{names} belongs here, not {'this' if secret else shown(error.instance)}{quotes}"


def advice(rule: Rule, error: Any, value: str) -> str:
    """Say what is wrong with a value of the right type."""
    if rule.id in _ADVICE:
        return (
            f"{'a blank text' if rule is rules.BLANK else value} is wrong here: {_ADVICE[rule.id]}"
        )
    if rule is rules.CONNECT_METHOD:
        ways = ", ".join(f"`{way['required'][0]}`" for way in error.validator_value)
        return f"name exactly one way to connect: {ways}"
    if rule is rules.TEST_SUBJECT:
        return "say who is reached by exactly one of `mailbox` (Exchange) and `meetingsOf` (Teams)"
    if rule is rules.ENUM:
        allowed = (
            [_plain(word) for word in error.validator_value]
            if error.validator == "enum"
            else [_plain(error.validator_value)]
        )
        return _not_allowed(value, error.instance, allowed)
    return f"{value} {_BOUNDS[error.validator].format(error.validator_value)}"


_BOUNDS: Mapping[str, str] = {
    "minimum": "is too small: {} is the least",
    "maximum": "is too large: {} is the most",
    "minLength": "is too short: {} characters are the least",
    "maxLength": "is too long: {} characters are the most",
    "minItems": "is too short: at least {} item(s)",
    "maxItems": "is too long: at most {} item(s)",
    "pattern": "does not have the form {}",
}


def _not_allowed(value: str, instance: Json, allowed: Sequence[str]) -> str:
    if len(allowed) == 1:
        return (
            f"{value} is wrong here: `{allowed[0]}` is the only value, leave the entry out"
            " otherwise"
        )
    return f"{value} is not one of {', '.join(allowed)}{nearest(instance, allowed)}"


def _plain(value: Json) -> str:
    return "null" if value is None else str(value) if isinstance(value, str) else str(value).lower()
