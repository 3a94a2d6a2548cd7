"""Random valid documents as plain values: what a YAML file of this tool may hold."""

import json
from typing import Any

from hypothesis import strategies as st

from reconciler.model.documents import Kind

SCALAR_TRAPS = (
    "true",
    "null",
    "010",
    "1.5",
    "2026-11-21",
    "Off",
    "~",
    "yes",
    "-3",
    "7",
    "a: b",
    "# no comment",
    "- item",
    "&x",
    "*x",
    "!tag",
    "<<",
    "'",
    '"',
    "@",
    "%",
    "|",
    ">",
)

guids = st.uuids().map(str)
spelled_guids = st.tuples(guids, st.booleans()).map(
    lambda pair: pair[0].upper() if pair[1] else pair[0]
)
letters = st.from_regex(r"[a-cX-Z019_-]{1,4}(\.[a-c019]{1,3})?", fullmatch=True)
labels = st.one_of(
    st.sampled_from(SCALAR_TRAPS),
    st.text(alphabet="abc XYZéß日本😀’“,;:#&*!|>%@`", min_size=1, max_size=10),
)
names = labels.map(str.strip).filter(lambda name: name not in {"", "*"})
policy_names = (
    st.text(alphabet="abc XYZéß日本😀&#:%@!,.-_", min_size=1, max_size=10)
    .map(str.strip)
    .filter(lambda name: name and name.lower() not in {"default", "global"})
)
descriptions = st.one_of(st.none(), st.just(""), st.just("  "), labels)
addresses = st.tuples(letters, st.sampled_from(["contoso.com", "Fabrikam.onmicrosoft.com"])).map(
    "@".join
)
users = st.one_of(spelled_guids, addresses)


def _unique(elements: st.SearchStrategy[str], **bounds: int) -> st.SearchStrategy[list[str]]:
    return st.lists(elements, unique_by=str.lower, **bounds)


def document(kind: Kind, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "reconciler/v1",
        "kind": kind.value,
        "metadata": {"name": name},
        "spec": spec,
    }


@st.composite
def document_sets(draw: st.DrawFn, *, policies: int = 3) -> list[dict[str, Any]]:
    """A set of documents that keeps every rule, in no particular order."""
    applications = draw(
        st.lists(
            st.tuples(names, spelled_guids),
            max_size=4,
            unique_by=(lambda pair: pair[0].lower(), lambda pair: pair[1].lower()),
        )
    )
    documents = [
        document(Kind.APPLICATION, name, {"appId": written}) for name, written in applications
    ]
    references = draw(_unique(spelled_guids, min_size=1, max_size=4))
    taken = {written.lower() for _, written in applications}
    references = [each for each in references if each.lower() not in taken] + [
        name for name, _ in applications
    ]
    documents += draw(_teams(references, policies))
    documents += draw(_exchange(references, policies))
    documents += draw(_tests(references))
    if draw(st.booleans()):
        documents.append(draw(_tenant()))
    return draw(st.permutations(documents))


@st.composite
def _teams(draw: st.DrawFn, references: list[str], most: int) -> list[dict[str, Any]]:
    declared = draw(_unique(policy_names, max_size=most))
    everyone = draw(_unique(users, max_size=6))
    groups = draw(_unique(spelled_guids, max_size=4))
    ranks = draw(st.permutations(range(1, len(groups) + 1)))
    granted = draw(st.sampled_from([None, *declared]))
    documents = []
    for index, name in enumerate(declared):
        mine = [
            {"group": group, "rank": rank}
            for at, (group, rank) in enumerate(zip(groups, ranks, strict=True))
            if at % len(declared) == index
        ]
        grants: dict[str, Any] = {"users": everyone[index :: len(declared)], "groups": mine}
        if granted == name:
            grants["tenant"] = True
        spec = {
            "description": draw(descriptions),
            "applications": draw(_some(references)),
            "grants": grants,
        }
        kept = {key: value for key, value in spec.items() if draw(st.booleans())}
        documents.append(
            document(
                Kind.TEAMS_POLICY, name, draw(st.sampled_from([kept, kept, {"ensure": "absent"}]))
            )
        )
    return documents


