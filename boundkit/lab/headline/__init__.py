"""Nets trained for their bound: the certificates below 1 of the catalog's first theorem."""
