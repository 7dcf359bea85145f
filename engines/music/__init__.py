"""Symbols of music: chords and instruments."""
