"""The document and its edits: pure functions over frozen values."""
