"""The collector's settings: defaults, then the TOML file, then the environment. It opens nothing but that file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from collector.errors import SettingsError
from schemas.settings import BadSettings, BrokerTls, read_settings

PREFIX = "ZRAZKOVO_COLLECTOR_"


class Settings(BrokerTls):
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


def load_settings(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``file`` (TOML) and the environment. Raises SettingsError naming the key at fault."""
    try:
        return read_settings(Settings, file, environ)
    except BadSettings as error:
        raise SettingsError(str(error)) from None
