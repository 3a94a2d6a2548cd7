import json
import re
import sys
from importlib import resources

import pytest
from hypothesis import given
from jinja2 import TemplateError

from reconciler.errors import BindingFault, RenderFault, UnfitText
from reconciler.model.plans import Invocation
from reconciler.powershell import rendering
from reconciler.powershell.catalogue import cmdlets
from reconciler.powershell.rendering import render
from tests.powershell.scanning import skeleton
from tests.strategies import text as hostile
from tests.strategies.invocations import invocations, writes

ONE_INVOCATION = re.compile(
    r"[A-Z][a-z]+-[A-Za-z]+(?:"
    r" -[A-Za-z]+:(?:''|\d+|\$true|\$false|\$null|@\((?:''(?:,'')*)?\)"
    r"|@\{(?:Add|Remove)=@\((?:''(?:,'')*)?\)\}))*"
)
SEEDS = [
    (
        "New-CsApplicationAccessPolicy",
        {
            "Identity": "Test-policy",
            "AppIds": [
                "ddb80e06-92f3-4978-bc22-a0eee85e6a9e",
                "ccb80e06-92f3-4978-bc22-a0eee85e6a9e",
                "bbb80e06-92f3-4978-bc22-a0eee85e6a9e",
            ],
            "Description": "description here",
        },
        (
            "New-CsApplicationAccessPolicy -Identity:'Test-policy'"
            " -AppIds:@('ddb80e06-92f3-4978-bc22-a0eee85e6a9e'"
            ",'ccb80e06-92f3-4978-bc22-a0eee85e6a9e'"
            ",'bbb80e06-92f3-4978-bc22-a0eee85e6a9e')"
            " -Description:'description here'"
        ),
    ),
    (
        "Set-CsApplicationAccessPolicy",
        {"Identity": "Test-policy", "AppIds": {"Add": ["ddb80e06-92f3-4978-bc22-a0eee85e6a9e"]}},
        (
            "Set-CsApplicationAccessPolicy -Identity:'Test-policy'"
            " -AppIds:@{Add=@('ddb80e06-92f3-4978-bc22-a0eee85e6a9e')}"
        ),
    ),
    (
        "Set-CsApplicationAccessPolicy",
        {"Description": "", "AppIds": {"Remove": ["a", "b"]}, "Identity": "Global"},
        (
            "Set-CsApplicationAccessPolicy -Identity:'Global' -AppIds:@{Remove=@('a','b')}"
            " -Description:''"
        ),
    ),
    (
        "Grant-CsApplicationAccessPolicy",
        {"PolicyName": "Test-policy", "Identity": "748d2cbb-3b55-40ed-8c34-2eae5932b22a"},
        (
            "Grant-CsApplicationAccessPolicy -Identity:'748d2cbb-3b55-40ed-8c34-2eae5932b22a'"
            " -PolicyName:'Test-policy'"
        ),
    ),
    (
        "Grant-CsApplicationAccessPolicy",
        {"Group": "566b8d39-5c5c-4aaa-bc07-4f36278a1b38", "PolicyName": "Test-policy", "Rank": 1},
        (
            "Grant-CsApplicationAccessPolicy -Group:'566b8d39-5c5c-4aaa-bc07-4f36278a1b38'"
            " -PolicyName:'Test-policy' -Rank:1"
        ),
    ),
    (
        "Grant-CsApplicationAccessPolicy",
        {"Group": "g", "PolicyName": None},
        "Grant-CsApplicationAccessPolicy -Group:'g' -PolicyName:$null",
    ),
    (
        "Grant-CsApplicationAccessPolicy",
        {"Global": True, "PolicyName": "p"},
        "Grant-CsApplicationAccessPolicy -Global:$true -PolicyName:'p'",
    ),
    (
        "Remove-CsApplicationAccessPolicy",
        {"Identity": "O\u2019Brien"},
        "Remove-CsApplicationAccessPolicy -Identity:'O\u2019\u2019Brien'",
    ),
    (
        "New-ApplicationAccessPolicy",
        {
            "AccessRight": "RestrictAccess",
            "AppId": ["e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"],
            "Confirm": False,
            "Description": "Restrict this app to members of distribution group EvenUsers.",
            "PolicyScopeGroupId": "EvenUsers@contoso.com",
        },
        (
            "New-ApplicationAccessPolicy -AppId:@('e7e4dbfc-046f-4074-9b3b-2ae8f144f59b')"
            " -PolicyScopeGroupId:'EvenUsers@contoso.com' -AccessRight:'RestrictAccess'"
            " -Description:'Restrict this app to members of distribution group EvenUsers.'"
            " -Confirm:$false"
        ),
    ),
    (
        "Set-ApplicationAccessPolicy",
        {"Confirm": False, "Description": "a\nb", "Identity": "t\\a:S-1-5-21;g"},
        (
            "Set-ApplicationAccessPolicy -Identity:'t\\a:S-1-5-21;g' -Description:\"a`nb\""
            " -Confirm:$false"
        ),
    ),
    (
        "Remove-ApplicationAccessPolicy",
        {"Identity": "x", "Confirm": False},
        "Remove-ApplicationAccessPolicy -Identity:'x' -Confirm:$false",
    ),
    (
        "Get-Recipient",
        {"ResultSize": 1000, "Filter": "Name -eq 'x'"},
        "Get-Recipient -Filter:'Name -eq ''x''' -ResultSize:1000",
    ),
    ("Get-ConnectionInformation", {}, "Get-ConnectionInformation"),
]


