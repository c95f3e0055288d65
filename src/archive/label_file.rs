//! Labels that people made elsewhere, read from a file and kept as their readings.
//!
//! Two formats, told apart by the file itself: JSON Lines with `id`, `cells` and `hedged`, which is
//! how gold files and the labels of `extract` look, and CSV, either a row a cell (`id`, `level`,
//! `target`, `grade`, perhaps `certainty`) or a row a report with a column a cell
//! (`l4_l5_central`). Both may name the `source` of a report.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde::Deserialize;

use super::{Archive, ArchiveError, Read};
use crate::label::{
    Cell, Certainty, Context, Evidence, Grade, Level, Opinion, Reader, Target, UnknownName, Verdict,
};
use crate::store::{Action, Body, NewReading};

/// A report with the labels that a person gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledReport {
    /// The line that it stands on, or the first of them.
    pub line: u64,
    /// Where the report comes from; found out where not given.
    pub source: Option<String>,
    /// The report's id within the source.
    pub id: String,
    /// One a labelled cell, in the order of cells. Other cells the person left as not mentioned.
    pub opinions: Vec<Opinion>,
}

/// A line that says nothing about a report.
#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}: {problem}", .file.display())]
pub struct BadLabels {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, and what to do about it.
    pub problem: String,
}

/// A file of labels that was read.
#[derive(Debug, Default)]
pub struct LabelFile {
    /// The reports in it, in the order of the file.
    pub reports: Vec<LabelledReport>,
    /// The lines that could not be read.
    pub bad: Vec<BadLabels>,
}

/// What became of a file of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ImportedLabels {
    /// Readings added.
    pub read: u64,
    /// Reports that the person had labelled just so before.
    pub same: u64,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    source: Option<String>,
    cells: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    hedged: Vec<String>,
}

impl LabelFile {
    /// Reads a file of labels. Lines that cannot be read are left out and told of.
    ///
    /// # Errors
    /// Where the file cannot be read at all.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut input = BufReader::new(File::open(path)?);
        let is_json = input.fill_buf()?.trim_ascii_start().starts_with(b"{");
        let mut file = Self::default();
        if is_json {
            file.read_jsonl(path, input)?
        } else {
            file.read_csv(path, input)?
        }
        Ok(file)
    }

    fn read_jsonl(&mut self, path: &Path, input: impl BufRead) -> io::Result<()> {
        for (line, text) in (1..).zip(input.split(b'\n')) {
            let text = text?;
            if text.trim_ascii().is_empty() {
                continue;
            }
            match json_line(&text) {
                Ok((source, id, opinions)) => {
                    self.reports.push(LabelledReport { line, source, id, opinions });
                }
                Err(problem) => self.bad.push(BadLabels { file: path.into(), line, problem }),
            }
        }
        Ok(())
    }

    fn read_csv(&mut self, path: &Path, input: impl BufRead) -> io::Result<()> {
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let header = StringRecord::from_byte_record_lossy(csv.byte_headers()?.clone());
        let table = match Table::of(&header) {
            Ok(table) => table,
            Err(problem) => {
                self.bad.push(BadLabels { file: path.into(), line: 1, problem });
                return Ok(());
            }
        };
        let mut places: BTreeMap<(Option<String>, String), usize> = BTreeMap::new();
        for record in csv.byte_records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let read = StringRecord::from_byte_record(record).map_err(|_| NOT_UTF8.to_owned());
            let read = read.and_then(|record| Ok((table.opinions(&record)?, record)));
            let (opinions, record) = match read {
                Ok(read) => read,
                Err(problem) => {
                    self.bad.push(BadLabels { file: path.into(), line, problem });
                    continue;
                }
            };
            let key = (table.source(&record), table.id(&record));
            let place = *places.entry(key.clone()).or_insert(self.reports.len());
            if place == self.reports.len() {
                let (source, id) = key;
                self.reports.push(LabelledReport { line, source, id, opinions: Vec::new() });
            }
            let all = &mut self.reports[place].opinions;
            for opinion in opinions {
                match all.iter().find(|known| known.cell == opinion.cell) {
                    None => all.push(opinion),
                    Some(known) if *known == opinion => {}
                    Some(_) => {
                        let problem = format!("a row before gives {} another grade", opinion.cell);
                        self.bad.push(BadLabels { file: path.into(), line, problem });
                    }
                }
            }
            all.sort_by_key(|opinion| opinion.cell);
        }
        Ok(())
    }
}

const NOT_UTF8: &str = "it is not in UTF-8; write the file in that encoding";

type Labels = (Option<String>, String, Vec<Opinion>);

fn json_line(text: &[u8]) -> Result<Labels, String> {
    let text = std::str::from_utf8(text).map_err(|_| NOT_UTF8)?;
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut opinions = Vec::new();
    for (level, targets) in &line.cells {
        for (target, verdict) in targets {
            let cell = Cell { level: known(level)?, target: known(target)? };
            let hedged = line.hedged.iter().any(|hedged| *hedged == cell.to_string());
            opinions.extend(opinion(cell, verdict, hedged)?);
        }
    }
    opinions.sort_by_key(|opinion| opinion.cell);
    Ok((line.source, line.id, opinions))
}

