"""The collector's settings: defaults, then the TOML file, then the environment. It opens nothing but that file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from collector.errors import SettingsError
from protocol.access import COLLECTORS
from schemas.settings import BadSettings, BrokerTls, MetricsSettings, read_settings

PREFIX = "ZRAZKOVO_COLLECTOR_"


class Settings(BrokerTls, MetricsSettings):
    """Everything that may differ between two installations of the collector."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)
    SECRETS: ClassVar = ("broker_password",)
    NEEDED: ClassVar = ("broker_password",)

    database_url: Annotated[str, Field(min_length=1, repr=False)] = "sqlite:///var/zrazkovo.db"
    register_file: Path | None = None  # loaded at every start
    broker_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    broker_port: Annotated[int, Field(ge=1, le=65535)] = 1883
    broker_user: Annotated[str, Field(min_length=1)] = "collector"
    broker_password: SecretStr | None = None
    # The broker keeps what arrives while we are away under this name: fixed, and another one for each collector.
    client_id: Annotated[str, Field(min_length=1, max_length=23, pattern="^[A-Za-z0-9-]+$")] = "collector-1"
    # Collectors of one group share the load at brokers that have shared subscriptions (Mosquitto 2, not the demo's).
    # Each is then a user of its own at the broker, "collector-1" to "collector-8", and the session bears its name.
    shared_group: Annotated[str, Field(min_length=1, max_length=40, pattern="^[A-Za-z0-9-]+$")] | None = None

    # A folder, on another disk than the database: what was acknowledged, once more, for the day on which a backup must
    # be put back (collector/spool.py). None: a backup loses what came after it.
    spool: Path | None = None
    spool_days: Annotated[int, Field(ge=1, le=3660)] = 35  # longer than from one backup that one trusts to the next

    # How long what may be traced to a person is kept. A ticket's pseudonym: until complaints about its visit are over.
    # The log of who read figures of operators and desks: three years.
    ticket_days: Annotated[int, Field(ge=1, le=3660)] = 92
    access_log_days: Annotated[int, Field(ge=30, le=36600)] = 1096

    @model_validator(mode="after")
    def _group_fits_together(self) -> Self:
        if self.shared_group is not None and self.broker_user not in COLLECTORS:
            names = f"{COLLECTORS[0]!r} to {COLLECTORS[-1]!r}"
            raise ValueError(f"shared_group: needs a broker_user of this collector's own, {names}")
        return self

    @property
    def session(self) -> str:
        """The name of the session at the broker."""
        return self.client_id if self.shared_group is None else self.broker_user


def load_settings(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``file`` (TOML) and the environment. Raises SettingsError naming the key at fault."""
    try:
        return read_settings(Settings, file, environ)
    except BadSettings as error:
        raise SettingsError(str(error)) from None
