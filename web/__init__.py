"""The HTTP edge: what comes in, and the pages that links in messages lead to."""
