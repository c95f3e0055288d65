//! Cohorts: which versions of which reports, chosen how, so that anyone can choose them again.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Archive, ArchiveError};
use crate::label::{Cell, Verdict};
use crate::search::Counts;
use crate::search::query::Query;
use crate::store::{Candidate, Cohort, Member, Store, StoreError, Writer};

/// How a cohort is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Queries, each of which narrows what the one before it leaves.
    pub queries: Vec<Query>,
    /// Which studies of a patient stay.
    pub keep: Keep,
    /// How many of each grade stay.
    pub sample: Option<Sample>,
    /// Into which parts they are split.
    pub split: Option<Split>,
}

/// Which studies of a patient stay. Patients without an id are told apart by study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All.
    #[default]
    All,
    /// The earliest; one without a date only where none has a date.
    FirstStudy,
    /// The latest; one without a date only where none has a date.
    LastStudy,
}

/// A sample of so many reports of each grade of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The cell. Reports that do not grade it are left out.
    pub cell: Cell,
    /// How many reports of each grade, or all where there are fewer.
    pub per_grade: usize,
    /// Decides which; the same seed takes the same ones.
    pub seed: u64,
}

/// A split by patient, so that no patient is in two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// What share of the patients is for training, validation and testing, in any unit.
    pub shares: [u32; 3],
    /// Decides who; the same seed gives the same parts.
    pub seed: u64,
}

/// The names of the parts, in the order of [`Split::shares`].
const PARTS: [&str; 3] = ["train", "validation", "test"];

/// What is left after a step of the choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the step keeps.
    pub name: String,
    /// Reports that are left.
    pub reports: u64,
    /// Studies that they are of.
    pub studies: u64,
    /// Patients that they are of, as far as they are known.
    pub patients: u64,
}

/// How two cohorts become one. Reports are compared, not versions: of a report that both have in
/// different versions, the later stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    /// What is in either.
    Union,
    /// What is in both.
    Intersection,
    /// What is in the first and not in the second.
    Difference,
}

/// What was chosen, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The steps, with what each left.
    pub steps: Vec<Step>,
    /// The members, by version.
    pub members: Vec<Member>,
    recipe: Recipe,
    hash: String,
}

/// How a frozen cohort came about: what is needed to choose it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipe {
    /// The queries in their canonical spelling.
    pub queries: Vec<String>,
    /// Which studies of a patient stay.
    pub keep: Keep,
    /// The sample.
    pub sample: Option<Sample>,
    /// The split.
    pub split: Option<Split>,
    /// Which cohorts it was made of, and how.
    pub combined: Option<(Combination, String, String)>,
    /// The steps, with what each left.
    pub steps: Vec<Step>,
    /// The last change of the archive that the choice knew of.
    pub change: u64,
    /// Version of deepspine.
    pub software: String,
    /// The versions of the readers whose readings the archive has.
    pub readers: Vec<String>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            queries: Vec::new(),
            keep: Keep::All,
            sample: None,
            split: None,
            combined: None,
            steps: Vec::new(),
            change: 0,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            readers: Vec::new(),
        }
    }
}

impl Recipe {
    /// The recipe without queries that name someone or something: a patient, a study, a report, a
    /// source, a reader.
    pub fn without_names(mut self) -> Self {
        const WITHHELD: &str = "(withheld: it names someone)";
        let names =
            |query: &String| Query::parse(query).map_or(true, |query| query.names_someone());
        for query in self.queries.iter_mut().filter(|query| names(query)) {
            for step in self.steps.iter_mut().filter(|step| step.name == *query) {
                WITHHELD.clone_into(&mut step.name);
            }
            WITHHELD.clone_into(query);
        }
        self
    }
}

impl Selection {
    /// SHA-256 over the members: source, id, text and part of each. The same reports in the same
    /// versions and parts have the same hash in any archive.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// How often a choice is tried anew while others change the archive.
const TRIES: usize = 5;

impl Archive {
    /// Chooses the members of a cohort from the archive as it is now.
    ///
    /// # Errors
    /// Those of the store and of the index, and where the index cannot be brought up to date.
    pub fn choose(&self, plan: &Plan) -> Result<Selection, ArchiveError> {
        let mut behind = 0;
        for _ in 0..TRIES {
            self.catch_up_now()?;
            let searcher = self.index.searcher()?;
            let selection = self.store.snapshot(|store| {
                behind = store.change()?.saturating_sub(searcher.change());
                if behind > 0 {
                    return Ok(None);
                }
                let mut steps = Vec::new();
                let mut asked = Vec::new();
                for query in &plan.queries {
                    asked.push(query.clone());
                    let counts = searcher.counts(&Query::And(asked.clone()))?;
                    steps.push(Step::new(query.to_string(), counts));
                }
                let numbers = searcher.all(&Query::And(asked))?;
                let found = store.candidates(&numbers)?;
                Ok::<_, ArchiveError>(Some(narrow(store, plan, found, steps)?))
            })?;
            if let Some(selection) = selection {
                return Ok(selection);
            }
        }
        Err(ArchiveError::Behind(behind))
    }

