"""The world that the workers' tests live in."""

import copy
from collections.abc import Iterator

import pytest

from tests.unit.workers.machinery import Database, Outside
from tests.unit.workers.world import World


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return the database that all tests use, one after the other."""
    made = Database(tmp_path_factory.mktemp("workers"))
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def connected(database: Database) -> Outside:
    """Connect Ann and Ben once; the store is kept as `connected`."""
    world = World(database.begin_anew(), Outside.empty())
    world.connect("ann")
    world.connect("ben")
    world.forget_calls()
    database.keep("connected")
    return world.outside


@pytest.fixture
def empty_world(database: Database) -> World:
    """Return a world in which nobody is connected."""
    return World(database.begin_anew(), Outside.empty())


@pytest.fixture
def world(database: Database, connected: Outside) -> World:
    """Return a world in which Ann and Ben are connected."""
    return World(database.begin_anew("connected"), copy.deepcopy(connected))


@pytest.fixture
def simulated(database: Database) -> World:
    """Return a world whose calendars the simulated Google keeps; Ann is connected."""
    world = World(database.begin_anew(), Outside.simulated(time_zone="Europe/Berlin"))
    world.connect("ann")
    world.forget_calls()
    return world
