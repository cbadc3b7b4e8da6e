"""The fleet service's settings: defaults, then the TOML file, then the environment (ZRAZKOVO_FLEET_...)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import SettingsConfigDict

from collector.errors import SettingsError
from collector.store.faults import KINDS
from schemas.settings import BadSettings, BrokerTls, MetricsSettings, read_settings
from schemas.wire import Name

PREFIX = "ZRAZKOVO_FLEET_"
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s:,]+@[^@\s:,]+$", max_length=200)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=290)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Settings(BrokerTls, MetricsSettings):
    """Every key of the fleet service. Secrets come from the environment only."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)
    SECRETS: ClassVar = ("broker_password", "mail_password", "webhook_secret")
    NEEDED: ClassVar = ("broker_password",)

    database_url: Annotated[str, Field(min_length=1, repr=False)] = "sqlite:///var/zrazkovo.db"
    broker_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    broker_port: Annotated[int, Field(ge=1, le=65535)] = 1883
    broker_user: Annotated[str, Field(min_length=1)] = "it"
    broker_password: SecretStr | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=40)] = "it-fleet"

    # What is a fault, and when.
    armed_s: Seconds = 2.0  # order P3.3
    grace_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0  # after a connection, for the pads to come back too
    offline_s: Seconds = 300.0
    silent_s: Seconds = 200.0
    broker_s: Seconds = 30.0
    feed_quiet_minutes: Annotated[float, Field(gt=0, le=1440)] = 30.0  # without a call, while the branch is open
    feed_silent_s: Seconds = 200.0  # without a word of its feed, or of the queue system to its feed
    restarts: Annotated[int, Field(ge=2, le=100)] = 3
    restarts_within_s: Seconds = 900.0

    # Who is told of what. Heads of branches are told of dark pads, IT and webhooks of everything in ``tell``.
    # An office that switches its pads off at night takes "offline" out of it.
    tell: tuple[str, ...] = KINDS
    it_mail: tuple[Address, ...] = ()
    head_mail: dict[Name, tuple[Address, ...]] = Field(default_factory=dict)  # by branch
    webhooks: tuple[Url, ...] = ()
    webhook_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    mail_host: str | None = None
    mail_port: Annotated[int, Field(ge=1, le=65535)] = 587
    mail_from: Address | None = None
    mail_starttls: bool = True
    mail_ca_file: Path | None = None  # whom to trust if the mail server's certificate is the office's own
    mail_user: str | None = None
    mail_password: SecretStr | None = None
    gather_s: Annotated[float, Field(ge=0, le=600)] = 3.0  # a first message waits so long for what belongs to it
    fold_s: Annotated[float, Field(ge=0, le=86_400)] = 300.0  # between two messages to one recipient

    # Updates: a folder of release folders, and how much all pads together may load.
    releases: Path | None = None
    pieces_per_second: Annotated[int, Field(ge=1, le=100_000)] = 400

    # The broker's password file; without both, registered pads are let in by hand.
    password_base: Path | None = None
    password_file: Path | None = None
    broker_pid_file: Path | None = None  # SIGHUP goes there ...
    broker_reload: str | None = None  # ... or this command runs; without either the broker looks by itself

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.it_mail or self.head_mail) and (self.mail_host is None or self.mail_from is None):
            raise ValueError("it_mail, head_mail: set mail_host and mail_from too")
        if self.webhooks and self.webhook_secret is None:
            raise ValueError(f"webhooks: set {PREFIX}WEBHOOK_SECRET, 16 characters or more")
        if (self.password_base is None) != (self.password_file is None):
            raise ValueError("password_base and password_file: one without the other")
        if self.broker_pid_file is not None and self.broker_reload is not None:
            raise ValueError("broker_pid_file and broker_reload: only one of them")
        for kind in self.tell:
            if kind not in KINDS:
                raise ValueError(f"tell: there is no fault {kind!r}")
        return self


def load_settings(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings out of ``file`` (TOML) and the environment. Raises SettingsError naming the key at fault."""
    try:
        return read_settings(Settings, file, environ)
    except BadSettings as error:
        raise SettingsError(str(error)) from None
