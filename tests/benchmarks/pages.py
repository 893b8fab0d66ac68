"""How fast the pages answer on a long history of many users, from the outside."""

import statistics
import sys
import time

import psycopg2
import requests

from tests.benchmarks.tables import Row
from tests.e2e.system import ORGANIZATION, System

USERS = 10_000
JOBS = 250_000
ITEMS_PER_JOB = 4
RUNS = 15
PATHS = (
    "/admin",
    "/admin/history",
    "/admin/history?user=nobody-123@",
    f"/admin/history/{JOBS // 2}",
    "/admin/conflicts",
    "/admin/users",
    "/admin/users?search=nobody-123@",
    "/admin/settings",
    "/admin/setup",
    "/admin/dead-letters",
    "/admin/held-deletions",
    "/admin/orphans",
    "/record?task_id=task-77",
    "/me",
    "/me/history",
)
"""Each is asked for `RUNS` times, after once to fill the caches."""


def run(system: System) -> list[Row]:
    """Fill the database, then ask for each page as an admin who is a user, too."""
    _fill(system)
    session = requests.Session()
    session.get(system.login_link("admin", "user-123"), timeout=30)
    found = {path: _median_ms(session, system.url + path) for path in PATHS}
    for path, taken in found.items():
        sys.stderr.write(f"{taken:6.0f} ms  {path}\n")
    slowest = max(found, key=lambda path: found[path])
    typical = statistics.median(found.values())
    of = f"of {len(PATHS)} pages on {JOBS * ITEMS_PER_JOB:,} items and {USERS:,} users"
    return [
        Row(f"pages, median {of}", f"{typical:.0f} ms"),
        Row(f"slowest {of}", f"{found[slowest]:.0f} ms ({slowest})"),
    ]


def _median_ms(session: requests.Session, url: str) -> float:
    taken = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        answer = session.get(url, timeout=60)
        taken.append(time.perf_counter() - began)
        assert answer.status_code == requests.codes.ok, (url, answer.status_code)
    return statistics.median(taken[1:]) * 1000


def _fill(system: System) -> None:
    with psycopg2.connect(system.environment()["DATABASE_URL"]) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT id FROM organizations WHERE name = %s", [ORGANIZATION])
        (organization,) = cursor.fetchone() or (0,)
        numbers = {
            "organization": organization,
            "users": USERS,
            "jobs": JOBS,
            "items": ITEMS_PER_JOB,
        }
        for statement in _STATEMENTS:
            cursor.execute(statement, numbers)
    # psycopg2's blocks are transactions, in which nothing can be vacuumed.
    connection = psycopg2.connect(system.environment()["DATABASE_URL"])
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE")
    connection.close()


_STATEMENTS = (
    """
    INSERT INTO crm_users (organization_id, user_id, email, name, active)
    SELECT %(organization)s, 'user-' || n, 'nobody-' || n || '@example.com',
           'User ' || n, true
    FROM generate_series(1, %(users)s) AS n
    """,
    """
    INSERT INTO connections (organization_id, crm_user_id, google_sub, google_address,
        granted_scopes, state, google_skew_seconds, created_at, connected_at,
        last_sync_at)
    SELECT %(organization)s, 'user-' || n, 'sub-' || n, 'nobody-' || n || '@gmail.com',
           '[]', CASE WHEN n %% 50 = 0 THEN 'needs_reauthorization'
                      ELSE 'disconnected' END,
           0, now(), now(), now()
    FROM generate_series(1, %(users)s) AS n
    """,
    """
    INSERT INTO jobs (organization_id, connection_id, trigger, direction, state,
        started_at, finished_at, expected, found, processed, conflicts, errors)
    SELECT %(organization)s, (SELECT min(id) FROM connections) + n %% %(users)s,
           'webhook', CASE WHEN n %% 2 = 0 THEN 'crm_to_google'
                           ELSE 'google_to_crm' END,
           CASE WHEN n %% 100 = 0 THEN 'failed' ELSE 'succeeded' END,
           now() - (%(jobs)s - n) * interval '3 seconds',
           now() - (%(jobs)s - n) * interval '3 seconds',
           %(items)s, %(items)s, %(items)s, 0, CASE WHEN n %% 100 = 0 THEN 1 ELSE 0 END
    FROM generate_series(1, %(jobs)s) AS n
    """,
    """
    INSERT INTO job_items (job_id, organization_id, connection_id, delivery_id, task_id,
        event_id, action, outcome, reason, attempts, at)
    SELECT jobs.id, organization_id, connection_id, 'd-' || n,
           'task-' || jobs.id %% 50000, 'event-' || jobs.id %% 50000, 'update_event',
           CASE WHEN jobs.errors > 0 AND n = 1 THEN 'failed' ELSE 'applied' END,
           'task_edited', 1, started_at
    FROM jobs, generate_series(1, %(items)s) AS n
    """,
)
