"""The shop, which tells of its orders by webhooks."""

from nurture import Source

shop = Source(
    key="shop",
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
