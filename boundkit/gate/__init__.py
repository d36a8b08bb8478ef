"""A policy held against a report: what failed, by how much, and why."""
