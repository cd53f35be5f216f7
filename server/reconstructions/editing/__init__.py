"""Editing a segmentation: ordered operations on an immutable base, and what follows from them.

runs       sets of voxels and what became of them, as few bytes (pure)
steps      what one operation does to labels (pure)
table      the list of segments as operations leave it (pure)
labelmaps  the labelmap at the newest operation, kept in this process, and its snapshot in storage
writing    one operation more, under its locks
services   beginning, editing, undoing, restoring
history    versions and comparing two of them
refining   what the engine works out: surfaces, growing, smoothing, downloads
"""
