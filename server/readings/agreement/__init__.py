"""How far readers and algorithm agree: statistics, the decision against the project's limits, what follows from it."""
