"""Friends that one transaction brings by a share code, and the rewards that what friends do gives or voids."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from nurture.deals import Order
from nurture.facts import Happening
from nurture.intake.incoming import Recommended
from nurture.recommending import LONGEST_CHAIN, Friend, Referrer, refusal
from nurture.rewards import Reward
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.held import HeldLead
from nurture.store.models import LeadRow, ReferralRow, new_id
from nurture.store.recommendation_tables import RecommendationRow, RewardRow

LEADS, CODES, BROUGHT, REWARDS = (table(one) for one in (LeadRow, ReferralRow, RecommendationRow, RewardRow))
WHOSE = select(CODES.c.code, CODES.c.lead_id, LEADS.c.profile).join(LEADS, LEADS.c.id == CODES.c.lead_id)
BY_WHOM = select(BROUGHT.c.friend_id, BROUGHT.c.referrer_id)
GIVEN = select(
    *(REWARDS.c[name] for name in ("id", "reward", "friend_id", "referrer_id", "order_id", "status", "grants"))
)


class Recommendations:
    """Knows who came by whom among the leads in question; `save` writes what came about."""

    def __init__(self, connection: Connection, codes: Sequence[str], friends: Sequence[str]) -> None:
        self.referrers: dict[str, Referrer] = {}
        self.brought: set[tuple[str, str]] = set()
        self.referrer_of: dict[str, str] = {}
        self.rewards: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.new: list[dict[str, Any]] = []
        self.granted: list[dict[str, Any]] = []
        self.changed: dict[str, dict[str, Any]] = {}
        if codes:
            self._load_codes(connection, codes)
        if friends:
            self._load_friends(connection, friends)

    def _load_codes(self, connection: Connection, codes: Sequence[str]) -> None:
        for code, lead_id, profile in connection.execute(WHOSE.where(CODES.c.code.in_(set(codes)))).all():
            self.referrers[code] = Referrer(lead_id, profile, _brought_by(connection, lead_id))

    def _load_friends(self, connection: Connection, friends: Sequence[str]) -> None:
        mine = BROUGHT.c.friend_id.in_(set(friends))
        for friend_id, referrer_id in connection.execute(BY_WHOM.where(mine)):
            self.brought.add((friend_id, referrer_id))
        for friend_id, referrer_id in connection.execute(BY_WHOM.where(mine, BROUGHT.c.attributed)):
            self.referrer_of[friend_id] = referrer_id
        for row in connection.execute(GIVEN.where(REWARDS.c.friend_id.in_(set(friends)))).mappings():
            self.rewards[row["reward"], row["friend_id"], row["referrer_id"]] = dict(row)

    def came(self, said: Recommended, lead: HeldLead, new_lead: bool, received: datetime) -> dict[str, Any]:
        """Note that the lead came by the code; what its event says of it."""
        referrer = self.referrers.get(said.code)
        if referrer is None:
            return {"code": said.code, "attributed": False, "reason": "nobody has this code any more"}
        why = refusal(Friend(lead.id, not new_lead, lead.profile, said.device_of), referrer)
        if (lead.id, referrer.lead_id) not in self.brought:
            self.brought.add((lead.id, referrer.lead_id))
            row = {"friend_id": lead.id, "referrer_id": referrer.lead_id, "code": said.code, "channel": "referral"}
            self.new.append({**row, "attributed": not why, "reason": why, "at": received})
        if why:
            return {"code": said.code, "attributed": False, "reason": why}
        self.referrer_of[lead.id] = referrer.lead_id
        lead.profile = {"source": "referral", **lead.profile}
        lead.profile_changed = True
        return {"code": said.code, "attributed": True}

    def did(self, event: Happening, lead: HeldLead, rewards: Sequence[Reward], order: Order | None) -> None:
        """Give what the friend's event is rewarded with, once for each; an order that was given back is worth nothing."""
        referrer_id = self.referrer_of.get(lead.id)
        if referrer_id is None or (order is not None and not order.counts):
            return
        for reward in rewards:
            if reward.when.event.matches()(event):
                self._grant(reward, lead.id, referrer_id, event, order.id if order is not None else None)

    def _grant(self, reward: Reward, friend_id: str, referrer_id: str, event: Happening, order_id: str | None) -> None:
        known = self.rewards.get((reward.key, friend_id, referrer_id))
        if known is not None and known["status"] != "voided":
            return
        worth = {"amount": reward.amount, "currency": reward.currency, "points": reward.points}
        came = {
            "order_id": order_id,
            "cause": event.id,
            "status": "granted",
            "reason": "",
            "granted_at": event.heard_at,
        }
        since = {"told_at": None, "voided_at": None, "paid_at": None}
        if known is not None:
            self._change(known, {**worth, **came, **since, "grants": known["grants"] + 1})
            return
        row = {"id": new_id(), "reward": reward.key, "friend_id": friend_id, "referrer_id": referrer_id, "grants": 1}
        self.rewards[reward.key, friend_id, referrer_id] = row = {**row, **worth, **came, **since}
        self.granted.append(row)

    def given_back(self, order: Order, received: datetime) -> None:
        """Void what was given for an order that is wholly refunded; what is paid out stays so, with a note."""
        why = f"order {order.number} was refunded"
        for known in self.rewards.values():
            if known["order_id"] == order.id and known["status"] == "granted":
                self._change(known, {"status": "voided", "reason": why, "voided_at": received})
            elif known["order_id"] == order.id and known["status"] == "paid":
                self._change(known, {"reason": f"{why} after it was paid out"})

    def _change(self, known: dict[str, Any], values: Mapping[str, Any]) -> None:
        known |= values
        if not any(one is known for one in self.granted):
            self.changed[known["id"]] = {**self.changed.get(known["id"], {}), **values}

    def save(self, connection: Connection) -> None:
        """Write them."""
        insert_rows(connection, RecommendationRow, self.new)
        insert_rows(connection, RewardRow, self.granted)
        for reward_id, values in self.changed.items():
            update_rows(connection, RewardRow, [{"id": reward_id, **values}])


def _brought_by(connection: Connection, lead_id: str) -> list[str]:
    """By whom the lead came, and they in turn."""
    chain: list[str] = []
    while len(chain) < LONGEST_CHAIN:
        by = connection.execute(BY_WHOM.where(BROUGHT.c.friend_id == lead_id, BROUGHT.c.attributed)).first()
        if by is None or by[1] in chain:
            break
        lead_id = by[1]
        chain.append(lead_id)
    return chain
