"""The providers by the names that the settings call them."""

from collections.abc import Mapping

from nurture.channels.providers import Provider
from nurture.channels.providers.amazon_ses import AmazonSes
from nurture.channels.providers.mailgun import Mailgun
from nurture.channels.providers.postmark import Postmark
from nurture.channels.providers.resend import Resend
from nurture.channels.providers.sendgrid import SendGrid
from nurture.channels.providers.unisender_go import UnisenderGo

PROVIDERS: Mapping[str, type[Provider]] = {
    "amazon_ses": AmazonSes,
    "mailgun": Mailgun,
    "postmark": Postmark,
    "resend": Resend,
    "sendgrid": SendGrid,
    "unisender_go": UnisenderGo,
}
