//! How far the readers of a batch agree: people with each other, with machines, and with
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::{Archive, ArchiveError};
use crate::label::agreement::{
    Agreement, Coefficient, ReportPairs, Resampling, among_all, between_two,
};
use crate::label::{Cell, Level, Opinion, ReaderKind, Target, Verdict};
use crate::store::{Batch, CurrentReading};

/// Which cells are compared; all where nothing is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// Only those of this target.
    pub target: Option<Target>,
    /// Only those of this level.
    pub level: Option<Level>,
}

impl Choice {
    fn cells(self) -> impl Iterator<Item = Cell> {
        let fits = move |cell: &Cell| {
            self.target.is_none_or(|target| target == cell.target)
                && self.level.is_none_or(|level| level == cell.level)
        };
        Cell::all().filter(fits)
    }
}

/// How far two readers agree.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PairAgreement {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// How far.
    #[serde(flatten)]
    pub agreement: Agreement,
}

/// How far the readers of a batch agree.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BatchAgreement {
    /// Each two readers that have read a report in common, people first.
    pub pairs: Vec<PairAgreement>,
    /// Krippendorff's ordinal α of all people.
    pub alpha: Coefficient,
    /// Each person with themselves, over hidden repeats.
    pub repeats: Vec<PairAgreement>,
}

/// A cell of which two readers say different things.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Disagreement {
    /// The version of the report.
    pub version: u64,
    /// The cell.
    pub cell: Cell,
    /// What the one says, and the other.
    pub verdicts: (Verdict, Verdict),
}

/// How often a person said in a week what the label now says.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Drift {
    /// Who.
    pub reader: String,
    /// The day that the week begins with, ISO 8601.
    pub week: String,
    /// Cells that the person or the label mentions.
    pub cells: u64,
    /// Those on which both say the same.
    pub same: u64,
}

/// What one reader made of one report.
type Said = Vec<Opinion>;

/// The readers of one report, people first.
type Readers = BTreeMap<(bool, String), Said>;

impl Archive {
    /// How far the readers of a batch agree on the cells chosen.
    ///
    /// # Errors
    /// Those of the store.
    pub fn agreement(
        &self,
        batch: &Batch,
        choice: Choice,
        resampling: Resampling,
    ) -> Result<BatchAgreement, ArchiveError> {
        let reports = self.readers_of(batch)?;
        let names: BTreeSet<&(bool, String)> = reports.iter().flat_map(Readers::keys).collect();
        let names: Vec<_> = names.into_iter().collect();
        let mut pairs = Vec::new();
        for (number, first) in names.iter().enumerate() {
            for second in &names[number + 1..] {
                let both: Vec<ReportPairs> = reports
                    .iter()
                    .filter_map(|readers| {
                        Some(compared(readers.get(first)?, readers.get(second)?, choice))
                    })
                    .collect();
                if !both.is_empty() {
                    let agreement = between_two(&both, resampling);
                    let (first, second) = (first.1.clone(), second.1.clone());
                    pairs.push(PairAgreement { first, second, agreement });
                }
            }
        }
        let people: Vec<Vec<Vec<Verdict>>> =
            reports.iter().map(|readers| by_cell(readers, choice)).collect();
        let alpha = among_all(&people, resampling);
        Ok(BatchAgreement { pairs, alpha, repeats: self.repeats(batch, choice, resampling)? })
    }

    /// The cells of which two readers of a batch say different things, in the order of work, up to
    /// `limit` of them.
    ///
    /// # Errors
    /// Those of the store.
    pub fn disagreements(
        &self,
        batch: &Batch,
        choice: Choice,
        pair: (&str, &str),
        limit: usize,
    ) -> Result<Vec<Disagreement>, ArchiveError> {
        let mut all = Vec::new();
        for (version, readers) in self.readers_by_version(batch)? {
            let said = |name: &str| {
                readers.iter().find(|((_, reader), _)| reader == name).map(|(_, said)| said)
            };
            let (Some(first), Some(second)) = (said(pair.0), said(pair.1)) else { continue };
            let verdicts = compared(first, second, choice);
            let differing = choice.cells().zip(verdicts).filter(|(_, (one, two))| one != two);
            all.extend(differing.map(|(cell, verdicts)| Disagreement { version, cell, verdicts }));
            if all.len() >= limit {
                break;
            }
        }
        all.truncate(limit);
        Ok(all)
    }

    fn readers_of(&self, batch: &Batch) -> Result<Vec<Readers>, ArchiveError> {
        let by_version = self.readers_by_version(batch)?;
        Ok(by_version.into_iter().map(|(_, readers)| readers).collect())
    }

