"""Prometheus: whom to ask for numbers, and the alerts that go with them. Texts only."""

from pathlib import Path

from deploy.plan import Plan

_RULES = Path(__file__).with_name("prometheus") / "zrazkovo.rules.yml"
METRICS_TOKEN = "api.metrics_token"  # the api gives its numbers to whoever may see them; it is made by hand


def prometheus(plan: Plan) -> dict[str, str]:
    """Text by file name below prometheus/."""
    jobs = [
        f"""global:
  scrape_interval: 30s
  evaluation_interval: 30s
rule_files: ["{plan.file("prometheus/zrazkovo.rules.yml")}"]
scrape_configs:
"""
    ]
    for program in plan.programs:
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in _ports(plan, program))
        jobs.append(f"- job_name: zrazkovo-{program}\n  static_configs: [{{targets: [{targets}]}}]\n")
        if program == "api":
            jobs.append(f"  authorization: {{credentials_file: {plan.secret(METRICS_TOKEN)}}}\n")
    return {"prometheus.yml": "".join(jobs), "zrazkovo.rules.yml": _RULES.read_text(encoding="utf-8")}


def _ports(plan: Plan, program: str) -> list[int]:
    if program == "collector":
        return [plan.ports["collector-metrics"] + number for number in range(plan.collectors)]
    return [plan.ports["fleet-metrics" if program == "fleet" else program]]
