"""SPADE."""
