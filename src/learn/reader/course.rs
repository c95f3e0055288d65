//! A whole training in its folder: rounds of dictated reports, a checkpoint after each, so that a
//! training that is stopped at any moment goes on from its last round as if it had not been.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::start::Begun;
use super::{Example, Fit, Plan, Point, Record, Source, Start, calibrate, dictated, examples};
use crate::engine::encoder::{
    BaseError, Calibration, ModelConfig, ModelError, Reader, Vocabulary, VocabularyError,
};
use crate::engine::{Device, WeightsError, save};
use crate::extract::Extractor;
use crate::learn::Gold;
use crate::learn::keep::{self, KeepError};
use crate::simulate::{Part, Simulation};

/// What a training is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// What it starts from.
    pub start: Start,
    /// Where the model and the checkpoints go.
    pub folder: PathBuf,
    /// Decides everything: the same seed trains the same model on the same machine.
    pub seed: u64,
    /// Steps in all.
    pub steps: i32,
    /// Tokens of a batch.
    pub tokens: usize,
    /// Dictated reports of a round; progress is judged on half as many others.
    pub reports: u64,
    /// The highest rate.
    pub rate: f64,
    /// Reports whose labels people know, read once a round; those whose text is also one of `check` are
    /// not.
    pub gold: Vec<Gold>,
    /// Others, kept from learning, that each round is judged on too.
    pub check: Vec<Gold>,
    /// The files that both came from.
    pub sources: Vec<Source>,
    /// After how many rounds without progress on held-out phrases to stop early.
    pub patience: u64,
    /// What to train on.
    pub device: Device,
}

/// Why a training cannot go on.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum CourseError {
    #[error(transparent)]
    Base(#[from] BaseError),
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(
        "`{path}` is of a training on other reports, with another base or by another version; give \
         another folder to begin anew"
    )]
    OtherLessons { path: PathBuf },
    #[error("`{path}` is of a training with seed {found}; give it, or another folder")]
    OtherSeed { path: PathBuf, found: u64 },
    #[error(
        "`{path}` is of a training on other files: {then} then, {now} now; give those of then, or \
         another folder to begin anew"
    )]
    OtherFiles { path: PathBuf, then: String, now: String },
    #[error(
        "`{name}` would be judged on, but the reader in `{path}` has learned from it; give reports \
         that it has not seen"
    )]
    Seen { path: PathBuf, name: String },
}

/// A training under way.
#[allow(missing_debug_implementations, reason = "the network has none")]
pub struct Course {
    order: Order,
    fit: Fit,
    vocabulary: Vocabulary,
    /// Tokens that a sequence may have.
    longest: usize,
    extractor: Extractor,
    record: Record,
    held_out: Vec<Example>,
    check: Vec<Example>,
}

impl Course {
    /// Begins a training, or takes up the one whose folder is given.
    ///
    /// # Errors
    /// Where what it starts from or the folder is not what it should be.
    pub fn open(mut order: Order, mut extractor: Extractor) -> Result<Self, CourseError> {
        keep::make(&order.folder)?;
        let record = Record {
            seed: order.seed,
            sources: order.sources.clone(),
            left_out: leave_out(&mut order.gold, &order.check),
            ..Record::default()
        };
        let record = match &order.start {
            Start::Encoder { .. } => record,
            Start::Reader(folder) => after(folder, record)?,
        };
        let is_begun = Self::is_begun(&order.folder, &record)?;
        tch::manual_seed(order.seed as i64);
        let Begun { weights, config, words } = order.start.begin(&order, &mut extractor)?;
        let path = order.folder.join("vocab.txt");
        if is_begun && std::fs::read_to_string(&path).ok().as_ref() != Some(&words) {
            return Err(CourseError::OtherLessons { path });
        }
        keep::write(&path, words.as_bytes())?;
        keep::write_json(&order.folder.join("config.json"), &ModelConfig::new(config))?;
        let vocabulary = Vocabulary::load(&path)?;
        let longest = config.longest as usize;
        let plan = Plan {
            steps: order.steps,
            warm_up: order.steps / 20,
            rate: order.rate,
            tokens: order.tokens,
        };
        let held_out = Simulation::new(order.seed);
        let held_out = (0..order.reports / 2)
            .flat_map(|number| {
                let report = held_out.dictation(u64::MAX - number, Part::HeldOut).into();
                examples(&report, &mut extractor, &vocabulary, longest)
            })
            .collect();
        let check = order.check.iter();
        let check =
            check.flat_map(|gold| examples(gold, &mut extractor, &vocabulary, longest)).collect();
        let fit = Fit::new(weights, &config, plan, order.device);
        let mut course =
            Self { order, fit, vocabulary, longest, extractor, record, held_out, check };
        if is_begun {
            course.take_up()?;
        }
        Ok(course)
    }

    /// Where the training stands.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Whether all steps were taken, or no round has come any further for long.
    pub fn is_over(&self) -> bool {
        let best = self.record.best().map_or(0, |round| round as u64 + 1);
        self.fit.is_over() || self.record.rounds - best >= self.order.patience
    }

