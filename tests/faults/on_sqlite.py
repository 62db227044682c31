"""Faults of data, disk, Temporal, operators and deployments, over SQLite; histories continue as new early here."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client

from tests.faults.checker import Expected
from tests.faults.crowd import Cohort, Sender
from tests.faults.databases import Sqlite
from tests.faults.evidence import broke
from tests.faults.runner import Blow, Scenario, Stage

ACCEPTED = Expected()
ANSWERED = Expected(after={"two": "agreed"})
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), Path("/usr/lib/faketime/libfaketimeMT.so.1"))


def sqlite(stage: Stage) -> Sqlite:
    """The arena's database."""
    assert isinstance(stage.arena.database, Sqlite)
    return stage.arena.database


async def waits(stage: Stage, cohort: Cohort, state: str = "first") -> None:
    """Wait until every lead of the cohort has come to the wait of that state."""
    query = f"""SELECT count(DISTINCT m.journey_id) AS n FROM moves m JOIN journeys j ON j.id = m.journey_id
        JOIN leads l ON l.id = j.lead_id WHERE l.email LIKE '{cohort.like}' AND m.state = '{state}' AND m.move = 'park'"""

    async def all_wait() -> bool:
        return bool((await sqlite(stage).rows(query))[0].n == cohort.size)

    await stage.arena.until(all_wait, f"{cohort.name} waits in {state}")


async def timers_run(stage: Stage, cohort: Cohort) -> None:
    """Wait until Temporal, too, knows that they wait."""
    await waits(stage, cohort)
    client, ids = await executions(stage, cohort)

    async def all_run() -> bool:
        for one in ids:
            history = await client.get_workflow_handle(one.workflow_id).fetch_history()
            if not any(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in history.events):
                return False
        return True

    await stage.arena.until(all_run, f"timers of {cohort.name} run")


async def ended(stage: Stage, cohort: Cohort) -> None:
    """Wait until all of the cohort's journeys have ended."""
    where = f"l.email LIKE '{cohort.like}' AND j.status = 'ended'"
    query = f"SELECT count(*) AS n FROM journeys j JOIN leads l ON l.id = j.lead_id WHERE {where}"

    async def all_ended() -> bool:
        return bool((await sqlite(stage).rows(query))[0].n == cohort.size)

    await stage.arena.until(all_ended, f"{cohort.name} has ended")


async def executions(stage: Stage, cohort: Cohort) -> tuple[Client, list[WorkflowExecution]]:
    """The cohort's workflows, as an operator sees them."""
    query = f"SELECT j.id FROM journeys j JOIN leads l ON l.id = j.lead_id WHERE l.email LIKE '{cohort.like}'"
    ids = [f"journey:{row.id}" for row in await sqlite(stage).rows(query)]
    return await stage.arena.temporal(), [WorkflowExecution(workflow_id=one) for one in ids]


# --- data (F17, F18, F19, F21) ---

REPEATED, SHUFFLED, OBJECTING = Cohort("repeated", 4), Cohort("shuffled", 3, "mailless"), Cohort("objecting", 3)
BELATED, NEIGHBOURS = Cohort("belated", 3, "patient"), Cohort("neighbours", 12)
LOST_WORDS = [
    '{"id": "p1", "name": "visited"}',
    '{"id": "p2", "name": "visited", "lead": {"email": "nobody"}}',
    '{"id": "p3", "name": 7, "lead": {"email": "p@example.com"}}',
    '{"id": "p4", "name": "visited", "lead": {"email": "p@example.com"}, "properties": {"n": 1e999}}',
    '{"id": "p5", "name": "visited", "lead": {"email": "p@example.com"}, "properties": {"n": "\\u0000"}}',
    '{"id": "p6", "name": "visited", "lead": {"email": "p@example.com"}, "properties": {"n": "\\ud800"}}',
    '{"id": "p7", "name": "visited", "lead": {"email": "p@example.com"}, "properties": {"n": ' + "[" * 40 + "]" * 40 + "}}",
    '{"id": "p8", "name": "visited", "lead": {"email": "p@example.com"}, "properties": {"n": "' + "x" * 40_000 + '"}}',
    '{"id": "p9", "name": "visited", "lead": {"id": "nobody-has-this-id"}}',
    '{"id": "p10", "name": "message_sent", "lead": {"email": "p@example.com"}}',
    '{"id": "p11", "name": "visited", "lead": {"email": "p@example.com"}, "at": "0001-01-01T00:00:00Z"}',
    '"not even an object"',
    "17",
]  # fmt: skip
ODD_WORDS = ["1e308", '"\\u202eabc"', '"𝔘𝔫𝔦𝔠𝔬𝔡𝔢"', "-0.0", "null", '"=cmd()"', '"{{ 7 * 7 }}"']


