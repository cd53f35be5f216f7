"""Signing a case: what is signed, by whom, what holds it back, and opening it again."""
