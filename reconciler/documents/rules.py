"""Every rule that a document can break before names are resolved: a stable id, a title, and the
reason for it.
"""

from __future__ import annotations

from msgspec import Struct


class DocumentRule(Struct, frozen=True):
    """A rule that `validate --rules` lists. The id is a contract: scripts filter findings by it."""

    id: str
    title: str
    why: str


# Files and YAML.
UNREADABLE = DocumentRule(
    "file.unreadable",
    "A file cannot be read",
    "A file that cannot be read cannot be checked: missing permissions, or a broken link.",
)
OUTSIDE = DocumentRule(
    "file.outside",
    "A link leads outside every PATH",
    "A review of the PATH must show everything that is applied; a link to elsewhere could also"
    " make messages quote an unrelated file.",
)
NOT_READ = DocumentRule(
    "file.not-read",
    "A file that looks like a document is not read",
    "Only `*.yaml` and `*.yml` in lower case are documents: what is declared elsewhere is not part"
    " of any plan. A warning, because it may be left there on purpose.",
)
ENCODING = DocumentRule(
    "yaml.encoding",
    "Not UTF-8",
    "With one encoding a reviewer and PowerShell read the same characters. A byte order mark is"
    " allowed.",
)
TAB = DocumentRule(
    "yaml.tab",
    "A tab",
    "YAML forbids tabs in indentation, and elsewhere they cannot be told from spaces.",
)
SYNTAX = DocumentRule(
    "yaml.syntax", "Invalid YAML", "The parser cannot continue; it resumes at the next `---`."
)
CONFLICT = DocumentRule(
    "yaml.conflict",
    "A merge conflict",
    "Git left both sides in the file; neither is what somebody decided on.",
)
EMPTY = DocumentRule(
    "yaml.empty",
    "An empty file or document",
    "Usually a truncated file. A file that contains only comments is skipped.",
)
TOO_DEEP = DocumentRule(
    "yaml.too-deep",
    "Nested too deeply",
    "No kind of document needs more than 32 levels; deeper ones could exhaust Python's stack.",
)
ANCHOR = DocumentRule(
    "yaml.anchor",
    "An anchor",
    "The value must be visible on its own line; share values by Application names and usersFrom.",
)
ALIAS = DocumentRule(
    "yaml.alias",
    "An alias",
    "The value must be visible on its own line; a few aliases can also expand to gigabytes.",
)
TAG = DocumentRule(
    "yaml.tag",
    "A tag",
    "The form of a value decides its type; in other tools tags can run code.",
)
MERGE_KEY = DocumentRule(
    "yaml.merge-key", "A merge key `<<`", "YAML 1.2 removed it, and it needs anchors."
)
DUPLICATE_KEY = DocumentRule(
    "yaml.duplicate-key",
    "A duplicate key",
    "Most parsers silently keep the last one and ignore the others.",
)
KEY = DocumentRule("yaml.key", "A key that is not a string", "JSON Schema only allows string keys.")

# Texts.
EMPTY_GUID = DocumentRule(
    "guid.empty",
    "The all-zero GUID",
    "It is the value of an id that was never set, and names no object.",
)
VARIABLE = DocumentRule(
    "text.variable",
    "A variable that nothing replaces",
    "Documents are read as they are: a placeholder of another tool would be taken for a name.",
)
UNFIT_CHARACTER = DocumentRule(
    "text.unfit-character",
    "A character that is not allowed",
    "Control, bidirectional, invisible and unassigned characters and lone surrogates hide what is"
    " really written (CVE-2021-42574), and PowerShell's operators ignore some of them. Comments"
    " may contain invisible ones, values may not.",
)
LINE_BREAK = DocumentRule(
    "text.line-break",
    "A line break in a value",
    "Every value becomes part of a single reviewed line; fold longer text with `>-`.",
)
BLANK = DocumentRule(
    "text.blank",
    "A blank string",
    "The Teams module once took a blank user id for the whole tenant; write a value, or remove the"
    " key.",
)

