"""Training and measuring: what a researcher runs, and no musician needs."""
