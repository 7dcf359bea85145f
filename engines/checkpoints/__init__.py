"""Bundles of checkpoints: specs, loading, sharing."""
