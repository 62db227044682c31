"""Deliverability: what makes receivers take our mail, and what they say of how fast it comes."""