    /// Chooses from the archive as it is now by the recipe of a frozen cohort.
    ///
    /// # Errors
    /// Those of [`Self::choose`] and [`Self::combine`].
    pub fn choose_again(&self, recipe: &Recipe) -> Result<Selection, ArchiveError> {
        if let Some((how, first, second)) = &recipe.combined {
            return self.combine(*how, first, second);
        }
        let queries = recipe.queries.iter().map(|query| Query::parse(query));
        self.choose(&Plan {
            queries: queries.collect::<Result<_, _>>()?,
            keep: recipe.keep,
            sample: recipe.sample,
            split: recipe.split,
        })
    }

    /// Makes one cohort of two.
    ///
    /// # Errors
    /// Where one of them is not there, and those of the store.
    pub fn combine(
        &self,
        how: Combination,
        first: &str,
        second: &str,
    ) -> Result<Selection, ArchiveError> {
        let store = &self.store;
        let members = |name: &str| -> Result<BTreeMap<u64, u64>, StoreError> {
            let members = store.members(&store.cohort(name)?)?;
            Ok(members.into_iter().map(|member| (member.report, member.version)).collect())
        };
        let (mut left, right) = (members(first)?, members(second)?);
        match how {
            Combination::Union => {}
            Combination::Intersection => left.retain(|report, _| right.contains_key(report)),
            Combination::Difference => left.retain(|report, _| !right.contains_key(report)),
        }
        for (report, version) in right {
            match how {
                Combination::Union => {
                    let kept = left.entry(report).or_insert(version);
                    *kept = version.max(*kept);
                }
                Combination::Intersection => {
                    left.entry(report).and_modify(|kept| *kept = version.max(*kept));
                }
                Combination::Difference => {}
            }
        }
        let chosen = store.candidates_of(left.values().copied())?;
        let name = match how {
            Combination::Union => format!("{first} or {second}"),
            Combination::Intersection => format!("{first} and {second}"),
            Combination::Difference => format!("{first} without {second}"),
        };
        let steps = vec![Step::of(name, &chosen)];
        let recipe = Recipe {
            combined: Some((how, first.to_owned(), second.to_owned())),
            change: store.change()?,
            readers: store.reader_versions()?,
            ..Recipe::default()
        };
        let members = chosen.iter().map(|candidate| candidate.member(None)).collect();
        Ok(Selection::new(steps, members, &chosen, recipe))
    }

    /// Freezes what was chosen under a name.
    ///
    /// # Errors
    /// Where the name is taken, and those of the store.
    pub fn freeze(&mut self, name: &str, selection: &Selection) -> Result<(), ArchiveError> {
        Ok(self.store.write(|writer| selection.freeze(writer, name))?)
    }

    /// How a frozen cohort came about.
    ///
    /// # Errors
    /// Where its recipe was written by a newer deepspine.
    pub fn recipe(cohort: &Cohort) -> Result<Recipe, ArchiveError> {
        serde_json::from_str(&cohort.recipe)
            .map_err(|error| ArchiveError::Recipe(cohort.name.clone(), error))
    }
}

impl Selection {
    /// Freezes what was chosen under a name, as a part of a transaction.
    ///
    /// # Errors
    /// Where the name is taken, and those of the store.
    pub fn freeze(&self, writer: &Writer<'_>, name: &str) -> Result<(), StoreError> {
        let recipe = serde_json::to_string(&self.recipe).expect("a recipe is plain data");
        writer.freeze(name, &recipe, &self.hash, &self.members)
    }

    fn new(steps: Vec<Step>, members: Vec<Member>, chosen: &[Candidate], recipe: Recipe) -> Self {
        let recipe = Recipe { steps: steps.clone(), ..recipe };
        let mut lines: Vec<String> = chosen
            .iter()
            .zip(&members)
            .map(|(of, member)| {
                let part = member.part.as_deref().unwrap_or_default();
                let hash: String = of.text_hash.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{}\t{}\t{hash}\t{part}\n", of.source, of.id)
            })
            .collect();
        // In an order that does not depend on the order of import.
        lines.sort_unstable();
        let digest = Sha256::digest(lines.concat());
        let hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { steps, members, recipe, hash }
    }
}

impl Step {
    fn new(name: String, counts: Counts) -> Self {
        let Counts { reports, studies, patients } = counts;
        Self { name, reports, studies, patients }
    }

