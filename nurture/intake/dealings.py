"""Dealings: what the items of one transaction say of stages, orders, needs and recommendations, in their order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from nurture.errors import NurtureError
from nurture.facts import Happening
from nurture.intake.identities import Member
from nurture.intake.incoming import Internal, Prepared, Recommended
from nurture.intake.needbook import Needbook, needs_of
from nurture.intake.orderbook import Orderbook, news_of
from nurture.intake.recommendations import Recommendations
from nurture.intake.stagebook import Stagebook
from nurture.rewards import Reward
from nurture.stages import bought, further
from nurture.store.held import HeldLead


@dataclass(slots=True)
class Dealt:
    """What an item brought about: what its event says beyond what was given, the keys to announce, events of our own."""

    properties: dict[str, Any] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    reports: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def stage(self, change: dict[str, Any] | None) -> None:
        """Tell of a change of stage, if there was one."""
        if change is not None:
            self.changed.add("lead.stage")
            self.reports.append(("stage_changed", change))


class Dealings:
    """Loads what the members' items are about, takes them one after another, and writes what came of it."""

    def __init__(
        self, connection: Connection, members: Sequence[Member], rewards: Mapping[str, Sequence[Reward]]
    ) -> None:
        self._rewards = rewards
        known = [(one.item, one.lead) for one in members if one.lead is not None]
        told_of = [(lead.id, news) for item, lead in known if (news := news_of(item)) is not None]
        codes = [said.code for item, _ in known if (said := _recommended(item)) is not None]
        self.stages = Stagebook()
        self.orders = Orderbook(connection, [one for one, _ in told_of], [news for _, news in told_of])
        self.needs = Needbook(connection, [lead.id for item, lead in known if needs_of(item)])
        self.friends = Recommendations(connection, codes, [lead.id for item, lead in known if self._may_matter(item)])

    def _may_matter(self, item: Prepared) -> bool:
        """Whether a friend's doing it may give or void a reward, or make it one."""
        return item.given.name in self._rewards or news_of(item) is not None or _recommended(item) is not None

    def refusal(self, item: Prepared, lead: HeldLead) -> NurtureError | None:
        """Why the item cannot be taken, as things stand."""
        news = news_of(item)
        return self.orders.refusal(news, lead, item.now) if news is not None else None

    def take(self, item: Prepared, lead: HeldLead, received: datetime, *, new_lead: bool) -> Dealt:
        """Note what the item says; the lead moves along."""
        dealt, news, needs, said = Dealt(), news_of(item), needs_of(item), _recommended(item)
        dealt.stage(self.stages.told(item, lead, received))
        if (captured_at := _captured(item)) is not None:
            dealt.stage(self.stages.to(item, lead, further(lead.stage, captured_at), item.given.source, received))
        if needs:
            self.needs.take(item, needs, lead, received)
            dealt.changed.add("lead.needs")
        if said is not None:
            dealt.properties |= self.friends.came(said, lead, new_lead, received)
            dealt.changed.add("lead.source")
        order = None
        if news is not None:
            ordered = self.orders.take(item, news, lead, received)
            order = ordered.order
            dealt.properties |= ordered.properties
            dealt.changed |= {"lead.orders"} | ({"lead.customer"} if ordered.bought and not ordered.again else set())
            if ordered.bought:
                stage = bought(lead.stage, again=ordered.again)
                dealt.stage(self.stages.to(item, lead, stage, f"order {order.number} was paid", received))
            if order.given_back:
                self.friends.given_back(order, received)
        rewards = self._rewards.get(item.given.name or "", ())
        if rewards and not item.given.machine:
            properties = {**item.given.properties, **dealt.properties}
            event = Happening(item.given.name or "", received, properties, item.id, received)
            self.friends.did(event, lead, rewards, order)
        return dealt

    def save(self, connection: Connection) -> None:
        """Write all of it, once the leads are written."""
        self.stages.save(connection)
        self.orders.save(connection)
        self.needs.save(connection)
        self.friends.save(connection)


def _captured(item: Prepared) -> str | None:
    """The stage that a form's lead has come to at least."""
    captured = item.given.captured if isinstance(item.given, Internal) else None
    return captured.stage if captured is not None else None


def _recommended(item: Prepared) -> Recommended | None:
    return item.given.recommended if isinstance(item.given, Internal) else None


def by_event(rewards: Iterable[Reward]) -> dict[str, list[Reward]]:
    """The rewards, by the event that a friend is rewarded for."""
    found: dict[str, list[Reward]] = {}
    for one in rewards:
        found.setdefault(one.when.event.event, []).append(one)
    return found
