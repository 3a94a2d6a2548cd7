"""Codes of a plan to sentences for people (the codes are the plan's, the words are the reader's).

A code that a newer version of the tool wrote has no sentence here; then the code itself is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.codes import (
    ChangeReason,
    GapReason,
    Held,
    RefusalRule,
    StepReason,
    WarningCode,
)
from reconciler.model.live_limits import PLAIN_NAMES
from reconciler.reports import quarantine_sentences, undo_sentences
from reconciler.reports.unfound_names import ABSENT_SCOPE, GUEST, UNFOUND, NoteAdvice

if TYPE_CHECKING:
    from collections.abc import Mapping


CHANGES: Mapping[str, str] = {
    ChangeReason.DECLARED: "the documents declare it and the tenant does not have it",
    ChangeReason.DIFFERS: "the tenant differs from the documents",
    ChangeReason.STATED_ABSENT: "a document says `ensure: absent`",
    ChangeReason.PRUNED: "no document declares it and its kind is in `prune`",
    ChangeReason.NOT_DECLARED: (
        "the documents own this application, and none of them declares this policy"
    ),
    ChangeReason.LEFT_GUARD: (
        "a temporary restriction of an earlier plan, which nothing needs any more"
    ),
    ChangeReason.QUARANTINED: "a document says `quarantine: true` of the application",
    ChangeReason.NOT_LISTED: "no document lists it and the policy's document owns its grants",
    ChangeReason.LISTED: "a document lists it",
    ChangeReason.LISTED_ELSEWHERE: "a document lists it under another policy",
    ChangeReason.RANK: "the documents declare another order of groups",
    ChangeReason.SCOPE_CHANGED: (
        "a scope cannot be edited, so a new policy takes the place of the old one"
    ),
    ChangeReason.RIGHT_CHANGED: (
        "an access right cannot be edited, so the policy is removed and created again"
    ),
    ChangeReason.RENAMED: (
        "a policy cannot be renamed, so one with the new name takes the place of the old one"
    ),
    ChangeReason.UNDONE: "it returns to what it was before the plan that is undone",
    ChangeReason.TENANT_GRANT: (
        "a document says `tenant: true`, which copies its policy's values into Global"
    ),
}

STEPS: Mapping[str, str] = {
    StepReason.CREATE_POLICY: "create the policy with its final content",
    StepReason.REMOVE_APPLICATIONS: "take applications out of the policy's list",
    StepReason.ADD_APPLICATIONS: "add applications to the policy's list",
    StepReason.DESCRIBE: "change the description",
    StepReason.GRANT_USER: "grant the policy to the user",
    StepReason.MOVE_USER: "move the user to the policy",
    StepReason.UNASSIGN_USER: "take the direct grant away from the user",
    StepReason.GRANT_GROUP: "grant the policy to the group at its rank",
    StepReason.MOVE_GROUP: "give the group its declared policy and rank",
    StepReason.DROP_GROUP: "take the policy away from the group",
    StepReason.GRANT_TENANT: "copy the policy's values into Global, for everyone without a grant",
    StepReason.CLOSE_GLOBAL_EARLY: (
        "close Global early: without this a later step would give someone more than before and"
        " after"
    ),
    StepReason.DELETE_POLICY: "delete the policy, which nobody holds any more",
    StepReason.CREATE_DENY: "deny the application this scope",
    StepReason.CREATE_RESTRICT: "restrict the application to this scope",
    StepReason.FLIP_REMOVE: "remove the policy so that it can be created with the other right",
    StepReason.FLIP_CREATE: "create the policy with the other right",
    StepReason.REMOVE_RESTRICT: (
        "remove a restriction that others now replace, or that the documents give up"
    ),
    StepReason.REMOVE_DENY: "remove a denial",
    StepReason.SHUT_OUT: "restrict the quarantined application to an empty group",
    StepReason.CREATE_GUARD: (
        "restrict the application to an empty group while rights are flipped, so that it is at"
        " worst blocked"
    ),
    StepReason.REMOVE_GUARD: "end the temporary restriction",
}

WARNINGS: Mapping[str, NoteAdvice] = {
    WarningCode.LEGACY_MECHANISM: NoteAdvice(
        "Exchange gets {policies:policy|policies} of a legacy kind.",
        "For new applications consider RBAC for Applications.",
    ),
    WarningCode.POLICY_SPACE: NoteAdvice(
        "The plan brings Exchange to {policies} policies at once; with long descriptions the service"
        " may refuse new ones from {from} on, without any it is known to store {most}.",
        "Shorten descriptions or remove policies before the service refuses new ones.",
    ),
    WarningCode.USER_NOT_LOOKED_FOR: NoteAdvice(
        "The capture does not cover these users; their object ids are used as written.",
        "Each is checked just before its write. To see it now, make a new capture: reconciler"
        " fetch.",
    ),
    WarningCode.UNUSED_CONSENT: NoteAdvice(
        "A consent was given that nothing in this plan needs.",
        "Take it out of the command line or of `spec.consents`, so that it cannot cover a later"
        " change unseen.",
    ),
    WarningCode.NO_APPLICATIONS: NoteAdvice(
        "A policy has an empty list of applications: no application reaches whoever holds it,"
        " whatever Global allows.",
        "If this is not intended, list applications in its document.",
    ),
    WarningCode.FALLS_TO_CHANGED_GROUP: NoteAdvice(
        "Users fall to a group that this plan grants or moves, and a group's grant can take a day"
        " to reach its members.",
        "If that gap matters, apply the group changes first, and the users' a day later.",
    ),
    WarningCode.REDUCES_APPLICATIONS: NoteAdvice(
        "Somebody loses applications although a document grants them a policy.",
        "Compare the lists of the old and the new policy if this is not intended.",
    ),
    WarningCode.PRUNE_BLOCKED: NoteAdvice(
        "`prune` leaves a policy alone because somebody still holds it after this plan.",
        "Declare the policy, or move its holders; then the next plan deletes it.",
    ),
    WarningCode.HELD: NoteAdvice(
        "This plan is partial: --only or --skip holds objects ({objects}) at the values that the"
        " tenant has.",
        "Plan again without them to converge.",
    ),
    WarningCode.FAULTY_READING: NoteAdvice(
        "The reading of a product that these documents do not need has a fault, so this plan says"
        " nothing about it.",
        "Fetch again before you plan documents of that product.",
    ),
    WarningCode.NOT_UNDERSTOOD: NoteAdvice(
        "Objects of the tenant ({objects}) could not be understood: they are held, and so is what"
        " the documents say about whatever rests on them.",
        "Inspect each one in the tenant, and correct or remove it there; then plan again.",
    ),
    WarningCode.SCOPE_ABSENT: NoteAdvice(
        "The tenant does not have the scope of declared policies ({policies}): their applications"
        " stay as they are, but for denials that are added.",
        "Correct each scope, listed under Held, or create the group or mailbox; then plan again.",
    ),
    WarningCode.USER_ABSENT: NoteAdvice(
        "The tenant has no such user, so this row is left out. While it is listed, no grant is taken"
        " away from anybody who may be that person, renamed:",
        "If the person was renamed, write the new name or, better, the object id, which never changes."
        " If the account was deleted, take the row out; then plan again."
        f" {GUEST}",
    ),
    WarningCode.DANGLING_GRANT: NoteAdvice(
        "Grants ({grants}) name a policy that does not exist.",
        "Declare the policy, or list the holder under another one.",
    ),
    WarningCode.MOVED_ON: NoteAdvice(
        "`movedFrom` names a policy that the tenant does not have.",
        "If the move was applied, take the `movedFrom` line out; if not, correct it.",
    ),
    **undo_sentences.WARNINGS,
    WarningCode.RELIES_ON: NoteAdvice(
        "Removals rely on steps that the services enforce late.",
        "To wait in between, apply with --settle MINUTES.",
    ),
    WarningCode.HOLDERS_READ_ONCE: NoteAdvice(
        "The holders of a policy were read in one way only: its name contains characters that may"
        " be special in a filter, so they cannot be queried by it.",
        "The policy can be managed and deleted; the tenant is read after each write that names it.",
    ),
    WarningCode.UNREADABLE_LIVE: NoteAdvice(
        "A live tenant like this cannot be read: the holders of policies ({policies}) cannot be"
        " queried by name, and no other policy has a holder by whom the reading could be checked.",
        "Grant a policy with a plain name to one user, or give these policies plain names.",
    ),
    WarningCode.REGRANTS_IN_PLACE: NoteAdvice(
        "Groups that hold a policy are granted another one, or another rank, in place, which"
        " Microsoft does not document.",
        "A refusal changes nothing and stops the apply; then plan again with --group-changes"
        " remove-add.",
    ),
    WarningCode.READ_WARNING: NoteAdvice(
        "The service warned while it was read, and it was consented to take the reading as"
        " complete.",
        "If the warning says that something is missing, do not apply: what is missing is taken for"
        " absent.",
    ),
    **quarantine_sentences.WARNINGS,
    WarningCode.DEAD_DENY: NoteAdvice(
        "The scope of a DenyAccess policy no longer exists: it protects nobody, and the application"
        " reaches whoever was in that scope, unless another policy keeps it out.",
        "Declare the policy with a scope that exists (a recreated group has another object"
        " id, even under the same address); `ensure: absent` with the old id removes this one.",
    ),
    WarningCode.DEAD_RESTRICT: NoteAdvice(
        "The scope of a RestrictAccess policy no longer exists, and no other one has a scope that"
        " does: the application is blocked from every mailbox.",
        "Declare the policy with a scope that exists (a recreated group has another object"
        " id, even under the same address). Removing it alone would open every mailbox.",
    ),
    WarningCode.DEAD_RESTRICT_AMONG_OTHERS: NoteAdvice(
        "The scope of a RestrictAccess policy no longer exists: it lets the application into no"
        " mailbox; only its other RestrictAccess policies do.",
        "Declare the policy with a scope that exists (a recreated group has another object"
        " id, even under the same address); `ensure: absent` with the old id removes this one.",
    ),
    WarningCode.DEAD_DENY_REMOVED: NoteAdvice(
        "This plan removes a DenyAccess policy whose scope no longer exists.",
        "It protected nobody any more: nobody is reached without it who was not reached before. If"
        " those people are still to be protected, declare a DenyAccess policy with a scope that"
        " exists.",
    ),
    WarningCode.DEAD_RESTRICT_REMOVED: NoteAdvice(
        "This plan removes a RestrictAccess policy whose scope no longer exists.",
        "It let the application into no mailbox any more. An application that keeps no"
        " RestrictAccess policy reaches every mailbox: see what becomes tenant-wide above.",
    ),
    WarningCode.SCOPE_RECREATED: NoteAdvice(
        "The scope of a policy no longer exists, and what the documents name instead is another"
        " object, such as a group that was recreated under its address: this plan puts the policy on"
        " that one.",
        "Members of the old group are not members of the new one by themselves: check who is in it"
        " before you apply.",
    ),
    WarningCode.GONE_GROUP: NoteAdvice(
        "A policy is granted to a group that no longer exists: the grant reaches nobody.",
        "Take the group out of its document; if it was recreated, list the new object id, for its"
        " members get nothing from the old grant.",
    ),
    WarningCode.GONE_GROUP_DROPPED: NoteAdvice(
        "This plan takes a policy away from a group that no longer exists.",
        "The grant reached nobody any more, so nobody loses anything by it. If the group was"
        " recreated, list the new object id.",
    ),
}

GAPS: Mapping[str, str] = {
    GapReason.NO_BETTER_ORDER: "no safe order of these steps misses less",
    GapReason.TOO_LARGE: (
        "too many changes hang together to look at every order; a better one may exist"
    ),
    GapReason.GUARDED: (
        "a temporary policy keeps the application's door shut while rights are flipped"
    ),
    GapReason.GROUPS_REMOVED_FIRST: (
        "--group-changes remove-add takes policies away from groups before it grants them again"
    ),
}

REFUSALS: Mapping[str, NoteAdvice] = {
    RefusalRule.TENANT_WIDE: NoteAdvice(
        "The application would reach everyone in the tenant, which it does not today.",
        "If this is intended, consent to it for each application.",
    ),
    RefusalRule.EXPOSURE: NoteAdvice(
        "On the way through this plan the application would reach someone whom it reaches neither"
        " before nor after.",
        "Split the change into two plans, or consent to the exposure.",
    ),
    RefusalRule.DISPLACED: NoteAdvice(
        "Users ({users}) or groups ({groups}) would be taken away from a policy that no document"
        " declares; another repository may own it.",
        "Ask its owner, then consent for this policy; or declare it here.",
    ),
    RefusalRule.EMPTY_SCOPE: NoteAdvice(
        "The scope has no members: restricted to it, the application is cut off from everyone.",
        "Fill the group first, or consent if this is intended.",
    ),
    RefusalRule.UNDECLARED: NoteAdvice(
        "The application has this policy in the tenant and no document declares it; to own the"
        " application is not enough to delete it.",
        "If a declared policy takes its place, write `movedFrom: {scope}` into the `spec` of that"
        " document. If it is to go, declare it with `ensure: absent`; if it is to stay, declare it as"
        " it is. To delete it in this plan alone, consent.",
        first=True,
    ),
    RefusalRule.DENY: NoteAdvice(
        "The plan removes a DenyAccess policy: unless another policy keeps it out, the application"
        " reaches whoever is in that scope.",
        "If these people may be reached from now on, consent for this policy.",
    ),
    RefusalRule.WIDENING: NoteAdvice(
        "In one plan the application would newly reach {people:person|people}, groups of unknown size"
        " counted as one each; the limit is {most}.",
        "Look through whom it gains. If it is right, consent for this plan, or raise"
        " `spec.limits.widening` of the Tenant document.",
    ),
    RefusalRule.LIMITS: NoteAdvice(
        "In one go the plan takes away {losing} of {total} {counted}; the limits are {most}, and"
        " {percent} % from 10 on.",
        "Look through what is removed. If it is right, consent for this plan, or raise"
        " `spec.limits` of the Tenant document.",
    ),
    RefusalRule.POLICY_SPACE: NoteAdvice(
        "The plan brings Exchange to {policies} policies at once; the service is known to store"
        " {most} at most, fewer with long descriptions.",
        "Remove or merge policies first, or consent and risk that the service refuses a step.",
    ),
    RefusalRule.NEEDS_GUARD: NoteAdvice(
        "No order of these steps keeps the application from reaching more than before and after,"
        " unless a temporary policy on an empty group guards it, and there can be none.",
        "Name an empty mail-enabled security group as `exchange.guardScope` of the Tenant document"
        " and capture again; or change it in two plans.",
    ),
    RefusalRule.GROUPS_FULL: NoteAdvice(
        "{groups} groups would have a grant at once; the service takes {most}, so a replacement"
        " cannot be added before the old one is dropped.",
        "Drop a group in a plan of its own, then plan again.",
    ),
    RefusalRule.NAME_NOT_QUERIED: NoteAdvice(
        "The name of a new policy contains {characters}: its holders could not be queried by that"
        " name in a live tenant.",
        f"Choose another name, of {PLAIN_NAMES}, in its document.",
    ),
    RefusalRule.NAME_TOO_LONG: NoteAdvice(
        "The name of a new policy has {length} characters; this tool creates names of at most {most}.",
        "Choose a shorter name in its document.",
    ),
    RefusalRule.UNSAFE: NoteAdvice(
        "Checked independently, the order of these steps is not safe: after step {step} the"
        " application would reach somebody whom it reaches neither before nor after.",
        "This is a defect of the planner: report it. Meanwhile split the change into two plans, or"
        " hold a part of it with --skip.",
    ),
    RefusalRule.UNCHECKED: NoteAdvice(
        "Checked independently, step {step} cannot be followed: the service would refuse it there,"
        " or the plan does not hold what it rests on.",
        "This is a defect of the planner: report it. Meanwhile hold the object with --skip.",
    ),
    RefusalRule.BEYOND_SELECTION: NoteAdvice(
        "Without what is held, or left out by --only or --skip, the application would reach somebody"
        " whom it reaches neither now nor after the whole plan.",
        "Choose, or leave out, what belongs together; or plan the whole once nothing is held.",
    ),
    **undo_sentences.REFUSALS,
    RefusalRule.MANY_ABSENT: NoteAdvice(
        "{absent} of {listed} listed users are not in the tenant: more likely a wrong reading or a wrong"
        " list than so many people who left.",
        "Check that this is the right tenant and read it again. If they all left, take their rows out.",
    ),
    **quarantine_sentences.REFUSALS,
    RefusalRule.READ_WARNING: NoteAdvice(
        "The service warned while it was read, so that the reading is not known to be complete.",
        "Find out what the warning means; if everything was read all the same, consent.",
    ),
}

HOLDS: Mapping[str, NoteAdvice] = {
    Held.SKIPPED: NoteAdvice("Left out by --skip:", ""),
    Held.NOT_SELECTED: NoteAdvice("Not chosen by --only:", ""),
    Held.POLICY_HELD: NoteAdvice("Its policy is held:", ""),
    Held.GRANT_HELD: NoteAdvice("A grant that depends on it is held:", ""),
    Held.MAY_BE_LISTED: NoteAdvice("Kept, because a held name may be this very user, renamed:", ""),
    Held.GROUP_HELD: NoteAdvice(
        "Kept, because a name that is held, or that the tenant does not have, may be this very group:",
        "",
    ),
    Held.NOT_UNDERSTOOD: NoteAdvice(
        "Not understood, so nothing about it is changed:",
        "`text` is what was read. Correct the object in the tenant, or remove it there; then plan"
        " again.{removal}",
    ),
    Held.RESTS_ON_OPAQUE: NoteAdvice(
        "What the documents say about it is not done, because it rests on what is not understood:",
        "",
    ),
    Held.REVOCATION: NoteAdvice(
        "Not taken away, because the holder may be a listed user whom the tenant does not have, renamed:",
        "Correct or remove that row; then plan again. If the holder is somebody else, consent.",
    ),
    Held.GROUP_ABSENT: NoteAdvice(
        "The tenant has no recipient with this address, so nothing is granted to it, and no group loses"
        " the policy meanwhile:",
        "Correct the address, write the group's object id, or create the group; then plan again.",
    ),
    Held.GROUP_GONE: NoteAdvice(
        "The group no longer exists, so the new name of its policy cannot be granted to it, and the old"
        " one stays:",
        "Write `grants.groups` without it into the policy's document: then it loses the policy.",
    ),
    Held.SUCCESSOR_HELD: NoteAdvice("The policy that takes its place is held:", ""),
    **quarantine_sentences.HOLDS,
    **undo_sentences.HOLDS,
    Held.SCOPE_ABSENT: ABSENT_SCOPE,
    Held.RESTS_ON_ABSENT: NoteAdvice(
        "What the documents say about it is not done, because it rests on a scope that is not in the"
        " tenant, or is not understood:",
        "",
    ),
}

DISPLACED = NoteAdvice(
    "Users: {users}, groups: {groups}",
    "Another repository may own the policy: ask before you consent.",
)


def change(reason: str) -> str:
    """Why an object changes."""
    return CHANGES.get(reason, reason)


def step(reason: str) -> str:
    """What a step does."""
    return STEPS.get(reason, reason)


def gap(reason: str) -> str:
    """Why somebody misses something on the way."""
    return GAPS.get(reason, reason)


def warning(code: str) -> NoteAdvice:
    """A warning."""
    return WARNINGS.get(code, _unknown(code))


def refusal(code: str) -> NoteAdvice:
    """A refusal."""
    return REFUSALS.get(code, _unknown(code))


def held(code: str) -> NoteAdvice:
    """Why an object is held."""
    return HOLDS.get(code, _unknown(code))


def displacement(_code: str) -> NoteAdvice:
    """What is displaced from a policy that no document declares."""
    return DISPLACED


def unfound(code: str) -> NoteAdvice:
    """Why a name leads to nothing."""
    return UNFOUND.get(code, _unknown(code))


def _unknown(code: str) -> NoteAdvice:
    text = code.replace("{", "{{").replace("}", "}}")  # the sentences are formats
    return NoteAdvice(
        text,
        "This version of reconciler cannot describe it: see --format json, or use the version that"
        " wrote the plan.",
    )
