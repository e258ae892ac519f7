-- A ledger of version 5: the schema of commit 432e79e2, and rows as its writer wrote them.
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
CREATE TABLE totals (
    source TEXT NOT NULL,
    line TEXT NOT NULL,
    total_in INTEGER NOT NULL,
    total_out INTEGER NOT NULL,
    PRIMARY KEY (source, line)
) STRICT, WITHOUT ROWID;
INSERT INTO totals
    SELECT source, line, SUM(direction = 1), SUM(direction = -1) FROM crossings
    WHERE NOT EXISTS (
        SELECT 1 FROM resets
        WHERE resets.source = crossings.source
          AND (resets.session, resets.seq) > (crossings.session, crossings.seq))
    GROUP BY source, line;
CREATE TABLE quarters (
    source TEXT NOT NULL,
    line TEXT NOT NULL,
    quarter INTEGER NOT NULL,
    total_in INTEGER NOT NULL,
    total_out INTEGER NOT NULL,
    PRIMARY KEY (source, line, quarter)
) STRICT, WITHOUT ROWID;
CREATE TABLE occupancy (
    source TEXT NOT NULL,
    quarter INTEGER NOT NULL,
    reset INTEGER NOT NULL,
    net INTEGER NOT NULL,
    before INTEGER NOT NULL,
    after INTEGER NOT NULL,
    PRIMARY KEY (source, quarter)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER crossing_summed AFTER INSERT ON crossings BEGIN
    INSERT INTO quarters VALUES
        (NEW.source, NEW.line, NEW.wall_ms / 900000, NEW.direction = 1, NEW.direction = -1)
        ON CONFLICT DO UPDATE SET
            total_in = total_in + excluded.total_in, total_out = total_out + excluded.total_out;
    INSERT INTO occupancy VALUES
        (NEW.source, NEW.wall_ms / 900000, 0, NEW.direction, MAX(NEW.direction, 0), 0)
        ON CONFLICT DO UPDATE SET
            net = net + NEW.direction,
            before = IIF(reset, before, MAX(before, net + NEW.direction)),
            after = IIF(reset, MAX(after, net + NEW.direction), 0);
END;
CREATE TRIGGER reset_summed AFTER INSERT ON resets BEGIN
    INSERT INTO occupancy VALUES (NEW.source, NEW.wall_ms / 900000, 1, 0, -1099511627776, 0)
        ON CONFLICT DO UPDATE SET reset = 1, net = 0;
END;
CREATE TABLE summing (session INTEGER NOT NULL, source TEXT NOT NULL, seq INTEGER NOT NULL) STRICT;
INSERT INTO summing SELECT MAX(id) + 1, '', 0 FROM sessions
    WHERE EXISTS (SELECT 1 FROM crossings) OR EXISTS (SELECT 1 FROM resets) HAVING MAX(id) IS NOT NULL;
CREATE INDEX watches_by_source ON watches (source, to_ms);
CREATE INDEX resets_by_source ON resets (source, wall_ms);
CREATE TABLE jumps (
    session INTEGER NOT NULL,
    mono_ms INTEGER NOT NULL,
    before_ms INTEGER NOT NULL,
    after_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE clock (
    boot TEXT NOT NULL,
    offset_ms INTEGER NOT NULL,
    ran_ms INTEGER NOT NULL,
    cleaned_ms INTEGER,
    seen_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE salvage (aside TEXT NOT NULL, page INTEGER NOT NULL) STRICT;
CREATE TABLE scenes (
    source TEXT NOT NULL PRIMARY KEY,
    wall_ms INTEGER NOT NULL,
    scene TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence_deletions (
    wall_ms INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    source TEXT,
    strips INTEGER NOT NULL,
    who TEXT NOT NULL
) STRICT;
PRAGMA user_version = 5;

-- First run: it ended, and one camera was reset in it.
INSERT INTO sessions (started_ms, last_seen_ms, version, config) VALUES (1795161600000, 1795161600000, '0.1.0', '9f2c41d07be3a865');
INSERT INTO crossings VALUES (1, 'gate', 1, 'door', 1, 1795161900000, 300000, 300.0, 1, 0.75);
INSERT INTO crossings VALUES (1, 'gate', 2, 'door', 1, 1795161960000, 360000, 360.0, 2, 0.5);
INSERT INTO crossings VALUES (1, 'gate', 3, 'door', -1, 1795162800000, 1200000, 1200.0, 3, 0.875);
INSERT INTO crossings VALUES (1, 'yard', 4, 'way', -1, 1795163400000, 1800000, 1800.0, 1, 0.75);
INSERT INTO crossings VALUES (1, 'gate', 5, 'door', 1, 1795165200000, 3600000, 3600.0, 4, 0.625);
INSERT INTO crossings VALUES (1, 'yard', 6, 'way', 1, 1795163460000, 1860000, 1860.0, 2, 0.75);
INSERT INTO resets SELECT 1, 'yard', 8, 1795165800000 WHERE NOT EXISTS (SELECT 1 FROM resets
    INDEXED BY resets_by_source WHERE source = 'yard' AND wall_ms = 1795165800000 AND session = 1 AND seq = 8);
INSERT INTO crossings VALUES (1, 'yard', 9, 'way', 1, 1795166100000, 4500000, 4500.0, 5, 0.75);
INSERT OR REPLACE INTO watches VALUES (1, 'gate', 1795161602000, 1795176000000);
INSERT OR REPLACE INTO watches VALUES (1, 'yard', 1795161603000, 1795176000000);
INSERT INTO jumps SELECT 1, 10800000, 1795172400000, 1795172430000 WHERE NOT EXISTS (SELECT 1 FROM jumps
    WHERE session = 1 AND mono_ms = 10800000 AND before_ms = 1795172400000);
UPDATE sessions SET last_seen_ms = 1795176000000 WHERE id = 1;
UPDATE sessions SET ended_ms = 1795176000000 WHERE id = 1;
-- Second run: it was killed.
INSERT INTO sessions (started_ms, last_seen_ms, version, config) VALUES (1795248000000, 1795248000000, '0.1.0', '9f2c41d07be3a865');
INSERT INTO crossings VALUES (2, 'gate', 1, 'door', 1, 1795248600000, 600000, 600.0, 1, 0.75);
INSERT INTO crossings VALUES (2, 'gate', 2, 'side', -1, 1795248720000, 720000, 720.0, 2, 0.75);
INSERT INTO crossings VALUES (2, 'yard', 3, 'way', -1, 1795250400000, 2400000, 2400.0, 1, 0.75);
INSERT INTO crossings VALUES (2, 'Eingang Süd', 4, 'Tür 1', 1, 1795250460000, 2460000, 2460.0, 1, 0.9375);
INSERT OR REPLACE INTO watches VALUES (2, 'gate', 1795248002000, 1795255200000);
INSERT OR REPLACE INTO watches VALUES (2, 'Eingang Süd', 1795248002000, 1795255200000);
INSERT OR REPLACE INTO scenes VALUES ('yard', 1795251600000,
    '{"doubt":"small","heights":[0.25,0.5],"scale":2.0,"learnt":{"detector":"embedded","aspect":1.5,"heights":[12.5,3.0],"sightings":[40.0],"gains":[0.25]}}');
INSERT INTO evidence_deletions VALUES (1795253400000, 1795161600000, 1795162500000, 'gate', 3, 'anna');
DELETE FROM clock;
INSERT INTO clock VALUES ('3f0c8f6e-1d0a-4a8e-9a66-0d3f6f3c2a11', 1795247500000, 21600000, NULL, 1795255200000);
-- Totals hold crossings, too, that were removed by their age.
DELETE FROM totals WHERE source = 'gate';
INSERT INTO totals VALUES ('gate', 'door', 14, 8);
INSERT INTO totals VALUES ('gate', 'side', 0, 1);
DELETE FROM totals WHERE source = 'yard';
INSERT INTO totals VALUES ('yard', 'way', 1, 1);
DELETE FROM totals WHERE source = 'Eingang Süd';
INSERT INTO totals VALUES ('Eingang Süd', 'Tür 1', 1, 0);
UPDATE sessions SET last_seen_ms = 1795255200000 WHERE id = 2;