# Shape, as the JSON Schemas say.
API_VERSION = DocumentRule(
    "document.api-version",
    "Unknown apiVersion",
    "It determines how a document is read: reconciler/v1.",
)
UNKNOWN_KIND = DocumentRule(
    "document.unknown-kind", "Unknown kind", "A mistyped kind would leave its object unmanaged."
)
UNKNOWN_KEY = DocumentRule(
    "schema.unknown-key", "Unknown key", "A mistyped key would silently leave its field unmanaged."
)
REQUIRED = DocumentRule(
    "schema.required", "A required key is missing", "The document is incomplete without it."
)
NULL = DocumentRule(
    "schema.null",
    "A value is missing",
    "An empty value is null, which is neither an empty list nor an absent key.",
)
TYPE = DocumentRule(
    "schema.type",
    "A value of the wrong type",
    "Strings, integers, true/false, lists and maps are different types; quotes make a string.",
)
ENUM = DocumentRule(
    "schema.enum",
    "Not one of the allowed values",
    "The service or this tool accepts only these values.",
)
RANGE = DocumentRule(
    "schema.range", "A number out of range", "The limit is in the schema's description of the key."
)
LENGTH = DocumentRule(
    "schema.length",
    "A string or list that is too long or too short",
    "The limit is in the schema's description of the key.",
)
PATTERN = DocumentRule(
    "schema.pattern",
    "A string that does not match its pattern",
    "The pattern is in the schema's description of the key.",
)
REPEATED = DocumentRule(
    "schema.repeated",
    "A duplicate value in a list",
    "The second has no effect; usually another value was intended.",
)
ABSENT_EXTRAS = DocumentRule(
    "absent.other-keys",
    "Other keys beside `ensure: absent`",
    "A deletion needs only what identifies the object; other keys would be ignored.",
)

# Names.
NAME_FORM = DocumentRule(
    "name.form",
    "An invalid name",
    "1 to 64 characters without spaces around them; in an Application not `*`.",
)
POLICY_NAME = DocumentRule(
    "name.policy-form",
    "An invalid name of a Teams policy",
    "1 to 256 characters without spaces around them. Microsoft documents no limits; this tool sets"
    " these.",
)
NAME_NOT_QUERIED = DocumentRule(
    "name.not-queried",
    "A policy name that a live tenant cannot be asked for",
    "Nobody documents how such characters are quoted in the filter that lists a policy's holders. A"
    " policy that exists can be managed; a new one is refused by `plan`.",
)
NOT_NFC = DocumentRule(
    "name.not-nfc",
    "A name that is not in Unicode form NFC",
    "Two spellings look the same, but some comparisons treat them as different.",
)
DUPLICATE_NAME = DocumentRule(
    "name.duplicate",
    "A name used twice",
    "Names are unique per kind, ignoring case as the services do.",
)
RESERVED_NAME = DocumentRule(
    "name.reserved",
    "A reserved name",
    "`Default` is a template of the service, and `Tag:` is the prefix it puts before policy names.",
)
LIKE_GUID = DocumentRule(
    "name.like-guid",
    "An application name that looks like a GUID",
    "It would hide which client id a list really refers to.",
)

# Applications.
CLIENT_ID = DocumentRule(
    "client-id.form",
    "Not a client id",
    "The services do not check ids: a wrong one is stored and never matches. Use the application"
    " (client) id.",
)
TWO_NAMES = DocumentRule(
    "client-id.two-names",
    "Two names for one client id",
    "A reviewer would take one application for two different ones.",
)
UNKNOWN_APPLICATION = DocumentRule(
    "application.unknown",
    "An application that is not declared",
    "A mistyped name must not become a policy's content.",
)
DUPLICATE_APPLICATION = DocumentRule(
    "application.duplicate",
    "A duplicate application in a list",
    "Whether Teams rejects or stores duplicates is not documented; names are compared by their"
    " client ids.",
)

