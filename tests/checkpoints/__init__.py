"""Tiny checkpoints of random weights in the released formats: real shapes in time, tiny in width."""
