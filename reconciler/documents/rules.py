"""Every rule that a document can break before names are resolved: a stable id, a title, and why it
exists.
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
    "What cannot be read cannot be judged: rights, or a link that leads nowhere.",
)
OUTSIDE = DocumentRule(
    "file.outside",
    "A link leads out of every PATH",
    "A review of the PATH has to see everything that is applied; a link to elsewhere could also"
    " make messages quote a foreign file.",
)
ENCODING = DocumentRule(
    "yaml.encoding",
    "Not UTF-8",
    "One encoding, so that a reviewer and PowerShell read the same characters. A byte order mark is"
    " tolerated.",
)
TAB = DocumentRule(
    "yaml.tab",
    "A tab",
    "YAML forbids tabs in indentation, and nobody sees the difference elsewhere.",
)
SYNTAX = DocumentRule(
    "yaml.syntax", "Not YAML", "The parser cannot go on; reading resumes at the next `---`."
)
EMPTY = DocumentRule(
    "yaml.empty",
    "An empty file or document",
    "Mostly a truncated file. A file that holds nothing but comments is skipped.",
)
TOO_DEEP = DocumentRule(
    "yaml.too-deep",
    "Nested too deeply",
    "No kind of document nests like this; reading stops before Python's stack does.",
)
ANCHOR = DocumentRule(
    "yaml.anchor",
    "An anchor",
    "A reader of one line has to see its value; Application names and usersFrom are how things are"
    " shared.",
)
ALIAS = DocumentRule(
    "yaml.alias",
    "An alias",
    "A reader of one line has to see its value; a few aliases can also expand to gigabytes.",
)
TAG = DocumentRule(
    "yaml.tag",
    "A tag",
    "Values are typed by how they look; tags are how YAML files run code in other tools.",
)
MERGE_KEY = DocumentRule(
    "yaml.merge-key", "A merge key `<<`", "YAML 1.2 has dropped it, and it needs anchors."
)
DUPLICATE_KEY = DocumentRule(
    "yaml.duplicate-key",
    "A key stands twice",
    "Most parsers keep the last one silently, so half of the file would not count.",
)
KEY = DocumentRule("yaml.key", "A key that is no text", "JSON Schema knows only text keys.")

# Texts.
UNFIT_CHARACTER = DocumentRule(
    "text.unfit-character",
    "A character that is not allowed",
    "Control, bidirectional, invisible and unassigned characters and lone surrogates hide what is"
    " really written (CVE-2021-42574), and PowerShell's operators overlook some of them. Comments"
    " may hold invisible ones, values may not.",
)
LINE_BREAK = DocumentRule(
    "text.line-break",
    "A line break in a value",
    "Every value becomes part of one reviewed line; a folded text needs `>-`.",
)
BLANK = DocumentRule(
    "text.blank",
    "A blank text",
    "A blank user id once meant the whole tenant to the Teams module; write something or leave the"
    " key out.",
)

# Shape, as the JSON Schemas say.
API_VERSION = DocumentRule(
    "document.api-version", "Unknown apiVersion", "It fixes how a document is read: reconciler/v1."
)
UNKNOWN_KIND = DocumentRule(
    "document.unknown-kind", "Unknown kind", "A mistyped kind would leave its object unmanaged."
)
UNKNOWN_KEY = DocumentRule(
    "schema.unknown-key", "Unknown key", "A mistyped key would silently leave its field unmanaged."
)
REQUIRED = DocumentRule("schema.required", "A key is missing", "The kind means nothing without it.")
NULL = DocumentRule(
    "schema.null",
    "Nothing where something belongs",
    "An empty value is null; it is neither an empty list nor an absent key.",
)
TYPE = DocumentRule(
    "schema.type",
    "A value of the wrong type",
    "Texts, whole numbers, true/false, lists and maps are told apart; quotes make a text.",
)
ENUM = DocumentRule(
    "schema.enum",
    "Not one of the allowed values",
    "The service or this tool knows only these values.",
)
RANGE = DocumentRule(
    "schema.range", "A number out of range", "The limit is in the schema's description of the key."
)
LENGTH = DocumentRule(
    "schema.length",
    "A text or list too long or too short",
    "The limit is in the schema's description of the key.",
)
PATTERN = DocumentRule(
    "schema.pattern",
    "A text of the wrong form",
    "The form is in the schema's description of the key.",
)
REPEATED = DocumentRule(
    "schema.repeated",
    "A value stands twice in a list",
    "The second one means nothing; mostly another value was meant.",
)
ABSENT_EXTRAS = DocumentRule(
    "absent.other-keys",
    "Keys beside `ensure: absent`",
    "A stated deletion takes only what identifies the object; the rest would be ignored.",
)

# Names.
NAME_FORM = DocumentRule(
    "name.form",
    "A name of the wrong form",
    "1 to 64 characters without blanks around them; in an Application not `*`.",
)
POLICY_NAME = DocumentRule(
    "name.policy-form",
    "A Teams policy name of the wrong form",
    "`* ? [ ]` are wildcards in -Filter, and `/ \\ ' \" ;` separate or quote elsewhere. Microsoft"
    " documents no limits: these are this tool's.",
)
NOT_NFC = DocumentRule(
    "name.not-nfc",
    "A name that is not in Unicode form NFC",
    "Two spellings look the same, and only some comparisons tell them apart.",
)
DUPLICATE_NAME = DocumentRule(
    "name.duplicate",
    "A name used twice",
    "Names are unique per kind, whatever their case: the services ignore case too.",
)
RESERVED_NAME = DocumentRule(
    "name.reserved",
    "A reserved name",
    "`Default` is a template of the service, and `Tag:` is how it marks policy names; leave `Tag:`"
    " away.",
)
LIKE_GUID = DocumentRule(
    "name.like-guid",
    "An application name that looks like a GUID",
    "It would hide which client id a list really names.",
)

# Applications.
CLIENT_ID = DocumentRule(
    "client-id.form",
    "Not a client id",
    "The services check nothing: a wrong id is stored and never matches. Use the application"
    " (client) id.",
)
TWO_NAMES = DocumentRule(
    "client-id.two-names",
    "Two names for one client id",
    "A reviewer would take one application for two.",
)
UNKNOWN_APPLICATION = DocumentRule(
    "application.unknown",
    "An application that no document names",
    "A mistyped name must not become a policy's content.",
)
DUPLICATE_APPLICATION = DocumentRule(
    "application.duplicate",
    "An application twice in a list",
    "Whether Teams refuses or stores duplicates is not documented; names count as their client"
    " ids.",
)

# Teams.
GLOBAL_GRANTS = DocumentRule(
    "global.grants",
    "Grants of the Global policy",
    "Global holds for everyone without a grant; nobody can be granted to it.",
)
GLOBAL_ABSENT = DocumentRule(
    "global.absent",
    "Global declared absent",
    "The service never deletes it; declare `applications: []` to revoke.",
)
GROUP_ID = DocumentRule(
    "group.form",
    "Not a group's object id",
    "Reads of the service show object ids only, so nothing else can be compared.",
)
TOO_MANY_GROUPS = DocumentRule(
    "group.too-many",
    "More than 64 groups",
    "Teams takes at most 64 groups per policy type over all policies (New-CsGroupPolicyAssignment"
    " page).",
)
DUPLICATE_GROUP = DocumentRule(
    "group.duplicate",
    "A group granted twice",
    "A group holds at most one policy of a type (Remove-CsGroupPolicyAssignment page).",
)
RANK_RANGE = DocumentRule(
    "rank.range",
    "A rank out of range",
    "Ranks are Int32 from 1; the Teams module silently drops 0.",
)
DUPLICATE_RANK = DocumentRule(
    "rank.duplicate",
    "A rank used twice",
    "Ranks order the groups of all policies; two equal ones leave the order open.",
)
USER_ID = DocumentRule(
    "user.form",
    "Neither an object id nor a user principal name",
    "Users are named by object id or UPN; other spellings are matched differently by different"
    " cmdlets.",
)
DUPLICATE_USER = DocumentRule(
    "user.duplicate",
    "A user twice in one policy",
    "The second entry means nothing; mostly another user was meant.",
)
TWO_POLICIES = DocumentRule(
    "user.two-policies",
    "A user in two policies",
    "A user holds exactly one policy: a new grant replaces the old one"
    " (Grant-CsApplicationAccessPolicy page).",
)
TWO_TENANT_GRANTS = DocumentRule(
    "tenant-grant.twice",
    "Two tenant-wide grants",
    "There is one Global policy, and each grant would overwrite the other.",
)
TENANT_GRANT_AND_GLOBAL = DocumentRule(
    "tenant-grant.global",
    "A tenant-wide grant beside a managed Global",
    "`tenant: true` copies a policy into Global; the Global document would overwrite it.",
)
USERS_FROM_NAME = DocumentRule(
    "users-from.name",
    "Not a .csv or .txt file beside the documents",
    "A relative path with `/`, so that it means the same on every machine.",
)
USERS_FROM_MISSING = DocumentRule(
    "users-from.missing",
    "usersFrom cannot be read",
    "A list that cannot be read is no empty list: its users would be unassigned.",
)
USERS_FROM_OUTSIDE = DocumentRule(
    "users-from.outside",
    "usersFrom lies outside every PATH",
    "A review of the PATH has to see everything that is applied; links are resolved first.",
)
USERS_FROM_EMPTY = DocumentRule(
    "users-from.empty",
    "usersFrom holds nobody",
    "Mostly a failed export; write `users: []` to unassign everyone.",
)
USERS_FROM_HEADER = DocumentRule(
    "users-from.header",
    "A CSV header of the wrong form",
    "Columns are found by name: `user`, and `label` for people.",
)
USERS_FROM_LINE = DocumentRule(
    "users-from.line", "A malformed line", "Every entry is one user on one line."
)

# Exchange.
SCOPE = DocumentRule(
    "scope.form",
    "Neither an SMTP address nor an object id",
    "Names and aliases are ambiguous: the service takes whatever recipient matches first.",
)
DUPLICATE_SCOPE = DocumentRule(
    "exchange.duplicate",
    "An application and scope declared twice",
    "The service identifies a policy by application and scope: both documents mean the same one.",
)
EVERY_APPLICATION = DocumentRule(
    "exchange.every-application",
    "RestrictAccess for every application",
    "`*` confines every application, future ones too; say `allowEveryApplication: true` in the"
    " document if that is meant.",
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
    "Neither a mailbox's SMTP address nor its object id",
    "A mailbox is looked up: names and aliases are ambiguous, and the service takes whatever"
    " recipient matches first.",
)
DUPLICATE_EXPECTATION = DocumentRule(
    "access-test.duplicate",
    "The same expectation twice in one test",
    "The second one means nothing; mostly another application or subject was meant. Two tests may"
    " insist on the same.",
)
CONTRADICTION = DocumentRule(
    "access-test.contradiction",
    "Expectations that contradict each other",
    "One of them fails whatever the tenant is, so no plan could ever be applied.",
)

# Tenant.
SECOND_TENANT = DocumentRule("tenant.second", "A second Tenant document", "One run, one tenant.")
TENANT_ID = DocumentRule(
    "tenant-id.form",
    "Not a tenant id",
    "Every run asserts it before anything is written: the directory (tenant) id, a GUID.",
)
ORGANIZATION = DocumentRule(
    "organization.form",
    "Not a domain name",
    "Exchange connects by the tenant's initial domain, `NAME.onmicrosoft.com`.",
)
CONSENT = DocumentRule(
    "consent.form", "Not a consent", "A consent is RULE:ADDRESS, exactly as a refusal prints it."
)
CONNECT_METHOD = DocumentRule(
    "connect.method",
    "Not exactly one way to connect",
    "Which credential is used must not depend on precedence.",
)
CONNECT_VARIABLE = DocumentRule(
    "connect.variable",
    "Not the name of an environment variable",
    "Secrets come from variables; upper case tells a name from a pasted value, which is never"
    " shown.",
)

RULES: tuple[DocumentRule, ...] = tuple(
    rule for rule in list(globals().values()) if isinstance(rule, DocumentRule)
)
"""All rules, in the order of this file."""

BY_ID = {rule.id: rule for rule in RULES}
