"""Points for what leads do and are."""

from nurture import Score, Threshold, clicked, days, event, gives, lead, on, when

interest = Score(
    key="interest",
    title="Interest",
    rules=(
        gives(10, on("price_list_downloaded"), at_most=2),
        gives(10, on("webinar_registered"), at_most=2),
        gives(20, on("webinar_attended"), at_most=2),
        gives(15, clicked(), at_most=3),
        gives(5, on("visit"), at_most=3, per=days(7)),
        gives(25, on("request_sent"), at_most=2),
        gives(-20, on("unsubscribed")),
    ),
    thresholds=(Threshold(key="warm", at=40), Threshold(key="ready", at=70, rearm=40)),
)

fit = Score(
    key="fit",
    title="Fit",
    rules=(
        gives(30, when(lead.job_title.contains("marketing"))),
        gives(30, when(lead.company.turnover >= 1_000_000)),
        gives(10, when(event("question_asked").count() >= 1)),
    ),
)
