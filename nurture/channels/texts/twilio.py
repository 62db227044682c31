"""Twilio's Messages API."""

from base64 import b64encode

from pydantic import SecretStr

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, own_name
from nurture.channels.providers import REFUSED_KEY, Answer, Request, address_refused, key_refused, later, refusal, words
from nurture.channels.texts import TextProvider

UNFIT_NUMBER = {
    21211,  # no number
    21214,  # it cannot be reached
    21217,  # no number, of a call
    21610,  # it said STOP
    21614,  # no mobile one
}
NOT_NOW = {20429, 21611}  # too many requests, or our queue is full
REMEDY = "set NURTURE_SMS_ACCOUNT and NURTURE_SMS_KEY anew"


class Twilio(TextProvider):
    """201 and a `sid`, or a status with a code of its own, which tells more.

    What becomes of the message is reported to `report_to`, if that is given, with our name for it.
    """

    url = "https://api.twilio.com"

    def __init__(self, key: SecretStr, account: str, sender: str, report_to: str = "") -> None:
        super().__init__(key)
        self.account, self.sender, self.report_to = account, sender, report_to

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """A sender that is a service (`MG…`) chooses the number itself."""
        login = b64encode(f"{self.account}:{self.key.get_secret_value()}".encode()).decode()
        by = "MessagingServiceSid" if self.sender.startswith("MG") else "From"
        form = {"To": mail.recipient, by: self.sender, "Body": envelope.text}
        if self.report_to:
            form["StatusCallback"] = f"{self.report_to}?message={own_name(envelope.message_id)}"
        path = f"/2010-04-01/Accounts/{self.account}/Messages.json"
        return Request(path, {"Authorization": f"Basic {login}"}, form=form)

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """The code says whether the number, the sender or the moment is to blame."""
        code, said = answer.body.get("code"), words(answer.body.get("message"))
        if answer.status == 201 and isinstance(answer.body.get("sid"), str):
            return Receipt("201 queued", answer.body["sid"])
        if code in UNFIT_NUMBER:
            raise address_refused(answer, mail, said, str(code))
        if code in NOT_NOW:
            raise later(answer)
        if answer.status in REFUSED_KEY:
            raise key_refused(str(answer.status), REMEDY)
        raise refusal(answer, mail, said=said)