async def ten_times(stage: Stage) -> None:
    """Every event ten times, by the API and by webhook, all at once."""
    await asyncio.gather(
        *(stage.sender.send([*REPEATED.entries(), *REPEATED.events("visited")]) for _ in range(10)),
        *(
            stage.sender.hook({**event, "id": f"hook/{event['id']}"})
            for event in REPEATED.events("visited")
            for _ in range(10)
        ),
    )


async def in_any_order(stage: Stage) -> None:
    """What is known of a lead, newest or oldest first; a refusal before the consent that it takes back."""
    now = datetime.now(UTC)
    news = [
        {"id": f"moved-{n}/{email}", "name": "moved", "lead": {"email": email, "city": city},
         "at": (now - timedelta(minutes=ago)).isoformat()}
        for email in SHUFFLED.emails for n, (city, ago) in enumerate([("Rome", 1), ("Oslo", 50), ("Bonn", 9)])
    ]  # fmt: skip
    stage.dice.shuffle(news)
    for one in news:
        await stage.sender.one(one)


async def refused_before(stage: Stage) -> None:
    """The refusal is heard first; the older consent comes after it."""
    now = datetime.now(UTC)
    for event in OBJECTING.events("said_no"):
        await stage.sender.one({**event, "consents": {"news": False}, "at": now.isoformat()})
    for event in OBJECTING.entries():
        await stage.sender.one({**event, "at": (now - timedelta(hours=1)).isoformat()})


async def fortnight_old(stage: Stage) -> None:
    """Leads agree and their journeys go on to the end; then it is reported again, as of two weeks ago."""
    await waits(stage, BELATED)
    await stage.sender.send(BELATED.events("agreed"))
    await ended(stage, BELATED)
    old = (datetime.now(UTC) - timedelta(days=14)).isoformat()
    await stage.sender.send({**one, "id": f"old/{one['id']}", "at": old} for one in BELATED.events("agreed"))


async def among_poison(stage: Stage) -> None:
    """Good events in one batch with bad ones, and with odd ones that are good."""
    odd_values = [json.loads(word) for word in ODD_WORDS]
    good = [
        {**event, "properties": {"n": odd_values[n % len(odd_values)]}} for n, event in enumerate(NEIGHBOURS.entries())
    ]
    mixed: list[Any] = [*good, *LOST_WORDS]
    stage.dice.shuffle(mixed)
    statuses = dict(zip(map(json.dumps, mixed), await stage.sender.batch(mixed), strict=True))
    bad = [statuses[json.dumps(one)] for one in LOST_WORDS]
    assert all(400 <= status < 500 for status in bad), bad


DATA = Blow(
    (
        Scenario("F17", "every event and webhook ten times, all at once", {REPEATED: ACCEPTED}, arm=ten_times),
        Scenario("F18", "attributes in any order", {SHUFFLED: Expected(city="Rome", points={"love": 1})}, arm=in_any_order),
        Scenario("F18", "the refusal before the older consent", {OBJECTING: Expected(frozenset({"suppressed"}))},
                 arm=refused_before),
        Scenario("F19", "an answer two weeks old opens no closed wait", {BELATED: ANSWERED}, ready=fortnight_old),
        Scenario("F21", "poison in one batch with good events", {NEIGHBOURS: ACCEPTED}, arm=among_poison),
    ),
)  # fmt: skip

# --- a siege (F22) ---

BESIEGED = Cohort("besieged", 8)


