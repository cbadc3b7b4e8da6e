"""How every program reads its settings: defaults, then a TOML file, then the environment. It knows no program's keys.

A key that nobody knows is an error wherever it stands, and a secret may stand in the environment only, or come as one
of systemd's credentials, which this process alone can see: a settings file gets copied, committed and mailed.
"""

import importlib.metadata
import json
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from schemas.logs import LogFormat
from schemas.mistakes import Finder, fitting, password_in, sentences, syntax


class BadSettings(ValueError):
    """The settings cannot be used; str() has a line a mistake: file and line, the key, what is wrong, what to do."""


class ProgramSettings(BaseSettings):
    """The base of a program's settings; a subclass sets ``env_prefix`` and names its SECRETS."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")
    SECRETS: ClassVar[tuple[str, ...]] = ()
    NEEDED: ClassVar[tuple[str, ...]] = ()  # secrets that it cannot serve without, though its other commands can

    log_format: LogFormat = "text"  # or "json", a line for each event, for programs that read logs

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

    def secret(self, name: str) -> str:
        """The secret ``name``. Raises BadSettings saying how to set it when it is missing."""
        value = getattr(self, name)
        if value is None:
            variable = f"{self.model_config.get('env_prefix', '')}{name.upper()}"
            raise BadSettings(f"{name}: is missing; set {variable} in the environment")
        assert isinstance(value, SecretStr)
        return value.get_secret_value()

    def require_secrets(self) -> None:
        """Raises BadSettings when one of NEEDED is missing."""
        for name in self.NEEDED:
            self.secret(name)


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


class MetricsSettings(ProgramSettings):
    """Where a process shows its numbers to Prometheus; without a port it shows none."""

    metrics_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None  # 0: any free one, named in the log


def version() -> str:
    """Of the installed program."""
    try:
        return importlib.metadata.version("zrazkovo")
    except importlib.metadata.PackageNotFoundError:  # a bare checkout
        return "unknown"


S = TypeVar("S", bound=ProgramSettings)


def read_settings(program: type[S], file: Path | None, environ: Mapping[str, str]) -> S:
    """The settings of ``program`` out of ``file`` and the process's environment.

    Args:
        environ: the names in it are checked; their values are read from the process itself.

    Raises:
        BadSettings: a key is unknown, missing, of the wrong form, contradicts another, or is a secret in the file.
            Every mistake is told, each with its line and what to do.
    """
    prefix = program.model_config.get("env_prefix", "")
    text = _text(file) if file else ""
    finder = Finder(file, text, prefix, environ)
    values = tomllib.loads(text)
    wrong = [*_wrong_keys(program, values, finder), *_wrong_variables(program, prefix, environ)]
    if file is not None:
        wrong.extend(_shown_to_all(file, values, finder))
    try:
        known = {key: value for key, value in values.items() if key in program.model_fields}
        settings = program(**(known | _credentials(program, environ)))
    except UnreadableVariable as error:
        wrong.append(f"{prefix}...: {error}; lists and tables are written in JSON there")
    except ValidationError as error:
        wrong.extend(sentences(error, program, finder, program.SECRETS))
    if wrong:
        raise BadSettings(_told(list(dict.fromkeys(wrong))))
    return settings


def _credentials(program: type[ProgramSettings], environ: Mapping[str, str]) -> dict[str, Any]:
    """The secrets that systemd has put down for this process alone: a file each, named like its key."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    found: dict[str, Any] = {}
    for key in program.SECRETS if folder else ():
        path = Path(str(folder)) / key
        if path.is_file():
            text = path.read_text(encoding="utf-8").strip()
            found[key] = json.loads(text) if text.startswith("{") else text
    return found


def _told(wrong: list[str]) -> str:
    return wrong[0] if len(wrong) == 1 else "\n  ".join((f"{len(wrong)} mistakes in the settings", *wrong))


def _wrong_keys(program: type[ProgramSettings], values: Mapping[str, Any], finder: Finder) -> Iterator[str]:
    for key in values:
        if key in program.SECRETS:
            variable = finder.variable((key,))
            yield f"{finder.in_file((key,))}a secret may not stand in a file; take it out and set {variable}"
        elif key not in program.model_fields:
            near = fitting(key, (name for name in program.model_fields if name not in program.SECRETS))
            yield f"{finder.in_file((key,))}there is no such setting{near}"


def _wrong_variables(program: type[ProgramSettings], prefix: str, environ: Mapping[str, str]) -> Iterator[str]:
    known = [f"{prefix}{name.upper()}" for name in program.model_fields]
    for name in environ:
        if name.startswith(prefix) and name.upper() not in known:
            yield f"{name}: there is no such setting{fitting(name, known)}"


def _shown_to_all(file: Path, values: Mapping[str, Any], finder: Finder) -> Iterator[str]:
    """A password within a URL may stand in the file (libpq's way), but then not for everybody to read."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if os.name != "posix" or not mode & stat.S_IROTH:
        return
    for key, value in values.items():
        if password_in(value):
            who = f"a password is in it and everybody may read this file (mode {mode:o})"
            yield f"{finder.in_file((key,))}{who}; chmod 640 {file}, or set {finder.variable((key,))} instead"


def _text(file: Path) -> str:
    """What stands in ``file``, which is TOML."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadSettings(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadSettings(f"{file}, line {line}: not UTF-8; save the file in that encoding") from None
    wrong = syntax(text)
    if wrong:
        raise BadSettings(f"{file}, {wrong}")
    return text
