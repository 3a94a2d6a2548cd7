"""What holds for all documents: reading is faithful, order says nothing, no bytes make it fall
over.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.documents import Examined, examine_documents
from reconciler.documents.input_files import decode_text
from reconciler.documents.parsing import c_parser, parse_yaml, pure_parser
from reconciler.documents.rules import BY_ID
from reconciler.documents.shapes import LONG, suspects
from reconciler.model.documents import Documents, Listing
from reconciler.model.findings import Finding, Position, Severity
from tests.documents.cases import FAULTS, VALID
from tests.strategies.documents import document_sets, spelled, users
from tests.thoroughness import samples

NOWHERE = Position("", 0, 0)
SEEDS = sorted(
    path
    for folder in [*VALID, *FAULTS]
    for path in folder.rglob("*")
    if path.is_file() and path.suffix in {".yaml", ".csv", ".txt"}
)


@contextmanager
def files(texts: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name, raw in texts.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
        yield Path(folder)


def examined(texts: dict[str, bytes]) -> Examined:
    with files(texts) as folder:
        return examine_documents([folder])


def unplaced(documents: Documents) -> Documents:
    """Documents without what depends on where they stand."""
    return Documents(
        tenant=documents.tenant and replace(documents.tenant, position=NOWHERE),
        applications=tuple(replace(each, position=NOWHERE) for each in documents.applications),
        teams=tuple(
            replace(
                each,
                position=NOWHERE,
                groups=each.groups
                and tuple(replace(grant, position=NOWHERE) for grant in each.groups),
                users=each.users and (_merged(each.users),),
            )
            for each in documents.teams
        ),
        exchange=tuple(
            replace(each, position=NOWHERE, scope=replace(each.scope, position=NOWHERE))
            for each in documents.exchange
        ),
        tests=tuple(
            replace(
                each,
                position=NOWHERE,
                expectations=tuple(
                    replace(
                        expectation,
                        subject=replace(expectation.subject, position=NOWHERE, path=""),
                    )
                    for expectation in each.expectations
                ),
            )
            for each in documents.tests
        ),
    )


def _merged(listings: Sequence[Listing]) -> Any:
    return tuple(sorted(text for listing in listings for text in listing.texts))


@given(st.data())
@settings(max_examples=60)
def test_reading_a_file_gives_the_values_that_were_written(data: st.DataObject):
    documents = data.draw(document_sets())
    text = data.draw(spelled(documents))
    for parser in (c_parser, pure_parser):
        parsed = parse_yaml(text, "f", parser)
        assert not parsed.findings
        assert [tree.value for tree in parsed.trees] == documents


@given(document_sets())
@settings(max_examples=40)
def test_what_another_program_dumps_is_read_alike(documents: list[dict[str, Any]]):
    class Dumper(yaml.SafeDumper):
        """Spells strings so that YAML 1.1 readers keep them, as other programs do; without anchors."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    text = yaml.dump_all(documents, Dumper=Dumper, allow_unicode=True, width=10**9)
    parsed = parse_yaml(text, "f")
    assert [tree.value for tree in parsed.trees] == documents


def _errors(examined: Examined) -> list[Finding]:
    return [finding for finding in examined.findings if finding.severity is Severity.ERROR]


@given(st.data())
@settings(max_examples=60)
def test_valid_documents_have_no_findings_and_order_says_nothing(data: st.DataObject):
    documents = data.draw(document_sets())
    first = examined({"all.yaml": data.draw(spelled(documents)).encode()})
    assert not _errors(first)
    shuffled = _shuffled(documents, random.Random(data.draw(st.integers(0, 99))))
    cut = data.draw(st.integers(0, len(documents)))
    parts = {"x/b.yaml": shuffled[:cut], "a.yml": shuffled[cut:]}
    second = examined(
        {
            name: data.draw(spelled(part)).encode()
            for name, part in parts.items()
            if part or name == "a.yml"
        }
    )
    assert not _errors(second)
    assert unplaced(first.documents) == unplaced(second.documents)


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, _shuffled(inner, chance)) for key, inner in value.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        items = [_shuffled(inner, chance) for inner in value]
        chance.shuffle(items)
        return items
    return value


_LISTED = (
    b"apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name: a}\nspec:"
    b" {grants: {usersFrom: FILE}}\n"
)
_ODD_LINES = st.sampled_from(
    [
        " ",
        "a b",
        "a,b",
        "a;b",
        "a\tb",
        "\t",
        ";",
        "a@contoso.com ",
        '"a"',
        "#",
        "x y@",
        "\u00e4@contoso.com",
        "user",
        "'",
        "a\u200bb",
        " a@contoso.com",
        "a@contoso.com ",
    ]
)


