"""Where visitors become leads: what they are promised, and what they are asked in exchange."""

from nurture import Form, Offer, field, lead

prices = Offer(
    key="price-list",
    title="The price list",
    promise={
        "en": "All prices on two pages, and how others chose. You have it in a minute.",
        "ru": "Все цены на двух страницах и примеры выбора. Придёт через минуту.",
    },
)

price_list = Form(
    key="price-list",
    title={"en": "The price list", "ru": "Прайс-лист"},
    promise=prices,
    fields=(
        field(lead.email, required=True),
        field(lead.first_name),
        field(
            lead.job_title,
            label={"en": "What do you do?", "ru": "Чем вы занимаетесь?"},
            choices={
                "head of marketing": {"en": "I lead marketing", "ru": "Руковожу маркетингом"},
                "owner": {"en": "I own the company", "ru": "Владею компанией"},
                "other": {"en": "Something else", "ru": "Другое"},
            },
        ),
        field(
            lead.company.turnover,
            choices={
                500_000: {"en": "less than a million", "ru": "меньше миллиона"},
                5_000_000: {"en": "one to ten million", "ru": "от одного до десяти миллионов"},
                10_000_000: {"en": "more than ten million", "ru": "больше десяти миллионов"},
            },
        ),
    ),
    event="price_list_downloaded",
    serves="marketing-director",
    topic="news",
    consent={
        "en": "Send me news and examples by e-mail, twice a month at the most. I can leave at any time.",
        "ru": "Присылайте новости и примеры на почту, не чаще двух раз в месяц. Отписаться можно в любой момент.",
    },
    button={"en": "Send me the price list", "ru": "Получить прайс-лист"},
    thanks={
        "en": "The price list is on its way to your mailbox.",
        "ru": "Прайс-лист уже летит на вашу почту.",
    },
)
