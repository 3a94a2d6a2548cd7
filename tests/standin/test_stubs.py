"""The stub modules that a real PowerShell imports: complete, and the same bytes every time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.standin import binding
from tests.standin.stubs.make_stubs import MODULES, main, make_stubs

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_facts_give_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_stubs(tmp_path / "one")
    assert main(["--out", str(tmp_path / "two")]) == 0
    assert capsys.readouterr().out.count("\n") == len(MODULES)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_every_catalogued_cmdlet_is_a_function_with_its_parameters(tmp_path: Path) -> None:
    make_stubs(tmp_path)
    text = b"\n".join(files(tmp_path).values()).decode()
    for module in MODULES:
        for name in binding.of_module(module.name):
            body = re.search(
                rf"^function {re.escape(name)} \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE
            )
            assert body, name
            declared = set(re.findall(r"\] \$\{(\w+)\}", body[1]))
            assert declared == set(binding.parameter_names(name)) - {
                "WhatIf",
                "Confirm",
                *binding.COMMON,
            }