    fn of(name: String, chosen: &[Candidate]) -> Self {
        let studies: HashSet<_> = chosen.iter().map(|candidate| candidate.study).collect();
        let patients: HashSet<_> = chosen.iter().filter_map(|c| c.patient).collect();
        Self {
            name,
            reports: chosen.len() as u64,
            studies: studies.len() as u64,
            patients: patients.len() as u64,
        }
    }
}

/// From what the queries find to the selection.
fn narrow(
    store: &Store,
    plan: &Plan,
    mut chosen: Vec<Candidate>,
    mut steps: Vec<Step>,
) -> Result<Selection, StoreError> {
    if plan.keep != Keep::All {
        chosen = of_one_study(chosen, plan.keep);
        let name = if plan.keep == Keep::FirstStudy { "first" } else { "last" };
        steps.push(Step::of(format!("{name} study of each patient"), &chosen));
    }
    if let Some(sample) = &plan.sample {
        chosen = sampled(store, chosen, sample)?;
        let Sample { cell, per_grade, seed } = sample;
        let name = format!("at most {per_grade} of each grade of {cell}, seed {seed}");
        steps.push(Step::of(name, &chosen));
    }
    let parts = plan.split.as_ref().map(|split| parts(&chosen, split));
    let part =
        |candidate: &Candidate| Some(PARTS[*parts.as_ref()?.get(&candidate.person())?].to_owned());
    let members = chosen.iter().map(|candidate| candidate.member(part(candidate))).collect();
    let recipe = Recipe {
        queries: plan.queries.iter().map(ToString::to_string).collect(),
        keep: plan.keep,
        sample: plan.sample,
        split: plan.split,
        change: store.change()?,
        readers: store.reader_versions()?,
        ..Recipe::default()
    };
    Ok(Selection::new(steps, members, &chosen, recipe))
}

/// The reports of each patient's first or last study.
fn of_one_study(mut chosen: Vec<Candidate>, keep: Keep) -> Vec<Candidate> {
    // By date, and by number where dates are equal or absent.
    type When<'a> = (Option<&'a str>, u64);
    let mut best: HashMap<String, When<'_>> = HashMap::new();
    for candidate in &chosen {
        let when = (candidate.exam_date.as_deref(), candidate.study);
        let is_better = |kept: When<'_>| match (when.0, kept.0) {
            (Some(_), None) => true,
            (None, Some(_)) => false,
            _ if keep == Keep::FirstStudy => when < kept,
            _ => when > kept,
        };
        let kept = best.entry(candidate.person()).or_insert(when);
        if is_better(*kept) {
            *kept = when;
        }
    }
    let studies: HashSet<u64> = best.into_values().map(|(_, study)| study).collect();
    chosen.retain(|candidate| studies.contains(&candidate.study));
    chosen
}

/// So many reports of each grade of a cell: those whose seeded hashes come first, so that the
/// choice does not depend on the order of import.
fn sampled(
    store: &Store,
    chosen: Vec<Candidate>,
    sample: &Sample,
) -> Result<Vec<Candidate>, StoreError> {
    let mut strata: BTreeMap<&'static str, Vec<([u8; 32], Candidate)>> = BTreeMap::new();
    for candidate in chosen {
        let labels = store.label(candidate.report)?;
        let label = labels.iter().find(|stored| stored.label.cell == sample.cell);
        if let Some(Verdict::Graded(grade)) = label.map(|stored| stored.label.verdict) {
            let order = drawn(sample.seed, &[&candidate.source, &candidate.id]);
            strata.entry(grade.name()).or_default().push((order, candidate));
        }
    }
    let mut kept = Vec::new();
    for mut stratum in strata.into_values() {
        stratum.sort_unstable_by_key(|(order, _)| *order);
        stratum.truncate(sample.per_grade);
        kept.extend(stratum.into_iter().map(|(_, candidate)| candidate));
    }
    kept.sort_unstable_by_key(|candidate| candidate.report);
    Ok(kept)
}

/// The part of each patient, by its place among [`PARTS`].
fn parts(chosen: &[Candidate], split: &Split) -> HashMap<String, usize> {
    let people: HashSet<String> = chosen.iter().map(Candidate::person).collect();
    let mut people: Vec<_> =
        people.into_iter().map(|person| (drawn(split.seed, &[&person]), person)).collect();
    people.sort_unstable();
    let total: u64 = split.shares.iter().copied().map(u64::from).sum::<u64>().max(1);
    let count = people.len() as u64;
    let mut shares = 0;
    let ends = split.shares.map(|share| {
        shares += u64::from(share);
        // Rounded to the nearest patient.
        (count * shares + total / 2) / total
    });
    let part = |place: usize| ends.iter().position(|&end| (place as u64) < end).unwrap_or(2);
    people.into_iter().enumerate().map(|(place, (_, person))| (person, part(place))).collect()
}

/// A number that a seed draws for something.
fn drawn(seed: u64, what: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for part in what {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}
