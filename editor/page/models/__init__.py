"""The Models sheet: what it shows, and the downloads behind it."""
