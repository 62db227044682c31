"""SMSC's HTTP API, and those that speak like it: every answer has the status 200, its body tells success from error."""

from pydantic import SecretStr

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, own_name
from nurture.channels.providers import Answer, Request, address_refused, key_refused, later, refusal, words
from nurture.channels.texts import TextProvider
from nurture.errors import MessageRefused, ProviderUnavailable

WRONG_LOGIN, NO_MONEY, BARRED, BAD_NUMBER, NOT_DELIVERABLE, TOO_MANY = 2, 3, 4, 7, 8, 9
REMEDY = "set NURTURE_SMS_ACCOUNT and NURTURE_SMS_KEY anew"


class Smsc(TextProvider):
    """An `id` of the message, or an `error_code`."""

    url = "https://smsc.ru"

    def __init__(self, key: SecretStr, account: str, sender: str, report_to: str = "") -> None:
        super().__init__(key)
        self.account, self.sender, self.report_to = account, sender, report_to

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """Its id is our name for the message, by which it is reported; the number is written without a plus."""
        form = {
            "login": self.account,
            "psw": self.key.get_secret_value(),
            "phones": mail.recipient.removeprefix("+"),
            "mes": envelope.text,
            "id": own_name(envelope.message_id),
            "charset": "utf-8",
            "fmt": "3",
        }
        if self.sender:
            form["sender"] = self.sender
        return Request("/sys/send.php", form=form)

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """The same message again within a minute is refused as one too many: it may be there already."""
        body = answer.body
        code, said = body.get("error_code"), words(body.get("error"))
        if answer.status == 200 and code is None and body.get("id") is not None:
            return Receipt("200 taken", str(body["id"]))
        if code == WRONG_LOGIN:
            raise key_refused("401", REMEDY)
        if code in {NO_MONEY, BARRED}:
            raise ProviderUnavailable(f"the provider takes no messages now: error {code}", cause="provider")
        if code in {BAD_NUMBER, NOT_DELIVERABLE}:
            raise address_refused(answer, mail, said, str(code))
        if code == TOO_MANY:
            raise later(answer)
        if code is not None:
            raise MessageRefused(f"the provider refused the message: error {code}; see the reply", code=str(code))
        raise refusal(answer, mail, said=said)
