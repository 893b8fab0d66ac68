"""`python -m deploy.cli` is `calendar-sync`; so processes start each other."""

from deploy.cli import main

main()
