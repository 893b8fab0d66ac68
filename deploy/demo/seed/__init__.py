"""Seed data of the demo: three people with a few weeks of meetings, all connected.

Speaks HTTP to the simulators and the receiver, and knows nothing else of them.
"""
