"""How a span of a recording is filled: window, beginnings, what goes on, what came of the wish."""
