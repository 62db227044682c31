"""Retargeting: leads of an audience as advertising networks take them, hashed, and kept in step with what leads want."""
