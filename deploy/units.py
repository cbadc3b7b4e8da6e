"""systemd: a service a program, the broker told of new passwords and certificates, a nightly backup. Texts only.

One system user, "zrazkovo", for all of ours (sysusers.d): collector, fleet service and api share a database and the
fleet service shares a file with Mosquitto, which systemd's DynamicUser would give to somebody else at every start.
Secrets come by LoadCredential: root reads them, and the one process that needs one sees it.
"""

from deploy.plan import Plan

USER = "zrazkovo"
# What none of the programs needs. `systemd-analyze security` gives these units a little above 1, of 10 (tests).
_HARDENED = """NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0027
"""
_WHAT = {
    "collector": "takes votes and queue events in",
    "fleet": "watches the pads",
    "api": "figures, devices and pages",
    "feed": "tells every desk its call",
}
_MODULE = {"collector": "collector", "fleet": "collector.fleet", "api": "api", "feed": "collector.feed"}


def units(plan: Plan) -> dict[str, str]:
    """Text by file name below systemd/."""
    found = {}
    for program in plan.programs:
        several = program == "collector" and plan.collectors > 1
        found[f"zrazkovo-{program}{'@' if several else ''}.service"] = _service(plan, program, several)
    found |= _broker(plan)
    if plan.has_centre:
        found |= _backup(plan)
    found["zrazkovo.target"] = _target(plan)
    found["sysusers.conf"] = f'u {USER} - "Zrazkovo" {plan.state}\n'
    found["tmpfiles.conf"] = _tmpfiles(plan)
    return found


def services(plan: Plan) -> list[str]:
    """What is to be enabled, besides the broker."""
    found = []
    for program in plan.programs:
        if program == "collector" and plan.collectors > 1:
            found += [f"zrazkovo-collector@{number + 1}.service" for number in range(plan.collectors)]
        else:
            found.append(f"zrazkovo-{program}.service")
    backup = ["zrazkovo-backup.timer"] if plan.has_centre else []
    return [*found, "zrazkovo-broker.path", *backup]


def _service(plan: Plan, program: str, several: bool) -> str:
    after = "network-online.target mosquitto.service"
    if plan.has_centre and plan.database == "postgresql":
        after += " postgresql.service"
    name = "collector-%i" if several else program
    own = ""
    if several:
        own = f"\nEnvironmentFile={plan.file('config/collector-%i.env')}"
    secrets = "".join(f"LoadCredential={key}:{plan.secret(f'{name}.{key}')}\n" for key in credentials(program))
    # Vega's engine in the api makes its own machine code.
    fixed = "" if program == "api" else "MemoryDenyWriteExecute=yes\n"
    limit = "LimitNOFILE=8192\n" if program == "api" else ""
    # The password file is Mosquitto's group's to read.
    groups = f"SupplementaryGroups={plan.broker_user}\n" if program == "fleet" else ""
    return f"""[Unit]
Description=Zrazkovo: {_WHAT[program]}{" (%i)" if several else ""}
Wants=network-online.target
After={after}
PartOf=zrazkovo.target
StartLimitIntervalSec=0

[Service]
ExecStart={plan.code}/.venv/bin/python -m {_MODULE[program]} --config {plan.file(f"config/{program}.toml")}
WorkingDirectory={plan.code}{own}
Type=notify
NotifyAccess=main
TimeoutStartSec=infinity
WatchdogSec=120
{secrets}User={USER}
Group={USER}
{groups}Restart=always
RestartSec=2
TimeoutStopSec=30
{limit}ReadWritePaths={plan.state}
{_hardened(plan)}{fixed}
[Install]
WantedBy=zrazkovo.target
"""


def credentials(program: str) -> tuple[str, ...]:
    """The secrets that a program cannot start without."""
    return {"feed": ("broker_password", "ticket_secret"), "api": ()}.get(program, ("broker_password",))


def _hardened(plan: Plan) -> str:
    hidden = any(str(path).startswith(("/home/", "/root/")) for path in (plan.code, plan.out, plan.state))
    return _HARDENED.format(home="read-only" if hidden else "yes")


