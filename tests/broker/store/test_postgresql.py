"""What PostgreSQL does differently, and that nobody sees it."""

import threading
from collections.abc import Callable, Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy import Engine, text

from broker.config.database import DATABASE_PASSWORD, Database
from broker.config.errors import Locked, Misconfigured
from broker.store import captions, migrate, postgresql
from broker.store.engine import name_of, open_database, reading, writing
from broker.store.migrate import Age
from broker.store.tables import core
from testing.postgresql import Cluster
from testing.waiting import wait_until
from tests.broker.device import NOON, event


@pytest.fixture
def empty(empty_postgresql: Database) -> Iterator[Engine]:
    engine = open_database(empty_postgresql)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(new_postgresql: Callable[[], Database]) -> Iterator[Engine]:
    engine = open_database(new_postgresql())
    yield engine
    engine.dispose()


def test_a_new_database_gets_the_tables_of_this_version(empty: Engine) -> None:
    assert migrate.age(empty) is Age.EMPTY

    migrate.require_current(empty)

    assert migrate.age(empty) is Age.CURRENT
    with reading(empty) as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
        assert compare_metadata(context, core.metadata) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the index over an expression by which captions are searched."""
    return not (kind == "index" and name == "ix_caption_words_words")


def test_two_instances_that_meet_an_empty_database_make_its_tables_once(empty_postgresql: Database) -> None:
    engines = [open_database(Database(url=empty_postgresql.url)) for _ in range(2)]
    threads = [threading.Thread(target=migrate.require_current, args=(engine,)) for engine in engines]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [migrate.age(engine) for engine in engines] == [Age.CURRENT, Age.CURRENT]
    for engine in engines:
        engine.dispose()


def test_a_failed_migration_leaves_nothing_behind(empty: Engine) -> None:
    with writing(empty) as connection:
        connection.execute(text("CREATE TABLE device (id INTEGER)"))

    with pytest.raises(Exception, match="already exists"):
        migrate.migrate(empty)

    with reading(empty) as connection:
        names = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert connection.execute(names).scalars().all() == ["device"]


@pytest.mark.parametrize(
    ("url", "password", "problem"),
    [
        ("postgresql://wordcam@127.0.0.1:{port}/postgres", "wrong", "password authentication failed"),
        ("postgresql://wordcam@127.0.0.1:{port}/postgres", "", "no password supplied"),
        ("postgresql://nobody@127.0.0.1:{port}/postgres", "wrong", "password authentication failed"),
        ("postgresql://wordcam@127.0.0.1:{port}/nowhere", None, '"nowhere" does not exist'),
        ("postgresql://wordcam@127.0.0.1:{port}/postgres?sslmode=always", None, "invalid sslmode"),
    ],
    ids=["wrong password", "no password", "unknown role", "no such database", "an option that there is not"],
)
def test_what_an_operator_must_mend_is_named(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, url: str, password: str | None, problem: str
) -> None:
    if password is not None:
        monkeypatch.setenv(DATABASE_PASSWORD, password)
    engine = open_database(Database(url=url.format(port=cluster.port)))

    with pytest.raises(Misconfigured, match=problem), reading(engine):
        pass
    engine.dispose()


def test_a_role_that_may_not_touch_the_tables_is_named(engine: Engine, cluster: Cluster) -> None:
    with cluster.connect("postgres") as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'secret of this cluster'")
    guest = open_database(Database(url=f"postgresql://guest@127.0.0.1:{cluster.port}/{engine.url.database}"))

    with pytest.raises(Misconfigured, match="permission denied for table"), reading(guest) as connection:
        captions.newest_id(connection)
    guest.dispose()


def test_a_server_that_is_not_there_is_waited_for() -> None:
    engine = open_database(Database(url="postgresql://wordcam@127.0.0.1:9/wordcam"))

    with pytest.raises(Locked, match="refused"), reading(engine):
        pass
    engine.dispose()


def test_after_a_restart_of_the_server_work_goes_on(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    with Cluster() as own:
        engine = open_database(Database(url=own.create("wordcam")))
        migrate.require_current(engine)
        with writing(engine) as connection:
            captions.add(connection, [event()], received_at=NOON)

        own.stop()
        with pytest.raises(Locked), writing(engine):
            pass
        own.start()
        with writing(engine) as connection:
            captions.add(connection, [event(), event(seq=1)], received_at=NOON)
            assert [one.text for one in captions.after(connection, 0, limit=9)] == ["a man walks"] * 2
        engine.dispose()


def _cut_off(engine: Engine, cluster: Cluster) -> None:
    with writing(engine) as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with cluster.connect("postgres") as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        captions.add(connection, [event()], received_at=NOON)


def test_a_connection_that_breaks_in_the_middle_is_something_to_wait_for(engine: Engine, cluster: Cluster) -> None:
    with pytest.raises(Locked, match=r"terminat|closed"):
        _cut_off(engine, cluster)

    with reading(engine) as connection:
        assert captions.newest_id(connection) == 0


def test_writers_take_turns_and_one_that_waits_too_long_is_told(engine: Engine) -> None:
    with writing(engine), pytest.raises(Locked, match="lock timeout"), writing(engine):
        pass


def test_a_reader_is_not_held_up_by_a_writer_and_sees_one_moment(engine: Engine) -> None:
    with reading(engine) as reader:
        assert captions.newest_id(reader) == 0
        with writing(engine) as writer:
            captions.add(writer, [event()], received_at=NOON)
        assert captions.newest_id(reader) == 0

    with reading(engine) as reader:
        assert captions.newest_id(reader) == 1


def test_captions_are_seen_in_the_order_of_their_numbers(new_postgresql: Callable[[], Database]) -> None:
    database = Database(url=new_postgresql().url)
    engines = [open_database(database) for _ in range(3)]
    seen: list[int] = []

    def write(number: int) -> None:
        for seq in range(30):
            with writing(engines[number]) as connection:
                captions.add(connection, [event(stream=f"cam-{number}", seq=seq)], received_at=NOON)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    while len(seen) < 60:
        with reading(engines[2]) as connection:
            seen += [one.id for one in captions.after(connection, seen[-1] if seen else 0, limit=100)]
    for thread in threads:
        thread.join()

    assert sorted(seen) == seen
    assert len(set(seen)) == 60
    for engine in engines:
        engine.dispose()


def test_a_writer_whose_machine_was_paused_is_cut_off(
    engine: Engine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", 1)

    with pytest.raises(Locked, match=r"idle-in-transaction|closed"):
        _pause(engine)

    with reading(engine) as connection:
        assert captions.newest_id(connection) == 0


def _pause(engine: Engine) -> None:
    with writing(engine) as paused:
        captions.add(paused, [event()], received_at=NOON)
        wait_until(lambda: _free(engine), "the next writer's turn")
        captions.add(paused, [event(seq=1)], received_at=NOON)


def _free(engine: Engine) -> bool:
    try:
        with writing(engine):
            return True
    except Locked:
        return False


def test_a_zero_character_is_kept_as_a_sign(engine: Engine) -> None:
    with writing(engine) as connection:
        captions.add(connection, [event(model="wordcam\x00@1")], received_at=NOON)
        assert connection.execute(text("SELECT model FROM caption")).scalar() == "wordcam\ufffd@1"


def test_there_is_room_for_more_captions_than_two_to_the_31(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("SELECT setval('caption_id_seq', 3000000000)"))
        made = captions.add_one(connection, replace(event(), seq=2**40), received_at=NOON)
        assert made is not None
        captions.add_decision(connection, made, captions.Decision("gun", "first", "why"), at=NOON)

        (heard,) = captions.after(connection, made.id - 1, limit=1)

    assert made.id == 3_000_000_001
    assert [one.rule for one in heard.decisions] == ["gun"]


def test_a_password_is_in_no_message(cluster: Cluster) -> None:
    engine = open_database(Database(url=cluster.url("nowhere")))

    with pytest.raises(Misconfigured) as refused, reading(engine):
        pass

    assert name_of(engine) == f"127.0.0.1:{cluster.port}/nowhere"
    assert "secret of this cluster" not in str(refused.value)
    engine.dispose()
