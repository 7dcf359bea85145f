"""Recordings, time, and how a re-made span is put back and sounds at its seams."""
