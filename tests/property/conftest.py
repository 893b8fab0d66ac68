"""How many examples are tried, and which: the same ones every time in CI.

`HYPOTHESIS_PROFILE=thorough` searches for minutes rather than seconds.
"""

import os

from hypothesis import HealthCheck, settings

# Machines of other people's are slow at times; that is no property of ours.
_PATIENT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

settings.register_profile("local", _PATIENT, max_examples=60)
settings.register_profile(
    "ci", settings.get_profile("local"), derandomize=True, database=None
)
settings.register_profile("thorough", _PATIENT, max_examples=2000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "local")
)