@st.composite
def _exchange(draw: st.DrawFn, references: list[str], most: int) -> list[dict[str, Any]]:
    declared = draw(_unique(names, max_size=most))
    scopes = draw(_unique(addresses, min_size=len(declared), max_size=len(declared)))
    documents = []
    for name, scope in zip(declared, scopes, strict=True):
        applications = draw(_some(references, least=1))
        right = draw(st.sampled_from(["RestrictAccess", "DenyAccess", None]))
        spec: dict[str, Any] = {"applications": applications, "scope": scope}
        spec |= (
            {"accessRight": right, "description": draw(descriptions)}
            if right
            else {"ensure": "absent"}
        )
        documents.append(document(Kind.EXCHANGE_POLICY, name, spec))
    return documents


@st.composite
def _tests(draw: st.DrawFn, references: list[str]) -> list[dict[str, Any]]:
    """Tests of which no two are about the same application and subject: whatever they expect can be
    true.
    """
    declared = draw(_unique(names, max_size=2))
    about = (
        st.tuples(st.sampled_from(references), st.sampled_from(["mailbox", "meetingsOf"]), users)
        if references
        else st.nothing()
    )
    subjects = (
        draw(st.lists(about, max_size=5, unique_by=lambda one: (one[0], one[1], one[2].lower())))
        if references
        else []
    )
    expected = [
        {
            "application": application,
            key: subject,
            "access": draw(st.sampled_from(["granted", "denied"])),
        }
        for application, key, subject in subjects
    ]
    shares = ((name, expected[index :: len(declared)]) for index, name in enumerate(declared))
    return [document(Kind.ACCESS_TEST, name, {"expect": share}) for name, share in shares if share]


@st.composite
def _tenant(draw: st.DrawFn) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "tenantId": draw(spelled_guids),
        "limits": {"policies": {"maxDeletes": draw(st.integers(0, 9))}},
    }
    return document(Kind.TENANT, draw(names), spec)


def _some(references: list[str], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(references), unique=True, min_size=least, max_size=3)


@st.composite
def spelled(draw: st.DrawFn, documents: list[dict[str, Any]]) -> str:
    """One file that holds the documents, in any of YAML's styles that the tool reads."""
    return "# What this tenant shall have.\n" + "---\n".join(
        _block(document, draw(st.sampled_from(["block", "flow", "quoted"])))
        for document in documents
    )


def _block(value: dict[str, Any], style: str) -> str:
    if style == "flow":
        return json.dumps(value, ensure_ascii=False) + "\n"
    return "\n".join(_lines(value, "", quoted=style == "quoted")) + "\n"


def _lines(value: Any, indent: str, *, quoted: bool) -> list[str]:
    if isinstance(value, dict) and value:
        return [
            line
            for key, inner in value.items()
            for line in _entry(f"{indent}{key}:", inner, indent, quoted=quoted)
        ]
    return [line for inner in value for line in _entry(f"{indent}-", inner, indent, quoted=quoted)]


def _entry(lead: str, inner: Any, indent: str, *, quoted: bool) -> list[str]:
    if isinstance(inner, (dict, list)) and inner:
        return [lead, *_lines(inner, f"{indent}  ", quoted=quoted)]
    plain = (
        isinstance(inner, str)
        and not quoted
        and inner[:1].isalpha()
        and inner.isalnum()
        and inner not in SCALAR_TRAPS
    )
    single = isinstance(inner, str) and not plain and quoted
    text = (
        "'" + inner.replace("'", "''") + "'"
        if single
        else inner
        if plain
        else json.dumps(inner, ensure_ascii=False)
    )
    return [f"{lead} {text}"]
