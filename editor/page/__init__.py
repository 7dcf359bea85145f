"""The page and its server: components, events, what they show."""
