"""Rigid registration of two volumes of one modality: where the body of one lies in the other.

records    what is asked and answered (light)
bodies     a volume made small, its values cut to what tells tissues apart, and where its body is
aligning   one run of the optimiser over several resolutions, from one start
verb       starts, repeated runs, how far they agree, and when the answer is refused
"""
