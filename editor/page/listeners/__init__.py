"""What the page's events do to a session: one file a part of the page, each with its wiring."""
