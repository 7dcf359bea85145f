"""What the words of a prompt ask for."""
