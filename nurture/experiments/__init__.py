"""Experiments: what arms and hold-outs tell, with the uncertainty; pure arithmetic, no dice."""
