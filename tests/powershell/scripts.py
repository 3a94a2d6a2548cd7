"""Plans for scripts, and the folder of golden scripts."""

from pathlib import Path
from typing import NamedTuple

from reconciler.model.addresses import Address, Provider
from reconciler.model.baselines import Baseline
from reconciler.model.plans import Inputs, Invocation, Note, Plan, PlanTenant, Step
from reconciler.powershell.rendering import render
from reconciler.reports.powershell import script
from tests.strategies.plans import empty_plan
from tests.strategies.text import ATTACKS

GOLDEN = Path(__file__).parents[1] / "data" / "powershell" / "scripts"
TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
APPLICATION = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
SCOPE = "8b6ce428-cca2-459a-ac50-d38bcc932258"
USER = "748d2cbb-3b55-40ed-8c34-2eae5932b22a"


class Digests(NamedTuple):
    digest: str = "plan:" + "1a" * 32
    content_digest: str = "content:" + "2b" * 32


def step(
    number: int, provider: Provider, address: str, reason: str, cmdlet: str, **parameters: object
) -> Step:
    text = render(Invocation(cmdlet, parameters))
    return Step(
        number,
        Address(address),
        provider,
        cmdlet,
        parameters,
        text,
        reason,
        temporary=reason == "remove-deny",
        gaps=(),
    )


def plan(*steps: Step, **fields: object) -> Plan:
    known = {
        "tenant": PlanTenant(TENANT, "contoso.onmicrosoft.com"),
        "inputs": Inputs("d", "c", "2026-11-20T08:00:00Z", "live"),
        "baseline": Baseline(teams=None, exchange=None),
        "names": {USER: "Megan Bowen", APPLICATION: "scheduling-bot"},
        "summary": {"create": 2, "update": 1},
        "steps": steps,
    }
    return empty_plan(**{**known, **fields})


def usual_steps() -> list[Step]:
    return [
        step(
            1,
            "exchange",
            f"exchange.policy/{APPLICATION}@{SCOPE}",
            "create-restrict",
            "New-ApplicationAccessPolicy",
            AppId=[APPLICATION],
            PolicyScopeGroupId=SCOPE,
            AccessRight="RestrictAccess",
            Description="EvenUsers only",
            Confirm=False,
        ),
        step(
            2,
            "exchange",
            f"exchange.policy/{APPLICATION}@x",
            "remove-deny",
            "Remove-ApplicationAccessPolicy",
            Identity="t\\a:S-1;x",
            Confirm=False,
        ),
        step(
            3,
            "teams",
            "teams.policy/Test-policy",
            "create-policy",
            "New-CsApplicationAccessPolicy",
            Identity="Test-policy",
            AppIds=[APPLICATION],
        ),
        step(
            4,
            "teams",
            f"teams.grant/user:{USER}",
            "grant-user",
            "Grant-CsApplicationAccessPolicy",
            Identity=USER,
            PolicyName="Test-policy",
        ),
    ]


def hostile_plan() -> Plan:
    """Every attack as a name, an address, a reason, an organization and a display name."""
    steps = [
        step(
            number,
            "teams",
            f"teams.policy/{attack}",
            attack,
            "Set-CsApplicationAccessPolicy",
            Identity=attack,
            Description=f"{attack}\r\n{attack}",
        )
        for number, attack in enumerate(ATTACKS, 1)
    ]
    steps.append(
        step(
            len(steps) + 1,
            "exchange",
            f"exchange.policy/{ATTACKS[0]}@x",
            ATTACKS[1],
            "Remove-ApplicationAccessPolicy",
            Identity=ATTACKS[1],
            Confirm=False,
        )
    )
    everything = "\n".join(ATTACKS) + "\r\u2028\x1b[31m\u202e"
    return plan(
        *steps,
        tenant=PlanTenant(ATTACKS[1], everything),
        names=dict.fromkeys(ATTACKS, everything),
        inputs=Inputs("d", "c", everything, "live"),
        summary={everything: 1},
    )


CASES = {
    "usual-teams": (plan(*usual_steps()), "teams"),
    "usual-exchange": (plan(*usual_steps()), "exchange"),
    "simulated-china": (
        plan(
            *usual_steps(),
            inputs=Inputs("d", "c", "2026-11-20T08:00:00Z", "simulated"),
            connect={"cloud": "china"},
        ),
        "exchange",
    ),
    "gcch-teams": (plan(*usual_steps()[2:], connect={"cloud": "gcch"}), "teams"),
    "no-steps": (plan(), "teams"),
    "not-applicable": (
        plan(
            *usual_steps(),
            applicable=False,
            refusals=(
                Note("limits", "teams.grant", {}),
                Note("tenant-wide", f"exchange.application/{APPLICATION}", {}),
            ),
        ),
        "teams",
    ),
}


def written(value: Plan, provider: Provider) -> str:
    return script(value, provider, Digests())


def write_golden() -> None:
    """Write all golden scripts anew: `python -m tests.powershell.scripts`, then review the
    difference.
    """
    GOLDEN.mkdir(exist_ok=True)
    for name, (value, provider) in CASES.items():
        (GOLDEN / f"{name}.ps1").write_bytes(written(value, provider).encode())


if __name__ == "__main__":
    write_golden()
