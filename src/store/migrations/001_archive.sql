-- The first schema of the archive.
--
-- Cells, levels and verdicts are numbers, since there are some twenty of them a report:
--   cell     level × 16 + target, levels T9-T10 = 0, T10-T11, T11-T12, T12-L1, L1-L2 = 4, L2-L3,
--            L3-L4, L4-L5, L5-S1, L5-L6, L6-S1, S1-S2; targets central = 0, foraminal_left,
--            foraminal_right, recess_left, recess_right
--   verdict  normal = 0, mild, mild_moderate, moderate, moderate_severe, severe, present = 6,
--            unassessable = 7, not_mentioned = 8
-- Times are RFC 3339 in UTC, dates ISO 8601.

-- One row: which archive this is, and the last change number given out. Whoever changes what the
-- index holds of a report gives it the next number; the index catches up in their order.
CREATE TABLE archive (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,   -- a new one after each restore, so that no older index passes for its own
    change INTEGER NOT NULL,
    secret BLOB NOT NULL   -- key of the hashes that stand for ids in what leaves without identifiers
);

-- Who delivered a report. Ids, accessions and patients are unique within it.
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE patients (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources,
    key TEXT NOT NULL,
    UNIQUE (source, key)
);

-- A study goes by its StudyInstanceUID and by its accession within a source. It may have several
-- of either; what names none is a study of its own.
CREATE TABLE studies (
    id INTEGER PRIMARY KEY
);
CREATE TABLE study_uids (
    uid TEXT PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES studies
) WITHOUT ROWID;
CREATE INDEX study_uids_by_study ON study_uids (study);
CREATE TABLE study_accessions (
    source INTEGER NOT NULL REFERENCES sources,
    accession TEXT NOT NULL,
    study INTEGER NOT NULL REFERENCES studies,
    PRIMARY KEY (source, accession)
) WITHOUT ROWID;
CREATE INDEX study_accessions_by_study ON study_accessions (study);

CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources,
    key TEXT NOT NULL,            -- the report's id within its source
    study INTEGER NOT NULL REFERENCES studies,
    patient INTEGER REFERENCES patients,
    accession TEXT,
    study_uid TEXT,
    exam_date TEXT,
    sex TEXT,
    age INTEGER,                  -- years
    birth_date TEXT,
    modality TEXT,
    version INTEGER NOT NULL,     -- the current row of report_versions
    status TEXT NOT NULL,         -- of the report label; derived
    change INTEGER NOT NULL,
    UNIQUE (source, key)
);
CREATE UNIQUE INDEX reports_by_change ON reports (change);
CREATE INDEX reports_by_study ON reports (study);

-- Texts are never changed: another text is another version.
CREATE TABLE report_versions (
    id INTEGER PRIMARY KEY,
    report INTEGER NOT NULL REFERENCES reports,
    number INTEGER NOT NULL,      -- from 1
    text TEXT NOT NULL,
    text_hash BLOB NOT NULL,      -- SHA-256
    imported_at TEXT NOT NULL,
    UNIQUE (report, number)
);

-- What is read: a version of a report, or a disc of a segmented study.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    report_version INTEGER UNIQUE REFERENCES report_versions,
    study INTEGER REFERENCES studies,
    run INTEGER,                  -- the segmentation run
    ordinal INTEGER,              -- upward from the sacrum, the lowest disc being 0
    CHECK ((report_version IS NULL) = (study IS NOT NULL)),
    CHECK ((study IS NULL) = (run IS NULL) AND (study IS NULL) = (ordinal IS NULL))
);
CREATE UNIQUE INDEX subjects_by_disc ON subjects (study, run, ordinal) WHERE study IS NOT NULL;

-- What the discs of a segmentation run are called. A correction is a new version.
CREATE TABLE namings (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES studies,
    run INTEGER NOT NULL,
    version INTEGER NOT NULL,
    reader INTEGER NOT NULL REFERENCES reader_versions,
    at TEXT NOT NULL,
    UNIQUE (study, run, version)
);
CREATE TABLE naming_levels (
    naming INTEGER NOT NULL REFERENCES namings,
    ordinal INTEGER NOT NULL,
    level INTEGER NOT NULL,
    PRIMARY KEY (naming, ordinal)
) WITHOUT ROWID;

CREATE TABLE readers (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
);
CREATE TABLE reader_versions (
    id INTEGER PRIMARY KEY,
    reader INTEGER NOT NULL REFERENCES readers,
    version TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    UNIQUE (reader, version, content_hash)
);

