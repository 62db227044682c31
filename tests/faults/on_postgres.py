"""Faults of processes, mail and network, over PostgreSQL, whose triggers stop the ledger at an exact instant."""

import asyncio

from tests.faults.checker import Expected
from tests.faults.crowd import Cohort
from tests.faults.databases import Postgres
from tests.faults.rules import Rule
from tests.faults.runner import Blow, Deed, Scenario, Stage

EITHER = Expected(settled=frozenset({"accepted", "unknown"}))
"""What meets with faults of others as well may come to stand as unknown, which the table shows."""
ACCEPTED = Expected(settled=EITHER.settled, of={"one": frozenset({"accepted"})})
UNKNOWN_FIRST = Expected(settled=frozenset({"accepted", "unknown"}), of={"one": frozenset({"unknown"})})
REFUSED = Expected(settled=frozenset({"rejected"}))
SUPPRESSED = Expected(settled=frozenset({"suppressed"}), of={"one": frozenset({"rejected"})}, suppressed=True)


def postgres(stage: Stage) -> Postgres:
    """The arena's database."""
    assert isinstance(stage.arena.database, Postgres)
    return stage.arena.database


def by_rule(*rules: Rule) -> Deed:
    """Have the sink do that."""

    async def deed(stage: Stage) -> None:
        for rule in rules:
            await stage.arena.rule(rule)

    return deed


def at_step(step: str, cohort: Cohort) -> tuple[Deed, Deed]:
    """Stop the cohort there; and wait until all of it stands there."""

    async def arm(stage: Stage) -> None:
        stage.arena.note(f"stop at {step}", cohort.name)
        await postgres(stage).stop_at(step, cohort.like)

    async def ready(stage: Stage) -> None:
        async def all_there() -> bool:
            standing = await postgres(stage).stand_still(cohort.like)
            return (
                standing in (1, 2) if step == "event" else standing == cohort.size
            )  # events come in two groups at most

        await stage.arena.until(all_there, f"{cohort.name} stands at {step}")

    return arm, ready


def held(name: str, mails: int) -> Deed:
    """Wait until the sink holds so many by that rule."""
    return lambda stage: stage.arena.holds(name, mails)


async def all_held(stage: Stage) -> None:
    """Wait until the sink holds what the provider can tell about."""
    await stage.arena.holds("hung-asked", ASKED.size)
    await stage.arena.holds("hung-untaken", UNTAKEN.size)


# --- mail that goes wrong (F11, F12, F13, F14, F15) ---

OUTAGE = Cohort("outage", 8)
TEMPORARY = ("421 4.3.2 closing", "450 4.2.1 later", "451 4.7.1 greylisted", "452 4.3.1 full")
NOBODY, POLICY, FULL, CONTENT = Cohort("nobody", 3), Cohort("policy", 3), Cohort("full", 3), Cohort("content", 3)
CREDENTIALS = Cohort("credentials", 3)
MID_DATA, BEFORE_DOT, AFTER_DOT, UNTOLD = (Cohort(f"reset-{n}", 3) for n in ("mid", "before", "after", "untold"))
SLOW = Cohort("slow", 3)


def temporary() -> list[Rule]:
    """Each of the four for three leads, for two attempts."""
    return [
        Rule(name=f"outage-{n}", stage="rcpt", to=rf"outage-({n}|{n + 4})@.*", reply=reply, times=2)
        for n, reply in enumerate(TEMPORARY)
    ]


def refusing(cohort: Cohort, reply: str, times: int | None = None) -> Rule:
    """A refusal of each one's messages, for ever unless told how often."""
    return Rule(name=cohort.name, stage="rcpt", to=cohort.pattern, reply=reply, times=times)


async def resets(stage: Stage) -> None:
    """Reset once for each lead: in the middle, before the dot can count, after it."""
    await stage.arena.silence(rf"({AFTER_DOT.pattern}|hung-(hold|resend)-.*)")
    for cohort, rule in (
        (MID_DATA, {"stage": "content"}),
        (BEFORE_DOT, {"stage": "go-ahead"}),
        (AFTER_DOT, {"stage": "reply"}),
        (UNTOLD, {"stage": "reply", "taken": False}),
    ):
        rule |= {"name": cohort.name, "to": cohort.pattern, "reset": True, "times": 1}
        await stage.arena.rule(Rule.model_validate(rule))