    /// What each reader made of each report of a batch, adjudicators not counted.
    fn readers_by_version(&self, batch: &Batch) -> Result<Vec<(u64, Readers)>, ArchiveError> {
        let mut reports = Vec::new();
        for version in self.store.batch_versions(batch.id)? {
            let readings = self.store.current_readings(version)?;
            let counts = |reading: &CurrentReading| !reading.adjudicates;
            let readers: Readers = readings.into_iter().filter(counts).map(named).collect();
            // Reports that no person has read yet say nothing.
            if readers.keys().any(|(machine, _)| !machine) {
                reports.push((version, readers));
            }
        }
        Ok(reports)
    }

    fn repeats(
        &self,
        batch: &Batch,
        choice: Choice,
        resampling: Resampling,
    ) -> Result<Vec<PairAgreement>, ArchiveError> {
        let mut people: BTreeMap<String, Vec<ReportPairs>> = BTreeMap::new();
        for (user, first, again) in self.store.repeats(batch.id)? {
            let (Some(first), Some(again)) =
                (self.store.reading(first)?, self.store.reading(again)?)
            else {
                continue;
            };
            let pairs = compared(&first.body.opinions, &again.body.opinions, choice);
            people.entry(user).or_default().push(pairs);
        }
        let with_themselves = people.into_iter().map(|(user, reports)| PairAgreement {
            first: user.clone(),
            second: user,
            agreement: between_two(&reports, resampling),
        });
        Ok(with_themselves.collect())
    }

    /// How often each person of a batch said what the label of the report now says, week by week.
    ///
    /// # Errors
    /// Those of the store.
    pub fn drift(&self, batch: &Batch) -> Result<Vec<Drift>, ArchiveError> {
        let mut weeks: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for version in self.store.batch_versions(batch.id)? {
            let readings = self.store.current_readings(version)?;
            let settled = readings.iter().find(|reading| reading.adjudicates);
            let people = || super::annotation::annotators(&readings);
            // Only what was settled, or read by several, can tell one reader's drift.
            if settled.is_none() && people().count() < 2 {
                continue;
            }
            for reading in people() {
                let others: Vec<&CurrentReading> = match settled {
                    Some(settled) => vec![settled],
                    None => people().filter(|other| other.id != reading.id).collect(),
                };
                let week = weeks.entry((reading.name.clone(), week(&reading.at))).or_default();
                for other in others {
                    let pairs =
                        compared(&reading.body.opinions, &other.body.opinions, Choice::default());
                    let unmentioned = (Verdict::NotMentioned, Verdict::NotMentioned);
                    for (one, another) in pairs.into_iter().filter(|pair| *pair != unmentioned) {
                        week.0 += 1;
                        week.1 += u64::from(one == another);
                    }
                }
            }
        }
        let drift = weeks.into_iter().map(|((reader, week), (cells, same))| Drift {
            reader,
            week,
            cells,
            same,
        });
        Ok(drift.collect())
    }
}

/// A reading by its reader, machines after people.
fn named(reading: CurrentReading) -> ((bool, String), Said) {
    let is_machine = reading.kind != ReaderKind::Person;
    let name = if is_machine { reading.kind.name().to_owned() } else { reading.name };
    ((is_machine, name), reading.body.opinions)
}

fn verdict(said: &Said, cell: Cell) -> Verdict {
    let opinion = said.iter().find(|opinion| opinion.cell == cell);
    opinion.map_or(Verdict::NotMentioned, |opinion| opinion.verdict)
}

fn compared(first: &Said, second: &Said, choice: Choice) -> ReportPairs {
    choice.cells().map(|cell| (verdict(first, cell), verdict(second, cell))).collect()
}

/// What people made of each cell of a report.
fn by_cell(readers: &Readers, choice: Choice) -> Vec<Vec<Verdict>> {
    let people = || readers.iter().filter(|((machine, _), _)| !machine);
    choice.cells().map(|cell| people().map(|(_, said)| verdict(said, cell)).collect()).collect()
}

/// The Monday of the week that a time in RFC 3339 and UTC is in; the time itself where it is none.
fn week(at: &str) -> String {
    let Some(date) = at.get(..10).and_then(|day| day.parse::<jiff::civil::Date>().ok()) else {
        return at.to_owned();
    };
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(jiff::Span::new().days(back)).unwrap_or(date).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn weeks_begin_on_mondays() {
        for day in 23..30 {
            assert_eq!(super::week(&format!("2026-11-{day}T12:00:00Z")), "2026-11-23");
        }
        assert_eq!(super::week("2026-11-22T23:59:59Z"), "2026-11-16");
    }
}
