"""Tiny checkpoints of random weights in the formats that were released."""