MAIL = Blow(
    (
        Scenario("F11", "the provider answers 421, 450, 451 and 452 for a while", {OUTAGE: EITHER},
                 arm=by_rule(*temporary())),
        Scenario("F11", "the provider refuses our credentials (535) for a while", {CREDENTIALS: EITHER},
                 arm=by_rule(refusing(CREDENTIALS, "535 5.7.8 bad credentials", times=1))),
        Scenario("F12", "550 5.1.1: no such address", {NOBODY: SUPPRESSED},
                 arm=by_rule(refusing(NOBODY, "550 5.1.1 no such user"))),
        Scenario("F12", "550 5.7.1: policy", {POLICY: REFUSED}, arm=by_rule(refusing(POLICY, "550 5.7.1 policy"))),
        Scenario("F12", "552 5.2.2: a full mailbox is tried again", {FULL: EITHER},
                 arm=by_rule(refusing(FULL, "552 5.2.2 mailbox full", times=1))),
        Scenario("F12", "554: content", {CONTENT: REFUSED}, arm=by_rule(refusing(CONTENT, "554 5.6.0 content"))),
        Scenario("F14", "a reset in the middle of the content, or right after the go-ahead",
                 {MID_DATA: EITHER, BEFORE_DOT: EITHER}, arm=resets),
        Scenario("F14", "a reset after the dot, taken or not; of the second the provider can tell",
                 {AFTER_DOT: UNKNOWN_FIRST, UNTOLD: Expected()}),
        Scenario("F15", "the reply comes after we gave up waiting", {SLOW: EITHER},
                 arm=by_rule(Rule(name="slow", stage="reply", to=SLOW.pattern, seconds=7, times=1))),
    ),
)  # fmt: skip

# --- the worker killed at an exact instant (F2, F3, F4) ---

# Seven mails at most are held at once: the worker has eight connections.
HOLD, RESEND, ASKED = Cohort("hung-hold", 2), Cohort("hung-resend", 2, "receipt"), Cohort("hung-asked", 1)
UNTAKEN = Cohort("hung-untaken", 2)
CLAIMED, ANSWERED = Cohort("claimed", 3), Cohort("answered", 3)
AT_CLAIM, AT_ANSWER = at_step("committing", CLAIMED), at_step("accepted", ANSWERED)


async def kill_worker(stage: Stage) -> None:
    """SIGKILL."""
    stage.arena.kill("worker")


async def worker_again(stage: Stage) -> None:
    """The sink lets go of what nobody waits for, the database lets the dead through, and a new worker comes."""
    for name in ("hung-taken", "hung-asked", "hung-untaken"):
        await stage.arena.release(name)
    for cohort in (CLAIMED, ANSWERED):
        await postgres(stage).open(cohort.like)
    await stage.arena.start_worker()


AT_THE_INSTANT = Blow(
    (
        Scenario("F3", "killed between claimed and committing", {CLAIMED: ACCEPTED}, *AT_CLAIM),
        Scenario("F4", "killed after the reply, before it was written down", {ANSWERED: ACCEPTED}, *AT_ANSWER),
        Scenario("F2", "killed between the dot and the reply; the provider cannot tell",
                 {HOLD: UNKNOWN_FIRST, RESEND: EITHER},
                 arm=by_rule(Rule(name="hung-taken", stage="reply", to="hung-(hold|resend)-.*", held=True, times=1)),
                 ready=held("hung-taken", 4)),
        Scenario("F2", "killed between the dot and the reply; the provider can tell", {ASKED: ACCEPTED, UNTAKEN: ACCEPTED},
                 arm=by_rule(Rule(name="hung-asked", stage="reply", to=ASKED.pattern, held=True, times=1),
                             Rule(name="hung-untaken", stage="reply", to=UNTAKEN.pattern, held=True, taken=False, times=1)),
                 ready=all_held),
    ),
    strike=kill_worker, mend=worker_again,
)  # fmt: skip

# --- the web process killed (F5, F6) ---

UNANSWERED, UNCOMMITTED = Cohort("unanswered", 4), Cohort("uncommitted", 4)
AT_EVENT = at_step("event", UNCOMMITTED)


async def swallow(stage: Stage) -> None:
    """No answer of the web process comes through."""
    stage.arena.note("answers are swallowed", "web")
    stage.arena.to_web.swallow_answers()


async def answers_wait(stage: Stage) -> None:
    """Wait until an answer is on its way, and lost."""
    await stage.arena.to_web.something_waits()


async def kill_web(stage: Stage) -> None:
    """SIGKILL."""
    stage.arena.kill("web")


async def web_again(stage: Stage) -> None:
    """The network is well, and a new process comes."""
    stage.arena.to_web.cut()
    stage.arena.to_web.heal()
    stage.arena.start_web()
    await stage.arena.web_answers()


async def web_again_at_last(stage: Stage) -> None:
    """The same, and the database lets the dead through."""
    await postgres(stage).open(UNCOMMITTED.like)
    await web_again(stage)


