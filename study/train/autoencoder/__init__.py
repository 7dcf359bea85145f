"""The codec's training by its parts: crops, distances, codebooks, adversary, weights, one step."""
