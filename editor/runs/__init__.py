"""Runs of the engines on a project, and what is heard in their takes."""