WEB_AFTER_COMMIT = Blow(
    (Scenario("F5", "the web process killed after the commit, before its 2xx", {UNANSWERED: ACCEPTED},
              arm=swallow, ready=answers_wait),),
    strike=kill_web, mend=web_again,
)  # fmt: skip
WEB_BEFORE_COMMIT = Blow(
    (Scenario("F6", "the web process killed before the commit", {UNCOMMITTED: ACCEPTED}, *AT_EVENT),),
    strike=kill_web, mend=web_again_at_last,
)  # fmt: skip

# --- the worker killed at any time, started thrice, told to go (F1, F33, F32) ---

ANY_TIME, LEAVERS = Cohort("any-time", 10), Cohort("leavers", 6)
THRICE = Cohort("thrice", 6)
GOING = Cohort("going", 16, "receipt")


async def kill_again_and_again(stage: Stage) -> None:
    """SIGKILL at moments that the seed picks; some leads refuse meanwhile."""
    for n in range(2 * stage.scale):
        await asyncio.sleep(stage.dice.uniform(0.1, 1.5))
        stage.arena.kill("worker")
        if n == 0:
            await stage.sender.send({**event, "consents": {"news": False}} for event in LEAVERS.events("said_no"))
        await stage.arena.start_worker()


async def thrice(stage: Stage) -> None:
    """Two more workers and one more web process, by mistake; a sender who knows both webs tells each of them."""
    await asyncio.gather(*(stage.arena.start_worker(name) for name in ("worker-2", "worker-3")))


async def twice_told(stage: Stage) -> None:
    """The same events again, all at once."""
    await stage.sender.send([*THRICE.entries(), *THRICE.entries()])


async def all_go(stage: Stage) -> None:
    """SIGTERM for every worker in the middle of sending."""
    await stage.arena.end("worker", "worker-2", "worker-3")


async def slow_replies_end(stage: Stage) -> None:
    """The sink is quick again; a worker comes that reaches everything over the network."""
    await stage.arena.release("going")
    await stage.arena.start_far_worker()


KILLS = Blow(
    (
        Scenario(
            "F1",
            "the worker killed again and again at any time",
            {ANY_TIME: EITHER},
        ),
        Scenario(
            "F1",
            "leads refuse meanwhile",
            {LEAVERS: Expected(settled=frozenset({"accepted", "suppressed", "unknown"}))},
        ),
    ),
    strike=kill_again_and_again,
)
START_THRICE = Blow(
    (Scenario("F33", "three workers by mistake, every event sent thrice", {THRICE: ACCEPTED}),),
    strike=thrice,
    mend=twice_told,
)
GO = Blow(
    (Scenario("F32", "SIGTERM in the middle of sending", {GOING: Expected()},
              arm=by_rule(Rule(name="going", stage="reply", to=GOING.pattern, seconds=0.5)),
              ready=lambda stage: stage.arena.met("going", 4)),),
    strike=all_go, mend=slow_replies_end,
)  # fmt: skip

# --- the database gone (F10) ---

DISCONNECTED, DOWN = Cohort("disconnected", 6), Cohort("down", 6)


async def end_connections(stage: Stage) -> None:
    """Every connection ends, thrice."""
    for _ in range(3):
        stage.arena.note("pg_terminate_backend")
        await postgres(stage).end_connections()
        await asyncio.sleep(stage.dice.uniform(0.2, 0.6))


async def crash_database(stage: Stage) -> None:
    """The server stops without leave, and is away for a while."""
    stage.arena.note("SIGQUIT", "postgres")
    await postgres(stage).crash()
    await asyncio.sleep(2 * stage.scale)


async def database_again(stage: Stage) -> None:
    """It comes back; none of our processes is started again."""
    await postgres(stage).start_again()


ENDED = Blow((Scenario("F10", "every connection to the database ended, again and again", {DISCONNECTED: ACCEPTED}),),
             strike=end_connections)  # fmt: skip
CRASHED = Blow((Scenario("F10", "the database server crashes and is away", {DOWN: EITHER}),),
               strike=crash_database, mend=database_again)  # fmt: skip

# --- a tarpit (F13), the network parted (F35) ---

HALF_OPEN = Cohort("half-open", 3)
NO_SINK, NO_STORE, NO_TEMPORAL = Cohort("no-sink", 3), Cohort("no-store", 3), Cohort("no-temporal", 3)
STILL, BUSY = Cohort("still", 10), Cohort("busy", 6, "mailless")


