import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import RefusedText, RenderFault
from reconciler.model.plans import Invocation
from reconciler.powershell.literals import LARGEST_INTEGER, literal
from reconciler.powershell.parameters import Parameter, mismatch
from reconciler.powershell.reading import read_invocation
from reconciler.powershell.rendering import render
from tests.strategies import text as hostile
from tests.strategies.invocations import invocations

CMDLET = re.compile(r"[A-Z][A-Za-z]*-[A-Z][A-Za-z0-9]*")
PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9]*")
TYPES = {
    "string": "String",
    "string[]": "String[]",
    "switch": "SwitchParameter",
    "System.Nullable[int]": "Nullable[Int32]",
    "uint32": "UInt32",
    "object": "Object",
}


def accepted(text: str) -> Invocation | None:
    try:
        return read_invocation(text)
    except RefusedText:
        return None


def canonical(cmdlet: str, parameters: dict) -> str | None:
    """How the renderer would spell what PowerShell read; None if it would not, odd names included."""
    if not CMDLET.fullmatch(cmdlet) or not all(map(PARAMETER.fullmatch, parameters)):
        return None
    try:
        return cmdlet + "".join(f" -{name}:{literal(value)}" for name, value in parameters.items())
    except RenderFault:
        return None


def same(left: object, right: object) -> bool:
    """Equal in type too: True is not 1. The order of a map's keys says nothing."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def test_what_the_runner_reads_is_read_alike_if_it_is_spelled_as_the_renderer_spells_it_and_refused_otherwise(
    runner_reads: list[dict],
) -> None:
    """Refused although PowerShell reads it: other layout and quotes, escapes where none is needed,
    raw invisible characters, `$` without a backtick, a comment-like or semicolon end, numbers and
    nulls in lists, maps with quoted keys or another order, names in odd case.
    """
    count = 0
    for row in runner_reads:
        found, told = accepted(row["text"]), row.get("value")
        spelled = told is not None and canonical(told["cmdlet"], told["parameters"]) == row["text"]
        assert (found is not None) == spelled, row["text"]
        if found is not None:
            count += 1
            assert same([found.cmdlet, found.parameters], [told["cmdlet"], told["parameters"]])
    assert count > 60


def test_the_gate_of_the_recording_allows_no_more_than_is_read(gate: list[dict]) -> None:
    """Allowed there and refused here: negative numbers, numbers of nineteen digits (the runner
    refuses those too), maps of any keys and scalars, lists of other things than texts, layout
    inside brackets, double quotes where single ones do, characters that are never rendered.
    """
    for row in gate:
        found = accepted(row["text"])
        if row["allowed"]:
            assert (found is not None) == (
                canonical(row["command"], row["values"]) == row["text"]
            ), row["text"]
        if found is not None and row["astAllowed"]:
            assert same([found.cmdlet, found.parameters], [row["command"], row["values"]])
        if found is not None and not row["allowed"]:
            assert row["why"] in {
                "command:not in the catalogue",
                "parameter:not in the catalogue",
            }, row["text"]


def test_no_literal_is_read_as_another_value_than_powershell_reads(literals: list[dict]) -> None:
    count = 0
    for row in literals:
        found = accepted("Set-Probe -P:" + row["text"])
        if found is not None:
            count += 1
            assert (found.cmdlet, found.parameters["P"], row["errors"]) == (
                "Set-Probe",
                row["read"],
                [],
            )
    assert count > 2500


def test_a_literal_of_the_renderer_is_read_as_powershell_reads_it(literals: list[dict]) -> None:
    for row in literals:
        if (
            row["ok"]
            and canonical("Set-Probe", {"P": row["value"]}) == "Set-Probe -P:" + row["text"]
        ):
            assert read_invocation("Set-Probe -P:" + row["text"]) == Invocation(
                "Set-Probe", {"P": row["read"]}
            )


def test_a_value_of_a_parameters_type_reaches_it_unchanged(arguments: list[dict]) -> None:
    count = 0
    for row in arguments:
        found, declared = accepted(row["text"]), TYPES.get(row["parameterType"])
        if (
            found is None
            or declared is None
            or set(found.parameters) - {"Query", "Quota", "Other", "Force", "Confirm"} != {"P"}
        ):
            continue
        if mismatch(Parameter(declared), found.parameters["P"]) is not None:
            continue
        count += 1
        value = found.parameters["P"]
        assert row["error"] is None or "attributes" in row, row["text"]
        if row["error"] is None:
            null_text = value is None and row["parameterType"] == "string"
            assert same(row["bound"], value) or (null_text and row["bound"] == ""), row["text"]
    assert count > 300


def test_every_character_of_the_basic_plane_is_read_back_as_it_was_written_or_has_no_literal() -> (
    None
):
    for point in range(0x10000):
        text = f"a{chr(point)}b"
        if canonical("Set-Probe", {"P": text}) is not None:
            assert read_invocation(f"Set-Probe -P:{literal(text)}").parameters == {"P": text}


@given(invocations)
def test_what_is_rendered_is_read_back(invocation: Invocation) -> None:
    found = read_invocation(render(invocation))
    assert found.cmdlet == invocation.cmdlet
    assert same(found.parameters, invocation.parameters)


@given(invocations, st.data())
def test_a_changed_character_is_refused_or_is_another_invocation_in_its_own_spelling(
    invocation: Invocation, data: st.DataObject
) -> None:
    text = render(invocation)
    position = data.draw(st.integers(0, len(text)))
    piece = data.draw(
        st.sampled_from(hostile.PLAIN + hostile.ESCAPED + hostile.REFUSED) | st.just("")
    )
    taken = data.draw(st.integers(0, 2))
    changed = text[:position] + piece + text[position + taken :]
    found = accepted(changed)
    if found is not None:
        try:
            assert render(found) == changed
        except RenderFault:
            assert canonical(found.cmdlet, found.parameters) == changed


@given(st.text(alphabet=hostile.PLAIN + hostile.ESCAPED + "nut{}@()ARade", max_size=40))
def test_any_text_is_refused_or_spelled_as_the_renderer_spells_it(tail: str) -> None:
    text = f"Set-Probe -P:{tail}"
    found = accepted(text)
    assert found is None or canonical(found.cmdlet, found.parameters) == text


@given(hostile.any_texts)
def test_any_text_is_read_or_refused_and_raises_nothing_else(text: str) -> None:
    accepted(text)
    accepted(f"Set-Probe -P:'{text}'")
    accepted(f'Set-Probe -P:"{text}"')


@pytest.mark.parametrize("value", [0, 7, 10, LARGEST_INTEGER])
def test_numbers_are_read(value: int) -> None:
    assert read_invocation(f"Set-Probe -Limit:{value}").parameters == {"Limit": value}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at character 1, expected a cmdlet name"),
        ("set-Probe", "at character 1, expected a cmdlet name"),
        ("Set-Probe ", "at character 10, expected one space and `-Name:`"),
        ("Set-Probe  -A:'x'", "at character 10, expected one space and `-Name:`"),
        ("Set-Probe -A", "at character 10, expected one space and `-Name:`"),
        (
            "Set-Probe -A:",
            (
                "at character 14, expected one constant as the renderer writes it; found the"
                " end of the text"
            ),
        ),
        ("Set-Probe -A:'x';", "at character 14, expected one constant"),
        ("Set-Probe -A:'x' -a:'y'", "at character 17, duplicate parameter a"),
        (
            "Set-Probe -A:'a\u202eb'",
            r"at character 14, in the literal, character 2 is U\+202E, a bidirectional control",
        ),
        ('Set-Probe -A:"x"', "at character 14, the renderer writes this value differently"),
        ('Set-Probe -A:"`u{110000}"', r"at character 14, `u\{110000\} is not a code point"),
        ('Set-Probe -A:"`u{202E}"', "at character 14, .*a bidirectional control"),
        ('Set-Probe -A:"`u{D800}"', "at character 14, .*a lone surrogate"),
        ("Set-Probe -A:9999999999999999999", "at character 14, expected one constant"),
        ("Set-Probe -A:@{Remove=@('x');Add=@('y')}", "at character 14, expected one constant"),
    ],
)
def test_a_refusal_says_where_and_what_was_expected(text: str, why: str) -> None:
    with pytest.raises(RefusedText, match=why) as refused:
        read_invocation(text)
    assert str(refused.value).isascii()


def test_a_long_text_is_read_in_one_pass() -> None:
    values = ["it''s" * 20] * 20_000
    assert read_invocation(f"Set-Probe -P:{literal(values)}").parameters == {"P": values}
    with pytest.raises(RefusedText):
        read_invocation("Set-Probe -P:'" + "''" * 1_000_000)
