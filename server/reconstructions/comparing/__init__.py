"""Comparing two segmentations: how far apart, where, and painted on both surfaces.

pairs      which segment of one is which of the other (pure)
models     one comparison of two states, made once
selectors  who sees it, and what other rooms ask of it
services   asking for it, keeping what the engine made of it
jobs       how a worker does it
api        routes
"""
