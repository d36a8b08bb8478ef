"""Figures of many nets: a fit, levels of a cause, and a ranking of measures."""