@given(
    st.lists(users, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 5), _ODD_LINES), max_size=2),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(0, 1),
)
@example(["a@contoso.com"], [], "\n", 1)
@settings(max_examples=samples(150))
def test_blank_lines_and_comments_at_the_end_of_a_list_say_nothing(
    listed: list[str], odd: list[tuple[int, str]], end: str, times: int
):
    for at, line in odd:
        listed.insert(at, line)
    for name, head, beside in (
        ("b.csv", ["user"], ""),
        ("b.csv", ["ObjectId"], ""),
        ("b.txt", [], "# that is all"),
    ):
        policy = _LISTED.replace(b"FILE", name.encode())
        plain = end.join([*head, *listed]) + end * times
        longer = end.join([*head, *listed, beside, ""])
        first, second = (
            examined({"a.yaml": policy, name: text.encode()}) for text in (plain, longer)
        )
        assert [_nowhere(finding) for finding in first.findings] == [
            _nowhere(finding) for finding in second.findings
        ]
        for policy, other in zip(first.documents.teams, second.documents.teams, strict=True):
            assert policy.users is not None
            assert other.users is not None
            assert [(each.texts, each.lines, each.columns) for each in policy.users] == [
                (each.texts, each.lines, each.columns) for each in other.users
            ]


def _nowhere(finding: Finding) -> tuple[int, int, str, str]:
    """A finding without its folder."""
    return (
        finding.position.line,
        finding.position.column,
        finding.rule,
        finding.message.rpartition("/")[2],
    )


@given(st.data())
@settings(max_examples=samples(150))
def test_no_bytes_raise_anything(data: st.DataObject):
    """Mutations of every kind of file: pieces of one put into another, bytes flipped, cut and
    doubled.
    """
    raw = bytearray(data.draw(st.sampled_from(SEEDS)).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        piece = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from(PIECES)))
        raw[at : at + data.draw(st.integers(0, 8))] = piece
    policy = (
        b"apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        b" NAME}\nspec: {grants: {usersFrom: FILE}}\n"
    )
    texts = {"a.yaml": bytes(raw), "b.csv": bytes(raw), "c.txt": bytes(raw)}
    texts |= {
        f"z{file}.yaml": policy.replace(b"NAME", file[:1].encode()).replace(b"FILE", file.encode())
        for file in ("b.csv", "c.txt")
    }
    for finding in examined(texts).findings:
        assert finding.rule in BY_ID
        assert finding.position.line >= 1
        assert finding.position.column >= 1
        assert "\n" not in finding.message


PIECES = [
    b"\n",
    b"\r",
    b"\t",
    b"---\n",
    b"- ",
    b": ",
    b"? ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"&a ",
    b"*a",
    b"!!str ",
    b"<<: ",
    b"'",
    b'"',
    b'"\\ud800"',
    b"|\n",
    b">\n ",
    b"#",
    b",",
    b"null",
    b"true",
    b"-7",
    b"99999999999999999999",
    b"\xff",
    b"\xef\xbb\xbf",
    "\u2028".encode(),
    "\u202e".encode(),
    b"%YAML 9.9\n",
    b"%TAG ! x\n",
    b"...\n",
    b"~",
    b"users:",
    b"user,label\n",
    b"ensure: absent\n",
    b"metadata:\n",
    b"spec: 3\n",
    b"kind: Tenant\n",
    b"\x00",
    b"*",
]


@given(st.text(max_size=60))
@example("\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
@settings(max_examples=samples(150))
def test_both_parsers_agree_on_whether_a_text_is_one_value(text: str):
    raw = f"a: {text}".encode()
    decoded = decode_text(raw, "f")
    if isinstance(decoded, Finding):
        return
    ours, other = (parse_yaml(decoded.text, "f", parser) for parser in (c_parser, pure_parser))
    assert bool(ours.findings) is bool(other.findings)
    if not ours.findings:
        assert [tree.value for tree in ours.trees] == [tree.value for tree in other.trees]


@given(st.lists(st.one_of(st.sampled_from(["x", "yy", ""]), st.integers(), st.none()), max_size=20))
def test_suspects_are_exactly_what_does_not_pass(items: list[Any]):
    passes = lambda text: len(text) > 1
    assert suspects(items, passes) == [
        index for index, item in enumerate(items) if not isinstance(item, str) or len(item) < 2
    ]


@given(
    st.integers(LONG - 2, LONG + 40),
    st.dictionaries(
        st.integers(0, 60),
        st.one_of(st.none(), st.just(7), st.just(""), st.just("a b"), st.just([])),
    ),
)
@settings(max_examples=40)
def test_long_lists_have_the_findings_of_short_ones(length: int, faults: dict[int, Any]):
    """What is found in a list does not depend on how much stands behind it."""
    users: list[Any] = [f"user{index}@contoso.com" for index in range(length)]
    for index, fault in faults.items():
        users[index] = fault
    whole, short = _user_findings(users), _user_findings(users[: LONG - 2])
    assert [each for each in whole if each[0] < LONG - 2] == short


def _user_findings(users: list[Any]) -> list[tuple[int, str]]:
    lead = (
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        " Hosts}\nspec:\n grants:\n  users:\n"
    )
    text = lead + "".join(f"  - {'null' if user is None else repr(user)}\n" for user in users)
    return [
        (each.position.line - 7, each.rule) for each in examined({"a.yaml": text.encode()}).findings
    ]
