"""The workflow service's name for `models.rows`."""

from baton.models.rows import among, dicts, insert_rows, select_rows, tuples, update_in_shapes, update_rows

__all__ = ["among", "dicts", "insert_rows", "select_rows", "tuples", "update_in_shapes", "update_rows"]
