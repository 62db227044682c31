"""Tracking of our own: who followed a link in a message, what its target is told, and who is not followed at all."""
