"""nurture: campaigns written as code, walked by every lead on its own.

These are the words a campaign is written in; everything else is imported from the module that owns it.
"""

from nurture.audiences import Audience
from nurture.calendar import between, daily, on_days, quiet, weekdays
from nurture.campaign import Campaign, State, always, at_most, never, on_audience, on_date, once_in
from nurture.conditions import clicked, event, opened, replied
from nurture.definitions import Definition
from nurture.documents import Document, line
from nurture.durations import days, hours, minutes, seconds, weeks
from nurture.forms import Form, field
from nurture.grades import Grade
from nurture.hooks import Hook, Source
from nurture.lead import lead, prop
from nurture.mailing import Mailing
from nurture.messengers import Messenger
from nurture.offers import Offer
from nurture.retargeting.retarget import Retarget
from nurture.rewards import Reward
from nurture.scores import Score, Threshold, gives
from nurture.surveys import Survey, choice, scale, words
from nurture.teams import Salesperson, Team, by_load, by_territory, round_robin
from nurture.topics import Topic
from nurture.tracking.switches import track
from nurture.triggers import done, leave, on, when
from nurture.vocabulary import (
    add_points,
    add_to,
    advance,
    ask,
    ask_referral,
    branch,
    call,
    confirm,
    enrol,
    escalate,
    go,
    need,
    notify,
    pick,
    prefer,
    remove_from,
    send,
    set_field,
    split,
    subscribe,
    survey,
    tag,
    task,
    thank,
    unsubscribe,
    untag,
    wait,
    wait_for,
)

__all__ = [
    "Audience",
    "Campaign",
    "Definition",
    "Document",
    "Form",
    "Grade",
    "Hook",
    "Mailing",
    "Messenger",
    "Offer",
    "Retarget",
    "Reward",
    "Salesperson",
    "Score",
    "Source",
    "State",
    "Survey",
    "Team",
    "Threshold",
    "Topic",
    "add_points",
    "add_to",
    "advance",
    "always",
    "ask",
    "ask_referral",
    "at_most",
    "between",
    "branch",
    "by_load",
    "by_territory",
    "call",
    "choice",
    "clicked",
    "confirm",
    "daily",
    "days",
    "done",
    "enrol",
    "escalate",
    "event",
    "field",
    "gives",
    "go",
    "hours",
    "lead",
    "leave",
    "line",
    "minutes",
    "need",
    "never",
    "notify",
    "on",
    "on_audience",
    "on_date",
    "on_days",
    "once_in",
    "opened",
    "pick",
    "prefer",
    "prop",
    "quiet",
    "remove_from",
    "replied",
    "round_robin",
    "scale",
    "seconds",
    "send",
    "set_field",
    "split",
    "subscribe",
    "survey",
    "tag",
    "task",
    "thank",
    "track",
    "unsubscribe",
    "untag",
    "wait",
    "wait_for",
    "weekdays",
    "weeks",
    "when",
    "words",
]
