"""Arithmetic on arrays and tensors; knows no network and no file format."""
