"""How the shipped weights were made: sets, augmentation, losses, the loop, its checkpoints, and scoring."""
