"""A project on disk: folder, journal, lock, library, exports, scores, examples."""
