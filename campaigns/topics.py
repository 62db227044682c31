"""What people take from us, and may leave."""

from nurture import Topic

news = Topic(
    key="news",
    title={"en": "News and offers", "ru": "Новости и предложения"},
    about={
        "en": "New things, and what they cost. A few times a month.",
        "ru": "Новинки и цены. Несколько раз в месяц.",
    },
)
