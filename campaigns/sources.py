"""Systems that call us, and how their payloads read as events."""

from nurture import Source

shop = Source(
    key="shop",
    events={"order.paid": "order_paid", "page.viewed": "visit", "request.created": "request_sent"},
    type_at="type",
    lead={"email": "data.customer.email", "external_id": "data.customer.id"},
    properties={"order": "data.order.number", "amount": "data.order.total", "currency": "data.order.currency"},
    time_at="timestamp",
)

crm = Source(
    key="crm",
    events={"lead.accepted": "sales_accepted", "lead.rejected": "sales_rejected"},
    type_at="type",
    lead={"email": "data.email"},
    properties={"reason": "data.reason"},
    time_at="timestamp",
)