@pytest.mark.parametrize(("cmdlet", "parameters", "text"), SEEDS)
def test_parameters_stand_in_the_cmdlets_order(cmdlet: str, parameters: dict, text: str) -> None:
    assert render(Invocation(cmdlet, parameters)) == text


def test_each_cmdlet_of_the_catalogue_has_a_template_and_no_template_is_left_over() -> None:
    files = {one.name for one in (resources.files("reconciler.powershell") / "templates").iterdir()}
    assert files == {f"{name}.j2" for name in cmdlets()}


@pytest.mark.parametrize("name", sorted(cmdlets()))
def test_a_template_writes_parameters_of_its_cmdlet_only(name: str) -> None:
    written = rendering.written_parameters(name)
    assert written <= set(cmdlets()[name].parameters)
    required = [one.required for one in cmdlets()[name].sets.values()]
    assert any(one <= written for one in required)


@pytest.mark.parametrize("name", sorted(cmdlets()))
def test_a_template_holds_no_quotes(name: str) -> None:
    source = (resources.files("reconciler.powershell") / "templates" / f"{name}.j2").read_text(
        "utf-8"
    )
    assert not set(source) & set("'\"$@`;|&(")
    assert source.isascii()


@given(invocations)
def test_every_value_is_in_the_text_as_one_literal_and_nothing_else_is(
    invocation: Invocation,
) -> None:
    text = render(invocation)
    rest, values = skeleton(text)
    assert ONE_INVOCATION.fullmatch(rest), rest
    assert sorted(values) == sorted(texts_of(invocation.parameters))


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return [text for member in members for text in texts_of(member)]


@given(invocations)
def test_a_text_is_one_physical_line_and_the_same_each_time(invocation: Invocation) -> None:
    text = render(invocation)
    assert "\n" not in text
    assert "\r" not in text
    assert text == render(
        Invocation(invocation.cmdlet, dict(reversed(invocation.parameters.items())))
    )


@given(writes, hostile.refused_texts)
def test_an_invocation_with_an_unfit_character_is_not_rendered(
    invocation: Invocation, text: str
) -> None:
    for name, value in invocation.parameters.items():
        if isinstance(value, str) and name != "AccessRight":
            with pytest.raises((UnfitText, BindingFault)):  # an id may be blank besides
                render(Invocation(invocation.cmdlet, {**invocation.parameters, name: text}))


def test_what_the_catalogue_does_not_bind_is_not_rendered() -> None:
    with pytest.raises(BindingFault):
        render(Invocation("Remove-Mailbox", {"Identity": "x"}))


def test_a_parameter_that_the_template_does_not_write_is_not_left_out_silently() -> None:
    with pytest.raises(RenderFault, match="does not use Confirm"):
        render(Invocation("Remove-CsApplicationAccessPolicy", {"Identity": "x", "Confirm": False}))
    with pytest.raises(RenderFault, match="does not use Identity"):
        render(Invocation("Get-ApplicationAccessPolicy", {"Identity": "x"}))


def test_a_value_that_the_template_needs_and_nobody_gave_is_missed() -> None:
    with pytest.raises(RenderFault, match="'Confirm' is undefined; add the parameter"):
        render(Invocation("Set-ApplicationAccessPolicy", {"Identity": "x", "Description": "y"}))


def test_a_cmdlet_without_a_template_is_not_rendered() -> None:
    with pytest.raises(RenderFault, match="no template"):
        rendering.written_parameters("Nothing-There")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("X -A:{{ A }}", "X -A:'it''s'"),
        ("X -A:{{ A|safe }}", "X -A:'it''s'"),
        ("X -A:{{ A|upper }}", "X -A:'IT''S'"),
        ("X -A:{{ 'a;b' }}", "X -A:'a;b'"),
        ("X -A:{{ 'a' ~ A }}", "X -A:'ait''s'"),
        ("X -A:{{ [A] }}", "X -A:@('it''s')"),
        ("X -A:{{ true }} -B:{{ none }} -C:{{ 1 + 1 }}", "X -A:$true -B:$null -C:2"),
        ("{% set x = A %}X -A:{{ x }}", "X -A:'it''s'"),
        ("{% for one in [A] %}X -A:{{ one }}{% endfor %}", "X -A:'it''s'"),
        ("{% if A %}X -A:{{ A if A else A }}{% endif %}", "X -A:'it''s'"),
        ("{% raw %}X -A:'raw' $x{% endraw %}", "X -A:'raw' $x"),
    ],
)
def test_whatever_a_template_prints_is_quoted_and_its_own_words_are_not(
    source: str, text: str
) -> None:
    assert rendering._environment().from_string(source).render(A="it's") == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ B }}",
        "{{ A.b }}",
        "{{ A[9] }}",
        "{{ B|default(C) }}",
        "{{ range }}",
        "{{ range(3) }}",
        "{% if B %}{% endif %}",
        "{{ 1.5 }}",
        "{{ -1 }}",
    ],
)
def test_what_a_template_forgets_or_cannot_print_raises(source: str) -> None:
    with pytest.raises((TemplateError, RenderFault)):
        rendering._environment().from_string(source).render(A="x")


def test_rendering_needs_no_jinja_until_the_first_text() -> None:
    import subprocess

    program = (
        "import reconciler.powershell.rendering, reconciler.powershell.reading, sys;"
        " print(json.dumps('jinja2' in sys.modules))".replace("print", "import json; print")
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(answer.stdout) is False
