"""Simulation, learning and decomposition of networks whose weights are low tensor rank."""
