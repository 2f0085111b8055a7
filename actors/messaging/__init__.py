"""The conversation service's message handlers and jobs: rooms follow what workflow tells of tickets, files are looked after."""

from baton.actors.messaging import attachments, rooms

__all__ = ["attachments", "rooms"]
