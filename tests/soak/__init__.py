"""An hour of load and faults on all processes, RabbitMQ and PostgreSQL: `make load`.

crowd    people who make, edit and end meetings on both sides, and what is expected
faults   what goes wrong, one thing a minute
gauges   memory, queues and how long a change takes, all the while
report   what came of it, and whether that is good enough
"""
