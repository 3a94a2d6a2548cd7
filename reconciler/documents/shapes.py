"""The shape of one document: what jsonschema says about it, as findings that name the place and
what to do.

jsonschema is the only authority. A long list of users is cut to its first item for it; the others
pass a compiled check of the same schema, and what that refuses goes to jsonschema after all.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reconciler.documents import rules, schemas
from reconciler.documents.raw_documents import literal, nearest, shown
from reconciler.documents.trees import json_path
from reconciler.guids import are_guids
from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.documents.raw_documents import RawDocument
    from reconciler.documents.rules import DocumentRule
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding

LONG = 64
"""Lists of users with more items than this are checked item by item, without jsonschema where that
says nothing.
"""

_USERS: Steps = ("spec", "grants", "users")
_RULE = "rule: "

_NEVER_SHOWN = ("spec", "connect")
"""Values below this may be pasted secrets: messages do not repeat them (they end up in logs)."""

_KEYWORDS: Mapping[str, DocumentRule] = {
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

_BOUNDS: Mapping[str, str] = {
    "minimum": "is too small: {} is the least",
    "maximum": "is too large: {} is the most",
    "minLength": "is too short: {} characters are the least",
    "maxLength": "is too long: {} characters are the most",
    "minItems": "is too short: at least {} item(s)",
    "maxItems": "is too long: at most {} item(s)",
    "pattern": "does not have the form {}",
}


def shape_findings(document: RawDocument) -> list[Finding]:
    """Every fault of a document's shape, at most one for each scalar."""
    if document.kind is None:
        return list(_kind_findings(document))
    whole = document.tree.value
    users = document.at(*_USERS)
    long = document.kind is Kind.TEAMS_POLICY and isinstance(users, list) and len(users) > LONG
    errors = schemas.validator(document.kind).iter_errors(_thinned(whole) if long else whole)
    found = [
        finding
        for error in errors
        for finding in _findings(document, error, tuple(error.absolute_path))
    ]
    if long and isinstance(users, list):
        found += _user_findings(document, users)
    return _best(found)


def suspects(texts: list[Any], check: Callable[[str], Any]) -> list[int]:
    """Indexes of the items that a compiled check of texts does not pass."""
    try:
        if all(map(check, texts)):
            return []
    except TypeError:  # an item is no text
        pass
    return [
        index for index, text in enumerate(texts) if not (isinstance(text, str) and check(text))
    ]


def user_suspects(texts: list[Any]) -> list[int]:
    """Indexes of the items that may not name a user.

    Object ids may, and 100,000 are looked at in one.
    """
    with suppress(TypeError):  # an item is no text
        if are_guids(texts):
            return []
    return suspects(texts, schemas.user_check())


def _thinned(whole: Any) -> Any:
    spec = whole["spec"]
    grants = {**spec["grants"], "users": spec["grants"]["users"][:1]}
    return {**whole, "spec": {**spec, "grants": grants}}


def _user_findings(document: RawDocument, users: list[Any]) -> Iterator[Finding]:
    for index in user_suspects(users):
        if index:  # the first one is in the sample
            for error in schemas.user_validator().iter_errors(users[index]):
                yield from _findings(document, error, (*_USERS, index))


def _kind_findings(document: RawDocument) -> Iterator[Finding]:
    """Say why a document cannot be taken for one of any kind."""
    whole, known = document.tree.value, ", ".join(Kind)
    if not isinstance(whole, dict):
        yield document.finding(
            rules.TYPE,
            (),
            f"a document is a map with apiVersion, kind, metadata and spec, not {shown(whole)}",
        )
    elif "kind" not in whole:
        yield document.finding(rules.REQUIRED, (), f"`kind` is missing: add one of {known}")
    else:
        kind = whole["kind"]
        message = f"{shown(kind)} is not a kind{nearest(kind, list(Kind))}: known are {known}"
        yield document.finding(rules.UNKNOWN_KIND, ("kind",), message)


def _findings(document: RawDocument, error: Any, steps: Steps) -> Iterator[Finding]:
    schema: Mapping[str, Any] = error.schema
    if "propertyNames" in error.relative_schema_path:
        yield _misplaced(document, error, steps)
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(document, error.instance, list(schema["properties"]), steps)
    elif error.validator == "required":
        yield from _missing(document, error, steps)
    elif error.validator == "uniqueItems":
        yield from _repeated(document, error.instance, steps)
    else:
        yield document.finding(_rule(error), steps, _message(error, steps))


