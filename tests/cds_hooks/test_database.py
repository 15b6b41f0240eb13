"""An engine used by many threads at once, as the stores use it: nothing of one thread's work is another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from cds_hooks.database import make_tables, open_engine

TABLES = MetaData()
NUMBERS = Table("numbers", TABLES, Column("number", Integer, primary_key=True))

THREADS = 4
TRANSACTIONS = 200


class GivenUpError(Exception):
    pass


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///{}/numbers.db"])
def test_what_one_thread_gives_up_takes_nothing_of_another(url: str, tmp_path: Path) -> None:
    """A web process in development keeps its feedback in memory, and died of two threads in one connection."""
    engine = open_engine(url.format(tmp_path))
    make_tables(engine, TABLES)

    def write(number: int) -> None:
        try:
            with engine.begin() as connection:
                connection.execute(insert(NUMBERS), [{"number": number}])
                if number % 2:
                    raise GivenUpError
        except GivenUpError:
            pass

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(write, range(TRANSACTIONS)))
    with engine.connect() as connection:
        kept = set(connection.execute(select(NUMBERS.c.number)).scalars())
    engine.dispose()
    assert kept == set(range(0, TRANSACTIONS, 2))
