"""Which processes count together is decided before anything counts."""

import subprocess
import sys


def test_serve_loads_what_counts_only_after_it_has_begun() -> None:
    code = (
        "import sys, deploy.cli.commands.serve\n"
        "print('prometheus_client' in sys.modules)"
    )

    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
