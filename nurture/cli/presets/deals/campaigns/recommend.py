"""Stage repeat, task recommend: who is content is asked once a year, and rewarded for a friend who buys."""

from nurture import Campaign, Reward, State, advance, ask_referral, days, leave, on, once_in, send, wait_for

month = Reward(key="month", title="A month for both", when=on("order_paid"), amount="10.00", currency="EUR")

campaign = Campaign(
    key="recommend",
    title="Recommend us",
    reenters=once_in(days(365)),
    states=[
        State("ask", [
            ask_referral("recommend/ask"),
            wait_for(on("referral_rewarded"), up_to=days(90), then="rewarded", otherwise=leave("nobody came yet")),
        ]),
        State("rewarded", [
            advance("promoter"),
            send("recommend/thanks", legal_basis="the reward that was promised"),
        ]),
    ],
)  # fmt: skip
