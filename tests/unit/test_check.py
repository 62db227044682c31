"""The check: every fault of what a team wrote, each with its place and the remedy."""

from pathlib import Path
from typing import NamedTuple

import pytest

from nurture.loader import read

LAYOUT = "".join(
    f'{{% if part == "{name}" %}}{{% block {name} %}}{{% endblock %}}{{% endif %}}' for name in ("subject", "html")
)
MESSAGE = """\
{{% extends "layouts/message.j2" %}}
{{% block subject %}}Hello{{% endblock %}}
{{% block html %}}{html}{{% endblock %}}
"""


class Team:
    """A team's directory to write into, with a message `hello`, checked as `nurture check` does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("templates/layouts/message.j2", LAYOUT)
        self.message("<p>Hello</p>")

    def write(self, file: str, text: str) -> None:
        """Write one file."""
        path = self.path / file
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, "utf-8")

    def message(self, html: str, *, file: str = "hello.en.j2") -> None:
        """Write a message."""
        self.write(f"templates/{file}", MESSAGE.format(html=html))

    def campaign(self, states: str, options: str = "", *, key: str = "road", file: str = "road.py") -> None:
        """Write a campaign; its states begin in line 4."""
        head = f'campaign = Campaign("{key}", enters=[on("asked")], {options} states=['
        self.write(f"campaigns/{file}", f"from nurture import *\n\n{head}\n{states}\n])\n")

    def faults(self) -> list[str]:
        """What `nurture check` says."""
        return [f"{fault.level}: {fault}" for fault in read(Path("campaigns"), Path("templates")).faults]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(tmp_path)
    return Team(tmp_path)


class Row(NamedTuple):
    """Some states, and each fault in them: the place and what is wrong there."""

    id: str
    states: str
    faults: tuple[tuple[str, str], ...]


def one(id_: str, steps: str, *faults: str, then: str = "") -> Row:
    """A state `one` of these steps, the last of which has the faults."""
    step = steps.split("; ")
    verb = step[-1].partition("(")[0]
    place = f'state "one", step {len(step)}, {verb}(...)'
    return Row(id_, f'State("one", [{", ".join(step)}]),{then}', tuple((place, fault) for fault in faults))


TWO = 'State("two", [send("hello")]),'
NOT_A_ZONE = "is not a time zone: write it as Europe/Berlin"
NO_COUNTRY = "is no country: write its two letters (ISO 3166), such as DE or US"
JUMPS_NOWHERE = 'there is no state "tow": did you mean "two"?'

ROWS = [
    # --- names ---
    one("M-41 jump", 'go("tow")', JUMPS_NOWHERE, then='State("two", [])'),
    one("M-41 answer", 'wait_for(on("visit"), up_to=days(1), then="tow")', JUMPS_NOWHERE, then=TWO),
    one("M-41 limit", 'wait_for(on("visit"), up_to=days(1), otherwise="tow")', JUMPS_NOWHERE, then=TWO),
    one("M-41 arm", 'wait_for(on("visit", to="tow"), up_to=days(1))', JUMPS_NOWHERE, then=TWO),
    one("M-41 branch", 'branch(when(lead.nps > 8, to="tow"))', JUMPS_NOWHERE, then=TWO),
    one("M-41 split", 'split({"two": 1, "tow": 1})', JUMPS_NOWHERE, then=TWO),
    one("template", 'send("helo")', 'there is no template "helo": did you mean "hello"?'),
    one("survey", 'survey("nps")', 'there is no template "surveys/nps": there is only hello'),
    one("channel", 'send("hello", channel="smss")',
        'there is no channel "smss": did you mean "sms"? (one of your own is a Messenger(key="smss", url=…))'),
    one("no channel", 'send("hello", channel=prefer())', 'goes by no channel: write prefer("telegram", "email")'),
    one("one channel twice", 'send("hello", channel=prefer("sms", "sms"))', "names a channel twice: name each once"),
    one("definition", 'escalate("director")', 'there is no definition "director": there is none'),
    one("score", 'add_points(5, score="fit")', 'there is no score "fit": there is none'),
    one("campaign", 'enrol("raod")', 'there is no campaign "raod": did you mean "road"?'),
    one("audience left", 'remove_from("vip")', 'there is no audience "vip": there is none'),
    one("hook", 'call("shop")', 'there is no hook "shop": there is none'),
    one("audience", 'add_to("vip")', 'there is no audience "vip": there is none'),
    one("stage", 'advance("bye")', 'there is no stage "bye": did you mean "buy"?'),
    Row("name of a state", 'State("The end", [done])', (
        ('state "The end"', "this name cannot be used: write small letters, digits, - and _"),)),
    Row("name twice", 'State("one", []), State("two", []), State("one", []), State("one", [])', (
        ('state "one"', "stands 3 times: give each its own name"),)),
    # --- roads ---
    Row("unreachable", f'State("one", [leave("no")]), {TWO}', (
        ('state "two"', "is never reached: let something go to it, or take it away"),)),
    Row("unreachable step", 'State("one", [done, send("hello")])', (
        ('state "one", step 1, done(...)', "what stands after it is never reached: send hello"),)),
    Row("M-43 at once", 'State("one", [send("hello"), go("one")])', (
        ('state "one"', "one → one goes round without a wait: let it take at least 30 minutes"),)),
    Row("M-43 29 minutes", 'State("one", [send("hello"), wait(minutes(29))]), State("two", [go("one")])', (
        ('state "one"', "one → two → one goes round without a wait: let it take at least 30 minutes"),)),
    Row("M-43 no wait each time", 'State("one", [wait(at=daily("09:00")), go("one")])', (
        ('state "one"', "one → one goes round without a wait: let it take at least 30 minutes"),)),
    Row("nothing", "", (("states", "there is none: give at least one State"),)),
    one("split to nowhere", "split({})", "goes nowhere: give states with weights"),
    one("weight", 'split({"two": 0})', "the weight of two must be greater than zero", then=TWO),
    one("nobody to beat", 'split({"two": 1}, winner=pick(on("order_paid"), within=days(0), after=0, sure=0.5))',
        "has nothing to pick from: give at least two states", "pick(…): within must be longer than zero",
        "pick(…): after is how many leads each arm must have measured: give at least one",
        "pick(…): sure lies between 0.5 and 1", then=TWO),
    one("keyed goal", 'split({"two": 1, "three": 1}, winner=pick(on("order_paid", key="id"), within=days(1)))',
        "pick(…): the goal is only counted: take key= and to= away", then=TWO + 'State("three", [])'),
    one("never clicked", 'split({"two": 1, "three": 1}, winner=pick(clicked("helo"), within=days(1)))',
        'nothing can fulfil it: no campaign sends "helo"; did you mean "hello"?', then=TWO + 'State("three", [])'),
    Row("two experiments of one key", """
        State("one", [split({"two": 1, "three": 1}, key="k", winner=pick(on("order_paid"), within=days(1)))]),
        State("two", [split({"three": 1, "four": 1}, key="k", winner=pick(on("order_paid"), within=days(1)))]),
        State("three", []), State("four", [])""", tuple(
            (f'state "{name}", step 1, split(...)',
             'another experiment has the key "k", with other arms or another rule: rename one') for name in ("one", "two"))),
    one("no rule", 'split({"two": 1, "three": 1}, winner="two")',
        'winner takes a rule: winner=pick(on("order_paid"), within=days(14), after=500)', then=TWO + 'State("three", [])'),
    one("no arm", "branch(otherwise=done)", "has no condition: give when(…, to=…)"),
    # --- waits ---
    one("hears nothing", "wait_for(up_to=days(1))", "waits for nothing: name an event or a condition"),
    one("never sent", 'send("hello"); wait_for(clicked("helo"), up_to=days(1))',
        'nothing can fulfil it: no campaign sends "helo"; did you mean "hello"?'),
    one("no limit", 'wait_for(on("visit"))', "missing 1 required keyword-only argument: 'up_to'"),
    one("no time to hear", 'wait_for(on("visit"), up_to=days(0))', "up_to must be longer than zero"),
    one("no period", 'wait_for(event("visit").within(days(0)), up_to=days(1))',
        "visit has happened within no time: the period must be longer than zero"),
    one("keyed", 'wait_for(on("visit", key="id"), up_to=days(1))',
        'nothing can fulfil it: no entry gives a journey its id; write key="id"'),
    one("no wait", "wait()", "waits for nothing: give a duration, at= or until="),
    one("no duration", "wait(-days(1))", "the duration must be longer than zero"),
    one("M-22", 'wait("3 fortnights")', "duration: '3 fortnights' is no length of time: write days(3) or the like"),
    one("M-22 no unit", "wait(3)", "duration: 3 has no unit: write days(3) or the like"),
    one("no date", 'wait(until="friday")',
        "until='friday': give a date, a date of the lead, or a clock time such as weekdays(\"10:00\")"),
    one("never goes out", 'send("hello", expires_after=days(0))', "expires_after must be longer than zero"),
    # --- what a lead is ---
    one("zone set", 'set_field(lead.time_zone, "UTC2")', f'lead.time_zone can never be "UTC2": {NOT_A_ZONE}'),
    one("zone asked", 'branch(when(lead.time_zone.one_of("Europe/Berlin", "Berlin"), to=done))',
        f'lead.time_zone can never be "Berlin": {NOT_A_ZONE}'),
    one("country set", 'set_field(lead.country, "Germany")', f'lead.country can never be "Germany": {NO_COUNTRY}'),
    one("country asked", 'branch(when(lead.country == "de", to=done))', 'lead.country can never be "de": write DE'),
    one("stage asked", 'branch(when(lead.stage == "bye", to=done))', 'there is no stage "bye": did you mean "buy"?'),
    one("stage set", 'set_field(lead.stage, "buy")', 'a stage is not set: write advance("buy")'),
    one("score set", 'set_field(lead.score("fit"), 5)', 'a score is not set: write add_points(…, score="fit")'),
    one("score asked", 'branch(when(lead.score("fit") > 5, to=done))', 'there is no score "fit": there is none'),
    one("list asked", 'branch(when(lead.tags == "vip", to=done))', 'lead.tags holds several: write .has("vip")'),
    one("field set", 'set_field("contry", "DE")',
        'lead.contry is no field: did you mean "country"? (a field of your own is lead.custom("contry"))'),
    one("field asked for", 'ask("company.turnovr", "hello")',
        'lead.company.turnovr is no field: did you mean "company.turnover"? (a field of your own is lead.custom("turnovr"))'),
    # --- what is no step ---
    Row("no step", 'State("one", [3])', (
        ('state "one", step 1, ?(...)', "3 is no step: write send(…), wait(…), branch(…) …"),)),
    one("no arm of a branch", "branch(lead.nps)", "lead.nps is no arm: write when(…, to=…)"),
    one("no target", "branch(when(lead.nps > 8), otherwise=3)",
        '3 is no place to go: give the name of a state, leave("…") or done'),
    one("no text", "tag(5)", "tag: Input should be a valid string"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_a_road_that_cannot_be_walked_is_told_where_and_why(team: Team, row: Row) -> None:
    team.campaign(row.states)

    assert team.faults() == [f"error: campaigns/road.py: {place}: {fault}" for place, fault in row.faults]


@pytest.mark.parametrize(
    "states",
    [
        pytest.param('State("one", [wait(at=between("22:00", "06:00")), send("hello")])', id="M-17 overnight"),
        pytest.param('State("one", [send("hello"), wait(minutes(30)), go("one")])', id="M-43 30 minutes"),
        pytest.param('State("one", [wait_for(on("visit"), up_to=days(1), then="one")])', id="M-43 goes round when heard"),
        pytest.param('State("one", [branch(when(lead.bant.complete, to=done))])', id="what is worked out"),
        pytest.param('State("one", [set_field(lead.custom("sizes"), ("S", "M"))])', id="a list of one's own"),
        pytest.param('State("one", [branch(when(lead.company.turnover == "9", to=done))])', id="a number as text"),
        pytest.param('State("one", [branch(when(lead.city != None, to=done))])', id="known or not"),
    ],
)  # fmt: skip
def test_what_only_looks_odd_is_allowed(team: Team, states: str) -> None:
    team.campaign(states)

    assert team.faults() == []


@pytest.mark.parametrize(
    ("options", "faults"),
    [
        ('goal=on("paid", to="tow"),', ['goal: there is no state "tow": there is only one']),
        ('exits=[on("paid", to="tow")],', ['exits, exit 1: there is no state "tow": there is only one']),
        ('exits=[on("paid")], goal=on("paid"),',
         ["exits, exit 1: is the goal as well: the exit would come first; keep one of the two"]),
        ('always=[on("paid")],', ['always, arm 1: on paid: says not where to go: give to="state" or to=leave(…)']),
        ('always=[when(lead.score("fit") > 9, to="one")],', ['always, arm 1: there is no score "fit": there is none']),
        ('purpose="transactional",', ['legal_basis: a transactional campaign states one, such as legal_basis="contract"']),
        ('sender="The shop",', ['sender: "The shop" is no mailbox: write "The team <team@example.com>"']),
        ("cap=at_most(0, within=days(1)),", ["cap: allows nothing: give at least one message in a period longer than zero"]),
        ("reenters=once_in(days(0)),", ["reenters: once_in(…) takes a period longer than zero"]),
    ],
)  # fmt: skip
def test_a_campaign_that_cannot_hold_is_told_where_and_why(team: Team, options: str, faults: list[str]) -> None:
    team.campaign('State("one", [done])', options)

    assert team.faults() == [f"error: campaigns/road.py: {fault}" for fault in faults]


def test_an_entry_that_lets_nobody_in_is_told(team: Team) -> None:
    team.write("campaigns/road.py", 'from nurture import *\ncampaign = Campaign("road", [State("one", [done])], enters=[\n'
               'on("asked", to="one"), on_audience("vip"), on_date("borth"), when(lead.score("fit") > 9)])\n')  # fmt: skip
    told = team.faults()

    assert told[:2] == [
        "error: campaigns/road.py: enters, entry 1: an entry goes to the first state: take to= away",
        'error: campaigns/road.py: enters, entry 2: there is no audience "vip": there is none',
    ]
    assert told[2].startswith("error: campaigns/road.py: enters, entry 3: lead.borth is no field: ")
    assert told[3:] == ['error: campaigns/road.py: enters, entry 4: there is no score "fit": there is none']


def test_a_key_that_cannot_be_used_is_told(team: Team) -> None:
    team.campaign('State("one", [done])', key="The road")

    assert team.faults() == [
        'error: campaigns/road.py: key: "The road" cannot be used: write small letters, digits, - and _'
    ]


def test_a_branch_on_opens_is_a_warning_since_machines_open_mail(team: Team) -> None:
    team.campaign(
        'State("one", [send("hello"), branch(when(opened("hello") & (lead.nps > 8), to="one"), otherwise=done)])'
    )
    told = [fault for fault in team.faults() if fault.startswith("warning")]

    assert told == [
        'warning: campaigns/road.py: state "one", step 2, branch(...): branches on opens: machines open mail; take clicks'
    ]


def test_what_another_campaign_sends_can_be_waited_for(team: Team) -> None:
    team.campaign('State("one", [send("hello")])', key="other", file="other.py")
    team.campaign('State("one", [wait_for(clicked("hello"), up_to=days(1))])')

    assert team.faults() == []


# --- scores, definitions and audiences ---

BY_TIME = "time alone would change it; hear the event with on(…), at_most= and per=, or half_life="
HOW_TO_SIGN = "give agreed_by, or sign it with nurture definitions sign"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ('Score(key="fit", rules=(gives(5, on("visit")), gives(5, when(lead.country == "Germany"))))',
         f'score "fit", rule 2: lead.country can never be "Germany": {NO_COUNTRY}'),
        ('Score(key="fit", rules=(), thresholds=(Threshold(key="hot", at=40, rearm=50),))',
         'score "fit", threshold "hot": would fire again and again: give a rearm that is not above at'),
        ('Score(key="fit", rules=(), half_life=days(0))', 'score "fit", half_life: must be longer than zero'),
        ('Score(key="fit", rules=(gives(5, on("visit"), at_most=0),))',
         'score "fit", rule 1: at_most allows nothing: give at least 1'),
        ('Score(key="fit", rules=(gives(5, on("visit"), per=days(7)),))',
         'score "fit", rule 1: per is the period of a cap: give at_most, and a period longer than zero'),
        ('Score(key="fit", rules=(gives(5, on("score_reached")),))',
         'score "fit", rule 1: score_reached is our own doing and gives no points: hear what the lead does'),
        ('Score(key="fit", rules=(gives(5, opened()),))',
         'score "fit", rule 1: opens give no points, since machines open mail: hear clicked()'),
        ('Topic(key="tracking", title="Tracking")', 'topic "tracking": this key has a meaning of its own: take another'),
        ('Topic(key="*", title="All")', 'topic "*": this key cannot be used: write small letters, digits, - and _'),
        ('Score(key="fit", rules=(gives(5, when(lead.country == "DE"), at_most=2),))',
         'score "fit", rule 1: at_most is for events: a condition gives its points once, as long as it is true'),
        ('Score(key="fit", rules=(gives(5, when(lead.country == "DE")),), half_life=days(3))',
         'score "fit", rule 1: a fact does not fade: put it into a score without half_life, or hear an event with on(…)'),
        ('Score(key="fit", rules=(gives(5, when(event("visit").within(days(7)))),))',
         f'score "fit", rule 1: visit has happened within 7 days: {BY_TIME}'),
        ('Score(key="fit", rules=(gives(5, when(lead.score("fit") >= 5)),))',
         'score "fit", rules: fit → fit goes round: a score cannot look at itself'),
        ('Score(key="fit", rules=(gives(5, when(lead.score("fti") >= 5)),))',
         'score "fit", rule 1: there is no score "fti": did you mean "fit"?'),
        ('Score(key="fit", rules=(), thresholds=(Threshold(key="hot", at=4), Threshold(key="hot", at=5)))',
         'score "fit", threshold "hot": stands 2 times: give each its own key'),
        ('Definition(key="ready", ready=lead.grade("buyer") == "A1", shadow=True)',
         'definition "ready": there is no grade "buyer": there is none'),
        ('Definition(key="ready", ready=lead.nps >= 5, agreed_by=("marketing: a", "sales: b", "legal: c"))',
         'definition "ready", agreed_by: "legal" does not sign: write "marketing: name", "sales: name"'),
        ('Definition(key="ready", shadow=True, ready=(lead.score("fti") >= 5) & event("visit"))',
         'definition "ready": there is no score "fti": there is none'),
        ('Audience(key="vip", who=event("visit").within(days(0)))',
         'audience "vip": visit has happened within no time: the period must be longer than zero'),
        ('Retarget(key="alike", audience="vpi", networks=("google",))',
         'retarget "alike": there is no audience "vpi": there is none'),
        ('Audience(key="vip"), Retarget(key="alike", audience="vip", networks=("google",), hook="ads")',
         'retarget "alike": there is no hook "ads": there is none'),
        ('Audience(key="vip"), Retarget(key="alike", audience="vip", networks=())',
         'retarget "alike", networks: there is none: name google, meta, vk or yandex'),
        ('Audience(key="vip"), Retarget(key="alike", audience="vip", networks=("meta",), topic="*")',
         'retarget "alike", topic: name what leads agree to, such as "ads"'),
    ],
)  # fmt: skip
def test_what_a_declaration_names_that_is_not_there_is_told(team: Team, value: str, fault: str) -> None:
    team.write("campaigns/rest.py", f"from nurture import *\nvalue = {value}\n")

    assert team.faults() == [f"error: campaigns/rest.py: {fault}"]


def test_where_topics_are_declared_every_topic_is_one_of_them(team: Team) -> None:
    team.campaign('State("one", [send("hello")])', 'topic="nwes",')
    team.write("campaigns/topics.py", """from nurture import *
