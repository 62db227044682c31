"""Documents that are made for a lead."""

from nurture import Document, days, line

proposal = Document(
    key="proposal",
    title={"en": "Proposal", "ru": "Предложение"},
    currency="EUR",
    numbers="P-{year}-{n:04}",
    valid=days(30),
    lines=(
        line({"en": "Setting it up", "ru": "Настройка"}, price=1200, tax=19),
        line(
            {"en": "Two weeks of help", "ru": "Две недели помощи"},
            price=90,
            quantity=10,
            unit={"en": "hours", "ru": "ч"},
            tax=19,
        ),
    ),
)
