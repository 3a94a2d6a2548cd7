"""YAML as this tool reads it: typing, positions, what is tolerated."""

from pathlib import Path

import pytest
import yaml

from reconciler.documents.input_files import Text, decode_text
from reconciler.documents.parsing import Parsed, c_parser, parse_yaml, pure_parser
from reconciler.documents.trees import json_path, place_of, typed_scalar
from reconciler.model.findings import Finding
from tests.documents.cases import FAULTS, VALID

PLAIN = {
    "": None,
    "null": None,
    "true": True,
    "false": False,
    "0": 0,
    "-0": 0,
    "7": 7,
    "-12": -12,
    "9999999999999999999999": 9999999999999999999999,
    "~": "~",
    "Null": "Null",
    "TRUE": "TRUE",
    "yes": "yes",
    "Off": "Off",
    "010": "010",
    "+1": "+1",
    "1.5": "1.5",
    "1e3": "1e3",
    "0x1f": "0x1f",
    "1_000": "1_000",
    "2026-11-21": "2026-11-21",
    "12:30:45": "12:30:45",
    ".inf": ".inf",
    "=": "=",
    "9" * 5000: "9" * 5000,
    "\u0661": "\u0661",
}


@pytest.mark.parametrize(("text", "value"), PLAIN.items(), ids=[text[:20] for text in PLAIN])
def test_plain_scalars_are_typed_by_few_forms(text: str, value: object):
    assert typed_scalar(text) == value
    assert type(typed_scalar(text)) is type(value)
    if text:
        assert parse_yaml(f"a: {text}\nb: [{text}]\n", "f").trees[0].value == {
            "a": value,
            "b": [value],
        }


@pytest.mark.parametrize("style", ["'{}'", '"{}"'])
def test_quoted_scalars_are_texts(style: str):
    assert [
        parse_yaml(f"a: {style.format(text)}\n", "f").trees[0].value
        for text in PLAIN
        if text != "="
    ] == [{"a": text} for text in PLAIN if text != "="]


def test_block_scalars_are_texts():
    assert parse_yaml("a: >-\n  true\nb: |-\n  1\n", "f").trees[0].value == {"a": "true", "b": "1"}


def test_places_of_keys_values_and_items():
    (tree,) = parse_yaml("# c\na: 1\nb:\n  - x\n  - {c: [é, ü, y]}\n", "f").trees
    assert place_of(tree, ()) == (2, 1)
    assert place_of(tree, ("a",)) == (2, 4)
    assert place_of(tree, ("a",), key=True) == (2, 1)
    assert place_of(tree, ("b",)) == (4, 3)
    assert place_of(tree, ("b", 1, "c"), key=True) == (5, 6)
    assert place_of(tree, ("b", 1, "c", 2)) == (5, 16)


def test_a_missing_place_is_that_of_its_container():
    (tree,) = parse_yaml("a: [x]\n", "f").trees
    assert place_of(tree, ("a", 7)) == (1, 4)
    assert place_of(tree, ("a", "b")) == (1, 4)
    assert place_of(tree, ("z", "b")) == (1, 1)


def test_paths_are_spelled_like_json_paths():
    assert json_path(()) == "$"
    assert json_path(("spec", "users", 3, "odd key")) == "$.spec.users[3]['odd key']"


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated():
    decoded = decode_text(b"\xef\xbb\xbfa: 1\r\nb: @\r\n", "f")
    assert isinstance(decoded, Text)
    assert not decoded.findings
    (finding,) = parse_yaml(decoded.text, "f").findings
    assert (finding.position.line, finding.position.column) == (2, 4)


def test_an_emoji_with_invisible_parts_may_stand_in_a_comment():
    decoded = decode_text("# \u26a0\ufe0f keep\na: 1\n".encode(), "f")
    assert isinstance(decoded, Text)
    assert not decoded.findings
    assert not parse_yaml(decoded.text, "f").findings


def test_a_file_of_comments_is_no_fault_and_no_document():
    assert parse_yaml("# kept for later\n\n  # as well\n", "f") == Parsed([], [])


def test_reading_goes_on_at_each_next_document():
    parsed = parse_yaml("a: @\n---\nb: 1\n---\n'open\n---\n{c: 1\n---\nd: 2\n", "f")
    assert [tree.value for tree in parsed.trees] == [{"b": 1}, {"d": 2}]
    assert [finding.position.line for finding in parsed.findings] == [1, 6, 8]


@pytest.mark.parametrize(
    "deep",
    ["[" * 5000, "? " * 3000, "- " * 5000, "{a: " * 3000, "? [" * 2000],
    ids=lambda deep: deep[:4],
)
@pytest.mark.parametrize("parser", [c_parser, pure_parser])
def test_deep_nesting_is_one_finding(deep: str, parser):
    (finding,) = parse_yaml(deep, "f", parser).findings
    assert finding.rule == "yaml.too-deep"


def test_the_python_parser_takes_over_where_there_is_no_c(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert isinstance(c_parser("a: 1"), yaml.SafeLoader)


def test_the_python_parser_refuses_lone_surrogates_itself():
    (finding,) = parse_yaml('a: "\\ud800"\n', "f", pure_parser).findings
    assert finding.rule == "text.unfit-character"


def test_a_fault_without_a_place_is_reported_at_the_start():
    (finding,) = parse_yaml("a: \x07\n", "f").findings
    assert (finding.rule, str(finding.position)) == ("yaml.syntax", "f:1:1")


@pytest.mark.parametrize(
    "path",
    sorted(path for folder in [*FAULTS, *VALID] for path in folder.rglob("*.yaml")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_both_parsers_read_the_same(path: Path):
    decoded = decode_text(path.read_bytes(), "f")
    if isinstance(decoded, Finding) or decoded.indented_by_tab:
        return
    first, other = (
        parse_yaml(decoded.text, "f", c_parser),
        parse_yaml(decoded.text, "f", pure_parser),
    )
    assert [finding.rule for finding in first.findings] == [
        finding.rule for finding in other.findings
    ]
    if not any(
        finding.rule in {"yaml.syntax", "text.unfit-character", "text.line-break", "yaml.empty"}
        for finding in first.findings
    ):
        assert first == other
