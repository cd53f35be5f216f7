"""What became of the segments between two studies of one patient.

growth   volume on two dates: change, doubling time (pure)
change   two segmentations brought together, and why some may not be
api      the answer over HTTP
"""
