"""The feed's settings: defaults, then the TOML file, then the environment (ZRAZKOVO_FEED_...). It opens nothing."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

import schemas.settings
from collector.feed.csv_file import CsvFile
from collector.feed.errors import BadSettings
from collector.feed.fqm import Fqm
from collector.feed.qmatic import Qmatic
from collector.feed.qsystem import QSystem
from collector.feed.registry import ADAPTERS
from collector.feed.sql import SqlTable
from collector.feed.theq import TheQ
from schemas.settings import BrokerTls, read_settings
from schemas.wire import Name

PREFIX = "ZRAZKOVO_FEED_"
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of a token, in hex.")]


class NoCalls(BaseModel):
    """A service that is served without a client at the desk, a ``[[no_calls]]`` table; the days are the branch's own.

    [[no_calls]]
    service = "archive"
    branches = ["centre"]      # without: everywhere
    valid_from = 2026-03-01    # without: always has been
    valid_to = 2026-09-01      # the first day on which it is called again; without: still is not
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Name
    branches: tuple[Name, ...] | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class Settings(BrokerTls):
    """Every key of the feed. Secrets come from the environment only."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)
    SECRETS: ClassVar = ("broker_password", "ticket_secret", "fqm_tokens", "source_secrets")

    database_url: Annotated[str, Field(min_length=1, repr=False)] = "sqlite:///var/feed.db"
    register_file: Path
    broker_host: str = "127.0.0.1"
    broker_port: Annotated[int, Field(ge=1, le=65535)] = 1883
    broker_user: str = "feed"
    broker_password: SecretStr | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=40)] = "feed-1"
    listen_host: str = "127.0.0.1"
    listen_port: Annotated[int, Field(ge=0, le=65535)] = 8085
    listen_certificate: Path | None = None  # PEM, with its chain: then HTTPS is served, and nothing else
    listen_key: Path | None = None
    tokens: tuple[Digest, ...] = ()
    ticket_secret: Annotated[SecretStr, Field(min_length=16)]
    call_hours: Annotated[int, Field(ge=1, le=24)] = 4
    no_call_services: frozenset[Name] = frozenset()
    no_calls: tuple[NoCalls, ...] = ()
    idle_minutes: dict[Name, Annotated[int, Field(ge=1, le=1440)]] = Field(default_factory=dict)  # by branch
    void_seconds: Annotated[float, Field(ge=0, le=30)] = 3.0
    absent_seconds: Annotated[float, Field(ge=0, le=120)] = 0.0
    one_desk_an_operator: bool | None = None  # None: holds for the operators of the register
    branches: tuple[Name, ...] | None = None  # None: every branch of the register
    # Queue systems to poll, or that call; a field a kind of registry.py. Secrets: by the source's name, in JSON.
    fqm: tuple[Fqm, ...] = ()
    qsystem: tuple[QSystem, ...] = ()
    theq: tuple[TheQ, ...] = ()
    qmatic: tuple[Qmatic, ...] = ()
    sql: tuple[SqlTable, ...] = ()
    csv: tuple[CsvFile, ...] = ()
    record_folder: Path | None = None  # keeps what queue systems tell, for `python -m collector.feed check`
    fqm_tokens: dict[str, SecretStr] = Field(default_factory=dict)
    source_secrets: dict[str, SecretStr] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_source_has_a_name_and_every_fqm_a_token(self) -> Self:
        names = [source.name for kind in ADAPTERS for source in getattr(self, kind)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{', '.join(ADAPTERS)}: two have the same name {name!r}")
        for source in self.fqm:
            if self.secret_of(source.name) is None:
                raise ValueError(f"fqm_tokens: no token for the FQM {source.name!r}; set {PREFIX}FQM_TOKENS")
        for kind, tables in (("theq", self.theq), ("qmatic", self.qmatic), ("sql", self.sql)):
            for table in tables:
                problem = table.secret_problem(self.secret_of(table.name))
                if problem is not None:
                    example = f'{PREFIX}SOURCE_SECRETS=\'{{"{table.name}": "..."}}\''
                    raise ValueError(f"{kind}.{table.name}: {problem}; set {example}")
        return self

    @model_validator(mode="after")
    def _listens_with_both_or_none(self) -> Self:
        if (self.listen_certificate is None) != (self.listen_key is None):
            raise ValueError("listen_certificate and listen_key: one without the other")
        return self

    def secret_of(self, source: str) -> str | None:
        """The secret of the source of that name, out of ``source_secrets`` or, for an FQM, ``fqm_tokens``."""
        secret = self.source_secrets.get(source) or self.fqm_tokens.get(source)
        return secret.get_secret_value() if secret else None


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``config`` (TOML) and the environment. Raises BadSettings naming the key at fault."""
    try:
        return read_settings(Settings, config, environ)
    except schemas.settings.BadSettings as error:
        raise BadSettings(str(error)) from None
