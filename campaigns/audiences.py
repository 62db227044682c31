"""Whom we write to, beside those who walk a campaign."""

from nurture import Audience, Retarget, days, event, lead

readers = Audience(
    key="readers",
    title="Whoever came by in the last half year and has not bought yet",
    who=(event("visit").within(days(180)).count() >= 1) & ~lead.stage.one_of("buy", "repeat", "promoter"),
)

customers = Audience(
    key="customers",
    title="Whoever has bought",
    who=lead.stage.one_of("buy", "repeat", "promoter"),
)

alike = Retarget(
    key="buyers-alike",
    audience="customers",
    networks=("google", "meta", "vk", "yandex"),
    buyers="stay",
)
