"""Rewards as code: what a lead is owed for a friend it brought, once the friend does what counts."""

from pydantic import BaseModel, ConfigDict, model_validator

from nurture.deals import Amount, Currency
from nurture.triggers import On


class Reward(BaseModel):
    """Money or points for a recommendation, once for each friend: `Reward(key="month", when=on("order_paid"), points=100)`.

    `when` is what the friend does. What was given for an order that is wholly refunded is void until it is paid out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    title: str = ""
    when: On
    amount: Amount | None = None
    currency: Currency | None = None
    points: int | None = None

    @model_validator(mode="after")
    def _worth_something(self) -> "Reward":
        if (self.amount is None) is (self.points is None):
            raise ValueError('give an amount with its currency, or points: amount="10.00", currency="EUR"')
        if (self.amount is None) is not (self.currency is None):
            raise ValueError('an amount has a currency: currency="EUR"')
        if self.when.to is not None or self.when.key is not None:
            raise ValueError("when= names an event only: take to= and key= away")
        return self

    def words(self) -> str:
        """What it is worth: `10.00 EUR`, `100 points`."""
        return f"{self.amount} {self.currency}" if self.amount is not None else f"{self.points} points"
