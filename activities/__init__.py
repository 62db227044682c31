"""The ports of the workflows, implemented: what touches the world."""