    /// Learns, after the weights, how far to trust them: the best round's, on held-out phrases and
    /// on the labelled reports that were kept from learning. `read` is told how many more reports are
    /// read, each time that a caller may stop.
    ///
    /// # Errors
    /// Where the folder cannot be read or written.
    pub fn calibrate(&mut self, read: impl FnMut(usize)) -> Result<Calibration, CourseError> {
        let model = Reader::load(&self.order.folder, self.order.device)?.uncalibrated();
        let dictated = dictated(self.order.seed, 4 * self.order.reports);
        let calibration = calibrate(model, &mut self.extractor, &dictated, &self.order.check, read);
        let folder = &self.order.folder;
        calibration.save(folder).map_err(|source| KeepError::Unwritable {
            path: folder.join(Calibration::FILE),
            source,
        })?;
        Ok(calibration)
    }

    /// Learns from the next reports, judges what came of it and leaves a checkpoint. `stepped` gets
    /// the loss of each step.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn round(&mut self, mut stepped: impl FnMut(f64)) -> Result<Point, CourseError> {
        let mut random = fastrand::Rng::with_seed(
            self.order.seed ^ self.record.rounds.wrapping_mul(0x9e37_79b9),
        );
        tch::manual_seed(random.i64(..));
        let lessons = self.lessons();
        let (mut sum, mut steps) = (0.0, 0.0);
        self.fit.round(lessons, &mut random, |loss| {
            sum += loss;
            steps += 1.0;
            stepped(loss);
        });
        let point = Point {
            steps: self.fit.steps(),
            loss: if steps > 0.0 { sum / steps } else { 0.0 },
            held_out: self.fit.judge(&self.held_out),
            check: self.fit.judge(&self.check),
        };
        self.record.rounds += 1;
        self.record.steps = point.steps;
        self.record.curve.push(point);
        self.keep()?;
        Ok(point)
    }

    /// What the next round learns from.
    fn lessons(&mut self) -> Vec<Example> {
        let simulation = Simulation::new(self.order.seed);
        let first = self.record.rounds * self.order.reports;
        let mut lessons = Vec::new();
        let mut take = |gold: &Gold| {
            let (extractor, vocabulary) = (&mut self.extractor, &self.vocabulary);
            lessons.extend(examples(gold, extractor, vocabulary, self.longest));
        };
        for number in first..first + self.order.reports {
            take(&simulation.dictation(number, Part::Training).into());
        }
        self.order.gold.iter().for_each(take);
        lessons
    }

    /// Writes the model where it is the best so far, and what a resumed training needs.
    fn keep(&self) -> Result<(), CourseError> {
        if self.record.best() == Some(self.record.curve.len() - 1) {
            save(&self.fit.weights, &self.order.folder.join("weights.safetensors"))?;
        }
        let folder = &self.order.folder;
        let mut tensors = keep::variables("variable.", &self.fit.weights);
        tensors.extend(self.fit.moments());
        tensors.push(keep::with_record(&self.record));
        keep::checkpoint(folder, &tensors)?;
        keep::write(&folder.join("training.svg"), self.record.drawn().as_bytes())?;
        Ok(keep::write_json(&folder.join(keep::RECORD), &self.record)?)
    }

    /// Whether a folder holds a training; it must be the one that this record begins.
    fn is_begun(folder: &Path, record: &Record) -> Result<bool, CourseError> {
        let Some(found): Option<Record> = keep::record(folder)? else { return Ok(false) };
        let path = folder.join(keep::RECORD);
        if found.seed != record.seed {
            return Err(CourseError::OtherSeed { path, found: found.seed });
        }
        if let Some([then, now]) = record.other_files(&found) {
            return Err(CourseError::OtherFiles { path, then, now });
        }
        if found.steps_before != record.steps_before {
            return Err(CourseError::OtherLessons { path });
        }
        Ok(true)
    }

    /// Goes on where the folder's checkpoint stands.
    fn take_up(&mut self) -> Result<(), CourseError> {
        let tensors = keep::take_up(&self.order.folder)?;
        self.record = keep::record_within(&self.order.folder, &tensors)?;
        keep::fill("variable.", &self.fit.weights, &tensors);
        self.fit.resume(tensors, self.record.steps);
        Ok(())
    }
}

/// Leaves out of the lessons what is judged on, line breaks apart, and counts it: what was learned by
/// heart proves nothing.
fn leave_out(gold: &mut Vec<Gold>, check: &[Gold]) -> usize {
    let words = |gold: &Gold| gold.text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let judged: BTreeSet<_> = check.iter().map(words).collect();
    let before = gold.len();
    gold.retain(|gold| !judged.contains(&words(gold)));
    before - gold.len()
}

/// The record of a training that begins with a trained reader: what that has learned from is learned
/// from here too, and would be no test.
fn after(folder: &Path, mut record: Record) -> Result<Record, CourseError> {
    let before: Option<Record> = keep::record_of_model(folder, "--from")?;
    let Some(before) = before else { return Ok(record) };
    record.steps_before = before.steps_before + before.steps;
    for source in before.sources.into_iter().filter(|source| source.learned_from) {
        match record.sources.iter().find(|own| own.sha256 == source.sha256) {
            Some(own) if own.learned_from => {}
            Some(own) => {
                let (path, name) = (folder.to_owned(), own.name.clone());
                return Err(CourseError::Seen { path, name });
            }
            None => record.sources.push(source),
        }
    }
    Ok(record)
}
