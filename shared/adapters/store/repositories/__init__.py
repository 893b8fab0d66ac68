"""The queries, one module per table.

Methods return rows, which may be changed: the unit of work writes what was changed when
it is committed. `add` and the like send the row at once, so that it has its id.
"""
