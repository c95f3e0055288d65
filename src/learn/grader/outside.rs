//! Grades of any other reader, against those that are known.

use std::collections::BTreeMap;
use std::path::Path;

use super::row::Row;
use super::{Bad, ExamplesError};
use crate::engine::grader::Graded;
use crate::label::{DeepSpine4, Grade, LADDER, Level, Shares, Target, likeliest};
use crate::learn::scores::Judged;

/// What a reader says of cells, and lines that cannot be used.
#[derive(Debug, Default)]
pub struct Outside {
    /// By study, level and target: the place of the grade on the ladder, and how probable each grade
    /// is, where the reader tells.
    pub cells: BTreeMap<(String, Level, Target), (usize, Option<Shares>)>,
    /// Lines that cannot be used.
    pub bad: Vec<Bad>,
}

/// Columns of a table of grades.
const COLUMNS: [&str; 4] = ["study", "level", "target", "grade"];

impl Outside {
    /// Reads a table with the columns study, level, target, grade and, where the reader tells how
    /// probable grades are, p_normal, p_mild, p_moderate, p_severe.
    ///
    /// # Errors
    /// Where it is no such table.
    pub fn read(path: &Path) -> Result<Self, ExamplesError> {
        let table = |source| ExamplesError::Table { path: path.to_owned(), source };
        let mut reader = csv::Reader::from_path(path).map_err(table)?;
        let headers = reader.headers().map_err(table)?.clone();
        let place = |name: &str| headers.iter().position(|header| header == name);
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|name| place(name).is_none()).collect();
        if !missing.is_empty() {
            let columns = missing.join(", ");
            return Err(ExamplesError::Columns { path: path.to_owned(), columns });
        }
        let mut outside = Self::default();
        for (number, record) in reader.records().enumerate() {
            let cell = record.map_err(|error| error.to_string()).and_then(|record| {
                cell(|name| {
                    let value = place(name).and_then(|place| record.get(place));
                    value.unwrap_or_default().trim()
                })
            });
            let bad = match cell {
                Ok((cell, said)) => match outside.cells.insert(cell, said) {
                    None => continue,
                    Some(_) => "it grades a cell that was graded before".to_owned(),
                },
                Err(reason) => reason,
            };
            // The first line is the header.
            outside.bad.push(Bad { place: format!("line {}", number + 2), reason: bad });
        }
        Ok(outside)
    }

    /// The cells of levels that the reader graded, and how many labelled cells it did not grade.
    pub fn judged(&self, rows: &[Row]) -> (Vec<Judged>, usize) {
        let (mut judged, mut missed) = (Vec::new(), 0);
        for row in rows {
            for target in Target::ALL {
                let Some(truth) = row.truth(target) else { continue };
                match self.cells.get(&(row.study.clone(), row.level, target)) {
                    Some(&(grade, probabilities)) => {
                        judged.push(Judged { grade, probabilities, ..row.judged(target, truth) })
                    }
                    None => missed += 1,
                }
            }
        }
        (judged, missed)
    }
}

type Said = ((String, Level, Target), (usize, Option<Shares>));

fn cell<'a>(field: impl Fn(&str) -> &'a str) -> Result<Said, String> {
    let name = |error: crate::label::UnknownName| error.to_string();
    let level: Level = field("level").parse().map_err(name)?;
    let target: Target = field("target").parse().map_err(name)?;
    let given = LADDER.map(|grade| field(&format!("p_{grade}")));
    let probabilities = match given.iter().all(|given| given.is_empty()) {
        true => None,
        false => Some(shares(given)?),
    };
    let grade = match (field("grade"), probabilities) {
        ("", Some(shares)) => likeliest(&shares),
        (word, _) => {
            let grade: Grade = word.parse().map_err(name)?;
            DeepSpine4::derive(grade).ok_or("`present` has no place on the ladder")? as usize
        }
    };
    Ok(((field("study").to_owned(), level, target), (grade, probabilities)))
}

/// Probabilities, once they are some.
fn shares(given: [&str; LADDER.len()]) -> Result<Shares, String> {
    let mut shares = [0.0; LADDER.len()];
    for (share, given) in shares.iter_mut().zip(given) {
        *share = given.parse().map_err(|_| format!("`{given}` is no probability"))?;
    }
    let sum: f32 = shares.iter().sum();
    let are = shares.iter().all(|share| (0.0..=1.0).contains(share)) && (sum - 1.0).abs() < 0.02;
    are.then(|| shares.map(|share| share / sum)).ok_or_else(|| {
        format!("probabilities add up to {sum}, where 1 is needed, or are not between 0 and 1")
    })
}

impl Row {
    /// A cell whose truth this is, not yet graded.
    fn judged(&self, target: Target, truth: crate::label::GradeSet) -> Judged {
        Judged {
            patient: self.patient.clone(),
            study: self.study.clone(),
            level: self.level,
            target,
            truth,
            grade: 0,
            probabilities: None,
            sets: Vec::new(),
        }
    }

    /// The cells of this level that the engine graded and of which something is known.
    pub fn graded(&self, graded: &[Graded]) -> Vec<Judged> {
        let judged = |graded: &Graded| {
            let truth = self.truth(graded.target)?;
            let grade = LADDER.iter().position(|grade| *grade == graded.grade)?;
            Some(Judged {
                grade,
                probabilities: Some(graded.probabilities),
                sets: graded.sets.into(),
                ..self.judged(graded.target, truth)
            })
        };
        graded.iter().filter_map(judged).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_say_nothing_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("readings.csv");
        let lines = [
            "study,level,target,grade,p_normal,p_mild,p_moderate,p_severe",
            "s,L4-L5,central,mild_moderate,,,,",
            "s,L4-L5,recess_left,,0.1,0.2,0.3,0.4",
            "s,L4-L5,recess_left,mild,,,,",
            "s,L4-L5,foraminal_left,present,,,,",
            "s,L4-L5,foraminal_right,mild,0.5,0.5,0.5,0",
            "s,L9,central,mild,,,,",
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let outside = Outside::read(&path).unwrap();
        let grades: Vec<usize> = outside.cells.values().map(|(grade, _)| *grade).collect();
        assert_eq!(grades.len(), 2, "{outside:?}");
        assert!(grades.contains(&2), "a half grade goes up: {outside:?}");
        let reasons: Vec<&str> = outside.bad.iter().map(|bad| bad.reason.as_str()).collect();
        assert!(reasons[0].contains("graded before"), "{reasons:?}");
        assert!(reasons[1].contains("no place on the ladder"), "{reasons:?}");
        assert!(reasons[2].contains("add up to 1.5"), "{reasons:?}");
        assert!(reasons[3].contains("`L9` is not a level"), "{reasons:?}");
        std::fs::write(&path, "study,level\n").unwrap();
        let error = Outside::read(&path).unwrap_err().to_string();
        assert!(error.contains("no column target, grade"), "{error}");
    }
}