-- Append-only. The body is JSON under zstd: opinions with their statements, and what else was read.
CREATE TABLE readings (
    id INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL REFERENCES subjects,
    reader INTEGER NOT NULL REFERENCES reader_versions,
    at TEXT NOT NULL,
    mode TEXT,                    -- the circumstances of a person's reading
    batch TEXT,
    seconds REAL,
    body BLOB NOT NULL
);
CREATE INDEX readings_by_subject ON readings (subject);
CREATE TRIGGER readings_stay BEFORE UPDATE ON readings
BEGIN SELECT raise(ABORT, 'readings are append-only'); END;
CREATE TRIGGER readings_remain BEFORE DELETE ON readings
BEGIN SELECT raise(ABORT, 'readings are append-only'); END;
CREATE TRIGGER texts_stay BEFORE UPDATE ON report_versions
BEGIN SELECT raise(ABORT, 'texts of reports are append-only'); END;
CREATE TRIGGER texts_remain BEFORE DELETE ON report_versions
BEGIN SELECT raise(ABORT, 'texts of reports are append-only'); END;

-- From here to labels everything is derived from readings and can be made anew.

-- A reader's newest reading of a subject, and an adjudicator's newest adjudication.
CREATE TABLE current_readings (
    subject INTEGER NOT NULL REFERENCES subjects,
    reader INTEGER NOT NULL REFERENCES readers,
    adjudicates INTEGER NOT NULL,
    reading INTEGER NOT NULL REFERENCES readings,
    PRIMARY KEY (subject, reader, adjudicates)
) WITHOUT ROWID;

-- The opinions of current readings, without what they rest on. A cell without a row is not
-- mentioned.
CREATE TABLE opinions (
    reading INTEGER NOT NULL REFERENCES readings,
    cell INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    certainty INTEGER NOT NULL,   -- 0 stated, 1 hedged
    conflict INTEGER NOT NULL,
    PRIMARY KEY (reading, cell)
) WITHOUT ROWID;

-- What the rules read in a version beside opinions.
CREATE TABLE sections (
    report_version INTEGER NOT NULL REFERENCES report_versions,
    start INTEGER NOT NULL,       -- byte of the text
    end INTEGER NOT NULL,
    section INTEGER NOT NULL,     -- findings = 0, impression, addendum, background
    PRIMARY KEY (report_version, start)
) WITHOUT ROWID;
CREATE TABLE mentions (
    report_version INTEGER NOT NULL REFERENCES report_versions,
    number INTEGER NOT NULL,      -- in the order of the text
    finding INTEGER NOT NULL,     -- bulge = 0, protrusion, ... as listed in the documentation
    level INTEGER,
    side TEXT,
    class INTEGER,
    negated INTEGER NOT NULL,
    certainty INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    PRIMARY KEY (report_version, number)
) WITHOUT ROWID;
CREATE TABLE measurements (
    report_version INTEGER NOT NULL REFERENCES report_versions,
    number INTEGER NOT NULL,
    quantity TEXT NOT NULL,
    level INTEGER,
    value REAL NOT NULL,          -- mm or mm²
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    PRIMARY KEY (report_version, number)
) WITHOUT ROWID;

-- What the report says, and what the image shows: two things, never fused with each other.
CREATE TABLE report_labels (
    report INTEGER NOT NULL REFERENCES reports,
    cell INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    certainty INTEGER NOT NULL,
    conflict INTEGER NOT NULL,
    reader INTEGER NOT NULL REFERENCES readers,  -- who decided
    PRIMARY KEY (report, cell)
) WITHOUT ROWID;
CREATE TABLE image_labels (
    study INTEGER NOT NULL REFERENCES studies,
    cell INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    certainty INTEGER NOT NULL,
    reader INTEGER NOT NULL REFERENCES readers,
    PRIMARY KEY (study, cell)
) WITHOUT ROWID;

CREATE TABLE saved_queries (
    name TEXT PRIMARY KEY,
    query TEXT NOT NULL,
    saved_at TEXT NOT NULL
) WITHOUT ROWID;

-- Frozen: versions of reports, and how they were chosen.
CREATE TABLE cohorts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    frozen_at TEXT NOT NULL,
    recipe TEXT NOT NULL,         -- JSON: query, steps with their counts, sampling, split, software
    hash TEXT NOT NULL            -- SHA-256 over the members
);
CREATE TABLE cohort_members (
    cohort INTEGER NOT NULL REFERENCES cohorts,
    report_version INTEGER NOT NULL REFERENCES report_versions,
    part TEXT,                    -- train, validation or test
    PRIMARY KEY (cohort, report_version)
) WITHOUT ROWID;

-- What was done to the archive, and by whom. Append-only; never holds the text of a report.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL          -- JSON
);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
