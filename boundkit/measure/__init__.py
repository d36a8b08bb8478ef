"""Network (and data) -> Measurement, Norms, Evidence."""
