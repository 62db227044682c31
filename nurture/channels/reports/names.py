"""The reporters by the names of their providers."""

from collections.abc import Mapping

from nurture.channels.reports import Reporter
from nurture.channels.reports.amazon_ses import AmazonSesReports
from nurture.channels.reports.mailgun import MailgunReports
from nurture.channels.reports.postmark import PostmarkReports
from nurture.channels.reports.resend import ResendReports
from nurture.channels.reports.sendgrid import SendGridReports
from nurture.channels.reports.unisender_go import UnisenderGoReports

REPORTERS: Mapping[str, type[Reporter]] = {
    "amazon_ses": AmazonSesReports,
    "mailgun": MailgunReports,
    "postmark": PostmarkReports,
    "resend": ResendReports,
    "sendgrid": SendGridReports,
    "unisender_go": UnisenderGoReports,
}
