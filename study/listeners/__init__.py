"""Listeners that judge and choose nothing."""
