"""The stand-in is compared with what a real PowerShell was recorded to do, and the product's own
reader and catalogue against the stand-in.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import RefusedText
from reconciler.powershell import catalogue, reading
from reconciler.powershell.rendering import render
from tests.powershell.conftest import recorded
from tests.standin import binding, gate
from tests.strategies import text as hostile
from tests.strategies.invocations import invocations

NOT_IN_THE_CATALOGUE = {"command:not in the catalogue", "parameter:not in the catalogue"}


def accepted(text: str) -> Any:
    """What the gate reads, in a form that tells True from 1; None when it refuses."""
    try:
        name, parameters = gate.read(text)
    except gate.Refused:
        return None
    return json.dumps([name, parameters], sort_keys=True)


def told(value: Any) -> str:
    return json.dumps([value["cmdlet"], value["parameters"]], sort_keys=True)


def test_the_gate_agrees_with_every_recorded_answer() -> None:
    rows = recorded("read.jsonl")
    assert len(rows) == 800
    assert [
        row["text"]
        for row in rows
        if accepted(row["text"]) != (told(row["value"]) if "value" in row else None)
    ] == []


def test_the_gate_refuses_every_tree_that_was_refused() -> None:
    """The recording's catalogue is another one, and its grammar is wider: signed numbers, any map."""
    wrong = [
        row["text"]
        for row in recorded("gate.jsonl")
        if not row["astAllowed"] and accepted(row["text"]) is not None
    ]
    others = {
        row["text"] for row in recorded("gate.jsonl") if row.get("why") in NOT_IN_THE_CATALOGUE
    }
    assert set(wrong) <= others


def test_the_gate_reads_every_literal_as_it_was_read() -> None:
    for row in recorded("literals.jsonl"):
        found = accepted("Set-Probe -P:" + row["text"])
        if found is not None:
            assert json.loads(found)[1]["P"] == row["read"], row["text"]
        else:
            assert not row["ok"], row["text"]


def called(row: Any) -> tuple[str, dict[str, Any]] | None:
    """A recorded invocation that passes the gate with exact names and without common parameters."""
    try:
        name, parameters = gate.read(row["text"])
        names = set(binding.parameter_names(name))
    except (gate.Refused, StopIteration):
        return None
    visible = {
        *binding.exported_names("MicrosoftTeams"),
        *binding.of_module("ExchangeOnlineManagement"),
    }
    return (
        (name, parameters)
        if name in visible and set(parameters) <= names - {"WhatIf", *binding.COMMON}
        else None
    )


def bound(name: str, parameters: dict[str, Any]) -> Any:
    try:
        found = binding.bind(name, parameters)
    except binding.Unbound as why:
        return f"{why.code},{name}"
    return [found.parameter_set, _shown(found.parameters), found.common]


def _shown(parameters: dict[str, Any]) -> dict[str, Any]:
    """The recording does not hold secrets."""
    shown: dict[str, Any] = dict(parameters)
    if "AccessTokens" in shown:
        shown["AccessTokens"] = [{"$type": "secret"} for _ in shown["AccessTokens"]]
    if "AccessToken" in shown:
        shown["AccessToken"] = {"$type": "secret"}
    return shown


def test_every_recorded_invocation_binds_alike() -> None:
    """Left out: what the gate refuses, and the questions that a process answers whose preference is
    to ask (the runner's is not).
    """
    rows = [
        (row, call)
        for row in recorded("invocations.jsonl")
        if (call := called(row)) and (row["error"] or {}).get("stage") != "run"
    ]
    assert len(rows) > 320
    for row, call in rows:
        want = (
            row["error"]["fqid"]
            if row["error"]
            else [row["parameterSet"], row["bound"], row["common"]]
        )
        assert bound(*call) == want, row["text"]


@given(invocations)
def test_what_the_product_renders_passes_and_binds_in_the_same_set(invocation: Any) -> None:
    text = render(invocation)
    name, parameters = gate.read(text)
    assert binding.bind(name, parameters).parameter_set == catalogue.bind(invocation)


@given(invocations, st.data())
def test_a_changed_character_is_refused_or_read_alike_or_read_by_the_gate_only(
    invocation: Any, data: st.DataObject
) -> None:
    text = render(invocation)
    position = data.draw(st.integers(0, len(text)))
    piece = data.draw(
        st.sampled_from(hostile.PLAIN + hostile.ESCAPED + hostile.REFUSED) | st.just("")
    )
    changed = text[:position] + piece + text[position + data.draw(st.integers(0, 2)) :]
    try:
        ours = reading.read_invocation(changed)
    except RefusedText:
        return
    assert accepted(changed) == json.dumps([ours.cmdlet, ours.parameters], sort_keys=True)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_raises_nothing_else(tail: str) -> None:
    accepted(tail)
    accepted(f"Set-Probe -P:{tail}")
