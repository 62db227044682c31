"""Durable shells: the journey as a Temporal workflow, the ports it owns, and how others address it."""