# Teams.
GLOBAL_GRANTS = DocumentRule(
    "global.grants",
    "Grants of the Global policy",
    "Global applies to everyone without a grant; it cannot be granted.",
)
GLOBAL_ABSENT = DocumentRule(
    "global.absent",
    "Global declared absent",
    "The service never deletes it; to revoke access, declare `applications: []`.",
)
GROUP_NAME = DocumentRule(
    "group.form",
    "Neither a group's object id nor an SMTP address",
    "The service returns object ids; an address leads to one, a display name may be several groups'.",
)
GROUP_CLOUD = DocumentRule(
    "group.cloud",
    "A group grant in the DoD cloud",
    "Policies cannot be assigned to groups there (Assign policies to users and groups page).",
)
GROUP_LABEL = DocumentRule(
    "group.label",
    "One label for two groups",
    "Plans show labels: a label must lead to one group. A warning.",
)
TOO_MANY_GROUPS = DocumentRule(
    "group.too-many",
    "More than 64 groups",
    "Teams allows at most 64 groups per policy type across all policies (New-CsGroupPolicyAssignment"
    " page).",
)
DUPLICATE_GROUP = DocumentRule(
    "group.duplicate",
    "A group granted twice",
    "A group has at most one policy of a type (Remove-CsGroupPolicyAssignment page).",
)
RANK_RANGE = DocumentRule(
    "rank.range",
    "A rank out of range",
    "Ranks are 32-bit integers from 1; the Teams module silently drops 0.",
)
DUPLICATE_RANK = DocumentRule(
    "rank.duplicate",
    "A rank used twice",
    "Ranks order the groups of all policies; with two equal ranks the order is undefined.",
)
USER_ID = DocumentRule(
    "user.form",
    "Neither an object id nor a user principal name",
    "Users are identified by object id or UPN; cmdlets match other identifiers differently.",
)
DUPLICATE_USER = DocumentRule(
    "user.duplicate",
    "A duplicate user in one policy",
    "The second has no effect; usually another user was intended.",
)
TWO_POLICIES = DocumentRule(
    "user.two-policies",
    "A user in two policies",
    "A user has exactly one policy: a new grant replaces the old one"
    " (Grant-CsApplicationAccessPolicy page).",
)
TWO_TENANT_GRANTS = DocumentRule(
    "tenant-grant.twice",
    "Two tenant-wide grants",
    "There is only one Global policy, and each grant would overwrite it.",
)
TENANT_GRANT_AND_GLOBAL = DocumentRule(
    "tenant-grant.global",
    "A tenant-wide grant beside a managed Global",
    "`tenant: true` copies a policy into Global; the Global document would overwrite it.",
)
USERS_FROM_NAME = DocumentRule(
    "users-from.name",
    "usersFrom is not a relative path to a .csv or .txt file",
    "A relative path with `/` means the same on every machine.",
)
USERS_FROM_MISSING = DocumentRule(
    "users-from.missing",
    "usersFrom cannot be read",
    "A list that cannot be read is not an empty list: its users would lose their policy.",
)
USERS_FROM_OUTSIDE = DocumentRule(
    "users-from.outside",
    "usersFrom is outside every PATH",
    "A review of the PATH must show everything that is applied; links are resolved first.",
)
USERS_FROM_EMPTY = DocumentRule(
    "users-from.empty",
    "usersFrom lists no users",
    "Usually a failed export; to unassign everyone, write `users: []`.",
)
USERS_FROM_HEADER = DocumentRule(
    "users-from.header",
    "An invalid CSV header",
    "The header names the column that identifies the users: `Id`, `user`, `UserPrincipalName` or"
    " `mail`; the id is taken before the principal name, and that before the mail address.",
)
USERS_FROM_COLUMNS = DocumentRule(
    "users-from.columns",
    "Columns of a CSV file that are not read",
    "One column identifies the users; what the others say has no effect. A note, not a fault.",
)
USERS_FROM_LINE = DocumentRule(
    "users-from.line", "An invalid line", "Every entry is one user on one line."
)

RENAMED = DocumentRule(
    "teams.moved-from",
    "A rename of a policy that stays",
    "`movedFrom` deletes the policy that it names once its grants have moved: nothing else may"
    " declare it or take its place, and Global cannot be deleted.",
)

