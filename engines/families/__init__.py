"""Families of checkpoints, one file each: the embedded bundle and public models, behind one shape."""