fn known<T: std::str::FromStr<Err = UnknownName>>(name: &str) -> Result<T, String> {
    name.parse().map_err(|error: UnknownName| error.to_string())
}

/// The opinion that a word stands for; none for an empty one and for *not mentioned*.
fn opinion(cell: Cell, verdict: &str, hedged: bool) -> Result<Option<Opinion>, String> {
    let verdict = match verdict.trim() {
        "" | "not_mentioned" => return Ok(None),
        "unassessable" => Verdict::Unassessable,
        grade => Verdict::Graded(known::<Grade>(grade)?),
    };
    let certainty = if hedged { Certainty::Hedged } else { Certainty::Stated };
    let evidence = Evidence::Spans(Vec::new());
    Ok(Some(Opinion {
        cell,
        verdict,
        certainty,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence,
    }))
}

/// Which columns hold what.
struct Table {
    id: usize,
    source: Option<usize>,
    shape: Shape,
}

enum Shape {
    /// A row a cell.
    Long { level: usize, target: usize, grade: usize, certainty: Option<usize> },
    /// A row a report.
    Wide(Vec<(usize, Cell)>),
}

impl Table {
    fn of(header: &StringRecord) -> Result<Self, String> {
        let column = |name: &str| header.iter().position(|column| column.trim() == name);
        let found = || header.iter().collect::<Vec<_>>().join(", ");
        let id = column("id").or_else(|| column("report_id")).ok_or_else(|| {
            format!("no column `id` tells which report is meant; the columns are {}", found())
        })?;
        let shape = match (column("level"), column("target"), column("grade")) {
            (Some(level), Some(target), Some(grade)) => {
                Shape::Long { level, target, grade, certainty: column("certainty") }
            }
            _ => Shape::Wide(
                Cell::all().filter_map(|cell| Some((column(&wide_name(cell))?, cell))).collect(),
            ),
        };
        if matches!(&shape, Shape::Wide(cells) if cells.is_empty()) {
            return Err(format!(
                "no column holds labels; name them level, target and grade, or one a cell such as \
                 l4_l5_central; the columns are {}",
                found()
            ));
        }
        Ok(Self { id, source: column("source"), shape })
    }

    fn id(&self, record: &StringRecord) -> String {
        record.get(self.id).unwrap_or_default().trim().to_owned()
    }

    fn source(&self, record: &StringRecord) -> Option<String> {
        let source = record.get(self.source?)?.trim();
        (!source.is_empty()).then(|| source.to_owned())
    }

    fn opinions(&self, record: &StringRecord) -> Result<Vec<Opinion>, String> {
        let field = |column: usize| record.get(column).unwrap_or_default().trim();
        if self.id(record).is_empty() {
            return Err("the id is empty; fill it in".to_owned());
        }
        match &self.shape {
            Shape::Long { level, target, grade, certainty } => {
                let level: Level = known(field(*level))?;
                let target: Target = known(field(*target))?;
                let hedged = certainty.is_some_and(|column| field(column) == "hedged");
                let opinion = opinion(Cell { level, target }, field(*grade), hedged)?;
                Ok(opinion.into_iter().collect())
            }
            Shape::Wide(cells) => {
                let each = cells.iter().map(|&(column, cell)| opinion(cell, field(column), false));
                Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
        }
    }
}

/// The name of a cell's column: `l4_l5_central`.
fn wide_name(cell: Cell) -> String {
    format!("{}_{}", cell.level.name().to_ascii_lowercase().replace('-', "_"), cell.target.name())
}

impl Archive {
    /// Keeps a person's labels as readings, in one transaction. Labels of reports that the archive
    /// does not have are left out and told of.
    ///
    /// # Errors
    /// Those of the store.
    pub fn import_labels(
        &mut self,
        path: &Path,
        person: &Reader,
        context: &Context,
        file: &mut LabelFile,
    ) -> Result<ImportedLabels, ArchiveError> {
        let reports = std::mem::take(&mut file.reports);
        let mut known = Vec::new();
        for labelled in reports {
            match self.store.report_named(labelled.source.as_deref(), &labelled.id)? {
                Ok(report) => known.push((report, labelled)),
                Err(problem) => {
                    file.bad.push(BadLabels { file: path.into(), line: labelled.line, problem });
                }
            }
        }
        self.store.write(|writer| {
            let reader = writer.reader(person)?;
            let mut imported = ImportedLabels::default();
            for (report, labelled) in &known {
                let body = Body { opinions: labelled.opinions.clone(), ..Body::default() };
                let read = Read::new(body);
                if writer.says_the_same(reader, *report, context, read.body())? {
                    imported.same += 1;
                    continue;
                }
                let (version, subject) = writer.present(*report)?;
                let Read { body, packed } = &read;
                let context = Some(context);
                let reading = NewReading { reader, at: None, context, body, packed };
                writer.add_reading(*report, version, subject, &reading)?;
                imported.read += 1;
            }
            writer.audit(Action::ImportLabels, &person.name, &imported)?;
            Ok(imported)
        })
    }
}
