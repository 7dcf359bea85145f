"""Side-by-side listening: what the page shows, says and plays of takes and runs."""