async def busy_done(stage: Stage) -> None:
    """Wait until those have come to their end who need no mail: nobody took their places."""
    where = f"l.email LIKE '{BUSY.like}' AND j.status = 'ended'"
    ended = f"SELECT count(*) AS n FROM journeys j JOIN leads l ON l.id = j.lead_id WHERE {where}"

    async def all_ended() -> bool:
        return bool((await postgres(stage).rows(ended))[0].n == BUSY.size)

    await stage.arena.until(all_ended, "journeys without mails end in spite of the tarpit")


async def out_of_the_tarpit(stage: Stage) -> None:
    """The sink answers as it should."""
    await stage.arena.release("tarpit-banner")
    await stage.arena.release("tarpit-rcpt")


async def hang_sink(stage: Stage) -> None:
    """The worker can connect to the mail server, and hears nothing."""
    stage.arena.note("hang", "worker - mail")
    stage.arena.to_sink.hang()


async def sink_silent(stage: Stage) -> None:
    """Wait until it has connected, and for longer than it waits for a word."""
    await stage.arena.to_sink.something_waits()
    await asyncio.sleep(6)


async def part_from_sink(stage: Stage) -> None:
    """The worker reaches no mail server."""
    stage.arena.note("cut", "worker - mail")
    stage.arena.to_sink.cut()


async def refused(stage: Stage) -> None:
    """Wait until it has tried."""

    async def tried() -> bool:
        return stage.arena.to_sink.refused >= NO_SINK.size

    await stage.arena.until(tried, "the worker tried to send")


async def sink_back(stage: Stage) -> None:
    """The mail server can be reached."""
    stage.arena.to_sink.heal()


async def part_from_store(stage: Stage) -> None:
    """The sink answers, and the worker cannot write it down; a second worker works on."""
    assert stage.arena.to_database is not None
    stage.arena.note("hang", "worker - database")
    stage.arena.to_database.hang()
    await stage.arena.release("no-store")
    await stage.arena.to_database.something_waits()


async def part_from_temporal(stage: Stage) -> None:
    """The sink answers, and the worker can tell nobody; the server gives its work to the other."""
    stage.arena.note("cut", "worker - Temporal")
    stage.arena.to_temporal.cut()
    await stage.arena.release("no-temporal")
    await stage.arena.start_worker()


async def store_back(stage: Stage) -> None:
    """The database can be reached."""
    assert stage.arena.to_database is not None
    await asyncio.sleep(2 * stage.scale)
    stage.arena.to_database.heal()


async def temporal_back(stage: Stage) -> None:
    """Temporal can be reached again, once the other has taken over what was lost."""
    await asyncio.sleep(2 * stage.scale)
    stage.arena.to_temporal.heal()


TARPIT = Blow(
    (Scenario("F13", "a tarpit: every banner and every recipient takes ten seconds",
              {STILL: ACCEPTED, BUSY: Expected(points={"love": 1})},
              arm=by_rule(Rule(name="tarpit-banner", stage="banner", seconds=10),
                          Rule(name="tarpit-rcpt", stage="rcpt", to=STILL.pattern, seconds=10)),
              ready=busy_done),),
    mend=out_of_the_tarpit,
)  # fmt: skip
SILENT = Blow(
    (Scenario("F13", "half-open connections: the mail server says nothing", {HALF_OPEN: EITHER},
              arm=hang_sink, ready=sink_silent),),
    mend=sink_back,
)  # fmt: skip
PART_SINK = Blow((Scenario("F35", "worker and mail server parted", {NO_SINK: ACCEPTED}, arm=part_from_sink, ready=refused),),
                 mend=sink_back)  # fmt: skip
PART_STORE = Blow(
    (Scenario("F35", "worker and database parted while a mail is being answered", {NO_STORE: ACCEPTED},
              arm=by_rule(Rule(name="no-store", stage="reply", to=NO_STORE.pattern, held=True, times=1)),
              ready=held("no-store", 3)),),
    strike=part_from_store, mend=store_back,
)  # fmt: skip
PART_TEMPORAL = Blow(
    (Scenario("F35", "worker and Temporal parted while a mail is being answered", {NO_TEMPORAL: ACCEPTED},
              arm=by_rule(Rule(name="no-temporal", stage="reply", to=NO_TEMPORAL.pattern, held=True, times=1)),
              ready=held("no-temporal", 3)),),
    strike=part_from_temporal, mend=temporal_back,
)  # fmt: skip


def blows(_scale: int) -> tuple[Blow, ...]:
    """All of them, in an order in which they do not disturb each other."""
    return (
        MAIL, TARPIT, AT_THE_INSTANT, WEB_AFTER_COMMIT, WEB_BEFORE_COMMIT, KILLS, START_THRICE, ENDED, CRASHED, GO, SILENT,
        PART_SINK, PART_STORE, PART_TEMPORAL,
    )  # fmt: skip
