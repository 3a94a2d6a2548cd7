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
from reconciler.documents.placeholders import may_have_placeholder, placeholder_fault
from reconciler.documents.raw_documents import nearest, short_value, spelled_scalar
from reconciler.documents.trees import json_path
from reconciler.file_kinds import FileKind, file_kind, mistaken
from reconciler.guids import are_guids
from reconciler.model.documents import Kind
from reconciler.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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

_FOR_PEOPLE = frozenset(("description", "label"))

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
    "string": "a string",
    "integer": "an integer",
    "array": "a list",
    "object": "a map",
    "null": "null",
}

_INVALID: Mapping[str, str] = {
    rules.API_VERSION.id: "is not a supported apiVersion: write `reconciler/v1`",
    rules.BLANK.id: "is not allowed: write a value, or remove the entry",
    rules.NAME_FORM.id: (
        "is not a valid name: use 1 to 64 characters, without spaces around them, and not `*`"
    ),
    rules.POLICY_NAME.id: (
        "is not a valid policy name: use 1 to 256 characters, without spaces around them"
    ),
    rules.CLIENT_ID.id: (
        "is not a client id: write the application (client) id, a GUID such as"
        " ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
    ),
    rules.GROUP_NAME.id: (
        "does not identify a group: write its object id, a GUID such as"
        " 566b8d39-5c5c-4aaa-bc07-4f36278a1b38, or its SMTP address, and its name as `label`"
    ),
    rules.TENANT_ID.id: (
        "is not a tenant id: write the directory (tenant) id, a GUID such as"
        " 596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
    ),
    rules.USER_ID.id: "is not a user: write the user's object id or user principal name",
    rules.SCOPE.id: (
        "is not a scope: write the SMTP address or the object id of the group or mailbox"
    ),
    rules.MAILBOX.id: "is not a mailbox: write its SMTP address or object id",
    rules.RANK_RANGE.id: (
        "is not a rank: write an integer from 1 (the highest precedence) to 2147483647"
    ),
    rules.ORGANIZATION.id: (
        "is not a domain name: write the tenant's initial domain, such as contoso.onmicrosoft.com"
    ),
    rules.USERS_FROM_NAME.id: (
        "is not a path to a list of users: write one relative to this file, with `/`, that ends in .csv or"
        " .txt"
    ),
    rules.CONSENT.id: (
        "is not a consent: write RULE:ADDRESS with lower-case ids, exactly as the refusal prints it"
    ),
    rules.ACCEPTED.id: (
        "cannot be accepted: write teams.policy/NAME, teams.grant/user:ID, teams.grant/group:ID or"
        " exchange.policy/APPID@SCOPEID, as `reconciler export --accept` does"
    ),
    rules.ACCEPTED_DIGEST.id: ("is not a digest: let `reconciler export --accept` write the entry"),
    rules.CONNECT_VARIABLE.id: (
        "is not the name of an environment variable: write an upper-case name such as EXO_TOKEN,"
        " never the secret itself"
    ),
}
"""What is wrong with a value and what to do, by the id of a rule that its schema names."""

_OUT_OF_BOUNDS: Mapping[str, str] = {
    "minimum": "{value} is too small: must be at least {bound}",
    "maximum": "{value} is too large: must be at most {bound}",
    "minLength": "{value} is too short: must have at least {bound} characters",
    "maxLength": "{value} is too long: must have at most {bound} characters",
    "minItems": "the list is too short: must have at least {bound} item(s)",
    "maxItems": "the list is too long: must have at most {bound} item(s)",
    "pattern": "{value} does not match the pattern {bound}",
}
"""What is wrong with a value whose schema names no rule, by the keyword of the schema."""


def shape_findings(document: RawDocument) -> list[Finding]:
    """Every fault of a document's shape, at most one for each scalar."""
    if document.kind is None:
        return list(_kind_findings(document))
    whole = document.tree.value
    users = document.at(*_USERS)
    long = document.kind is Kind.TEAMS_POLICY and isinstance(users, list) and len(users) > LONG
    errors = schemas.validator(document.kind).iter_errors(_thinned(whole) if long else whole)
    findings = [
        finding
        for error in errors
        for finding in _findings(document, error, tuple(error.absolute_path))
    ]
    if long and isinstance(users, list):
        findings += _user_findings(document, users)
    findings += _placeholder_findings(document, (), whole)
    return _best(findings)


def suspects(texts: list[Any], check: Callable[[str], Any]) -> list[int]:
    """Indexes of the items that a compiled check of texts does not pass."""
    try:
        if all(map(check, texts)):
            return []
    except TypeError:  # an item is not a string
        pass
    return [
        index for index, text in enumerate(texts) if not (isinstance(text, str) and check(text))
    ]


def user_suspects(texts: list[Any]) -> list[int]:
    """Indexes of the items that may not name a user.

    Object ids may, and 100,000 of them are looked at as one text.
    """
    with suppress(TypeError):  # an item is not a string
        if are_guids(texts):
            return []
    return suspects(texts, schemas.user_check())


