"""The api's own settings: defaults < TOML file < environment. It opens nothing and reads no arguments."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from api.access.roles import role_of
from collector.store import Limits
from schemas.settings import ProgramSettings, read_settings

PREFIX = "ZRAZKOVO_API_"


class GroupRole(BaseModel):
    """Whoever is in ``group`` at the office's sign-in has this role here, with these limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str = Field(min_length=1)
    role: str
    branches: tuple[str, ...] | None = None
    participants: tuple[str, ...] | None = None
    directions: tuple[str, ...] | None = None
    operator_claim: str | None = None  # for the role operator: the claim that holds the operator's id

    @model_validator(mode="after")
    def _is_a_role_with_its_limits(self) -> Self:
        role = role_of(self.role)
        if role is None:
            raise ValueError(f"there is no role {self.role}")
        if role.missing(self.limits("x" if self.operator_claim else None)):
            raise ValueError(f"the role {self.role} needs other limits: {', '.join(sorted(role.needs)) or 'none'}")
        return self

    def limits(self, operator: str | None) -> Limits:
        """The limits of somebody in the group."""

        def own(ids: tuple[str, ...] | None) -> frozenset[str] | None:
            return None if ids is None else frozenset(ids)

        return Limits(own(self.branches), own(self.participants), own(self.directions), operator)


class Settings(ProgramSettings):
    """Everything that may differ between two installations of the api."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)
    SECRETS: ClassVar = ("bench_token", "oidc_client_secret")

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
    # The office's own sign-in (OpenID Connect); unset: people sign in with passwords only. See api/access/elsewhere.py.
    oidc_issuer: str | None = Field(None, pattern=r"^https?://[^\s?#]+$", max_length=250)
    oidc_name: str = Field("OpenID Connect", min_length=1, max_length=60)  # what the button says
    oidc_client_id: str | None = Field(None, min_length=1)
    oidc_client_secret: SecretStr | None = None  # by the environment only
    oidc_groups_claim: str = Field("groups", min_length=1)
    oidc_ca_file: str | None = None  # of an authority of the office's own (PEM)
    oidc_skew_s: int = Field(60, ge=0, le=300)  # how far its clock may be from ours
    oidc_groups: tuple[GroupRole, ...] = ()  # the first that fits counts
    # From which day of a month on the reports of the month before are made by themselves, and in which languages (none
    # named: the office's own). Late votes may still come on its first days.
    reports_day: int = Field(3, ge=1, le=28)
    report_languages: tuple[str, ...] = ()
    # The day of the month on which the month before is published by itself; 0: only a person publishes.
    publish_on_day: int = Field(5, ge=0, le=28)
    # For open data: where the pages are to be found for ever ("https://ratings.city.example"), and who publishes.
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/]+(/[^\s]*)?$")
    publisher_identifier: str = Field("", max_length=40)  # in the national register of organisations
    contact_name: str = Field("", max_length=120)
    contact_email: str = Field("", max_length=120)
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
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("oidc_issuer and oidc_client_id: set both or neither")
        if self.oidc_issuer and not self.oidc_issuer.startswith("https://") and not is_loopback(self.oidc_issuer):
            raise ValueError("oidc_issuer: https, or this machine itself")
        if self.oidc_ca_file is not None and not Path(self.oidc_ca_file).is_file():
            raise ValueError(f"oidc_ca_file: there is no file {self.oidc_ca_file}")
        if self.pads_ca_file is not None and not Path(self.pads_ca_file).is_file():
            raise ValueError(f"pads_ca_file: there is no file {self.pads_ca_file}")
        return self


def is_loopback(address: str) -> bool:
    """Whether an http address names this machine only."""
    host = urlsplit(address).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def load_settings(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``file`` (TOML) and the environment. Raises BadSettings naming the key at fault."""
    return read_settings(Settings, file, environ)
