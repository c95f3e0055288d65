-- What reports and images are linked by, and the segments that images are cut into.

-- Whose study it is, and when it was made, as its images say.
ALTER TABLE studies ADD COLUMN patient INTEGER REFERENCES patients;
ALTER TABLE studies ADD COLUMN study_date TEXT;

-- How probably a disc is called so: 1 where a person says it, nothing where it was not kept.
ALTER TABLE naming_levels ADD COLUMN probability REAL;

-- Where a run's segments are, from the data folder on: a file a disc.
CREATE TABLE segments (
    study INTEGER NOT NULL REFERENCES studies,
    run INTEGER NOT NULL,
    folder TEXT NOT NULL,
    PRIMARY KEY (study, run)
) WITHOUT ROWID;
