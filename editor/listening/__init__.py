"""The listening study (sec. 5.3 of the paper)."""
