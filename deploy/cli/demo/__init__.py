"""The demo: the product beside a simulated Google and a simulated CRM.

The simulators and the seeding are other programs, started by their names: nothing of
them is imported here.
"""
