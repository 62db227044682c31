"""Settings, read once from the environment (`NURTURE_…`) or a `.env` file; Temporal's own come as `TEMPORAL_…`."""

from base64 import b64decode
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import EmailStr, Field, IPvAnyAddress, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from nurture.arrivals import origin_of
from nurture.deliverability.ramp import Ramp
from nurture.errors import BadInput, BadSettings
from nurture.pace import speed
from nurture.permission import HouseRules
from nurture.returns.fuse import Fuses
from nurture.tracking.switches import Track

if TYPE_CHECKING:
    from nurture.deliverability.dkim_keys import PrivateKey

PAYLOAD_KEY = 32  # bytes: AES-256


class Settings(BaseSettings):
    """How this installation runs; frozen."""

    model_config = SettingsConfigDict(
        env_prefix="NURTURE_", env_file=".env", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    environment: Literal["development", "production"] = "development"
    database_url: SecretStr = SecretStr("sqlite:///nurture.db")
    campaigns: Path = Path("campaigns")
    templates: Path = Path("templates")
    base_url: str = "http://127.0.0.1:8000"
    secrets: list[SecretStr] = Field(default_factory=lambda: [SecretStr("for development only")], min_length=1)
    """Sign links; the first signs, all are accepted."""
    payload_keys: list[SecretStr] = Field(default_factory=list)
    """Encrypt what Temporal keeps, each 32 bytes in base64; the first encrypts, all decrypt. None: nothing is encrypted."""
    time_zone: str = "UTC"
    language: str = "en"
    phone_region: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """Where phone numbers without a country's code are from, of leads whose country is not given."""
    sender: str = "nurture <hello@example.com>"
    postal_address: str = ""
    speed: str = ""
    """`1d=1s` in development: one day of a journey lasts one second."""

    email_by: Literal["smtp", "amazon_ses", "mailgun", "postmark", "resend", "sendgrid", "unisender_go"] = "smtp"
    """Who takes our e-mail: a relay by SMTP, or a provider by its HTTP API."""
    email_api_key: SecretStr | None = None
    """The provider's key; it is shown to nobody."""
    email_api_url: str | None = None
    """Where its API is, when that is not its usual address: another region, a proxy."""
    email_domain: str | None = None
    """The domain we send from, for a provider that asks for it (Mailgun)."""
    email_connections: int = Field(default=8, ge=1)
    """At most so many messages are handed to the provider at once by each worker."""
    email_rate: float | None = Field(default=None, gt=0)
    """At most so many messages a second from each worker; without it as many as are taken."""
    email_receivers: dict[str, float] = {
        "gmail": 20, "outlook": 10, "yahoo": 10, "icloud": 5, "mail.ru": 10, "yandex": 10,
    }  # fmt: skip
    """At most so many messages a second to a receiver, large ones by name, others by domain, from all workers together."""
    email_receivers_by_mx: bool = False
    """Whether DNS is asked which of the large receivers takes mail for a domain of another's."""
    email_connections_per_receiver: int | None = Field(default=None, ge=1)
    """At most so many messages are handed over at once to one receiver by each worker; without it three quarters."""
    warm_up: dict[str, Ramp] = Field(default_factory=dict)
    """How much marketing goes from a new sender's domain on each day, by the domain."""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_lookup_url: str | None = None
    """Where to ask whether a Message-ID was accepted, for relays that can tell: GET {url}/{message_id}, 200 or 404."""

    dkim_domain: str | None = None
    """Whom signatures vouch for; without it the domain that a message is from."""
    dkim_selector: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
    """By which the public key is found: SELECTOR._domainkey.DOMAIN."""
    dkim_key: SecretStr | None = None
    """Signs messages sent by SMTP, in PEM (RSA or Ed25519), where no relay does; or `dkim_key_file` names its file."""
    dkim_key_file: Path | None = None
    sending_addresses: list[IPvAnyAddress] = Field(default_factory=list)
    """From which addresses the world sees our mail come: those of the relay, when it delivers by itself."""

    sms_by: Literal["smsc", "twilio"] | None = None
    """Who takes our SMS; without it none are sent."""
    sms_account: str = ""
    """The account at the provider: Twilio's Account SID, a login."""
    sms_key: SecretStr | None = None
    """Its token or password; it is shown to nobody."""
    sms_sender: str = ""
    """The number, the service or the name that SMS come from."""
    sms_api_url: str | None = None
    """Where its API is, when that is not its usual address."""
    sms_rate: float | None = Field(default=None, gt=0)
    """At most so many SMS a second from each worker."""
    sms_opt_out: dict[str, str] = Field(
        default_factory=lambda: {"en": "Reply STOP to get no more.", "ru": "Чтобы отписаться, ответьте СТОП."}
    )
    """What stands at the end of the first SMS to a lead, by language; English is for all others."""

    telegram_token: SecretStr | None = None
    """The token of our bot; without it nothing is sent to Telegram."""
    telegram_bot: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    """The bot's user name, for the link by which a lead opens a chat with it."""
    telegram_api_url: str | None = None
    """Where the Bot API is, when that is a server of our own."""
    telegram_rate: float = Field(default=25, gt=0)
    """At most so many messages a second from each worker: Telegram takes about 30 from a bot."""

    return_path: EmailStr | None = None
    """Where bounces of our mail by SMTP come to, each message's at an address of its own: bounces+NAME@example.com."""
    lmtp_host: str = "127.0.0.1"
    lmtp_port: int | None = None
    """Where a worker takes mails that come back, from a mail server; without it, nowhere."""
    imap_host: str | None = None
    """Where the mailbox is that mails come back to; without it, none is read."""
    imap_port: int = 993
    imap_username: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_security: Literal["tls", "starttls", "none"] = "tls"
    imap_folder: str = "INBOX"
    imap_every: timedelta = timedelta(seconds=30)

    teams: dict[str, EmailStr] = Field(default_factory=dict)
    """Where notices to a team go: `{"sales": "sales@example.com"}`."""
    team_notices: dict[str, SecretStr] = Field(default_factory=dict)
    """Where notices to a team go instead, as an address of apprise: `{"sales": "slack://…"}`; it is shown to nobody."""
    sales_webhook: str | None = None
    private_hooks: bool = False
    """Whether webhooks may go to addresses in private networks; to this machine they may in development anyway."""
    hook_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """Secrets of webhooks in and out by key, several separated by spaces: `whsec_… whsec_…` (`sales` for `sales_webhook`)."""

    sites: list[str] = Field(default_factory=list)
    """Origins of the team's own sites (`https://www.example.com`): they may embed forms and send page views."""
    returned_after: timedelta = timedelta(days=7)
    """Who visits again after so long has `returned`."""

    sign_offs: Literal["advised", "required"] = "advised"
    """Whether a definition that marketing and sales have not both signed stays in the shadow."""
    rules: HouseRules = HouseRules()
    tracking: Track = Track()
    """What of messages is followed, in campaigns that say nothing else."""
    fuses: Fuses = Fuses()
    """How many complaints and bounces pause a campaign or a mailing."""
    task_queue: str = "nurture"
    walks_at_once: int = Field(default=100, ge=1)
    """Walks that one worker makes at the same time; hand-offs and bulk runs have places of their own."""
    metrics_host: str = "127.0.0.1"
    """Where the ports below are listened on."""
    web_metrics_port: int | None = None
    """Where a web process shows /live, /ready and /metrics; without it, nowhere."""
    worker_metrics_port: int | None = None
    """The same of a worker."""
    temporal_metrics_port: int | None = None
    """Where a worker shows the metrics of Temporal's own client."""
    outbox_limit: int = 1_000_000
    """Events not yet delivered, above which intake answers 503."""

    @field_validator("payload_keys")
    @classmethod
    def _whole_keys(cls, keys: list[SecretStr]) -> list[SecretStr]:
        if any(len(_decoded(key)) != PAYLOAD_KEY for key in keys):
            raise ValueError("each is 32 random bytes in base64: make one with openssl rand -base64 32")
        return keys

    @field_validator("email_receivers")
    @classmethod
    def _some_rate(cls, rates: dict[str, float]) -> dict[str, float]:
        if wrong := [name for name, rate in rates.items() if not 0 < rate <= 10_000]:
            raise ValueError(
                f"{wrong[0]}: write messages a second, more than none: leave it out for as many as are taken"
            )
        return rates

    @field_validator("warm_up")
    @classmethod
    def _by_domain(cls, ramps: dict[str, Ramp]) -> dict[str, Ramp]:
        return {domain.strip().lower(): ramp for domain, ramp in ramps.items()}

    @field_validator("sites")
    @classmethod
    def _origins(cls, sites: list[str]) -> list[str]:
        if wrong := [site for site in sites if not origin_of(site)]:
            raise ValueError(f"{wrong[0]!r} is no origin: write https://www.example.com")
        return [origin_of(site) for site in sites]

    @model_validator(mode="after")
    def _safe_in_production(self) -> "Settings":
        if self.environment == "production":
            if self.pace_factor != 1:
                raise ValueError("speed: only for development; take NURTURE_SPEED away")
            if any(len(secret.get_secret_value()) < 32 for secret in self.secrets):
                raise ValueError('secrets: in production give at least 32 random characters: NURTURE_SECRETS=["…"]')
        return self

    @model_validator(mode="after")
    def _a_key_for_the_provider(self) -> "Settings":
        if self.email_by != "smtp" and (self.email_api_key is None or not self.email_api_key.get_secret_value()):
            raise ValueError(f"email_api_key: {self.email_by} asks for a key: set NURTURE_EMAIL_API_KEY")
        if self.email_by == "mailgun" and not self.email_domain:
            raise ValueError("email_domain: Mailgun asks for the domain it sends from: set NURTURE_EMAIL_DOMAIN")
        return self

    @model_validator(mode="after")
    def _a_key_that_signs(self) -> "Settings":
        if (pem := self._dkim_pem) is None:
            return self
        if self.dkim_selector is None:
            raise ValueError("dkim_selector: a key of DKIM is published under one: set NURTURE_DKIM_SELECTOR")
        from nurture.deliverability.dkim_keys import private_key  # what is not used is not loaded

        try:
            private_key(pem)
        except BadInput as error:
            raise ValueError(f"dkim_key: {error}") from None
        return self

    @property
    def _dkim_pem(self) -> str | None:
        if self.dkim_key is not None:
            return self.dkim_key.get_secret_value()
        if self.dkim_key_file is None:
            return None
        try:
            return self.dkim_key_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"dkim_key_file: {self.dkim_key_file} cannot be read: {type(error).__name__}") from None

    @cached_property
    def dkim_private_key(self) -> "PrivateKey | None":
        """The key that signs our mail, when there is one."""
        from nurture.deliverability.dkim_keys import private_key

        return None if (pem := self._dkim_pem) is None else private_key(pem)

    @model_validator(mode="after")
    def _all_that_sms_ask_for(self) -> "Settings":
        if self.sms_by is None:
            return self
        if not self.sms_account or self.sms_key is None or not self.sms_key.get_secret_value():
            raise ValueError(f"sms_by: {self.sms_by} asks for NURTURE_SMS_ACCOUNT and NURTURE_SMS_KEY")
        if self.sms_by == "twilio" and not self.sms_sender:
            raise ValueError(
                "sms_sender: Twilio asks for the number or service (MG…) that sends: set NURTURE_SMS_SENDER"
            )
        if not self.sms_opt_out.get("en"):
            raise ValueError('sms_opt_out: say in English, too, how to get no more: {"en": "Reply STOP …"}')
        return self

    @property
    def payload_key_bytes(self) -> list[bytes]:
        """The keys that encrypt payloads, ready for use."""
        return [_decoded(key) for key in self.payload_keys]

    @property
    def places_per_receiver(self) -> int:
        """How many of the connections one receiver may have."""
        return self.email_connections_per_receiver or max(1, self.email_connections * 3 // 4)

    @property
    def pace_factor(self) -> float:
        """How many times faster than the calendar new journeys run."""
        return speed(self.speed) if self.speed else 1.0


def _decoded(key: SecretStr) -> bytes:
    """The bytes behind base64, none when it is no base64."""
    try:
        return b64decode(key.get_secret_value(), validate=True)
    except ValueError:
        return b""


def read_settings() -> Settings:
    """The settings of this process; a bad one is named with its remedy, never with its value."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [f"NURTURE_{'__'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
        raise BadSettings("; ".join(faults)) from None
    except SettingsError as error:
        name = str(error).partition('"')[2].partition('"')[0].upper()
        raise BadSettings(f"NURTURE_{name}: this is no JSON: see the example in docs/settings.md") from None
