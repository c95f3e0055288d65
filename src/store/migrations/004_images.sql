-- What keeps people's work with the images that it is about.

-- Where the middle of a disc is, in mm to the patient's left, to the back and up: by it a disc is known
-- again when its study is segmented anew.
ALTER TABLE subjects ADD COLUMN x REAL;
ALTER TABLE subjects ADD COLUMN y REAL;
ALTER TABLE subjects ADD COLUMN z REAL;

-- Which study a report is about where someone says so and no key does.
CREATE TABLE kept_links (
    report INTEGER PRIMARY KEY REFERENCES reports,
    study INTEGER NOT NULL REFERENCES studies
);
