"""The feed's settings: defaults, then the TOML file, then the environment (ZRAZKOVO_FEED_...). It opens nothing."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from collector.feed.errors import BadSettings
from schemas.wire import Name

PREFIX = "ZRAZKOVO_FEED_"
SECRETS = ("broker_password", "ticket_secret", "fqm_tokens")
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of a token, in hex.")]


class FqmSeat(BaseModel):
    """Who an FQM user is, in our names, and at which desk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator: Name
    desk: Name


class Fqm(BaseModel):
    """One FQM to poll, a ``[[fqm]]`` table; the keys of its tables are FQM's own numbers.

        [[fqm]]
        name = "main"                         # its token: ZRAZKOVO_FEED_FQM_TOKENS='{"main": "..."}'
        url = "http://192.0.2.7:5000"         # the very name that FQM was started with
        offices = {1 = "centre"}              # our branch
        tasks = {1 = "passport"}              # our service
        operators = {3 = {operator = "op-3", desk = "centre-1"}}   # who pulls, and where

    A call pulled by anybody else arms no pad. FQM writes an API token's number where it writes a user's: a token that
    pulls must not share its number with an operator named here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Name, Field(max_length=12)]
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+/?$")]
    offices: dict[int, Name]
    operators: dict[int, FqmSeat]
    tasks: dict[int, Name] = {}
    poll_seconds: Annotated[float, Field(ge=0.2, le=60)] = 1.0


class Settings(BaseSettings):
    """Every key of the feed. Secrets come from the environment only."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = "sqlite:///var/feed.db"
    register_file: Path
    broker_host: str = "127.0.0.1"
    broker_port: Annotated[int, Field(ge=1, le=65535)] = 1883
    broker_user: str = "feed"
    broker_password: SecretStr | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=40)] = "feed-1"
    listen_host: str = "127.0.0.1"
    listen_port: Annotated[int, Field(ge=0, le=65535)] = 8085
    tokens: tuple[Digest, ...] = ()
    ticket_secret: Annotated[SecretStr, Field(min_length=16)]
    call_hours: Annotated[int, Field(ge=1, le=24)] = 4
    no_call_services: frozenset[Name] = frozenset()
    branches: tuple[Name, ...] | None = None  # None: every branch of the register
    fqm: tuple[Fqm, ...] = ()
    fqm_tokens: dict[str, SecretStr] = {}  # by the name of the FQM; in JSON

    @model_validator(mode="after")
    def _every_fqm_has_a_name_and_a_token(self) -> Self:
        names = [source.name for source in self.fqm]
        if len(set(names)) < len(names):
            raise ValueError("fqm: two have the same name")
        for name in names:
            if name not in self.fqm_tokens:
                raise ValueError(f"fqm_tokens: no token for the FQM {name!r}; set {PREFIX}FQM_TOKENS")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file (which comes in as keyword arguments); nothing else."""
        return env_settings, init_settings


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings from ``config`` and the process's environment.

    Raises:
        BadSettings: naming the key, if one is unknown, missing, of the wrong form, or a secret in the file.
    """
    file = _read(config) if config else {}
    for key in file:
        if key in SECRETS:
            raise BadSettings(f"{key}: a secret may not stand in {config}; set {PREFIX}{key.upper()}")
        if key not in Settings.model_fields:
            raise BadSettings(f"{key}: no such setting (in {config})")
    for name in environ:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields:
            raise BadSettings(f"{name}: no such setting")
    try:
        return Settings(**file)
    except SettingsError as error:
        raise BadSettings(f"{PREFIX}...: {error}; lists and tables are written in JSON there") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        where = f"{key}: " if key else ""
        raise BadSettings(f"{where}{first['msg']} (in the file, or as {PREFIX}{key.upper() or '...'})") from None


def _read(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSettings(f"{config}: {error}") from None