async def besiege(stage: Stage) -> None:
    """Requests too large, and two hundred that never come to an end; the good ones get through meanwhile."""
    port = stage.arena.ports.web
    assert (
        await _status(
            port, b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" + b"x" * 2_000_000
        )
        == 413
    )
    assert await _status(port, b"GET /live HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 300_000 + b"\r\n\r\n") in (400, 431)
    many = [{"id": f"many-{n}", "name": "looked", "lead": {"email": "many@example.com"}} for n in range(501)]
    assert await stage.sender.post("v1/events", json=many) == 413
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
    for n, (_, writer) in enumerate(slow):
        writer.write(
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"
            if n % 2
            else b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"
        )
    await stage.sender.send(BESIEGED.entries())
    for _, writer in slow:
        writer.close()


async def _status(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


SIEGE = Blow(
    (Scenario("F22", "requests too large, and two hundred that never end", {BESIEGED: ACCEPTED}, arm=besiege),)
)

# --- the disk (F9) ---

LOCKED, FULL = Cohort("locked", 8), Cohort("disk-full", 8)


async def lock(stage: Stage) -> None:
    """Nobody can write for a while; what comes in meanwhile is refused, and sent again."""
    stage.arena.note("BEGIN EXCLUSIVE", "sqlite")
    async with sqlite(stage).locked():
        await asyncio.sleep(3 if stage.scale == 1 else 35)


async def fill(stage: Stage) -> None:
    """No file can grow."""
    stage.arena.note("no file can grow", "worker, web")
    async with sqlite(stage).full(*(stage.arena.children.pid(name) for name in ("worker", "web"))):
        await asyncio.sleep(2 * stage.scale)


LOCK = Blow((Scenario("F9", "the SQLite file locked by another", {LOCKED: ACCEPTED}),), strike=lock)
FILL = Blow((Scenario("F9", "the disk full", {FULL: Expected(frozenset({"accepted", "unknown"}))}),), strike=fill)

# --- Temporal (F7) ---

WAITING, COMING = Cohort("waiting", 8), Cohort("coming", 8)


async def kill_temporal(stage: Stage) -> None:
    """SIGKILL; timers come due and events come in while it is away, more of them than the outbox may hold."""
    stage.arena.kill("temporal")
    await stage.sender.send(COMING.entries())
    await _fill_the_outbox(stage)
    await asyncio.sleep(2 * stage.scale)


async def _fill_the_outbox(stage: Stage) -> None:
    """By a web process that takes thirty rows at most: what is more is refused, with a time to come back."""
    port = stage.arena.ports.temporal_ui
    stage.arena.start_web("small-web", port, NURTURE_OUTBOX_LIMIT="30")
    await stage.arena.web_lives(port)
    small = Sender(f"http://127.0.0.1:{port}", stage.arena.key, stage.sender.log)
    for n in range(60):
        lead = {"email": f"overflow-{n % 7}@example.com"}
        answer = await small.once({"id": f"overflow-{n}", "name": "looked", "lead": lead})
        if answer is None or not answer.is_success:
            break
    assert answer is not None
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    await small.close()
    await stage.arena.end("small-web")


async def temporal_again(stage: Stage) -> None:
    """It comes back with what it had."""
    stage.arena.start_temporal()
    await stage.arena.temporal_ready()


GONE = Blow(
    (Scenario("F7", "Temporal killed while journeys wait, and while leads come in", {WAITING: ACCEPTED},
              ready=lambda stage: waits(stage, WAITING)),),
    strike=kill_temporal, mend=temporal_again,
)  # fmt: skip
MEANWHILE = Blow((Scenario("F7", "leads that came while Temporal was away", {COMING: ACCEPTED}),))

# --- operators (F30, F31, F29) ---

HELD = Cohort("held", 8, "paused")
RESET, TERMINATED, DELETED = (Cohort(name, 2, "patient") for name in ("reset", "terminated", "deleted"))
FIRST_EDITION, SECOND_EDITION = Cohort("first-edition", 4, "edited"), Cohort("second-edition", 4, "edited")


async def pause(stage: Stage) -> None:
    """`nurture pause`, for longer than the leads' waits."""
    await waits(stage, HELD)
    await stage.arena.command("pause", "paused")
    stage.arena.note("paused", "paused")
    await asyncio.sleep(3 * stage.scale)
    stage.arena.note("resumed", "paused")
    await stage.arena.command("resume", "paused")


async def meddle(stage: Stage) -> None:
    """`temporal workflow reset`, `terminate` and `delete` of journeys that wait; then their leads answer."""
    for cohort in (RESET, TERMINATED, DELETED):
        await waits(stage, cohort)
        client, ids = await executions(stage, cohort)
        service = client.workflow_service
        for one in ids:
            stage.arena.note("temporal workflow", cohort.name)
            if cohort is RESET:
                request = ResetWorkflowExecutionRequest(
                    namespace="default", workflow_execution=one, reason="by hand", workflow_task_finish_event_id=4,
                    request_id=one.workflow_id,
                )  # fmt: skip
                await service.reset_workflow_execution(request)
            elif cohort is TERMINATED:
                await client.get_workflow_handle(one.workflow_id).terminate("by hand")
            else:
                await service.delete_workflow_execution(
                    DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=one)
                )
    await asyncio.sleep(1)
    for cohort in (RESET, TERMINATED, DELETED):
        await stage.sender.send(cohort.events("agreed"))


async def edit(stage: Stage) -> None:
    """Take a state out and shorten a wait, and publish; leads on their way finish what they entered."""
    await waits(stage, FIRST_EDITION)
    roads = stage.arena.campaigns / "roads.py"
    await asyncio.to_thread(_edited, roads)
    await stage.arena.command("publish", "edited")
    await stage.sender.send(SECOND_EDITION.entries())


def _edited(roads: Path) -> None:
    new = 'State("first", [send("test/one"), wait(days(2)), send("test/three"), done])'
    text = f'{roads.read_text()}\nedited = Campaign(key="edited", enters=[on("edited_asked")], states=[{new}])\n'
    roads.write_text(text.replace('edited = steady("edited")\n', ""))


OPERATORS = Blow(
    (
        Scenario("F30", "the campaign paused and resumed", {HELD: Expected(paused=True)}, ready=pause),
        Scenario("F31", "workflows reset, terminated and deleted by hand; then their leads answer",
                 {RESET: ANSWERED, TERMINATED: ANSWERED, DELETED: ANSWERED}, ready=meddle),
        Scenario("F29", "a campaign edited while leads wait", {FIRST_EDITION: ACCEPTED}, ready=edit),
    ),
)  # fmt: skip
EDITED = Blow(
    (Scenario("F29", "leads who enter the edited campaign", {SECOND_EDITION: Expected(absent=frozenset({"two"}))}),)
)

# --- deployments (F27, F28), clocks (F20), long histories (F36) ---

UPGRADED, BLOCKED = Cohort("upgraded", 6), Cohort("blocked", 4, "patient")
AHEAD, BEHIND = Cohort("ahead", 6), Cohort("behind", 4)
TALKATIVE = Cohort("talkative", 1, "listening")


def pings_of(scale: int) -> int:
    """How many events the talkative lead's journey hears; it does forty times as much."""
    return 150 * scale


async def side_by_side(stage: Stage) -> None:
    """The next build beside today's, then alone, then today's again."""
    await waits(stage, UPGRADED)
    await stage.arena.start_worker("next-worker", "tests.faults.next_build")
    await asyncio.sleep(1)
    await stage.arena.end("worker")
    await stage.arena.start_worker()
    await stage.arena.end("next-worker")


async def differing(stage: Stage) -> None:
    """A build that goes another way with these leads takes over while they wait, breaks on each, and is taken back."""
    await timers_run(stage, BLOCKED)
    await stage.arena.end("worker")
    await stage.arena.start_worker("differing-worker", "tests.faults.differing_build")
    await stage.sender.send(BLOCKED.events("agreed"))

    client, ids = await executions(stage, BLOCKED)

    async def all_break() -> bool:
        return all([await broke(client, one.workflow_id) for one in ids])

    await stage.arena.until(all_break, "every waiting journey breaks on the build that differs")
    await stage.arena.end("differing-worker")
    await stage.arena.start_worker()


def by_another_clock(offset: str) -> dict[str, str]:
    """The environment of a process whose clock is off by so much."""
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


async def clock_ahead(stage: Stage) -> None:
    """The worker's clock is ten minutes ahead while leads come."""
    stage.arena.note("the clock is ten minutes ahead", "worker")
    await stage.arena.end("worker")
    await stage.arena.start_worker(**by_another_clock("+10m"))


async def clock_jumps_back(stage: Stage) -> None:
    """Then it jumps to an hour behind, where the new leads wait; then it is put right."""
    stage.arena.note("the clock jumps back to an hour behind", "worker")
    await stage.arena.end("worker")
    await stage.arena.start_worker(**by_another_clock("-1h"))
    await asyncio.sleep(2)


async def clock_right(stage: Stage) -> None:
    """The worker's clock is right."""
    await stage.arena.end("worker")
    await stage.arena.start_worker()


async def talk(stage: Stage) -> None:
    """Events that a journey counts, among many that it does not listen for; the last one ends it."""
    (email,) = TALKATIVE.emails
    await waits(stage, TALKATIVE, "listening")
    count = pings_of(stage.scale)
    pings = [{"id": f"ping-{n}", "name": "ping", "lead": {"email": email}} for n in range(count)]
    noise = [{"id": f"noise-{n}", "name": "looked", "lead": {"email": email}} for n in range(39 * count)]
    for batch in _batches([*noise[: len(noise) // 2], *pings, *noise[len(noise) // 2 :]]):
        assert set(await stage.sender.batch(batch)) == {202}
    heard = f"""SELECT count(*) AS n FROM moves m JOIN journeys j ON j.id = m.journey_id JOIN leads l ON l.id = j.lead_id
        WHERE l.email = '{email}' AND m.reply->>'kind' = 'heard'"""

    async def all_heard() -> bool:
        return bool((await sqlite(stage).rows(heard))[0].n >= len(pings))

    await stage.arena.until(all_heard, "every ping is heard", 60.0 * stage.scale)
    await stage.sender.send(TALKATIVE.events("objected"))


def _batches(events: Sequence[Any]) -> list[Sequence[Any]]:
    return [events[n : n + 500] for n in range(0, len(events), 500)]


UPGRADE = Blow((Scenario("F27", "the next build beside today's, with journeys on their way", {UPGRADED: ACCEPTED},
                         ready=side_by_side),))  # fmt: skip
ROLLBACK = Blow((Scenario("F28", "a build that goes another way, taken back",
                          {BLOCKED: Expected(after={"two": "agreed"}, breaks=True)}, ready=differing),))  # fmt: skip
CLOCK_AHEAD = Blow((Scenario("F20", "the worker's clock ten minutes ahead", {AHEAD: ACCEPTED}, arm=clock_ahead),))
CLOCK_BEHIND = Blow((Scenario("F20", "the worker's clock jumps back to an hour behind, and is put right", {BEHIND: ACCEPTED}),),
                    strike=clock_jumps_back, mend=clock_right)  # fmt: skip


def history(scale: int) -> Blow:
    """A lead that does a lot; the event that ends its journey is heard as well."""
    expected = Expected(heard=pings_of(scale) + 1)
    return Blow(
        (
            Scenario(
                "F36", "a lead with thousands of events, over many continuations", {TALKATIVE: expected}, ready=talk
            ),
        )
    )


def blows(scale: int) -> tuple[Blow, ...]:
    """All of them, in an order in which they do not disturb each other; clocks are only set by the long run.

    Without Debian's libfaketime, which `./dev faults` installs where it may, no clock is set at all.
    """
    clocks = (CLOCK_AHEAD, CLOCK_BEHIND) if scale > 1 and FAKETIME.exists() else ()
    return (DATA, SIEGE, LOCK, FILL, GONE, MEANWHILE, OPERATORS, EDITED, UPGRADE, ROLLBACK, *clocks, history(scale))
