"""Baton: a help desk that cannot drop a ticket."""

__version__ = "0.1.0"
