"""Training, the papers' experiments, and their dynamical systems."""
