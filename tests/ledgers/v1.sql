-- A ledger of version 1: the first step of the schema of commit f070c9c7, which is the first in the history and has two,
-- and rows as its writer wrote them.
-- It stays as it is: ledgers like this one exist.
PRAGMA journal_mode = WAL;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    version TEXT NOT NULL,
    config TEXT NOT NULL
) STRICT;
CREATE TABLE crossings (
    session INTEGER NOT NULL REFERENCES sessions (id),
    source TEXT NOT NULL,
    seq INTEGER NOT NULL,
    line TEXT NOT NULL,
    direction INTEGER NOT NULL CHECK (direction IN (1, -1)),
    wall_ms INTEGER NOT NULL,
    mono_ms INTEGER NOT NULL,
    source_time REAL NOT NULL,
    track INTEGER NOT NULL,
    confidence REAL NOT NULL,
    PRIMARY KEY (session, source, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX crossings_by_time ON crossings (wall_ms);
CREATE TABLE resets (
    session INTEGER NOT NULL REFERENCES sessions (id),
    source TEXT NOT NULL,
    seq INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE watches (
    session INTEGER NOT NULL REFERENCES sessions (id),
    source TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    PRIMARY KEY (session, source, from_ms)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;

-- First run: it ended, and one camera was reset in it.
INSERT INTO sessions (started_ms, last_seen_ms, version, config) VALUES (1795161600000, 1795161600000, '0.1.0', '9f2c41d07be3a865');
INSERT INTO crossings VALUES (1, 'gate', 1, 'door', 1, 1795161900000, 300000, 300.0, 1, 0.75);
INSERT INTO crossings VALUES (1, 'gate', 2, 'door', 1, 1795161960000, 360000, 360.0, 2, 0.5);
INSERT INTO crossings VALUES (1, 'gate', 3, 'door', -1, 1795162800000, 1200000, 1200.0, 3, 0.875);
INSERT INTO crossings VALUES (1, 'yard', 4, 'way', -1, 1795163400000, 1800000, 1800.0, 1, 0.75);
INSERT INTO crossings VALUES (1, 'gate', 5, 'door', 1, 1795165200000, 3600000, 3600.0, 4, 0.625);
INSERT INTO crossings VALUES (1, 'yard', 6, 'way', 1, 1795163460000, 1860000, 1860.0, 2, 0.75);
INSERT INTO resets VALUES (1, 'yard', 8, 1795165800000);
INSERT INTO crossings VALUES (1, 'yard', 9, 'way', 1, 1795166100000, 4500000, 4500.0, 5, 0.75);
INSERT OR REPLACE INTO watches VALUES (1, 'gate', 1795161602000, MAX(1795161602000, 1795176000000));
INSERT OR REPLACE INTO watches VALUES (1, 'yard', 1795161603000, MAX(1795161603000, 1795176000000));
UPDATE sessions SET last_seen_ms = 1795176000000 WHERE id = 1;
UPDATE sessions SET ended_ms = 1795176000000 WHERE id = 1;
-- Second run: it was killed.
INSERT INTO sessions (started_ms, last_seen_ms, version, config) VALUES (1795248000000, 1795248000000, '0.1.0', '9f2c41d07be3a865');
INSERT INTO crossings VALUES (2, 'gate', 1, 'door', 1, 1795248600000, 600000, 600.0, 1, 0.75);
INSERT INTO crossings VALUES (2, 'gate', 2, 'side', -1, 1795248720000, 720000, 720.0, 2, 0.75);
INSERT INTO crossings VALUES (2, 'yard', 3, 'way', -1, 1795250400000, 2400000, 2400.0, 1, 0.75);
INSERT INTO crossings VALUES (2, 'Eingang Süd', 4, 'Tür 1', 1, 1795250460000, 2460000, 2460.0, 1, 0.9375);
INSERT OR REPLACE INTO watches VALUES (2, 'gate', 1795248002000, MAX(1795248002000, 1795255200000));
INSERT OR REPLACE INTO watches VALUES (2, 'Eingang Süd', 1795248002000, MAX(1795248002000, 1795255200000));
UPDATE sessions SET last_seen_ms = 1795255200000 WHERE id = 2;
