"""Checkpoints in their makers' own formats, converted once to those that the families read."""
