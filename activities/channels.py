"""The channels of an installation, made by its settings and its catalogue."""

from collections.abc import Callable
from datetime import datetime

from activities.messengers import MessengerChannel
from activities.webhooks import webhooks
from nurture.addresses import EMAIL, SMS, TELEGRAM
from nurture.catalogue import Catalogue
from nurture.channels import Channel
from nurture.channels.api import ApiChannel
from nurture.channels.by_receiver import ByReceiver
from nurture.channels.guarded import GuardedChannel
from nurture.channels.mail import Mail
from nurture.channels.measured import MeasuredChannel
from nurture.channels.notices import NoticeChannel
from nurture.channels.providers.names import PROVIDERS
from nurture.channels.rated import RatedChannel
from nurture.channels.smtp import SmtpChannel
from nurture.channels.texts.names import SMS_PROVIDERS
from nurture.channels.texts.telegram import Telegram
from nurture.deliverability.receivers import receiver
from nurture.metrics import Metrics
from nurture.settings import Settings
from nurture.store import Store


def channels(settings: Settings, store: Store, catalogue: Catalogue, metrics: Metrics) -> dict[str, Channel]:
    """The channels that are set up, by name: measured, at their rate, behind breakers, and mail by its receivers."""
    email = _by_api(settings) if settings.email_by != "smtp" else _by_smtp(settings)
    found: list[tuple[Channel, float | None]] = [(email, settings.email_rate)]
    if settings.sms_by is not None:
        found.append((_sms(settings), settings.sms_rate))
    if settings.telegram_token is not None:
        bot = Telegram(settings.telegram_token)
        found.append((ApiChannel(bot, name=TELEGRAM, url=settings.telegram_api_url), settings.telegram_rate))
    found += [(MessengerChannel(one, webhooks(settings)), None) for one in catalogue.messengers.values()]
    if settings.team_notices:
        found.append((NoticeChannel(settings.team_notices), None))
    made: dict[str, Channel] = {}
    for channel, rate in found:
        measured = MeasuredChannel(channel, metrics)
        made[channel.name] = GuardedChannel(RatedChannel(measured, rate) if rate else measured, store)
    return made | {EMAIL: _by_receiver(made[EMAIL], settings, store)}


def _by_receiver(channel: Channel, settings: Settings, store: Store) -> Channel:
    """Mail to each of its receivers at its own rate."""
    return ByReceiver(
        channel,
        store,
        rates=settings.email_receivers,
        places=settings.places_per_receiver,
        receiver_of=_receivers(settings),
    )


def _receivers(settings: Settings) -> Callable[[str], str]:
    """Who takes mail for an address."""
    if not settings.email_receivers_by_mx:
        return receiver
    from nurture.deliverability.hosting import Hosting  # what is not used is not loaded
    from nurture.deliverability.resolver import Resolved

    return Hosting(Resolved()).receiver


def _sms(settings: Settings) -> Channel:
    assert settings.sms_by is not None  # asked before
    assert settings.sms_key is not None  # the settings see to it
    reported = settings.sms_by in settings.hook_secrets
    report_to = f"{settings.base_url.rstrip('/')}/hooks/texts/{settings.sms_by}" if reported else ""
    made = SMS_PROVIDERS[settings.sms_by](settings.sms_key, settings.sms_account, settings.sms_sender, report_to)
    return ApiChannel(made, name=SMS, url=settings.sms_api_url)


def _by_api(settings: Settings) -> Channel:
    assert settings.email_api_key is not None  # the settings see to it
    provider = PROVIDERS[settings.email_by](settings.email_api_key, settings.email_domain)
    return ApiChannel(provider, url=settings.email_api_url, connections=settings.email_connections)


def _by_smtp(settings: Settings) -> Channel:
    return SmtpChannel(
        settings.smtp_host,
        settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password,
        security=settings.smtp_security,
        connections=settings.email_connections,
        lookup_url=settings.smtp_lookup_url,
        sign=_signer(settings),
        return_path=settings.return_path,
    )


def _signer(settings: Settings) -> Callable[[Mail, datetime], Mail] | None:
    """What signs our mail, where no relay does."""
    if settings.dkim_private_key is None or settings.dkim_selector is None:
        return None
    from nurture.deliverability.signing import Signer  # what is not used is not loaded

    return Signer(settings.dkim_private_key, settings.dkim_selector, settings.dkim_domain).signed
