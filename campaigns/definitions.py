"""Who is ready for sales, as marketing and sales agreed."""

from nurture import Definition, event, lead

marketing_director = Definition(
    key="marketing-director",
    title="Marketing director of a trading company",
    agreed_by=("marketing: the head of marketing", "sales: the head of sales"),
    ready=(
        lead.job_title.contains("marketing")
        & (lead.company.turnover >= 1_000_000)
        & (lead.score("interest") >= 40)
        & (event("price_list_downloaded").count() >= 1)
    ),
)
