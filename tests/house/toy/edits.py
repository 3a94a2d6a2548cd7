"""What changes in the repository when the toy is added: in a file, an old text, which stands there
once, and a new text.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Edit(NamedTuple):
    """One change of one file."""

    file: str
    old: str
    new: str


NAME: Final = Edit(
    "reconciler/model/addresses.py",
    'Provider = Literal["teams", "exchange"]',
    'Provider = Literal["teams", "exchange", "toy"]',
)
"""The first one, after which the type checker asks for others."""

EDITS: Final = (
    NAME,
    Edit(
        "reconciler/model/documents.py",
        '    ACCESS_TEST = "AccessTest"\n',
        '    ACCESS_TEST = "AccessTest"\n    TOY_NAMES = "ToyNames"\n',
    ),
    Edit(
        "reconciler/model/documents.py",
        "class Access(StrEnum):\n",
        '''class ToyNamesDocument(Struct, frozen=True):
    """Names of the toy."""

    name: str
    names: tuple[str, ...]
    position: Position


class Access(StrEnum):
''',
    ),
    Edit(
        "reconciler/model/documents.py",
        "    tests: tuple[AccessTestDocument, ...] = ()\n",
        "    tests: tuple[AccessTestDocument, ...] = ()\n    toy: tuple[ToyNamesDocument, ...] = ()\n",
    ),
    Edit(
        "reconciler/model/plans.py",
        r"|exchange\.(policy|application))/.",
        r"|exchange\.(policy|application)|toy\.name)/.",
    ),
    Edit(
        "reconciler/model/plans.py",
        "-(Cs)?ApplicationAccessPolicy$",
        "-((Cs)?ApplicationAccessPolicy|ToyName)$",
    ),
    Edit(
        "reconciler/model/plans.py",
        '    EXCHANGE_POLICY = "ExchangeApplicationAccessPolicy"\n',
        '    EXCHANGE_POLICY = "ExchangeApplicationAccessPolicy"\n    TOY_NAME = "ToyName"\n',
    ),
    Edit(
        "reconciler/model/plans.py",
        "            case ObjectKind.TEAMS_POLICY | ObjectKind.EXCHANGE_POLICY:\n",
        "            case ObjectKind.TEAMS_POLICY | ObjectKind.EXCHANGE_POLICY | ObjectKind.TOY_NAME:\n",
    ),
    Edit(
        "reconciler/model/baselines.py",
        "class Baseline(Struct, frozen=True):\n",
        '''ToyBaseline: TypeAlias = Mapping[str, bool]
"""Whether the toy has each name that a step touches."""


class Baseline(Struct, frozen=True):
''',
    ),
    Edit(
        "reconciler/model/baselines.py",
        "    teams: TeamsBaseline | UnsetType | None = UNSET\n",
        "    teams: TeamsBaseline | UnsetType | None = UNSET\n"
        "    toy: ToyBaseline | UnsetType | None = UNSET\n",
    ),
    Edit(
        "reconciler/model/baselines.py",
        "    def section(self, provider: Provider) -> ExchangeBaseline | TeamsBaseline | None:\n",
        '''    def of_toy(self) -> ToyBaseline | None:
        """The toy's side; None if the plan does not rest on it."""
        return None if isinstance(self.toy, UnsetType) else self.toy

    def section(
        self, provider: Provider
    ) -> ExchangeBaseline | TeamsBaseline | ToyBaseline | None:
