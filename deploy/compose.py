"""The same for those who run containers: an image of the programs, and a compose file. Texts only; never run by us."""

from deploy.plan import Plan
from deploy.units import credentials

_MODULE = {"collector": "collector", "fleet": "collector.fleet", "api": "api", "feed": "collector.feed"}


def compose(plan: Plan) -> dict[str, str]:
    """Text by file name."""
    return {"compose.yaml": _compose(plan), "Dockerfile": _image()}


def _image() -> str:
    return """# docker compose --project-directory CHECKOUT builds it.
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/zrazkovo
COPY requirements/run.lock requirements/run.lock
RUN pip install --no-cache-dir --require-hashes -r requirements/run.lock
COPY protocol protocol
COPY schemas schemas
COPY collector collector
COPY api api
ENV PYTHONUNBUFFERED=1
USER nobody
"""


def _compose(plan: Plan) -> str:
    """On the host's network and with the host's paths, so that the very same configuration files serve."""
    parts = [
        "# Never run by its makers, only parsed. The same files as for systemd, on the host's network.",
        "name: zrazkovo",
        "services:",
        *_broker(plan),
    ]
    for program in plan.programs:
        several = plan.collector_users if program == "collector" and plan.collectors > 1 else (program,)
        for name in several:
            parts += _program(plan, program, name)
    secrets = [f"  {name}:\n    file: {plan.secret(name)}" for name in _secret_names(plan)]
    return "\n".join([*parts, *(["secrets:", *secrets] if secrets else [])]) + "\n"


def _broker(plan: Plan) -> list[str]:
    return [
        "  broker:",
        "    image: eclipse-mosquitto:2.0",
        f'    command: ["mosquitto", "-c", "{plan.file("mosquitto/mosquitto.conf")}"]',
        "    network_mode: host",
        "    restart: unless-stopped",
        f'    volumes: ["{plan.out}:{plan.out}:ro", "{plan.state}:{plan.state}"]',
    ]


def _program(plan: Plan, program: str, name: str) -> list[str]:
    lines = [
        f"  {name}:",
        "    build:",
        "      context: .",
        f"      dockerfile: {plan.file('Dockerfile')}",
        f'    command: ["python", "-m", "{_MODULE[program]}", "--config", "{plan.file(f"config/{program}.toml")}"]',
        "    network_mode: host",
        "    restart: unless-stopped",
        "    read_only: true",
        "    cap_drop: [ALL]",
        '    security_opt: ["no-new-privileges:true"]',
        '    tmpfs: ["/tmp"]',
        f'    volumes: ["{plan.out}:{plan.out}:ro", "{plan.state}:{plan.state}"]',
        "    depends_on: [broker]",
    ]
    if name != program:
        lines.append(f"    env_file: {plan.file(f'config/{name}.env')}")
    keys = credentials(program)
    if keys:
        # What systemd's LoadCredential does for the other kind of installation.
        lines += ["    environment:", "      CREDENTIALS_DIRECTORY: /run/secrets", "    secrets:"]
        for key in keys:
            lines += [f"      - source: {name}.{key}", f"        target: {key}"]
    return lines


def _secret_names(plan: Plan) -> list[str]:
    found = []
    for program in plan.programs:
        names = plan.collector_users if program == "collector" else (program,)
        found += [f"{name}.{key}" for name in names for key in credentials(program)]
    return found
