"""What is heard in audio: chords, melody, rhythm, key, players. Loads no torch, but for the drum signal."""
