"""The newsletter: one message to everybody who reads it, sent by `nurture mail new-catalogue`."""

from nurture import Mailing, days

new_catalogue = Mailing(
    key="new-catalogue",
    title="The new catalogue",
    template="newsletter/new-catalogue",
    audience="readers",
    expires_after=days(2),  # news, not history
)
