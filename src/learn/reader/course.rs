//! A whole training in its folder: rounds of dictated reports, a checkpoint after each, so that a
//! training that is stopped at any moment goes on from its last round as if it had not been.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tch::nn::VarStore;

use super::{Example, Fit, Plan, Point, Record, Source, calibrate, dictated, examples};
use crate::engine::encoder::{
    Base, BaseError, Calibration, ModelConfig, ModelError, Network, Reader, Vocabulary,
    VocabularyError,
};
use crate::engine::{Device, WeightsError, save};
use crate::extract::Extractor;
use crate::learn::keep::{self, KeepError};
use crate::learn::{Gold, Labels};
use crate::simulate::{Part, SimulatedReport, Simulation};

/// What a training is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// The folder of the published encoder.
    pub base: PathBuf,
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
    /// Word pieces that the model may know.
    pub pieces: usize,
    /// The highest rate.
    pub rate: f64,
    /// Reports whose labels people know, read once a round.
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
}

/// A training under way.
#[allow(missing_debug_implementations, reason = "the network has none")]
pub struct Course {
    order: Order,
    fit: Fit,
    vocabulary: Vocabulary,
    extractor: Extractor,
    record: Record,
    held_out: Vec<Example>,
    check: Vec<Example>,
}

impl Course {
    /// Tokens that a sequence may have.
    const LONGEST: i64 = 256;

    /// Begins a training, or takes up the one whose folder is given.
    ///
    /// # Errors
    /// Where the base or the folder is not what it should be.
    pub fn open(order: Order, mut extractor: Extractor) -> Result<Self, CourseError> {
        keep::make(&order.folder)?;
        let begun = Self::recorded(&order)?.is_some();
        let base = Base::open(&order.base)?;
        tch::manual_seed(order.seed as i64);
        let kept = Self::pieces(&base, &order, &mut extractor)?;
        let path = order.folder.join("vocab.txt");
        let lines = base.lines(&kept);
        if begun && std::fs::read_to_string(&path).ok().as_ref() != Some(&lines) {
            return Err(CourseError::OtherLessons { path });
        }
        keep::write(&path, lines.as_bytes())?;
        let config = base.config(&kept, Self::LONGEST);
        keep::write_json(&order.folder.join("config.json"), &ModelConfig::new(config))?;
        let weights = VarStore::new(order.device.torch());
        Network::new(&weights.root(), &config);
        base.fill(&weights, &kept)?;
        let vocabulary = Vocabulary::load(&order.folder.join("vocab.txt"))?;
        let plan = Plan {
            steps: order.steps,
            warm_up: order.steps / 20,
            rate: order.rate,
            tokens: order.tokens,
        };
        let held_out = Simulation::new(order.seed);
        let held_out = (0..order.reports / 2)
            .flat_map(|number| {
                let report = held_out.dictation(u64::MAX - number, Part::HeldOut);
                Self::read(&report, &mut extractor, &vocabulary)
            })
            .collect();
        let check = order.check.iter().flat_map(|gold| {
            let longest = Self::LONGEST as usize;
            examples(&gold.text, &gold.labels, &mut extractor, &vocabulary, longest)
        });
        let check = check.collect();
        let sources = order.sources.clone();
        let record = Record { seed: order.seed, sources, ..Record::default() };
        let fit = Fit::new(weights, &config, plan, order.device);
        let mut course = Self { order, fit, vocabulary, extractor, record, held_out, check };
        course.take_up()?;
        Ok(course)
    }

    /// The word pieces of the model: those of a sample of what it is taught with come first.
    fn pieces(
        base: &Base,
        order: &Order,
        extractor: &mut Extractor,
    ) -> Result<Vec<i64>, CourseError> {
        let whole = Vocabulary::load(&base.vocabulary())?;
        let simulation = Simulation::new(order.seed);
        let mut used = BTreeSet::new();
        let mut take = |examples: Vec<Example>| {
            used.extend(examples.into_iter().flat_map(|example| example.sequence.tokens));
        };
        for number in 0..order.reports * 4 {
            take(Self::read(&simulation.dictation(number, Part::Training), extractor, &whole));
        }
        for gold in &order.gold {
            let longest = Self::LONGEST as usize;
            take(examples(&gold.text, &gold.labels, extractor, &whole, longest));
        }
        Ok(base.kept(&used, order.pieces))
    }

    fn read(
        report: &SimulatedReport,
        extractor: &mut Extractor,
        vocabulary: &Vocabulary,
    ) -> Vec<Example> {
        let labels: Labels = report.labels.iter().copied().collect();
        examples(&report.report.text, &labels, extractor, vocabulary, Self::LONGEST as usize)
    }

    /// Where the training stands.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Whether all steps were taken, or no round has come any further for long.
    pub fn is_over(&self) -> bool {
        let best = self.record.best().map_or(0, |round| round as u64 + 1);
        self.fit.is_over() || self.record.rounds - best > self.order.patience
    }

    /// Learns, after the weights, how far to trust them: the best round's, on held-out phrases and
    /// on the labelled reports that were kept from learning.
    ///
    /// # Errors
    /// Where the folder cannot be read or written.
    pub fn calibrate(&mut self) -> Result<Calibration, CourseError> {
        let model = Reader::load(&self.order.folder, self.order.device)?.uncalibrated();
        let dictated = dictated(self.order.seed, 4 * self.order.reports);
        let calibration =
            calibrate(model, &mut self.extractor, &dictated, &self.order.check, |_| ());
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
        for number in first..first + self.order.reports {
            let report = simulation.dictation(number, Part::Training);
            lessons.extend(Self::read(&report, &mut self.extractor, &self.vocabulary));
        }
        for gold in &self.order.gold {
            let longest = Self::LONGEST as usize;
            let (extractor, vocabulary) = (&mut self.extractor, &self.vocabulary);
            lessons.extend(examples(&gold.text, &gold.labels, extractor, vocabulary, longest));
        }
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
        keep::checkpoint(folder, &tensors)?;
        keep::write(&folder.join("training.svg"), self.record.drawn().as_bytes())?;
        Ok(keep::write_json(&folder.join(keep::RECORD), &self.record)?)
    }

    /// The record of the training that a folder holds, if it holds one.
    fn recorded(order: &Order) -> Result<Option<Record>, CourseError> {
        let record: Option<Record> = keep::record(&order.folder)?;
        match record {
            Some(record) if record.seed != order.seed => Err(CourseError::OtherSeed {
                path: order.folder.join(keep::RECORD),
                found: record.seed,
            }),
            record => Ok(record),
        }
    }

    /// Goes on where the folder's checkpoint stands, if it has one.
    fn take_up(&mut self) -> Result<(), CourseError> {
        let Some(record) = Self::recorded(&self.order)? else { return Ok(()) };
        let tensors = keep::take_up(&self.order.folder)?;
        keep::fill("variable.", &self.fit.weights, &tensors);
        self.fit.resume(tensors, record.steps);
        self.record = Record { sources: self.order.sources.clone(), ..record };
        Ok(())
    }
}
