"""Training data: pieces, words, renders, recordings, and what networks read of them."""
