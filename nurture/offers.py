"""Offers as code: what is promised, by a name under which results are compared."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from nurture.texts import Text


class Offer(BaseModel):
    """Something promised, such as a discount, a webinar, or "a manager found within a week, or your money back".

    Forms name it by `promise=`, links by `?offer=<key>`; from the day after `until` on no form shows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    title: str
    promise: Text = ""
    until: date | None = None

    def stands(self, day: date) -> bool:
        """Whether it is still made on that day."""
        return self.until is None or day <= self.until
