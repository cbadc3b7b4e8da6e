"""The api's own settings: defaults < TOML file < environment. It opens nothing and reads no arguments."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "ZRAZKOVO_API_"
SECRETS = ("bench_token",)  # by environment only: a file gets copied, committed and mailed


class SettingsError(Exception):
    """The settings are not usable; str() names the key."""


class Settings(BaseSettings):
    """Everything that may differ between two installations of the api."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = Field("sqlite:///var/zrazkovo.db", min_length=1)
    listen_host: str = Field("127.0.0.1", min_length=1)
    listen_port: int = Field(8080, ge=0, le=65535)  # 0: any free one, named in the ready line
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)  # whose X-Forwarded-* headers are believed
    default_language: Literal["uk", "en"] = "uk"
    bench_host: str | None = None  # the demonstration's, for "try a pad"; unset everywhere else
    bench_port: int | None = Field(None, ge=1, le=65535)
    bench_token: SecretStr | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings  # the environment wins over the file, which comes as arguments


def load_settings(file: Path | None) -> Settings:
    """The settings out of ``file`` (TOML) and the environment. Raises SettingsError naming the key at fault."""
    values = _read(file) if file is not None else {}
    for secret in SECRETS:
        if secret in values:
            raise SettingsError(f"{file}: {secret} is a secret: set {PREFIX}{secret.upper()} instead")
    for key in values:
        if key not in Settings.model_fields:
            raise SettingsError(f"{key}: there is no such setting")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{key}: {first['msg']}") from None
    if (settings.bench_host is None) != (settings.bench_port is None):
        raise SettingsError("bench_host and bench_port: set both or neither")
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None
