"""Tenants with years of hand-made policies and with texts that nobody would choose, as the file of a
simulated tenant.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies import text
from tests.strategies.tenants import (
    APPS,
    GROUPS,
    SCOPES,
    USERS,
    assignment,
    empty,
    exchange_policy,
    grant,
    guid,
    recipient,
    rights,
    teams_policy,
)

GONE_USER, GONE_GROUP, GONE_SCOPE = guid("b", 99), guid("c", 99), guid("d", 99)
ZEROS = "00000000-0000-0000-0000-000000000000"

SPECIAL_NAMES = (
    *("CON", "aux", "nul.txt", "COM1", "lpt9", "..", "../../x", "a/b", "C:\\x", "-", "=1+1"),
    *("Räume", "raume", "RÄUME", "Straße", "日本", "ʻ", "true", "null", "~", "1e3", "2026-11-27"),
    *(
        "yes",
        "Off",
        "# x",
        "a: b",
        "- x",
        "[x]",
        "{x}",
        "&a",
        "*a",
        "!t",
        "|",
        ">",
        "%x",
        "@x",
        "`x",
    ),
    *("'", '"', "''", "x #y", "<<", "a" * 300, "Tag:x", "Default", "x ", " x", "e\u0301", ZEROS),
    *("${NAME}", "{{ name }}", "yaml-language-server: $schema=x"),
)
names = st.one_of(
    st.sampled_from(SPECIAL_NAMES),
    text.plain_texts.filter(lambda name: bool(name.strip())),
    st.text(alphabet=text.PLAIN + text.REFUSED + text.ESCAPED, min_size=1, max_size=8).filter(
        lambda name: bool(name.strip()) and not any("\ud800" <= char <= "\udfff" for char in name)
    ),
)
texts = st.one_of(
    names,
    st.sampled_from(
        [
            *("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", ";=1", '"=1', "x,=1"),
            *("a\nb: c", "a\u2028b: c", "a\u2029- x", "a\x85x: y", "\u202ecba", "x" * 5000, ""),
            *("yaml-language-server: $schema=http://x", "yamllint disable", "--- x", "<<<<<<< x"),
        ]
    ),
)


def tag(name: str) -> str:
    """The key under which the service takes two names for one."""
    return name.lower().removeprefix("tag:").strip()


@st.composite
def hostile_tenants(draw: st.DrawFn) -> dict[str, Any]:
    """The file of a tenant."""
    state = empty()
    held = draw(st.lists(names, unique_by=tag, min_size=1, max_size=4))
    held = [name for name in held if tag(name) not in {"global", "default", ""}] or ["Plain"]
    granted = [*held, draw(st.sampled_from(["Plain", "Missing"]))]
    many = [guid("b", 100 + number) for number in range(draw(st.sampled_from([0, 15])))]
    apps = [*APPS, *(guid("a", 50 + number) for number in range(6))]
    listed = st.lists(st.sampled_from(apps), unique=True, max_size=8)
    teams, directory = state["teams"], state["directory"]
    teams["policies"] = [
        {"Identity": "Global", "AppIds": draw(listed), "Description": draw(texts)},
        *(teams_policy(name, draw(listed), draw(texts)) for name in held),
    ]
    if draw(st.integers(0, 5)) == 0:
        teams["policies"][-1]["AppIds"] = [*apps[:1], draw(st.sampled_from(["x", ZEROS]))]
    ranked = draw(st.lists(st.sampled_from([*GROUPS, GONE_GROUP]), unique=True))
    teams["groupAssignments"] = [
        assignment(group, draw(st.sampled_from(granted)), rank)
        for rank, group in enumerate(ranked, 1)
    ]
    holders = draw(st.lists(st.sampled_from([*USERS, GONE_USER]), unique=True))
    one = draw(st.sampled_from(granted))
    teams["users"] = [
        *(grant(user, draw(st.sampled_from(granted))) for user in holders),
        *(grant(user, one) for user in many),
    ]
    directory["users"] += [
        {"id": user, "upn": f"many{number}@contoso.com", "displayName": draw(texts)}
        for number, user in enumerate(many)
    ]
    for row in (*directory["users"][:3], *directory["groups"], *directory["recipients"]):
        row["displayName"] = draw(texts)
    if draw(
        st.booleans()
    ):  # two scopes under addresses that documents cannot have, or that mislead
        directory["recipients"][0] |= {"primary": "o'b;x@contoso.com", "addresses": []}
        directory["recipients"][1] |= {"primary": "user1@contoso.com", "addresses": []}
    directory["recipients"].append(
        recipient(guid("d", 7), "empty", "MailUniversalSecurityGroup", 7)
    )
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from([*APPS, "*"]), st.sampled_from([*SCOPES, GONE_SCOPE])),
            unique=True,
            max_size=6,
        )
    )
    state["exchange"]["policies"] = [
        {
            **exchange_policy(app, scope, draw(rights), draw(texts)),
            "ScopeName": draw(st.one_of(st.none(), texts)),
        }
        for app, scope in keys
    ]
    return state
