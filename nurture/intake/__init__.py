"""The way in: events and news of leads, each with one effect, answered only after the commit."""

from nurture.intake.incoming import RESERVED, Consent, Enrolment, Incoming, Internal, Result, read_incoming
from nurture.intake.intake import Intake
from nurture.intake.recorder import Recorder
from nurture.intake.reports import Reports

__all__ = [
    "RESERVED",
    "Consent",
    "Enrolment",
    "Incoming",
    "Intake",
    "Internal",
    "Recorder",
    "Reports",
    "Result",
    "read_incoming",
]
