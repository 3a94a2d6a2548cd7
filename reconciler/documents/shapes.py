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
from reconciler.documents.shape_messages import (
    KEYWORDS,
    NEVER_SHOWN,
    advice,
    nearest,
    shown,
    type_fault,
)
from reconciler.documents.trees import json_path
from reconciler.guids import are_guids
from reconciler.model.documents import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.documents.drafts import Draft
    from reconciler.documents.trees import Steps
    from reconciler.model.findings import Finding

LONG = 64
"""Lists of users with more items than this are checked item by item, without jsonschema where that
says nothing.
"""

_USERS: Steps = ("spec", "grants", "users")
_RULE = "rule: "


def shape_findings(draft: Draft) -> list[Finding]:
    """Every fault of a document's shape, at most one for each scalar."""
    if draft.kind is None:
        return list(_kind_findings(draft))
    whole = draft.tree.value
    users = draft.at(*_USERS)
    long = draft.kind is Kind.TEAMS_POLICY and isinstance(users, list) and len(users) > LONG
    errors = schemas.validator(draft.kind).iter_errors(_thinned(whole) if long else whole)
    found = [
        finding
        for error in errors
        for finding in _findings(draft, error, tuple(error.absolute_path))
    ]
    if long and isinstance(users, list):
        found += _user_findings(draft, users)
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


def _user_findings(draft: Draft, users: list[Any]) -> Iterator[Finding]:
    for index in user_suspects(users):
        if index:  # the first one is in the sample
            for error in schemas.user_validator().iter_errors(users[index]):
                yield from _findings(draft, error, (*_USERS, index))


def _kind_findings(draft: Draft) -> Iterator[Finding]:
    """Say why a document cannot be taken for one of any kind."""
    whole, known = draft.tree.value, ", ".join(Kind)
    if not isinstance(whole, dict):
        yield draft.finding(
            rules.TYPE,
            (),
            f"a document is a map with apiVersion, kind, metadata and spec, not {shown(whole)}",
        )
    elif "kind" not in whole:
        yield draft.finding(rules.REQUIRED, (), f"`kind` is missing: add one of {known}")
    else:
        kind = whole["kind"]
        message = f"{shown(kind)} is not a kind{nearest(kind, list(Kind))}: known are {known}"
        yield draft.finding(rules.UNKNOWN_KIND, ("kind",), message)


def _findings(draft: Draft, error: Any, steps: Steps) -> Iterator[Finding]:
    schema: Mapping[str, Any] = error.schema
    if "propertyNames" in error.relative_schema_path:
        yield _misplaced(draft, error, steps)
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(draft, error.instance, list(schema["properties"]), steps)
    elif error.validator == "required":
        yield from _missing(draft, error, steps)
    elif error.validator == "uniqueItems":
        yield from _repeated(draft, error.instance, steps)
    else:
        yield draft.finding(_rule(error), steps, _message(error, steps))


def _rule(error: Any) -> rules.Rule:
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
    return rules.BY_ID.get(named) or KEYWORDS[error.validator]


def _message(error: Any, steps: Steps) -> str:
    rule = _rule(error)
    secret = steps[: len(NEVER_SHOWN)] == NEVER_SHOWN
    if rule in {rules.NULL, rules.TYPE}:
        return type_fault(error, secret=secret)
    value = "the value" if secret else shown(error.instance)
    return advice(rule, error, value)


def _misplaced(draft: Draft, error: Any, steps: Steps) -> Finding:
    allowed = ", ".join(f"`{key}`" for key in error.validator_value)
    rule = rules.BY_ID[str(error.schema["$comment"]).removeprefix(_RULE)]
    if rule is rules.ABSENT_EXTRAS:
        message = f"`{error.instance}` has no place beside `ensure: absent`: keep only {allowed}"
    else:
        message = f"`{error.instance}` has no place here without `certificateFile`: remove it"
    return draft.finding(rule, (*steps, error.instance), message, key=True)


def _unknown_keys(
    draft: Draft, holder: Mapping[str, Any], known: list[str], steps: Steps
) -> Iterator[Finding]:
    for key in holder:
        if key not in known:
            message = f"unknown key `{key}`{nearest(key, known)}: known here are {', '.join(known)}"
            yield draft.finding(rules.UNKNOWN_KEY, (*steps, key), message, key=True)


def _missing(draft: Draft, error: Any, steps: Steps) -> Iterator[Finding]:
    """Name every missing key: an error does not name its own apart, and equal findings fall
    together later.
    """
    for key in error.validator_value:
        if key not in error.instance:
            yield draft.finding(
                rules.REQUIRED,
                steps,
                f"`{key}` is missing: add it{f' to `{json_path(steps)}`' if steps else ''}",
            )


def _repeated(draft: Draft, items: list[Any], steps: Steps) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        where = first.setdefault(json.dumps(item, sort_keys=True), index)
        if where != index:
            line = draft.position((*steps, where)).line
            yield draft.finding(
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
    return (
        0
        if finding.rule in {rules.NULL.id, rules.TYPE.id}
        else 1
        if finding.rule == rules.BLANK.id
        else 2
        if finding.rule != rules.LENGTH.id
        else 3
    )