def _broker(plan: Plan) -> dict[str, str]:
    passwords = f"{plan.state}/broker/passwords"
    before = ""
    # It speaks to systemd as root, and gives the password file to its owner.
    hardened = _hardened(plan).replace("SystemCallFilter=~@privileged @resources\n", "")
    hardened = hardened.replace("BoundingSet=", "BoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER")
    watched = [passwords, plan.file("tls/broker.pem"), plan.file("mosquitto/acl")]
    if plan.kind == "branch":  # elsewhere the fleet service writes that file
        before = f"ExecStartPre={plan.file('mosquitto/passwords.sh')}\n"
        watched = [f"{plan.state}/broker/pads", plan.file("mosquitto/servers"), *watched[1:]]
    return {
        "mosquitto.service.d/zrazkovo.conf": f"""# Debian's own unit with our configuration.
[Service]
ExecStart=
ExecStart=/usr/sbin/mosquitto -c {plan.file("mosquitto/mosquitto.conf")}
Restart=always
RestartSec=2
LimitNOFILE=65536
""",
        "zrazkovo-broker.path": "[Unit]\nDescription=Zrazkovo: new passwords, certificates or rules for the broker\n\n"
        "[Path]\n" + "".join(f"PathChanged={path}\n" for path in watched) + "\n[Install]\nWantedBy=zrazkovo.target\n",
        "zrazkovo-broker.service": f"""[Unit]
Description=Zrazkovo: the broker reads passwords, certificate and rules again

[Service]
Type=oneshot
{before}ExecStart=/bin/systemctl reload mosquitto.service
ReadWritePaths={plan.state}
{hardened}""",
    }


def _backup(plan: Plan) -> dict[str, str]:
    return {
        "zrazkovo-backup.service": f"""[Unit]
Description=Zrazkovo: backup of the database

[Service]
Type=oneshot
ExecStart={plan.file("backup/backup.sh")}
WorkingDirectory={plan.code}
User={USER}
Group={USER}
ReadWritePaths={plan.state}
Nice=10
IOSchedulingClass=idle
{_hardened(plan)}""",
        "zrazkovo-backup.timer": """[Unit]
Description=Zrazkovo: backup of the database, every night

[Timer]
OnCalendar=*-*-* 02:30:00
RandomizedDelaySec=30m
Persistent=true

[Install]
WantedBy=zrazkovo.target
""",
    }


def _target(plan: Plan) -> str:
    return f"""[Unit]
Description=Zrazkovo ({plan.kind})
Wants={" ".join(services(plan))}

[Install]
WantedBy=multi-user.target
"""


def _tmpfiles(plan: Plan) -> str:
    """Folders, and who may read what. Where two users share a folder, files in it belong to the group of both."""
    broker, ours = plan.broker_user, USER
    lines = [
        f"d {plan.state} 0755 {ours} {ours}",
        f"d {plan.state}/mosquitto 0700 {broker} {broker}",
        f"d {plan.state}/broker 2750 {ours} {broker}",
        f"C {plan.state}/broker/passwords 0640 {ours} {broker} - {plan.file('mosquitto/servers')}",
        f"f {plan.state}/broker/pads 0640 {ours} {broker}",
        f"z {plan.out} 0755 root root",
        f"Z {plan.file('config')} u=rwX,g=rX,o= root {ours}",
        f"z {plan.file('mosquitto/acl')} 0640 root {broker}",
        f"z {plan.file('mosquitto/servers')} 0640 root {ours}",
        f"z {plan.file('tls/broker.key')} 0640 root {broker}",
        f"z {plan.file('tls/broker.pem')} 0644 root root",
        f"z {plan.file('tls/ca.pem')} 0644 root root",
    ]
    if plan.kind == "branch":
        lines.append(f"Z {plan.file('mosquitto/bridge')} u=rwX,g=rX,o= root {broker}")
    if plan.has_centre:
        lines += [f"d {plan.state}/{name} 0750 {ours} {ours}" for name in ("releases", "backups")]
    return "\n".join(lines) + "\n"
