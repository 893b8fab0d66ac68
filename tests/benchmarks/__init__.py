"""What the product costs, measured beside itself: `make bench`.

Everything runs on the same machine, the simulators and the load in processes of their
own. Machines differ and are noisy: read the ratios, which are of one run.
"""
