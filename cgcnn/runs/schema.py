"""The tables of the run store, and how a store of an earlier version gets the columns that it lacks."""

import sqlite3

SCHEMA = """
create table if not exists runs (
    id text primary key, user text not null, owner text not null default '', name text not null, config text not null,
    state text not null, wanted text not null, lease text, worker text, error text not null default '',
    attempt integer not null default 0, lost integer not null default 0,
    parent text not null default '', sweep text not null default '', width integer not null default 1,
    source text not null default '', created real not null, since real not null default 0, started real, ended real
);
create table if not exists sweeps (
    id text primary key, user text not null, experiment text not null, title text not null, guess text not null,
    axes text not null, created real not null
);
create table if not exists events (
    n integer primary key autoincrement, run text not null references runs(id),
    kind text not null, step integer not null, time real not null, data text not null, unique (run, kind, step)
);
create table if not exists processes (
    name text primary key, pid integer, born real, doing text, heartbeat real, remote integer not null default 0
);
"""
INDEXES = """
create index if not exists runs_by_state on runs (state);
create index if not exists runs_by_sweep on runs (sweep);
"""
ADDED = {  # table -> columns that came after the first version
    "runs": {
        "owner": "text not null default ''",
        "attempt": "integer not null default 0",
        "lost": "integer not null default 0",
        "parent": "text not null default ''",
        "sweep": "text not null default ''",
        "width": "integer not null default 1",
        "source": "text not null default ''",
        "since": "real not null default 0",
    },
    "processes": {"remote": "integer not null default 0"},
}


def make_tables(db: sqlite3.Connection) -> None:
    """Make what is missing; what is there stays as it is."""
    db.executescript(SCHEMA)
    for table, columns in ADDED.items():
        known = {row[1] for row in db.execute(f"pragma table_info({table})")}
        for name, kind in columns.items():
            if name not in known:
                db.execute(f"alter table {table} add column {name} {kind}")
    db.executescript(INDEXES)