''',
    ),
    Edit(
        "reconciler/model/baselines.py",
        "                return self.of_exchange()\n",
        '                return self.of_exchange()\n            case "toy":\n'
        "                return self.of_toy()\n",
    ),
    Edit(
        "reconciler/kinds/products.py",
        "            return Exchange()\n",
        '            return Exchange()\n        case "toy":\n            return Toy()\n',
    ),
    Edit(
        "reconciler/kinds/products.py",
        "from reconciler.kinds.teams.product import Teams\n",
        "from reconciler.kinds.teams.product import Teams\n"
        "from reconciler.kinds.toy.product import Toy\n",
    ),
    Edit(
        "reconciler/kinds/facts.py",
        "            return exchange.FACTS\n",
        '            return exchange.FACTS\n        case "toy":\n            return toy.FACTS\n',
    ),
    Edit(
        "reconciler/kinds/facts.py",
        "from reconciler.kinds.teams import facts as teams\n",
        "from reconciler.kinds.teams import facts as teams\n"
        "from reconciler.kinds.toy import facts as toy\n",
    ),
    Edit(
        "reconciler/documents/kinds.py",
        "import access_tests, applications, exchange, teams, tenant\n",
        "import access_tests, applications, exchange, teams, tenant, toy\n",
    ),
    Edit(
        "reconciler/documents/kinds.py",
        "        case Kind.ACCESS_TEST:\n",
        """        case Kind.TOY_NAMES:
            return KindRules(toy.check, lambda document, _declared, _lists: toy.build(document))
        case Kind.ACCESS_TEST:
""",
    ),
    Edit(
        "reconciler/planning/checking/judging.py",
        'PROVIDERS: tuple[Provider, ...] = ("exchange", "teams")',
        'PROVIDERS: tuple[Provider, ...] = ("exchange", "teams", "toy")',
    ),
    Edit(
        "reconciler/planning/checking/judging.py",
        "        case _:\n            assert_never(provider)\n",
        """        case "toy":
            names = baseline.of_toy()
            return None if names is None else toy.ToyJudging(names)
        case _:
            assert_never(provider)
""",
    ),
    Edit(
        "reconciler/planning/checking/judging.py",
        "            case _:\n                assert_never(provider)\n    except",
        """            case "toy":
                return frozenset()
            case _:
                assert_never(provider)
    except""",
    ),
    Edit(
        "reconciler/planning/checking/judging.py",
        "            case _ as unfollowed:\n",
        """            case "toy":
                return frozenset()
            case _ as unfollowed:
""",
    ),
    Edit(
        "reconciler/planning/checking/judging.py",
        "        case _ as unjudged:\n",
        """        case "toy":
            return ()
        case _ as unjudged:
""",
    ),
    Edit(
        "reconciler/planning/checking/judging.py",
        "import exchange, teams\n",
        "import exchange, teams, toy\n",
    ),
    Edit(
        "reconciler/powershell/connecting.py",
        "                return _exchange(spec, cloud, tenant_id, organization, variables)\n",
        """                return _exchange(spec, cloud, tenant_id, organization, variables)
            case "toy":
                raise ConnectFault("the toy has no live service")
""",
    ),
    Edit(
        "reconciler/tenants/live/readings.py",
        "                tried=questions.EXCHANGE_POLICIES,\n            )\n",
        """                tried=questions.EXCHANGE_POLICIES,
            )
        case "toy":
            raise TenantFault("the toy has no live service")
""",
    ),
    Edit(
        "reconciler/tenants/live/readings.py",
        "from reconciler.tenants.live import questions",
        "from reconciler.errors import TenantFault\nfrom reconciler.tenants.live import questions",
    ),
    Edit(
        "reconciler/tenants/simulated/services.py",
        "            return ExchangeService(section, people, tenant)\n",
        """            return ExchangeService(section, people, tenant)
        case "toy":
            return ToyService(section)
""",
    ),
    Edit(
        "reconciler/tenants/simulated/services.py",
        "from reconciler.tenants.simulated.teams import TeamsService\n",
        "from reconciler.tenants.simulated.teams import TeamsService\n"
        "from reconciler.tenants.simulated.toy import ToyService\n",
    ),
    Edit(
        "reconciler/powershell/catalogue.json",
        '{\n "New-CsApplicationAccessPolicy": {\n',
        """{
 "New-ToyName": {
  "module": "Toy",
  "default_set": "Identity",
  "sets": {"Identity": {"parameters": ["Identity"], "required": ["Identity"]}},
  "parameters": {"Identity": {"type": "String"}}
 },
 "Remove-ToyName": {
  "module": "Toy",
  "default_set": "Identity",
  "sets": {"Identity": {"parameters": ["Identity"], "required": ["Identity"]}},
  "parameters": {"Identity": {"type": "String"}}
 },
 "New-CsApplicationAccessPolicy": {
""",
    ),
    Edit(
        "schemas/plan.schema.json",
        '"pattern": "^(teams\\\\.(policy|grant|application)|exchange\\\\.(policy|application))/."',
        '"pattern": "^(teams\\\\.(policy|grant|application)|exchange\\\\.(policy|application)'
        '|toy\\\\.name)/."',
    ),
    Edit(
        "schemas/plan.schema.json",
        "-(Cs)?ApplicationAccessPolicy$",
        "-((Cs)?ApplicationAccessPolicy|ToyName)$",
    ),
    Edit(
        "schemas/plan.schema.json",
        '            "ExchangeApplicationAccessPolicy"\n',
        '            "ExchangeApplicationAccessPolicy",\n            "ToyName"\n',
    ),
    Edit(
        "schemas/plan.schema.json",
        '        "teams": {\n          "anyOf": [\n',
        """        "toy": {
          "anyOf": [
            {"type": "null"},
            {"type": "object", "additionalProperties": {"type": "boolean"}}
          ]
        },
        "teams": {
          "anyOf": [
""",
    ),
    Edit(
        "schemas/plan.schema.json",
        """    "provider": {
      "enum": [
        "teams",
        "exchange"
""",
        """    "provider": {
      "enum": [
        "teams",
        "exchange",
        "toy"
""",
    ),
    Edit(
        "schemas/capture.schema.json",
        '    "exchange": {\n      "title": "Exchange",\n',
        """    "toy": {
      "title": "Toy",
      "description": "The toy's side; null or complete: false if it was not read.",
      "type": ["object", "null"],
      "allOf": [{"$ref": "#/definitions/product"}],
      "properties": {"names": {"title": "Get-ToyName", "type": ["array", "object", "null"]}}
    },
    "exchange": {
      "title": "Exchange",
""",
    ),
)

GENERATED: Final = "schemas/document.schema.json"
"""Changes too: `python -m tests.documents.combined_schema` writes it."""