def _rule(error: Any) -> DocumentRule:
    """The rule of an error in a value: the one that its schema names in `$comment`, or that of the
    keyword.
    """
    if error.validator in {"type", "const"} and error.instance is None:
        return rules.NULL
    if error.validator == "type":
        return rules.TYPE
    if isinstance(error.instance, str) and not error.instance.strip(" "):
        return rules.BLANK
    named = str(error.schema.get("$comment", "")).removeprefix(_RULE)
    return rules.BY_ID.get(named) or _KEYWORDS[error.validator]


def _message(error: Any, steps: Steps) -> str:
    rule = _rule(error)
    secret = steps[: len(_NEVER_SHOWN)] == _NEVER_SHOWN
    if rule in {rules.NULL, rules.TYPE}:
        return _type_fault(error, secret=secret)
    value = "the value" if secret else shown(error.instance)
    return _advice(rule, error, value)


def _misplaced(document: RawDocument, error: Any, steps: Steps) -> Finding:
    allowed = ", ".join(f"`{key}`" for key in error.validator_value)
    rule = rules.BY_ID[str(error.schema["$comment"]).removeprefix(_RULE)]
    if rule is rules.ABSENT_EXTRAS:
        message = f"`{error.instance}` has no place beside `ensure: absent`: keep only {allowed}"
    else:
        message = f"`{error.instance}` has no place here without `certificateFile`: remove it"
    return document.finding(rule, (*steps, error.instance), message, key=True)


def _unknown_keys(
    document: RawDocument, holder: Mapping[str, Any], known: list[str], steps: Steps
) -> Iterator[Finding]:
    for key in holder:
        if key not in known:
            message = f"unknown key `{key}`{nearest(key, known)}: known here are {', '.join(known)}"
            yield document.finding(rules.UNKNOWN_KEY, (*steps, key), message, key=True)


def _missing(document: RawDocument, error: Any, steps: Steps) -> Iterator[Finding]:
    """Name every missing key: an error does not name its own apart, and equal findings fall
    together later.
    """
    for key in error.validator_value:
        if key not in error.instance:
            yield document.finding(
                rules.REQUIRED,
                steps,
                f"`{key}` is missing: add it{f' to `{json_path(steps)}`' if steps else ''}",
            )


def _repeated(document: RawDocument, items: list[Any], steps: Steps) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        where = first.setdefault(json.dumps(item, sort_keys=True), index)
        if where != index:
            line = document.position((*steps, where)).line
            yield document.finding(
                rules.REPEATED,
                (*steps, index),
                f"{shown(item)} stands twice, first on line {line}: remove one",
            )


def _best(found: list[Finding]) -> list[Finding]:
    """Keep one finding per scalar: the coarsest, as the others follow from it.

    Findings about keys are all kept.
    """
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in found:
        about_key = finding.rule in {rules.REQUIRED.id, rules.UNKNOWN_KEY.id}
        place = (finding.position, finding.path, finding.message if about_key else "")
        if place not in kept or _weight(finding) < _weight(kept[place]):
            kept[place] = finding
    return list(kept.values())


def _weight(finding: Finding) -> int:
    if finding.rule in {rules.NULL.id, rules.TYPE.id}:
        return 0
    if finding.rule == rules.BLANK.id:
        return 1
    return 3 if finding.rule == rules.LENGTH.id else 2


def _type_fault(error: Any, *, secret: bool) -> str:
    """Say which type belongs there and which one stands there."""
    if error.validator == "const":
        return (
            f"null stands here, `{literal(error.validator_value)}` is the only value: write it, or"
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


def _advice(rule: DocumentRule, error: Any, value: str) -> str:
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
            [literal(word) for word in error.validator_value]
            if error.validator == "enum"
            else [literal(error.validator_value)]
        )
        return _not_allowed(value, error.instance, allowed)
    return f"{value} {_BOUNDS[error.validator].format(error.validator_value)}"


def _not_allowed(value: str, instance: Json, allowed: Sequence[str]) -> str:
    if len(allowed) == 1:
        return (
            f"{value} is wrong here: `{allowed[0]}` is the only value, leave the entry out"
            " otherwise"
        )
    return f"{value} is not one of {', '.join(allowed)}{nearest(instance, allowed)}"
