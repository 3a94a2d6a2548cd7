"""Codes of a plan: why a change, a step, a warning, a refusal.

Readers turn them into sentences (`reports`); nothing else may branch on reasons.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ChangeReason(StrEnum):
    """Why an object changes."""

    DECLARED = "declared"
    DIFFERS = "differs"
    STATED_ABSENT = "stated-absent"
    PRUNED = "pruned"
    NOT_DECLARED = "not-declared"
    NOT_LISTED = "not-listed"
    LISTED = "listed"
    LISTED_ELSEWHERE = "listed-elsewhere"
    RANK = "rank"
    SCOPE_CHANGED = "scope-changed"
    RIGHT_CHANGED = "right-changed"
    TENANT_GRANT = "tenant-grant"
    LEFT_GUARD = "left-guard"
    RENAMED = "renamed"
    QUARANTINED = "quarantined"
    UNDONE = "undone"


class StepReason(StrEnum):
    """What a step does."""

    CREATE_POLICY = "create-policy"
    REMOVE_APPLICATIONS = "remove-applications"
    ADD_APPLICATIONS = "add-applications"
    DESCRIBE = "describe"
    GRANT_USER = "grant-user"
    MOVE_USER = "move-user"
    UNASSIGN_USER = "unassign-user"
    GRANT_GROUP = "grant-group"
    MOVE_GROUP = "move-group"
    DROP_GROUP = "drop-group"
    GRANT_TENANT = "grant-tenant"
    CLOSE_GLOBAL_EARLY = "close-global-early"
    DELETE_POLICY = "delete-policy"
    CREATE_DENY = "create-deny"
    CREATE_RESTRICT = "create-restrict"
    FLIP_REMOVE = "flip-remove"
    FLIP_CREATE = "flip-create"
    REMOVE_RESTRICT = "remove-restrict"
    REMOVE_DENY = "remove-deny"
    SHUT_OUT = "shut-out"
    CREATE_GUARD = "create-guard"
    REMOVE_GUARD = "remove-guard"


class GapReason(StrEnum):
    """Why somebody misses on the way what is granted before and after."""

    NO_BETTER_ORDER = "no-better-order"
    TOO_LARGE = "too-large"
    GUARDED = "guarded"
    GROUPS_REMOVED_FIRST = "groups-removed-first"


class WarningCode(StrEnum):
    """What a reviewer should know although nothing is refused."""

    LEGACY_MECHANISM = "legacy-mechanism"
    POLICY_SPACE = "policy-space"
    USER_NOT_LOOKED_FOR = "user-not-looked-for"
    UNUSED_CONSENT = "unused-consent"
    NO_APPLICATIONS = "no-applications"
    FALLS_TO_CHANGED_GROUP = "falls-to-changed-group"
    REDUCES_APPLICATIONS = "reduces-applications"
    PRUNE_BLOCKED = "prune-blocked"
    HELD = "held"
    DANGLING_GRANT = "dangling-grant"
    RELIES_ON = "relies-on"
    REGRANTS_IN_PLACE = "regrants-in-place"
    READ_WARNING = "read-warning"
    HOLDERS_READ_ONCE = "holders-read-once"
    UNREADABLE_LIVE = "unreadable-live"
    DEAD_DENY = "dead-deny"
    DEAD_RESTRICT = "dead-restrict"
    DEAD_RESTRICT_AMONG_OTHERS = "dead-restrict-among-others"
    DEAD_DENY_REMOVED = "dead-deny-removed"
    DEAD_RESTRICT_REMOVED = "dead-restrict-removed"
    SCOPE_RECREATED = "scope-recreated"
    GONE_GROUP = "gone-group"
    GONE_GROUP_DROPPED = "gone-group-dropped"
    NOT_UNDERSTOOD = "not-understood"
    SCOPE_ABSENT = "scope-absent"
    USER_ABSENT = "user-absent"
    FAULTY_READING = "faulty-reading"
    MOVED_ON = "moved-on"
    UNRESTORED = "unrestored"
    QUARANTINED = "quarantined"
    LEFT_SHUT = "left-shut"
    STILL_DECLARED = "still-declared"


class DriftCode(StrEnum):
    """How an unmanaged object, or a part of a reading, keeps a tenant from being as it is known."""

    NEW = "unmanaged-new"
    CHANGED = "accepted-changed"
    GONE = "accepted-gone"
    DECLARED = "accepted-declared"
    NOT_READ = "not-read"


DEAD = frozenset(
    (
        WarningCode.DEAD_DENY,
        WarningCode.DEAD_RESTRICT,
        WarningCode.DEAD_RESTRICT_AMONG_OTHERS,
        WarningCode.GONE_GROUP,
    )
)
"""What exists without effect, because what it names is gone."""


class RefusalRule(StrEnum):
    """Rules of refusals; those up to `policy-space` and the last two are consents too: `--allow
    RULE:ADDRESS`.
    """

    TENANT_WIDE = "tenant-wide"
    EXPOSURE = "exposure"
    DISPLACED = "displaced"
    EMPTY_SCOPE = "empty-scope"
    UNDECLARED = "undeclared"
    DENY = "deny"
    WIDENING = "widening"
    LIMITS = "limits"
    POLICY_SPACE = "policy-space"
    NEEDS_GUARD = "needs-guard"
    GROUPS_FULL = "groups-full"
    NAME_NOT_QUERIED = "name-not-queried"
    NAME_TOO_LONG = "name-too-long"
    UNSAFE = "unsafe"
    UNCHECKED = "unchecked"
    BEYOND_SELECTION = "beyond-selection"
    MANY_ABSENT = "many-absent"
    QUARANTINE = "quarantine"
    STILL_REACHING = "still-reaching"
    BEYOND_BASELINE = "beyond-baseline"
    READ_WARNING = "read-warning"
    UNDO_OLD = "undo-old"


REMOVED: Final = "removed"
"""Rule of the consent to take a grant away although its holder may be a listed user, renamed:
`removed:teams.grant/user:ID`.
"""


class GuardLacks(StrEnum):
    """What a temporary policy that keeps a door shut would need and does not have."""

    NOT_DECLARED = "guard-scope-not-declared"
    NOT_FOUND = "guard-scope-not-found"
    NOT_PRINCIPAL = "guard-scope-not-principal"
    NO_SID = "guard-scope-without-sid"
    MEMBERS_UNKNOWN = "guard-scope-members-unknown"
    NOT_EMPTY = "guard-scope-not-empty"
    IN_USE = "guard-scope-in-use"
    NO_ORGANISATION = "no-policy-to-take-the-organisation-from"


class Held(StrEnum):
    """Why an object is held at its observed value."""

    SKIPPED = "skipped"
    NOT_SELECTED = "not-selected"
    POLICY_HELD = "policy-held"
    GRANT_HELD = "grant-held"
    MAY_BE_LISTED = "may-be-listed"
    GROUP_HELD = "group-held"
    NOT_UNDERSTOOD = "not-understood"
    RESTS_ON_OPAQUE = "rests-on-not-understood"
    SCOPE_ABSENT = "scope-absent"
    RESTS_ON_ABSENT = "rests-on-absent-scope"
    REVOCATION = "revocation-held"
    GROUP_ABSENT = "group-absent"
    GROUP_GONE = "group-gone"
    SUCCESSOR_HELD = "successor-held"
    CHANGED_SINCE = "changed-since"
    OTHER_HOLDERS = "other-holders"
    SCOPE_GONE = "scope-gone"
    SUBJECT_GONE = "subject-gone"
    WOULD_REACH_MORE = "would-reach-more"
    SHUT_OUT = "shut-out"
    OPEN_GUARD = "still-open-guard"
    OPEN_UNDECLARED = "still-open-undeclared"
    OPEN_EVERY = "still-open-every-application"
    OPEN_LIST = "still-open-list"
    OPEN_TEXT = "still-open-text"
    OPEN_OPAQUE = "still-open-not-understood"
    OPEN_HELD = "still-open-held"


STILL_OPEN: Final = frozenset(
    (
        Held.OPEN_GUARD,
        Held.OPEN_UNDECLARED,
        Held.OPEN_EVERY,
        Held.OPEN_LIST,
        Held.OPEN_TEXT,
        Held.OPEN_OPAQUE,
        Held.OPEN_HELD,
    )
)
"""By what a quarantined application, which such a note names, may still reach somebody."""


class Unfound(StrEnum):
    """Why a name is unresolved."""

    USER_ABSENT = "user-absent"
    USER_UNCLEAR = "user-not-understood"
    USER_UNKNOWN = "user-unknown"
    USER_AMBIGUOUS = "user-ambiguous"
    GROUP_ABSENT = "group-absent"
    GROUP_UNCLEAR = "group-not-understood"
    GROUP_UNKNOWN = "group-unknown"
    GROUP_NOT_GROUP = "group-not-group"
    SCOPE_ABSENT = "scope-absent"
    SCOPE_UNCLEAR = "scope-not-understood"
    SCOPE_UNKNOWN = "scope-unknown"
    SCOPE_AMBIGUOUS = "scope-ambiguous"
    SCOPE_NOT_PRINCIPAL = "scope-not-principal"
