"""Every text of the tool that tells somebody to type something, and what tries it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.house.messages import Text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPED = re.compile(
    r"(?<![\w-])--[a-z][a-z-]+"  # an option
    r"|\breconciler (?:apply|doctor|explain|fetch|plan|rehearse|schema|show|test|validate)\b"
    r"|\bspec\.[a-z]+"  # a field of a document
    r"|`[A-Za-z]+: "  # a line of one
    r"|: \{(?:words|command|options\()"  # a command line, or a part of it, that is filled in
)
_NAMES = frozenset({"reconciler test", "reconciler apply"})
"""Words that are put together with others."""

_HELP = ("reconciler/cli/options.py", "reconciler/cli/commands/", "reconciler/powershell/door/")
"""Help of options and commands says what they do, and so does what installs PowerShell."""

TRIED: Final[Mapping[str, str]] = {
    "To plan without what is unresolved: {words}": "an unresolved name",
    "nobody's direct grant is taken away": "an unresolved name",
    "a new capture (reconciler fetch), or write the": "an uncovered user",
    "a new capture (reconciler fetch) that reads Exchange": "an uncovered user",
    "Make a new capture (reconciler fetch).": "an uncovered user",
    "To see it now, make a new capture: reconciler fetch": "an uncovered user",
    "a new capture may contain it (reconciler fetch)": "an uncovered user",
    "To plan on it: reconciler plan --tenant": "an uncovered user",
    "--allow {shell_word(row.consent)}": "consents",
    "--allow {{ row.consent | shell_word }}": "consents",
    "consent for this plan, or raise `spec.limits`": "consents",
    "consent for this plan, or raise `spec.limits.widening`": "consents",
    "Take it out of the command line or of `spec.consents`": "an unused consent",
    "To {purpose} what belongs to it as well": "a part that belongs to more",
    "what is held, or left out by --only or --skip": "a part that belongs to more",
    "This plan is partial: --only or --skip": "a part of a plan",
    "plan again with --skip {quote(": "a step that fails",
    "--skip {quote(_held_as(attempt.step))} plans without it": "steps that fail",
    "hold it with --skip; then plan again": "steps that fail",
    "apply with --keep-going": "steps that fail",
    "plan again with --group-changes remove-add": "a group in place",
    "plan again with --group-changes": "a group in place",
    "To leave these for a later plan: ": "users who fall to a changed group",
    "apply with --settle MINUTES": "steps that rely on others",
    "add --out plan.json": "how to apply",
    "To apply exactly this: {command}": "how to apply",
    "`Global` with `applications: []`": "an unmanaged Global",
    "write `users: []` in the document": "an empty list of users",
    "--force rewrites these documents": "an export beside documents that differ",
    "reconciler plan {shell_word(folder)}{at}": "an export beside documents that differ",
    "write `movedFrom: {scope}` into the `spec`": "an undeclared policy",
    "--accept ADDRESS --reason WHY": "a rogue policy",
    "--only ADDRESS": "a rogue policy",
    "reconciler drift{where} --patch drift.patch": "drift that is accepted",
    "reconciler plan{where} --out plan.json": "a rogue policy",
    "take its entry out of `spec.accepted`": "a rogue policy",
    "The quarantine alone: ": "a quarantine that is left out",
    "Leave that change out with --skip": "a change that a quarantined application gains by",
}
"""What is tried by a situation, by a part of the text."""

READ_ONLY: Final = (
    "leave the option out to list all",
    "`reconciler doctor",
    "`reconciler show",
    "`reconciler test`",
    "`reconciler fetch`",
    "`reconciler schema",
    "name its journal with --journal FILE",
    "reconciler fetch --tenant live --out capture.json",
    "reconciler plan lists them",
    "an Exchange policy is chosen by its application, with --app",
    "To write what the tenant has: reconciler export",
    "which is what `reconciler init` writes",
    "entry: reconciler validate",
    "use --tenant-id and --organization, or --tenant with a capture",
    "`reconciler apply` does",
    "--format json lists all",
    "--format json has the exact text",
    "see --format json",
    "(--format json lists them)",
    "`--format json` has all of",
    "`--format json` lists them",
    "choose another --format",
    "<code>--format json</code> lists them",
    "<code>--format json</code> has the exact text",
    "`--commands` shows them",
    "not annotated: --format text lists all",
    "(--commands shows them)",
    "`--format json` has all of",
    "`--format json` lists them",
    "`--commands` shows them",
    "<code>--format json</code>",
    "--most N tries more or fewer",
    "--product requires --format powershell",
    "choose --product teams or --product exchange",
    "--against takes --format",
)
"""What it tells to type reads or shows only."""

WAITING: Final = ("--lock-timeout", "--max-age")
"""It tells to wait, or to read again; the tests of the lock and of ages try it."""

APPROVING: Final = (
    "--digest",
    "--approved",
    "--auto-approve on a simulated tenant",
    "after `plan --out` wrote it",
    "that `plan --out` wrote",
)
"""What it tells to type says who approves what; tests/planning/test_approval.py and tests/cli try
it.
"""

CONNECTING: Final = ("--tenant", "`spec.connect", "add `organization:")
"""It tells where the tenant is; a tenant is never guessed."""

RULES: Final = (
    "the file lists no users",
    "`allowEveryApplication: true`",
    "`ensure: absent`",
    "to revoke access, declare `applications: []`",
    "`tenant: true` copies",
    "unassign everyone, write `users: []`",
    "a document says `tenant: true`",
    "a document says `quarantine: true`",
)
"""Why a document is refused or an object changes; its author decides, and a plan shows it."""

CONSENTED_READING: Final = ("{read_warning(", "--allow {text} is not a consent")
"""The consent to a warning of a reading: tests/live and tests/planning/test_planning_rules.py."""

NAMING: Final = ("--allow {text}",)
"""It says which objects a typed name may mean; tests/planning/test_typed_names.py tries one."""

ACCEPTING: Final = (
    "--reason {asked.reason}",
    "--accept {text}",
    "`reconciler export --accept` does",
    "`reconciler export --accept` write the entry",
    "(reconciler plan says what to do)",
    "`reconciler plan` shows them",
    "take these out of `spec.accepted`",
    "`drift --patch` takes over what the tenant has",
)
"""It says why an object is not accepted, or that an entry is not needed; tests/drift tries each."""
DIAGNOSING: Final = (
    "--app APP",
    "--user USER",
    "`description: ' '`",
    "With --app and --user the policies are asked",
    "not the one of --app.",
    "not for the user of --user.",
    "run `reconciler plan` again",
    "To apply the documents: reconciler plan",
    "Then: reconciler plan",
)
"""What to pass to `diagnose`, and what shows the lines that it suggests;
tests/diagnosing/test_suggestions.py types these in.
"""

COMPARING: Final = (
    "--since",
    "git fetch --refetch --no-filter",
    "--git-dir={self.top",
    "declare the policy with `grants: {users: []}`",
    "declare the policy with `grants: {groups: []}`",
    "`--format json` has them",
)
"""It names another commit, or what removes something that is no longer declared;
tests/cli/test_cli_since.py types these in, tests/git the `git fetch`.
"""

NO_ADVICE: Final = (
    "Left out by --skip:",
    "Not chosen by --only:",
    "left out by --only or --skip",
    "remove-add takes",
    "A plan of a part (`--only`, `--skip`) is not refused for what fails before it",
    "not written, because the file exists and is not the report of an earlier run",
    "the apply goes on, and its events are not written",
)
"""It says what was done."""

DEFECTS: Final = ("This is a defect of the planner",)
"""No situation is known."""

OTHERS: Final = (
    *READ_ONLY,
    *WAITING,
    *APPROVING,
    *CONNECTING,
    *RULES,
    *CONSENTED_READING,
    *NAMING,
    *ACCEPTING,
    *DIAGNOSING,
    *COMPARING,
    *NO_ADVICE,
    *DEFECTS,
)


def remedies() -> Iterator[Text]:
    """Texts of the package, help left out, that name an option, a command or a field to be typed."""
    for text in texts():
        if text.file.startswith("reconciler/") and not text.file.startswith(_HELP):
            typed = _TYPED.search(text.text)
            if typed and text.text not in _NAMES:
                yield text