news = Topic(key="news", title="News")
form = Form(key="f", title="F", event="asked", fields=[field(lead.email, required=True)], consent="Yes", topic="ads")
""")  # fmt: skip

    assert team.faults() == [
        'error: campaigns/road.py: topic: there is no topic "nwes": did you mean "news"?',
        'error: campaigns/topics.py: form "f", topic: there is no topic "ads": there is only news',
    ]


def test_scores_that_look_at_each_other_and_at_what_fades_are_told_each_in_its_place(team: Team) -> None:
    team.write(
        "campaigns/rest.py",
        """from nurture import *
one = Score(key="one", rules=(gives(5, when(lead.score("two") >= 5)),))
two = Score(key="two", rules=(gives(5, when(lead.score("one") >= 5)), gives(1, on("visit")), gives(2, on("visit"))))
warm = Score(key="warm", half_life=days(3), rules=(gives(5, on("visit")),))
over = Score(key="over", rules=(gives(5, when(lead.score("warm") >= 5)),))
""",
    )
    twice = "on visit stands 2 times: one rule is known by what it hears, give it all the points"

    assert [fault.removeprefix("error: campaigns/rest.py: ") for fault in team.faults()] == [
        'score "one", rules: one → two → one goes round: a score cannot look at itself',
        f'score "two", rule 2: {twice}',
        f'score "two", rule 3: {twice}',
        'score "two", rules: two → one → two goes round: a score cannot look at itself',
        'score "over", rule 1: score "warm" fades, so time alone would change this one: build on scores without half_life',
    ]


def test_a_grade_names_scores_and_falls(team: Team) -> None:
    team.write("campaigns/rest.py", """from nurture import *
