-- People who annotate, and their work.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,    -- also the name of the reader that the person is
    role TEXT NOT NULL,           -- annotator, adjudicator, lead, admin
    password TEXT,                -- Argon2id, as PHC string; none until the invitation is used
    active INTEGER NOT NULL,
    created_at TEXT NOT NULL
);

-- One-time links by which people choose their password. Of each secret that lets someone in only
-- the SHA-256 is kept.
CREATE TABLE invitations (
    secret_hash BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users,
    expires INTEGER NOT NULL      -- Unix seconds, here and below
) WITHOUT ROWID;
CREATE TABLE sessions (
    key_hash BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users,
    state TEXT NOT NULL,          -- JSON
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users,
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE,
    created_at TEXT NOT NULL
);
-- Failed attempts to sign in, by hashes of name and address, forgotten after a while. Someone may
-- have typed a password in place of a name.
CREATE TABLE failed_sign_ins (
    key BLOB NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX failed_sign_ins_by_key ON failed_sign_ins (key, at);

-- Reports that are to be read by so many people.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    mode TEXT NOT NULL,           -- blind or assisted
    annotators INTEGER NOT NULL CHECK (annotators BETWEEN 1 AND 5),
    plan TEXT NOT NULL,           -- JSON: where the reports come from, order, repeats, seed
    open INTEGER NOT NULL,
    created_by INTEGER NOT NULL REFERENCES users,
    created_at TEXT NOT NULL
);
-- Who may work on a batch; where nobody is named, everyone may.
CREATE TABLE batch_users (
    batch INTEGER NOT NULL REFERENCES batches,
    user INTEGER NOT NULL REFERENCES users,
    PRIMARY KEY (batch, user)
) WITHOUT ROWID;
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL REFERENCES batches,
    place INTEGER NOT NULL,       -- in the order of work, which is that of id too
    report_version INTEGER NOT NULL REFERENCES report_versions,
    repeats INTEGER REFERENCES items,  -- an earlier item, which the same person reads again
    round INTEGER NOT NULL,       -- from 1; rises when an adjudicator sends the item back
    sent_back TEXT,               -- why
    open INTEGER NOT NULL,        -- whether the round still lacks readings
    UNIQUE (batch, place)
);
CREATE INDEX items_by_version ON items (report_version);
CREATE INDEX items_open ON items (batch, id, repeats) WHERE open;
CREATE INDEX reports_to_adjudicate ON reports (id) WHERE status = 'to_adjudicate';

-- One person's work on one item in one round. Nobody else gets a claimed slot while its lease
-- lasts; what was saved in it stays.
CREATE TABLE slots (
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES items,
    user INTEGER NOT NULL REFERENCES users,
    round INTEGER NOT NULL,
    adjudicates INTEGER NOT NULL,
    claimed_at TEXT NOT NULL,
    lease INTEGER NOT NULL,       -- until when
    seconds REAL NOT NULL,        -- of work so far
    finished_at TEXT,
    reading INTEGER REFERENCES readings,
    UNIQUE (item, user, round, adjudicates)
);
CREATE INDEX slots_by_user ON slots (user, item);

-- Every change that was made in a slot, in order. What stands is their fold.
CREATE TABLE edits (
    slot INTEGER NOT NULL REFERENCES slots,
    number INTEGER NOT NULL,      -- from 1, given by the page, so that what is sent twice counts once
    at TEXT NOT NULL,
    edit TEXT NOT NULL,           -- JSON
    PRIMARY KEY (slot, number)
) WITHOUT ROWID;
CREATE TRIGGER edits_stay BEFORE UPDATE ON edits
BEGIN SELECT raise(ABORT, 'edits are append-only'); END;
CREATE TRIGGER edits_remain BEFORE DELETE ON edits
BEGIN SELECT raise(ABORT, 'edits are append-only'); END;

-- Phrases that the rules misread, for whoever keeps the lexicon.
CREATE TABLE suggestions (
    id INTEGER PRIMARY KEY,
    report_version INTEGER NOT NULL REFERENCES report_versions,
    user INTEGER NOT NULL REFERENCES users,
    phrase TEXT NOT NULL,
    note TEXT NOT NULL,
    at TEXT NOT NULL,
    settled INTEGER NOT NULL
);
