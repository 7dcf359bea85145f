"""How networks are asked: flows, guidance, search, the order of filling in the middle."""
