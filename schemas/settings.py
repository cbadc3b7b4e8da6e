"""How every program reads its settings: defaults, then a TOML file, then the environment. It knows no program's keys.

A key that nobody knows is an error wherever it stands, and a secret may stand in the environment only: a file gets
copied, committed and mailed.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable


class BadSettings(ValueError):
    """The settings cannot be used; str() names the key and says what is wrong with it."""


class ProgramSettings(BaseSettings):
    """The base of a program's settings; a subclass sets ``env_prefix`` and names its SECRETS."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")
    SECRETS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which comes in as arguments; nothing else is read."""
        return env_settings, init_settings


class BrokerTls(ProgramSettings):
    """Whom a program believes that it is the broker, and how it proves itself there. Files in PEM; all of them paths.

    ``broker_ca`` holds the authorities that may have signed the broker's certificate; without it the line is plain,
    which is for a broker on the same machine. A certificate of the program's own comes with its key.
    """

    broker_ca: Path | None = None
    broker_certificate: Path | None = None
    broker_key: Path | None = None

    @model_validator(mode="after")
    def _tls_fits_together(self) -> Self:
        if (self.broker_certificate is None) != (self.broker_key is None):
            raise ValueError("broker_certificate and broker_key: one without the other")
        if self.broker_certificate is not None and self.broker_ca is None:
            raise ValueError("broker_certificate: needs broker_ca too, or the line is not encrypted")
        return self


S = TypeVar("S", bound=ProgramSettings)


def read_settings(program: type[S], file: Path | None, environ: Mapping[str, str]) -> S:
    """The settings of ``program`` out of ``file`` and the process's environment.

    Args:
        environ: the names in it are checked; their values are read from the process itself.

    Raises:
        BadSettings: a key is unknown, missing, of the wrong form, or a secret in the file.
    """
    prefix = program.model_config.get("env_prefix", "")
    values = _read(file) if file else {}
    for key in values:
        if key in program.SECRETS:
            raise BadSettings(f"{key}: a secret may not stand in {file}; set {prefix}{key.upper()}")
        if key not in program.model_fields:
            raise BadSettings(f"{key}: there is no such setting (in {file})")
    for name in environ:
        if name.startswith(prefix) and name.removeprefix(prefix).lower() not in program.model_fields:
            raise BadSettings(f"{name}: there is no such setting")
    try:
        return program(**values)
    except UnreadableVariable as error:
        raise BadSettings(f"{prefix}...: {error}; lists and tables are written in JSON there") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        where = f"{key}: " if key else ""
        raise BadSettings(f"{where}{first['msg']} (in the file, or as {prefix}{key.upper() or '...'})") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"{file}: {error.strerror}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise BadSettings(f"{file}: not TOML: {error}") from None