fit = Score(key="fit", rules=())
buyer = Grade(key="buyer", fit="fitt", interest="fit", letters=(10, 20, 30))
road = Campaign("road", [State("one", [send("hello")])], enters=[when(lead.grade("buyer") == "A9")])
ready = Definition(key="ready", ready=lead.grade("byer") == "A1", shadow=True)
""")  # fmt: skip

    assert [fault.removeprefix("error: campaigns/rest.py: ") for fault in team.faults()] == [
        'grade "buyer", fit: there is no score "fitt": did you mean "fit"?',
        'grade "buyer", letters: 10, 20, 30 do not fall: the best place takes the most points',
        'definition "ready": there is no grade "byer": did you mean "buyer"?',
        'enters, entry 1: there is no "A9" in a grade: they go from A1 to D4',
    ]


def test_a_definition_that_nobody_signed_is_a_warning(team: Team) -> None:
    team.write("campaigns/rest.py", """from nurture import *
one = Definition(key="one", ready=lead.nps >= 5, agreed_by=("sales: Bo",))
two = Definition(key="two", ready=lead.nps >= 5, shadow=True)
""")  # fmt: skip

    assert team.faults() == [
        f'warning: campaigns/rest.py: definition "one": not signed by marketing in the code: {HOW_TO_SIGN}'
    ]


# --- messages ---


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("{{ lead.frist_name }}", "lead.frist_name: nobody provides it; did you mean lead.first_name?"),
        ("{{ links.share }}", "links.share: nobody provides it; did you mean links.survey?"),
        ("{{ lead.first_name }", "unexpected '}'"),
        ("{% if lead.city %}", "Encountered unknown tag 'endblock'. "),
    ],
)
def test_a_message_that_cannot_be_made_is_told_where_it_is_sent_and_where_it_breaks(
    team: Team, html: str, fault: str
) -> None:
    team.message(html, file="surveys/nps.en.j2")
    team.campaign('State("one", [survey("nps")])')
    [told] = team.faults()

    assert told.startswith(
        f'error: campaigns/road.py: state "one", step 1, survey(...): templates/surveys/nps.en.j2:3: {fault}'
    )


def test_a_variable_is_provided_by_the_step_that_sends_the_message(team: Team) -> None:
    team.message("{{ links.share }} {{ referral.code }}")
    team.campaign('State("one", [ask_referral("hello"), send("hello")])')

    assert [fault.partition(" templates/")[0] for fault in team.faults()] == [
        'error: campaigns/road.py: state "one", step 2, send(...):'
    ] * 2


# --- files ---

CANNOT_BE_JOINED = (
    "a condition (country is DE) cannot be joined with and, or, not, nor used with if, in or a < b < c: "
    "write (…) & (…), (…) | (…), ~(…) or .one_of(…)"
)
BOTH_BOUNDS = 'a window needs both bounds, such as between("09:00", "18:00"); a day has "00:00" to "24:00"'


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        pytest.param('x = (lead.country == "DE") and (lead.nps > 8)', CANNOT_BE_JOINED, id="and"),
        pytest.param('x = (lead.country == "DE") or (lead.nps > 8)', CANNOT_BE_JOINED, id="or"),
        pytest.param('x = not lead.country == "DE"', CANNOT_BE_JOINED, id="not"),
        pytest.param('x = lead.country == "DE" & lead.nps > 8', "'DE' and lead.nps are joined before they are compared: "
                     "put every comparison in brackets, (…) & (…)", id="no brackets"),
        pytest.param('x = lead.contry == "DE"', "lead.contry is no field of a lead: did you mean lead.country? "
                     '(a field of your own is lead.custom("contry"))', id="field"),
        pytest.param('x = between("09:00")', BOTH_BOUNDS, id="M-13 start only"),
        pytest.param('x = quiet(end="09:00")', BOTH_BOUNDS, id="M-13 end only"),
        pytest.param('x = daily("25:00")',
                     '"25:00" is not a time of day: write hours:minutes, from "00:00" to "23:59"', id="time"),
        pytest.param("x = fortnights(3)", "NameError: name 'fortnights' is not defined", id="M-22"),
        pytest.param('x = Campaign("x", [], caps=3, priority="high")', "priority: Input should be a valid integer, unable to "
                     "parse string as an integer; caps: nothing goes by that name: take it away", id="setting"),
        pytest.param('x = {}["key"]', "KeyError: 'key'", id="raises"),
        pytest.param("import nothing_of_the_kind", "ModuleNotFoundError: No module named 'nothing_of_the_kind'", id="import"),
        pytest.param("x = (", "SyntaxError: '(' was never closed", id="syntax"),
        pytest.param('exec("\\n" * 9 + "x = (")', "SyntaxError: '(' was never closed", id="syntax of another"),
        pytest.param("raise SystemExit(0)", "SystemExit: 0", id="leaves"),
        pytest.param("raise Exception('one\\ntwo')", "Exception: one", id="many lines"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_with_its_line(team: Team, line: str, fault: str) -> None:
    team.write("campaigns/road.py", f"from nurture import *\n\n{line}\n")

    assert team.faults() == [f"error: campaigns/road.py:3: {fault}"]


def test_two_of_one_key_are_told_with_both_their_places(team: Team) -> None:
    team.campaign('State("one", [done])')
    team.campaign('State("other", [done])', file="road_2.py")
    for file in ("score_1.py", "score_2.py"):
        team.write(f"campaigns/{file}", 'from nurture import *\nfit = Score(key="fit", rules=())\n')

    assert team.faults() == [
        'error: campaigns/road_2.py: campaign "road" stands in campaigns/road.py too: rename one',
        'error: campaigns/score_2.py: score "fit" stands in campaigns/score_1.py too: rename one',
    ]


def test_all_faults_of_all_files_are_told_at_once_in_the_order_of_the_files(team: Team) -> None:
    team.write("campaigns/another.py", "x = (\n")
    team.campaign(
        'State("one", [send("helo"), wait(3), go("tow")]),\nState("two", [enrol("raod")])', "reenters=once_in(days(0)),"
    )
    team.campaign('State("one", [tag(5)])', key="third", file="third.py")

    assert team.faults() == [
        "error: campaigns/another.py:1: SyntaxError: '(' was never closed",
        "error: campaigns/road.py: reenters: once_in(…) takes a period longer than zero",
        'error: campaigns/road.py: state "one", step 1, send(...): there is no template "helo": did you mean "hello"?',
        'error: campaigns/road.py: state "one", step 2, wait(...): duration: 3 has no unit: write days(3) or the like',
        'error: campaigns/road.py: state "one", step 3, go(...): there is no state "tow": did you mean "two"?',
        'error: campaigns/road.py: state "two", step 1, enrol(...): there is no campaign "raod": did you mean "road"?',
        'error: campaigns/road.py: state "two": is never reached: let something go to it, or take it away',
        'error: campaigns/third.py: state "one", step 1, tag(...): tag: Input should be a valid string',
    ]


TEAMS = """
from nurture import Definition, Team, lead

ready = Definition(key="ready", ready=lead.email.known(), agreed_by=("marketing: a", "sales: b"))
desk = Team(key="desk", lead="desk@example.com")
"""
OTHER = 'other = Team(key="other", lead="other@example.com")\n'


def test_a_hand_over_names_its_team_where_there_are_several(team: Team) -> None:
    place = 'error: campaigns/road.py: state "one", step 1, escalate(...)'
    team.write("campaigns/sales.py", TEAMS)
    team.campaign('State("one", [escalate("ready")])')
    assert team.faults() == []

    team.write("campaigns/sales.py", TEAMS + OTHER)
    assert team.faults() == [f"{place}: says not to which team, and there are desk, other: give team="]

    team.campaign('State("one", [escalate("ready", team="desc")])')
    assert team.faults() == [f'{place}: there is no team "desc": did you mean "desk"?']
