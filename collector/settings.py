"""The collector's settings: defaults, then the TOML file, then the environment. It opens nothing but that file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from collector.errors import SettingsError

PREFIX = "ZRAZKOVO_COLLECTOR_"
SECRETS = ("broker_password",)  # by environment only: a file gets copied, committed and mailed


class Settings(BaseSettings):
    """Everything that may differ between two installations of the collector."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: Annotated[str, Field(min_length=1, repr=False)] = "sqlite:///var/zrazkovo.db"
    register_file: Path | None = None  # loaded at every start
    broker_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    broker_port: Annotated[int, Field(ge=1, le=65535)] = 1883
    broker_user: Annotated[str, Field(min_length=1)] = "collector"
    broker_password: SecretStr | None = None
    # The broker keeps what arrives while we are away under this name: fixed, and another one for each collector.
    client_id: Annotated[str, Field(min_length=1, max_length=23, pattern="^[A-Za-z0-9-]+$")] = "collector-1"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file (which comes in as arguments); nothing else."""
        return env_settings, init_settings


def load_settings(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``file`` (TOML) and the process's environment.

    Raises:
        SettingsError: naming the key that is unknown, of the wrong form, or a secret in the file.
    """
    values = _read(file) if file else {}
    for key in SECRETS:
        if key in values:
            raise SettingsError(f"{file}: {key} is a secret: set {PREFIX}{key.upper()} instead")
    for name in environ:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields:
            raise SettingsError(f"{name}: there is no such setting")
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{key}: {first['msg']}") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: not TOML: {error}") from None
