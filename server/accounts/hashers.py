"""Argon2 with the smallest costs, for tests only: hashing would be most of their time."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Never listed in production settings: its hashes are as weak as they are quick."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
