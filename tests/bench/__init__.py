"""Benchmarks: what the product costs, measured on this machine; a benchmark measures, a test does not time."""
