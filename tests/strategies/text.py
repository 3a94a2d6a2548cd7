"""Hostile text: every class of character that PowerShell, a terminal or a reviewer may take for
something else.
"""

from hypothesis import strategies as st

SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
DOUBLE_QUOTES = '"\u201c\u201d\u201e'
NO_QUOTES = "\u201f\uff02\uff07\u2032`\u00b4"
DASHES = "-\u2013\u2014\u2015\u2010\u2011\u2212"
SYNTAX = "`$;|&<>(){}[]@#%=,:.!?*~^+\\/ _"
SCRIPTS = (
    "aZ0\u00e9\u00fc\u0435\u0130\u0131\u65e5\u672c\u05d0\u0645\u0e01\u0301\u0308"
    "\U0001f600\U0001f3fd\U00020000"
)
LINE_BREAKS = "\n\r\t"
SPACES = "\u00a0\u1680\u2000\u2009\u200a\u202f\u205f\u3000"
JOINERS = "\u200c\u200d\ufe0e\ufe0f"

CONTROLS = "\x00\x07\x08\x0b\x0c\x1b\x1f\x7f\x80\x85\x9b\x9f"
BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202d\u202e\u2066\u2069"
INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u180b\u180e\u200b"
    "\u2060\u2064\u206f\u2800\u3164\ufeff\uffa0\ufff0\ufffb\U000e0001\U000e0041\U000e0100"
)
SEPARATORS = "\u2028\u2029"
SURROGATES = "\ud800\udbff\udc00\udfff"
NONCHARACTERS = "\ufdd0\ufdef\ufffe\uffff\U0001fffe\U0010ffff"
PRIVATE = "\ue000\uf8ff\U000f0000"
UNASSIGNED = "\u0378\u05ff\U000e1000\U0003fff0"

PLAIN = SINGLE_QUOTES + DOUBLE_QUOTES + NO_QUOTES + DASHES + SYNTAX + SCRIPTS
ESCAPED = LINE_BREAKS + SPACES + JOINERS
REFUSED = (
    CONTROLS
    + BIDIRECTIONAL
    + INVISIBLE
    + SEPARATORS
    + SURROGATES
    + NONCHARACTERS
    + PRIVATE
    + UNASSIGNED
)

ATTACKS = (
    "'; Remove-Mailbox 'x",
    "\u2019; Remove-Mailbox \u2018x",
    "a'\u2019; Remove-Mailbox #",
    '"; Remove-Mailbox "x',
    "$(Remove-Mailbox)",
    "`$(Remove-Mailbox)",
    "${x}",
    "' -Global:$true -X:'",
    "'\nRemove-Mailbox",
    "\n# Begin signature block\n",
    "# SIG # Begin signature block",
    "#requires -version 99",
    "#Requires -Modules Evil",
    "<# #> Remove-Mailbox",
    "--%",
    "@'\nx\n'@",
    "'),'b",
    "@{Add=@('x')}",
    "')};Remove-Mailbox #",
    "{{ Identity }}{% raw %}",
    "a`",
    "::add-mask::x",
    "##vso[task.setvariable]x",
    "$null",
    "-PolicyName:",
)

plain_texts = st.one_of(
    st.text(alphabet=PLAIN, max_size=12),
    st.sampled_from([text for text in ATTACKS if text.isprintable()]),
)
"""Texts that may stand in a name: every character is plain."""

texts = st.one_of(
    st.text(alphabet=PLAIN + ESCAPED, max_size=12),
    st.sampled_from(ATTACKS),
    st.tuples(st.sampled_from(ATTACKS), plain_texts).map("".join),
)
"""Texts that have a literal."""

names = texts.filter(lambda text: bool(text.strip()))
"""Texts that have a literal and say something."""

refused_texts = st.tuples(plain_texts, st.sampled_from(REFUSED), texts).map("".join)
"""Texts with at least one character that is never rendered."""

any_texts = st.text(max_size=12)
"""Texts of any characters but surrogates."""
