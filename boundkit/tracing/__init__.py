"""A training run, checkpoint by checkpoint: norms, margins, collapse, ranks over time."""
