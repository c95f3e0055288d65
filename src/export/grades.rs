//! Grades of studies as tables, a row a target of a level; the same rows in each format. The RSNA 2024
//! layout has a row a study instead.

use std::borrow::Cow;
use std::io::{self, Write};

use super::dataset::{self, Column, DatasetWriter, Kind, Output, Value};
use super::rsna2024;
use crate::label::{Cell, Grade, LADDER, Level, Shares, Target};

/// How one target of a level of a study is graded.
#[derive(Debug, Clone, PartialEq)]
pub struct GradeRow {
    /// StudyInstanceUID, or the name of a study that has none.
    pub study: String,
    /// The name of the level.
    pub level: Level,
    /// The place of its disc, 1 for the lowest of the study.
    pub ordinal: u8,
    /// How probably the level is called so, where that is known.
    pub name_probability: Option<f64>,
    /// Which target.
    pub target: Target,
    /// The grade.
    pub grade: Grade,
    /// How probable each grade of the ladder is.
    pub probabilities: Shares,
    /// The lowest and the highest grade that cannot be excluded.
    pub may_be: [Grade; 2],
    /// The grade of the canal that follows from what was measured.
    pub measured: Option<Grade>,
}

type Create = fn(Output) -> io::Result<Box<dyn DatasetWriter<GradeRow>>>;

/// One row of the table of formats.
#[derive(Debug)]
pub struct GradeFormat {
    /// The name of the file.
    pub file: &'static str,
    create: Create,
}

/// Every format.
pub const FORMATS: [GradeFormat; 4] = [
    GradeFormat { file: "grades.csv", create: |out| dataset::csv::create(columns(), out) },
    GradeFormat {
        file: "grades.parquet",
        create: |out| dataset::parquet::create(columns(), "grade", out),
    },
    GradeFormat { file: "grades.jsonl", create: |out| dataset::flat::create(columns(), out) },
    GradeFormat { file: "rsna2024.csv", create: Challenge::create },
];

impl GradeFormat {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn create(&self, out: Output) -> io::Result<Box<dyn DatasetWriter<GradeRow>>> {
        (self.create)(out)
    }
}

fn columns() -> Vec<Column<GradeRow>> {
    fn given(value: &str) -> Value<'_> {
        Value::Text(Some(Cow::Borrowed(value)))
    }
    let text = |name, meaning, of: for<'a> fn(&'a GradeRow) -> Value<'a>| {
        Column::new(name, Kind::Text, meaning, of)
    };
    let mut columns = vec![
        text("study", "StudyInstanceUID, else the study's name", |r| given(&r.study)),
        text("level", "name of the level", |r| given(r.level.name())),
        Column::new(
            "ordinal",
            Kind::Number,
            "place of its disc, 1 for the lowest",
            |r: &GradeRow| Value::Number(Some(r.ordinal.into())),
        ),
        Column::new(
            "name_probability",
            Kind::Real,
            "how probably it is called so",
            |r: &GradeRow| Value::Real(r.name_probability),
        ),
        text("target", "stenosis type and side", |r| given(r.target.name())),
        text("grade", "the network's grade", |r| given(r.grade.name())),
    ];
    columns.extend(LADDER.iter().enumerate().map(|(place, grade)| {
        let meaning = format!("how probable {grade} is");
        Column::new(format!("p_{grade}"), Kind::Real, meaning, move |row: &GradeRow| {
            Value::Real(Some(f64::from(row.probabilities[place])))
        })
    }));
    columns.extend([
        text("lowest", "the lowest grade that cannot be excluded", |r| given(r.may_be[0].name())),
        text("highest", "the highest grade that cannot be excluded", |r| given(r.may_be[1].name())),
        text("measured", "the grade that the area of the dural sac means", |r| {
            Value::Text(r.measured.map(|grade| Cow::Borrowed(grade.name())))
        }),
    ]);
    columns
}

/// The challenge's training table. Rows of a study come together.
struct Challenge {
    out: Output,
    study: Option<(String, Vec<(Cell, Grade)>)>,
}

impl Challenge {
    fn create(mut out: Output) -> io::Result<Box<dyn DatasetWriter<GradeRow>>> {
        rsna2024::header(&mut out)?;
        Ok(Box::new(Self { out, study: None }))
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some((study, grades)) = self.study.take() else { return Ok(()) };
        let grade = |cell| grades.iter().find(|(of, _)| *of == cell).map(|(_, grade)| *grade);
        rsna2024::row(&study, grade, &mut self.out)
    }
}

impl DatasetWriter<GradeRow> for Challenge {
    fn write(&mut self, row: &GradeRow) -> io::Result<()> {
        if self.study.as_ref().is_some_and(|(study, _)| *study != row.study) {
            self.flush()?;
        }
        let (_, grades) = self.study.get_or_insert_with(|| (row.study.clone(), Vec::new()));
        grades.push((Cell { level: row.level, target: row.target }, row.grade));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.flush()?;
        self.out.flush()
    }
}