def _placeholder_findings(document: RawDocument, steps: Steps, value: Any) -> Iterator[Finding]:
    """Placeholders that were never filled in; a text for people may hold any."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _FOR_PEOPLE:
                yield from _placeholder_findings(document, (*steps, key), item)
    elif isinstance(value, list):
        yield from _placeholders_of_list(document, steps, value)
    elif isinstance(value, str) and (
        placeholder := placeholder_fault(value, secret=steps[:2] == _NEVER_SHOWN)
    ):
        rule, message = placeholder
        # A tenant may have a policy of such a name, and every name can be managed, or accepted.
        is_name = rule is rules.VARIABLE and (
            steps == ("metadata", "name") or steps[:2] == ("spec", "accepted")
        )
        severity = Severity.WARNING if is_name else Severity.ERROR
        yield document.finding(rule, steps, message, severity=severity)


def _placeholders_of_list(
    document: RawDocument, steps: Steps, items: list[Any]
) -> Iterator[Finding]:
    """A long list of texts is looked at as one text."""
    with suppress(TypeError):  # an item is not a string
        if not may_have_placeholder("\n".join(items)):
            return
    for index, item in enumerate(items):
        yield from _placeholder_findings(document, (*steps, index), item)


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
    whole, kinds = document.tree.value, ", ".join(Kind)
    if not isinstance(whole, dict):
        yield document.finding(
            rules.TYPE,
            (),
            f"expected a map with apiVersion, kind, metadata and spec, found {short_value(whole)}",
        )
    elif (file := file_kind(whole)) is not None and file is not FileKind.DOCUMENT:
        message = mistaken(file, document.file, FileKind.DOCUMENT)
        yield document.finding(rules.REQUIRED, (), message)
    elif "kind" not in whole:
        yield document.finding(rules.REQUIRED, (), f"`kind` is missing: add one of {kinds}")
    else:
        kind = whole["kind"]
        unknown = f"{short_value(kind)}{nearest(kind, list(Kind))}"
        message = f"unknown kind: expected one of {kinds}; found {unknown}"
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
        return _type_message(error, secret=secret)
    value = "the value" if secret else short_value(error.instance)
    return _value_message(rule, error, value)


def _misplaced(document: RawDocument, error: Any, steps: Steps) -> Finding:
    allowed = ", ".join(f"`{key}`" for key in error.validator_value)
    rule = rules.BY_ID[str(error.schema["$comment"]).removeprefix(_RULE)]
    if rule is rules.ABSENT_EXTRAS:
        message = f"`{error.instance}` is not allowed beside `ensure: absent`: keep only {allowed}"
    else:
        message = f"`{error.instance}` is not allowed without `certificateFile`: remove it"
    return document.finding(rule, (*steps, error.instance), message, key=True)


def _unknown_keys(
    document: RawDocument, holder: Mapping[str, Any], allowed: list[str], steps: Steps
) -> Iterator[Finding]:
    for key in holder:
        if key not in allowed:
            message = (
                f"unknown key `{key}`{nearest(key, allowed)}: expected one of {', '.join(allowed)}"
            )
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
                f"{short_value(item)} is listed twice, first on line {line}: remove one",
            )


def _best(findings: list[Finding]) -> list[Finding]:
    """Keep one finding per scalar: the coarsest, as the others follow from it.

    Findings about keys are all kept.
    """
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
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
    if finding.rule in {rules.VARIABLE.id, rules.EMPTY_GUID.id}:
        return 1
    return 3 if finding.rule == rules.LENGTH.id else 2


def _type_message(error: Any, *, secret: bool) -> str:
    """Say which type is expected and which one was found."""
    if error.validator == "const":
        spelled = spelled_scalar(error.validator_value)
        return f"expected `{spelled}`, found null: write it, or remove the entry"
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else wanted
    expected = " or ".join(_TYPES[name] for name in names)
    if error.instance is None:
        return f"expected {expected}, found null: write a value, or remove the entry"
    quotable = "string" in names and not isinstance(error.instance, (list, dict))
    value = "another type" if secret else short_value(error.instance)
    return f"expected {expected}, found {value}{': put it in quotes' if quotable else ''}"


def _value_message(rule: DocumentRule, error: Any, value: str) -> str:
    """Say what is wrong with a value of the right type."""
    if rule is rules.BLANK:
        return f"a blank string {_INVALID[rule.id]}"
    if rule.id in _INVALID:
        return f"{value} {_INVALID[rule.id]}"
    if rule is rules.CONNECT_METHOD:
        methods = ", ".join(f"`{method['required'][0]}`" for method in error.validator_value)
        return f"expected exactly one way to sign in: write one of {methods}"
    if rule is rules.TEST_SUBJECT:
        return "expected exactly one of `mailbox` (Exchange) and `meetingsOf` (Teams): write one"
    if error.validator in {"const", "enum"}:
        return _allowed_message(error, value)
    return _OUT_OF_BOUNDS[error.validator].format(value=value, bound=error.validator_value)


def _allowed_message(error: Any, value: str) -> str:
    """Say which values are allowed."""
    wanted = error.validator_value
    words = [spelled_scalar(word) for word in (wanted if error.validator == "enum" else [wanted])]
    if len(words) == 1:
        return f"{value} is not allowed: write `{words[0]}`, or remove the entry"
    return f"{value} is not allowed{nearest(error.instance, words)}: expected one of {', '.join(words)}"
