"""Recordings from files of other formats."""
