"""The api's own settings: defaults < TOML file < environment. It opens nothing and reads no arguments."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from schemas.settings import ProgramSettings, read_settings

PREFIX = "ZRAZKOVO_API_"


class Settings(ProgramSettings):
    """Everything that may differ between two installations of the api."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)
    SECRETS: ClassVar = ("bench_token",)

    database_url: str = Field("sqlite:///var/zrazkovo.db", min_length=1, repr=False)
    listen_host: str = Field("127.0.0.1", min_length=1)
    listen_port: int = Field(8080, ge=0, le=65535)  # 0: any free one, named in the ready line
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)  # whose X-Forwarded-* headers are believed
    default_language: Literal["uk", "en", "cs", "pl", "et"] = "uk"
    # Local time of the office at which figures are consolidated, compared and looked through (api/nightly.py).
    nightly_at: str = Field("02:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    session_hours: int = Field(12, ge=1, le=24)  # a working day; then people sign in again
    session_idle_minutes: int = Field(120, ge=5, le=1440)  # of a person who does nothing; a token's session has none
    # So many days after a request for information was closed, who made it is forgotten.
    requester_days: int = Field(1095, ge=30, le=36_500)
    # Told to the program that flashes pads: where their broker is, and the file (PEM) of the authority they trust.
    pads_broker_host: str | None = None
    pads_broker_port: int | None = Field(None, ge=1, le=65535)
    pads_ca_file: str | None = None
    bench_host: str | None = None  # the demonstration's, for "try a pad"; unset everywhere else
    bench_port: int | None = Field(None, ge=1, le=65535)
    bench_token: SecretStr | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.bench_host is None) != (self.bench_port is None):
            raise ValueError("bench_host and bench_port: set both or neither")
        if self.pads_ca_file is not None and not Path(self.pads_ca_file).is_file():
            raise ValueError(f"pads_ca_file: there is no file {self.pads_ca_file}")
        return self


def load_settings(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``file`` (TOML) and the environment. Raises BadSettings naming the key at fault."""
    return read_settings(Settings, file, environ)
