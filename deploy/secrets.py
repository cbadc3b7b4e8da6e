"""Secrets: made once, kept in files of mode 0600, never printed and never overwritten."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from deploy.errors import DeployError
from deploy.plan import Plan
from deploy.units import credentials

_BYTES = 24


class Secrets:
    """The folder ``secrets`` of an installation. What is missing in it is made when it is asked for.

    Args:
        dry: make nothing and write nothing; a missing one then reads as a placeholder.
    """

    def __init__(self, folder: Path, *, dry: bool = False):
        self._folder = folder
        self._dry = dry

    def __getitem__(self, name: str) -> str:
        path = self._folder / name
        try:
            found = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return self._make(path)
        except (OSError, UnicodeDecodeError) as error:
            raise DeployError(f"{path} cannot be read: {error}") from None
        if len(found) < 16 or any(character.isspace() for character in found):
            raise DeployError(f"{path} holds no secret of ours: one word of 16 characters or more")
        path.chmod(0o600)
        return found

    def _make(self, path: Path) -> str:
        made = secrets.token_urlsafe(_BYTES)
        if not self._dry:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(made + "\n")
                file.flush()
                os.fsync(file.fileno())
        return made


def broker_secret(plan: Plan, user: str) -> str:
    """The name of the secret by which ``user`` comes in at the broker."""
    role = {"it": "fleet", plan.feed_user: "feed"}.get(user, user)
    return f"{role}.broker_password"


def needed(plan: Plan) -> Iterable[str]:
    """The names of all secrets of this installation."""
    found = [broker_secret(plan, user) for user in plan.server_users]
    found += [
        f"{program}.{key}" for program in plan.programs for key in credentials(program) if key != "broker_password"
    ]
    if plan.has_feed:
        found.append("queue.token")
    if plan.kind == "branch":
        found.append(bridge_secret(plan.branch))
    return found


def bridge_secret(branch: str) -> str:
    """Made at the centre, carried to the branch."""
    return f"bridge-{branch}.broker_password"
