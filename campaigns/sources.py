"""Systems that call us, and how their payloads read as events."""

from nurture import Source

shop = Source(
    key="shop",
    events={"page.viewed": "visit", "request.created": "request_sent"},
    type_at="type",
    lead={"email": "data.customer.email", "external_id": "data.customer.id"},
    orders={
        "order.created": "placed",
        "order.paid": "paid",
        "order.refunded": "refunded",
        "order.cancelled": "cancelled",
    },
    order={"number": "data.order.number", "amount": "data.order.total", "currency": "data.order.currency",
           "refund_id": "data.refund.id", "refund_amount": "data.refund.amount"},
    lines_at="data.order.lines",
    line={"product": "sku", "quantity": "quantity", "amount": "total"},
    time_at="timestamp",
)  # fmt: skip

crm = Source(
    key="crm",
    events={"lead.accepted": "sales_accepted", "lead.rejected": "sales_rejected"},
    type_at="type",
    lead={"email": "data.email"},
    properties={"reason": "data.reason"},
    time_at="timestamp",
)
