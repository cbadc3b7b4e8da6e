"""``ca ACTION FOLDER``: makes, renews and rolls over the certificates of broker and pads (firmware/host/ca.py).

To renew the broker's certificate: `ca server` again, SIGHUP to Mosquitto. To renew the authority, without a pad losing
the broker for a minute: `ca renew`; give every pad the new ca.der, which holds the old anchor and the new one; `ca
server`, SIGHUP; later `ca retire`, and the old anchor goes when a pad is next provisioned.
"""

import argparse
from pathlib import Path

from firmware.host import ca

_DAYS = {"init": ca.AUTHORITY_DAYS, "renew": ca.AUTHORITY_DAYS, "server": ca.SERVER_DAYS, "client": ca.CLIENT_DAYS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    lines = {
        "init": "make the authority",
        "server": "a certificate for the broker, under every name and address by which pads call it",
        "client": "a certificate for one pad (mutual TLS; passwords stay needed)",
        "renew": "add the authority's successor; pads trust both",
        "retire": "trust the newest authority alone",
    }
    added = {name: actions.add_parser(name, help=line, description=line) for name, line in lines.items()}
    for name, each in added.items():
        each.add_argument("folder", type=Path, metavar="FOLDER", help="where the authority lives")
        if name in _DAYS:
            each.add_argument("--days", type=_days, default=_DAYS[name], help=f"validity, {_DAYS[name]} by default")
    added["init"].add_argument("--name", default="Zrazkovo CA", help="its name in certificates")
    added["server"].add_argument("hosts", nargs="+", metavar="HOST", help="name or address, the first names the file")
    added["server"].add_argument("--p256", action="store_true", help="a key on P-256 instead of RSA-2048")
    added["server"].add_argument("--port", type=int, default=8883, help="of the listener that is printed")
    added["server"].add_argument("--mutual", action="store_true", help="the listener demands a certificate of pads")
    added["client"].add_argument("desk", metavar="DESK")


def run(arguments: argparse.Namespace) -> int:
    authority = ca.Authority(arguments.folder.resolve())
    if arguments.action == "init":
        authority.init(arguments.name, days=arguments.days)
        print(f"{authority.folder / 'ca.der'} is for pads, issuer.key for nobody: keep it off the broker")
    elif arguments.action == "server":
        made = authority.server(arguments.hosts, days=arguments.days, bits=None if arguments.p256 else 2048)
        print("# For mosquitto.conf; the files must be readable by Mosquitto's user. Renewed: SIGHUP is enough.")
        print(ca.mosquitto_listener(authority.folder, made, port=arguments.port, mutual=arguments.mutual), end="")
    elif arguments.action == "client":
        made = authority.client(arguments.desk, days=arguments.days)
        print(f"{made} and {made.with_suffix('.key')} become the pad's client.der and client.key")
    elif arguments.action == "renew":
        authority.renew(days=arguments.days)
        print(f"give every pad the new {authority.folder / 'ca.der'} first, then make the broker's certificate anew")
    else:
        authority.retire()
        print(f"{authority.folder / 'ca.der'} holds the newest authority alone")
    return 0


def _days(text: str) -> int:
    days = int(text)
    if days < 1:
        raise ValueError("less than a day")
    return days
