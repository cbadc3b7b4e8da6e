"""The feed's settings: defaults, then the TOML file, then the environment (ZRAZKOVO_FEED_...). It opens nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

import schemas.settings
from collector.feed.errors import BadSettings
from schemas.settings import BrokerTls, read_settings
from schemas.wire import Name

PREFIX = "ZRAZKOVO_FEED_"
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


class Settings(BrokerTls):
    """Every key of the feed. Secrets come from the environment only."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)
    SECRETS: ClassVar = ("broker_password", "ticket_secret", "fqm_tokens")

    database_url: Annotated[str, Field(min_length=1, repr=False)] = "sqlite:///var/feed.db"
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
    fqm_tokens: dict[str, SecretStr] = Field(default_factory=dict)  # by the name of the FQM; in JSON

    @model_validator(mode="after")
    def _every_fqm_has_a_name_and_a_token(self) -> Self:
        names = [source.name for source in self.fqm]
        if len(set(names)) < len(names):
            raise ValueError("fqm: two have the same name")
        for name in names:
            if name not in self.fqm_tokens:
                raise ValueError(f"fqm_tokens: no token for the FQM {name!r}; set {PREFIX}FQM_TOKENS")
        return self


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``config`` (TOML) and the environment. Raises BadSettings naming the key at fault."""
    try:
        return read_settings(Settings, config, environ)
    except schemas.settings.BadSettings as error:
        raise BadSettings(str(error)) from None