# Exchange.
SCOPE = DocumentRule(
    "scope.form",
    "Neither an SMTP address nor an object id",
    "Names and aliases are ambiguous: the service takes the first recipient that matches.",
)
DUPLICATE_SCOPE = DocumentRule(
    "exchange.duplicate",
    "An application and scope declared twice",
    "The service identifies a policy by application and scope, so both documents describe the same"
    " policy.",
)
MOVED_FROM = DocumentRule(
    "exchange.moved-from",
    "A move from a policy that stays",
    "`movedFrom` deletes the policy that it names: nothing else may declare it or move from it.",
)
EVERY_APPLICATION = DocumentRule(
    "exchange.every-application",
    "RestrictAccess for every application",
    "`*` restricts every application, including future ones; if this is intended, add"
    " `allowEveryApplication: true` to the document.",
)

# Access tests.
TEST_SUBJECT = DocumentRule(
    "access-test.subject",
    "Not exactly one of mailbox and meetingsOf",
    "An expectation is about one application and one mailbox (Exchange) or one user's meetings"
    " (Teams): the two products decide by different rules.",
)
MAILBOX = DocumentRule(
    "mailbox.form",
    "Neither the SMTP address nor the object id of a mailbox",
    "Names and aliases of mailboxes are ambiguous: the service takes the first recipient that"
    " matches.",
)
DUPLICATE_EXPECTATION = DocumentRule(
    "access-test.duplicate",
    "A duplicate expectation in one test",
    "The second has no effect; usually another application or subject was intended. Two tests may"
    " expect the same.",
)
CONTRADICTION = DocumentRule(
    "access-test.contradiction",
    "Expectations that contradict each other",
    "One of them always fails, so no plan could ever be applied.",
)

# Tenant.
SECOND_TENANT = DocumentRule("tenant.second", "A second Tenant document", "A run has one tenant.")
TENANT_ID = DocumentRule(
    "tenant-id.form",
    "Not a tenant id",
    "Every run checks the directory (tenant) id, a GUID, before anything is written.",
)
ORGANIZATION = DocumentRule(
    "organization.form",
    "Not a domain name",
    "Exchange connects to the tenant by its initial domain, `NAME.onmicrosoft.com`.",
)
CONSENT = DocumentRule(
    "consent.form", "Not a consent", "A consent is RULE:ADDRESS, exactly as a refusal prints it."
)
ACCEPTED = DocumentRule(
    "accepted.form",
    "Not the address of an object that can be accepted",
    "An object is accepted by its own address, with ids: a name could come to mean another one.",
)
ACCEPTED_DIGEST = DocumentRule(
    "accepted.digest",
    "Not a digest",
    "Whether the holders of a policy have changed is judged by a SHA-256 digest of their ids.",
)
ACCEPTED_TWICE = DocumentRule(
    "accepted.duplicate",
    "An object is accepted twice",
    "Two entries could say different things about what the object was.",
)
TENANTS_UNSAID = DocumentRule(
    "tenants.unsaid",
    "A document of some tenants in a run without a tenant",
    "Whether the document applies depends on the tenant; guessing could leave out a restriction.",
)
UNKNOWN_TENANT = DocumentRule(
    "tenants.unknown",
    "A tenant that does not exist",
    "A mistyped name would leave the document out, and with it what it restricts. Every tenant has a"
    " folder beside that of this one.",
)
CONNECT_METHOD = DocumentRule(
    "connect.method",
    "Not exactly one way to sign in",
    "Which credential is used must not depend on an order of precedence.",
)
CONNECT_VARIABLE = DocumentRule(
    "connect.variable",
    "Not the name of an environment variable",
    "Secrets come from variables; upper case distinguishes a name from a pasted value, which is"
    " never shown.",
)

RULES: tuple[DocumentRule, ...] = tuple(
    rule for rule in list(globals().values()) if isinstance(rule, DocumentRule)
)
"""All rules, in the order of this file."""

BY_ID = {rule.id: rule for rule in RULES}
