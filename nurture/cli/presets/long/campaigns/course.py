"""Stage learn, task nurture: three lessons, at most one a week; who follows them is ready to be asked."""

from nurture import Campaign, State, advance, clicked, days, enrol, leave, need, on, send, wait, wait_for, weekdays

campaign = Campaign(
    key="course",
    title="The course",
    goal=on("order_paid"),
    exits=[on("meeting_booked")],
    presale=True,
    states=[
        State("learn", [
            advance("learn"),
            send("course/lesson-1"),
            wait(days(7), at=weekdays("10:00")),
            send("course/lesson-2"),
            wait(days(7), at=weekdays("10:00")),
            send("course/lesson-3"),
            wait_for(clicked("course/lesson-3"), up_to=days(7), then="learnt", otherwise=leave("did not follow")),
        ]),
        State("learnt", [
            need("starter-kit", readiness=70),
            enrol("personalize"),
        ]),
    ],
)  # fmt: skip
