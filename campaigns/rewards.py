"""What we give for a recommendation that came true."""

from nurture import Reward, on

month = Reward(key="month", title="A month for both", when=on("order_paid"), amount="10.00", currency="EUR")
