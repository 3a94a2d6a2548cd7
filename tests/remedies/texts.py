"""Every text of the tool that tells somebody to type something, and what tries it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.house.messages import Text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPED = re.compile(
    r"(?<![\w-])--[a-z][a-z-]+"  # an option
    r"|\breconciler (?:apply|ci|diagnose|doctor|drift|explain|export|fetch|fleet|init|list|plan|reach"
    r"|rehearse|schema|show|tenants|test|undo|validate|verify|who)\b"
    r"|\bspec\.[a-z]+"  # a field of a document
    r"|`[A-Za-z]+: "  # a line of one
    r"|\bpwsh -"  # a command line of PowerShell
    r"|: \{(?:words|command|options\()"  # a command line, or a part of it, that is filled in
)
_NAMES = frozenset({"reconciler test", "reconciler apply"})
"""Words that are put together with others."""

_HELP = ("reconciler/cli/options.py", "reconciler/cli/commands/", "reconciler/powershell/door/")
"""Help of options and commands says what they do, and so does what installs PowerShell."""

TRIED: Final[Mapping[str, str]] = {
    "To plan without what is unresolved: {words}": "an unresolved name",
    "nobody's direct grant is taken away": "an unresolved name",
    "a new capture (reconciler fetch), or write the": "an uncovered user[user]",
    "a new capture (reconciler fetch) that reads Exchange": "an uncovered user[group]",
    "Make a new capture (reconciler fetch).": "an uncovered user[scope]",
    "To see it now, make a new capture: reconciler fetch": "a user who was not looked for",
    "a new capture may contain it (reconciler fetch)": "an answer that is not known",
    "To plan on it: reconciler plan --tenant": "an uncovered user",
    "--allow {shell_word(row.consent)}": "consents",
    "--allow {{ row.consent | shell_word }}": "consents",
    "consent for this plan, or raise `spec.limits`": "consents[_limits]",
    "consent for this plan, or raise `spec.limits.widening`": "consents[_widening]",
    "Take it out of the command line or of `spec.consents`": "an unused consent",
    "To {purpose} what belongs to it as well": "a part that belongs to more",
    "what is held, or left out by --only or --skip": "a part that belongs to more",
    "This plan is partial: --only or --skip": "a part of a plan",
    "--skip {quote(address)}": "a step that fails",
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
    "take its entry out of `spec.accepted`": "a rogue policy[gone]",
    "The quarantine alone: ": "a quarantine that is left out",
    "Leave that change out with --skip": "a change that a quarantined application gains by",
    "leave the option out to list all": "a policy that is not there",
    "reconciler plan lists them": "names that were not found",
    "is chosen by its application, with --app": "an exchange policy that was named as one of teams",
    "To write what the tenant has: reconciler export": "a repository to start from",
    "which is what `reconciler init` writes": "a repository to start from",
    "use --tenant-id and --organization, or --tenant with a capture": "a repository to start from",
    "entry: reconciler validate": "a repository to start from",
    "1. `reconciler export policies --tenant live": "a repository of a live tenant",
    "Go on with `reconciler export`": "a second start",
    "create one with `reconciler init`, or pass its": "documents without a tenant",
    "--format json lists all": "what a report leaves out",
    "  and {number - MOST_ROWS} more: --format json lists all": "documents of the base that break a rule",
    "(--format json lists them)": "what a report leaves out",
    "(--commands shows them)": "what a report leaves out",
    "`--format json` has all of it": "what markdown leaves out",
    "`--format json` lists them": "what markdown leaves out",
    "`--commands` shows them": "what markdown leaves out",
    "<code>--format json</code> lists them": "what a page leaves out",
    "--format text lists all": "annotations beyond the bound",
    "choose another --format": "formats that do not fit",
    "--product requires --format powershell": "formats that do not fit",
    "choose --product teams or --product exchange": "formats that do not fit",
    "--against takes --format": "formats that do not fit",
    "--most N tries more or fewer": "more of a rehearsal",
    "`reconciler show` says how to resolve": "a plan that is not applicable",
    "write a capture with `reconciler fetch`": "a file that is not a capture",
    "use --auto-approve, preferably with --digest": "nobody who can be asked",
    "Without --digest or --approved": "nobody who can be asked",
    "review this plan and pass it to --approved": "another plan than the approved one",
    "or to `reconciler show --against`": "another plan than the approved one",
    "a simulated tenant is changed without asking only with": "the bundled tenant without asking",
    "a live tenant is changed without asking only with": "a live tenant without asking",
    "after `plan --out` wrote it": "a file that is not what was planned[reformatted]",
    "that `plan --out` wrote": "a file that is not what was planned[no plan]",
    "to plan on it: reconciler plan --tenant": "a file of ours that is not a plan",
    "to see it: reconciler show": "a file of ours of another kind",
    "`reconciler fetch --directory all` reads every product": "a capture of one product",
    "`reconciler plan --out FILE` keeps a plan": "a file of ours of another kind",
    "pass it with --journal to `reconciler undo`": "a file of ours of another kind",
    "pass its folder as PATH: reconciler plan": "a file of ours of another kind",
    "let this one wait with --lock-timeout SECONDS; the lock": "an apply that waits",
    "more than --max-age": "a reading that is too old",
    "{_POSSIBLE}": "no tenant is guessed",
    "name a capture file (read-only; `reconciler fetch`": "no tenant is guessed",
    "--tenant live requires a Tenant document with": "the tenant itself",
    "--tenant sim:": "a simulated tenant without a file",
    "a capture file is read-only": "a capture is not written to",
    "but --tenant is": "the plan of another tenant",
    "or say in `spec.connect` how to sign in": "a part that was not read",
    "Ready. Next: reconciler fetch": "what the doctor says next",
    "pass its folder: `reconciler doctor PATH`": "what the doctor says next",
    "`reconciler doctor` checks the way to sign in": "a refused sign in",
    "does not return the module of the cmdlets": "a session that does not say its module",
    "`reconciler doctor` shows each": "a role that is missing",
    "`reconciler doctor` shows which role is missing": "what the account may not do",
    "or returned another kind of object; `reconciler doctor`": "objects without what is needed",
    "then run `reconciler doctor` again": "no powershell[none]",
    "run `reconciler doctor` again; if the problem persists": "no powershell[ended]",
    "(`reconciler doctor` shows it)": "too many refusals alike",
    "add `spec.connect.": "what the tenant document lacks[way to sign in]",
    "add `organization:": "what the tenant document lacks[organization]",
    "or the variables that `spec.connect` names": "the credential of another tenant",
    "consent: --allow {read_warning(": "a reading that warned",
    "consent with --allow {read_warning(": "a reading that warned",
    "`reconciler fetch` reads it as none": "a tenant without exchange policies",
    "run `reconciler test`": "access tests that could not be run",
    "`allowEveryApplication: true`": "every application",
    "beside `ensure: absent`: keep only": "more beside a deletion",
    "to revoke access, declare `applications: []`": "a global that is to go",
    "with `ensure: absent` removes a Teams policy": "a policy with an entry that is not understood",
    "`ensure: absent` with the old id removes": "a scope that is gone",
    "or this policy with `ensure: absent`, which opens": "an application that was left shut",
    "unassign everyone, write `users: []`": "an empty list of users",
    "the file lists no users": "an empty list of users",
    "--allow {text} is not a consent": "a consent that is none",
    "--accept {text}: ": "what cannot be accepted as it is typed",
    "--accept {text} means": "an application that is to be accepted",
    "--reason {asked.reason": "what cannot be accepted as it is typed",
    "`reconciler export --accept` does": "an entry that was written by hand[address]",
    "`reconciler export --accept` write the entry": "an entry that was written by hand[digest]",
    "take these out of `spec.accepted`": "what is accepted and declared",
    "(reconciler plan says what to do)": "what drift cannot change back",
    "`reconciler plan` shows them": "no drift beside what is gone",
    "`drift --patch` takes over what the tenant has": "drift that is accepted",
    "delete it by `ensure: absent` if nobody wants it": "a rogue policy",
    "`reconciler drift` takes these as known": "a rogue policy[accept]",
    "`reconciler list --policy NAME` lists the holders": "a policy that is held",
    "`reconciler list` has the names": "a name that the service does not have[policy]",
    "run `reconciler plan` again, and take the Identity": "a name that the service does not have[object]",
    "`description: ' '`": "no room for another policy",
    "`reconciler doctor` says which": "a cmdlet that is not there",
    "--app APP": "an error that does not say of whom",
    "--user USER": "an error that does not say of whom",
    "To apply the documents: reconciler plan": "an error that does not say of whom",
    "With --app and --user the policies are asked": "an error that nothing is known of",
    "`reconciler export` writes one, to be changed then": "a policy of no document",
    "Then: reconciler plan": "a policy of no document",
    "name a branch, a tag or a commit, as in --since": "a name that is none[form]",
    ": {advice}": "a name that is none[form]",
    "there is no such branch, tag or commit here": "a name that is none[nowhere]",
    "is ambiguous: {_whole_names": "a name of two commits",
    "write one by its whole name, as in --since": "a name of two commits",
    "or name one of these commits": "histories that do not meet in one commit",
    "name a commit that HEAD comes from": "histories that do not meet in one commit",
    "has no commit yet: commit first": "a repository without a commit",
    "or without --since": "documents that are in no repository",
    "plan the documents of one repository at a time": "documents that are in no repository",
    "name the folder that it leads to": "a path that was a link",
    "--since needs git, which was not found": "git that is not found",
    "declare it with `ensure: absent`": "a document that was taken out",
}
"""What is tried by a situation, by a part of the text: every case of it prints the text, or the one in
brackets, by a part of its id.
"""

ELSEWHERE: Final[Mapping[str, str]] = {
    "pass them to `plan --out` instead": (
        "tests/cli/test_cli_ci.py::test_what_a_plan_is_made_with_is_given_to_the_command_that_makes_it"
    ),
    "name a file with --patch, or leave --format out": (
        "tests/drift/test_drift_command.py::test_a_patch_goes_to_standard_output_alone"
    ),
    "was asked about (--product)": (
        "tests/drift/test_drift_command.py::test_only_one_product_is_asked_about"
    ),
    "compare the tenant with the documents, with `reconciler drift`": (
        "tests/cli/test_cli_verify.py::test_a_journal_with_lines_that_cannot_be_read_tells_nothing"
    ),
    "name the plan that was applied (PLAN.json), or the documents (--path)": (
        "tests/cli/test_cli_verify.py::test_without_plan_and_documents_nothing_says_what_to_expect"
    ),
    "a capture shows a moment that has passed": (
        "tests/cli/test_cli_verify.py::test_a_capture_cannot_be_verified"
    ),
    "name documents of the same tenant with --path": (
        "tests/cli/test_cli_verify.py::test_documents_of_another_tenant_are_refused"
    ),
    "not as the documents say: not visible yet": (
        "tests/cli/test_cli_verify.py::test_a_tenant_that_shows_what_was_before_is_not_verified"
    ),
    "Plan and apply the quarantine": (
        "tests/cli/test_cli_verify.py::test_a_quarantined_application_in_a_list_is_told_first"
    ),
    "or let it wait longer with --timeout": (
        "tests/live/test_verify_live.py::test_a_wait_that_was_too_short_is_made_longer"
    ),
    "What is as before the plan is not visible yet": (
        "tests/cli/test_cli_verify.py::test_it_waits_until_the_tenant_shows_it"
    ),
    "See by `reconciler drift` what somebody changed": (
        "tests/cli/test_cli_verify.py::test_what_somebody_changed_since_is_named"
    ),
    "not those with `spec.tenants`": (
        "tests/cli/test_cli_fleet.py::test_a_document_that_says_for_whom_it_is_is_never_rewritten"
    ),
    "`reconciler tenants` lists them": (
        "tests/cli/test_cli_fleet.py::test_a_mistyped_tenant_is_told_with_who_may_be_meant"
    ),
    "--only and --skip leave no tenant": (
        "tests/cli/test_cli_fleet.py::test_a_mistyped_tenant_is_told_with_who_may_be_meant"
    ),
    "`spec.tenants` could not tell them apart": (
        "tests/cli/test_cli_fleet.py::test_two_tenants_of_one_name_are_a_fault"
    ),
    "as in `reconciler fleet policies": (
        "tests/cli/test_cli_fleet.py::test_a_wrong_command_line_is_told_once_and_nothing_runs[no command]"
    ),
    "write `--format` before `--`": (
        "tests/cli/test_cli_fleet.py"
        "::test_a_wrong_command_line_is_told_once_and_nothing_runs[--format json after]"
    ),
    "write it before `--`; the file then has": (
        "tests/cli/test_cli_fleet.py"
        "::test_a_wrong_command_line_is_told_once_and_nothing_runs[--json-into after]"
    ),
    "add this tenant to its `spec.tenants`": (
        "tests/cli/test_cli_fleet.py::test_a_document_of_other_tenants_is_left_out_and_counted"
    ),
    "has the name of an artefact": (
        "tests/cli/test_cli_ci.py::test_a_folder_that_has_what_is_read_is_refused"
    ),
    "name its journal with --journal FILE": (
        "tests/cli/test_cli_undo.py::test_without_its_journal_one_is_named"
    ),
    "let this apply wait with --lock-timeout {left": (
        "tests/applying/test_earlier.py::test_it_is_waited_for_as_long_as_a_write_may_take"
    ),
    "and did not give it back, and another machine": (
        "tests/applying/test_lock.py"
        "::test_one_that_another_machine_did_not_give_back_is_refused_with_its_name"
    ),
    "run `{_fetch(ref": (
        "tests/git/test_revisions.py"
        "::test_a_shallow_clone_that_lacks_the_name_says_which_fetch_to_run_and_it_helps"
    ),
    "git fetch --refetch --no-filter": (
        "tests/git/test_hostile.py::test_a_partial_clone_fetches_nothing_and_says_what_to_run"
    ),
    "declare the policy with `grants: {users: []}`": (
        "tests/cli/test_cli_since.py::test_the_way_to_remove_grants_is_followed"
    ),
    "declare the policy with `grants: {groups: []}`": (
        "tests/cli/test_cli_since.py::test_the_way_to_remove_grants_is_followed"
    ),
    "try again, or run without --since": (
        "tests/git/test_hostile.py::test_a_program_that_never_ends_is_killed"
    ),
    "--allow {text}": (
        "tests/planning/test_typed_names.py"
        "::test_a_consent_that_may_be_for_two_products_is_refused_with_both"
    ),
}
"""What is tried by a test that stands with others of its subject."""

UNTRIED: Final[Mapping[str, str]] = {
    "`--format json` has them": "the rows about edits are few, and the last that a report is cut by",
    "Start a fresh one: pwsh": "PowerShell runs it, which is not installed where tests run",
    "in a session of its own: pwsh": "PowerShell runs it, which is not installed where tests run",
    "... and after {len(stops) - MOST} more": "no plan with so many gaps is known; the row counts as above",
    "... and {len(bad) - MOST} more": "no plan is known whose rehearsal goes wrong so often",
    "(shown with escapes; --format json has the exact text)": (
        "no text of a step has such characters: documents refuse them, and names that have them are"
        " held; tests/reports/cases/hostile has a plan file with one"
    ),
    "Shown with escapes: <code>--format json": "the same on a page",
    "cannot describe it: see --format json": (
        "only a plan of another version has a code without words; tests/reports/test_sentences.py"
        " makes one"
    ),
    "This is a defect of the planner": "no situation is known, and the properties of tests/planning say so",
}
"""What no situation prints, or no program follows, and why."""

NO_ADVICE: Final = (
    "what --format json printed",
    "a page of --format html",
    "for other tenants (`spec.tenants`)",
    "Left out by --skip:",
    "Not chosen by --only:",
    "left out by --only or --skip",
    "remove-add takes",
    "A plan of a part (`--only`, `--skip`) is not refused for what fails before it",
    "not written, because the file exists and is not the report of an earlier run",
    "the apply goes on, and its events are not written",
    "`reconciler apply` does.",
    "Check the requirements of `--tenant live`.",
    "Other keys beside `ensure: absent`",
    "`tenant: true` copies",
    "a document says `ensure: absent`",
    "a document says `tenant: true`",
    "a document says `quarantine: true`",
    "--git-dir={self.top",
    "--tenant {shell_word(tenant)}",
    "not the one of --app.",
    "not for the user of --user.",
)
"""It says what was done, or why an object changes; or it is a part of another text."""


def remedies() -> Iterator[Text]:
    """Texts of the package, help left out, that name an option, a command or a field to be typed."""
    for text in texts():
        if text.file.startswith("reconciler/") and not text.file.startswith(_HELP):
            typed = _TYPED.search(text.text)
            if typed and text.text not in _NAMES:
                yield text
