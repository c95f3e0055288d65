//! A whole training in its folder: rounds of steps, a checkpoint after each, so that a training that
//! is stopped at any moment goes on from its last round as if it had not been, and at the end the
//! calibration.

use std::path::{Path, PathBuf};

use fastrand::Rng;

use super::calibrate::calibrate;
use super::{Examples, ExamplesError, Fit, Lesson, Point, Record, Row};
use crate::engine::grader::{Calibration, Config, Look};
use crate::engine::{Device, WeightsError, save};
use crate::export::segments::Part;
use crate::label::{LADDER, StenosisType, likeliest};
use crate::learn::descent::Pace;
use crate::learn::keep::{self, KeepError};

/// What a training is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// The model whose weights it begins with; random ones without.
    pub from: Option<PathBuf>,
    /// Levels to judge rounds and to calibrate on; those for it among what is learned from without.
    pub check: Option<PathBuf>,
    /// Where the model and the checkpoints go.
    pub folder: PathBuf,
    /// Decides everything: the same seed trains the same model on the same machine.
    pub seed: u64,
    /// Steps in all.
    pub steps: i32,
    /// Steps of a round.
    pub round: i32,
    /// Levels of a step.
    pub batch: usize,
    /// The highest rate.
    pub rate: f64,
    /// How much more rare grades count: 0 not at all, 1 until all grades count the same.
    pub balance: f64,
    /// The shape of the network.
    pub network: Config,
    /// What to train on.
    pub device: Device,
}

/// Why a training cannot go on.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum CourseError {
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(
        "`{path}` is of a training on other levels, of another network or with another seed; give \
         another folder to begin anew"
    )]
    OtherLessons { path: PathBuf },
    #[error(
        "patient {patient} would be judged on, but the model in `{path}` has learned from them; give \
         the seed that it was trained with"
    )]
    Seen { path: PathBuf, patient: String },
}

/// A training under way.
#[derive(Debug)]
pub struct Course {
    order: Order,
    examples: Examples,
    learned: Vec<usize>,
    held_out: Vec<usize>,
    fit: Fit,
    record: Record,
}

impl Course {
    /// Begins a training on levels of a folder, or takes up the one whose folder is given.
    ///
    /// # Errors
    /// Where the levels or the folder are not what they should be.
    pub fn open(
        data: &Path,
        order: Order,
        read: impl Fn(usize, usize) + Sync,
    ) -> Result<Self, CourseError> {
        let mut examples = Examples::read(data, &order.network, order.seed, &read)?;
        if let Some(check) = &order.check {
            let check = Examples::read(check, &order.network, order.seed, &read)?;
            examples = examples.judged_on(check)?;
        }
        let [learned, held_out] = [Part::Train, Part::Validate].map(|of| examples.of(of));
        for (levels, part) in [(&learned, Part::Train), (&held_out, Part::Validate)] {
            if levels.is_empty() {
                let judged_on = order.check.as_deref().filter(|_| part == Part::Validate);
                let (path, bad) = (judged_on.unwrap_or(data).to_owned(), examples.bad);
                return Err(ExamplesError::TooFew { path, part: part.name(), bad }.into());
            }
        }
        keep::make(&order.folder)?;
        let record = Record {
            seed: order.seed,
            network: order.network.clone(),
            balance: order.balance,
            rounds: 0,
            steps_before: 0,
            steps: 0,
            levels: learned.len(),
            learned_from: examples.patients(Part::Train),
            held_out: examples.patients(Part::Validate),
            sha256: examples.sha256.clone(),
            curve: Vec::new(),
        };
        tch::manual_seed(order.seed as i64);
        let pace = Pace { steps: order.steps, warm_up: order.steps / 20, rate: order.rate };
        let lesson = Lesson::new(&examples, &learned, &order.network, order.balance);
        let fit = Fit::new(&order.network, pace, order.batch, lesson, order.device);
        let mut course = Self { order, examples, learned, held_out, fit, record };
        course.begin_with_model()?;
        course.take_up()?;
        keep::write_json(&course.order.folder.join(Config::FILE), &course.order.network)?;
        Ok(course)
    }

    /// Where the training stands.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// What is learned from and judged on.
    pub const fn examples(&self) -> &Examples {
        &self.examples
    }

    /// Whether all steps were taken.
    pub const fn is_over(&self) -> bool {
        self.fit.descent.is_over()
    }

    /// Takes the steps of a round, judges what came of them and leaves a checkpoint. `stepped` gets
    /// the loss of each step.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn round(&mut self, mut stepped: impl FnMut(f64)) -> Result<Point, CourseError> {
        let seed = self.order.seed ^ (self.record.rounds + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = Rng::with_seed(seed);
        tch::manual_seed(random.i64(..));
        let (mut sum, mut steps) = (0.0, 0);
        while steps < self.order.round && !self.fit.descent.is_over() {
            let loss = self.fit.step(&self.examples, &self.learned, &mut random);
            sum += loss;
            steps += 1;
            stepped(loss);
        }
        let loss = sum / f64::from(steps.max(1));
        let point = Point { steps: self.fit.descent.steps(), loss, right: self.judge() };
        self.record.rounds += 1;
        self.record.steps = point.steps;
        self.record.curve.push(point.clone());
        self.keep()?;
        Ok(point)
    }

    /// Learns how far to trust the model, on patients that it has not learned from. A model that took
    /// no step is kept as it began.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn calibrate(&self) -> Result<Calibration, CourseError> {
        if self.record.rounds == 0 {
            self.keep()?;
        }
        let answers = self.fit.answers(&self.examples, &self.held_out, &Look::AROUND);
        let levels: Vec<&Row> = self.held_out.iter().map(|&at| &self.examples.rows[at]).collect();
        let calibration = calibrate(&self.order.network, &self.fit.lesson, &levels, &answers);
        keep::write_json(&self.order.folder.join(Calibration::FILE), &calibration)?;
        Ok(calibration)
    }

    /// Class-average accuracy by stenosis type, on held-out patients.
    fn judge(&self) -> Vec<(StenosisType, Option<f64>)> {
        let answers = self.fit.answers(&self.examples, &self.held_out, &[Look::MIDDLE]);
        let network = &self.order.network;
        let of_type = |&of: &StenosisType| {
            let (mut right, mut all) = ([0.0; LADDER.len()], [0.0; LADDER.len()]);
            for (&at, logs) in self.held_out.iter().zip(&answers) {
                let own = network.targets().zip(logs).filter(|(t, _)| t.row().stenosis == of);
                for (target, logs) in own {
                    let truth = self.examples.rows[at].truth(target);
                    let Some(truth) = truth.and_then(|truth| truth.exact()) else { continue };
                    all[truth] += 1.0;
                    right[truth] += f64::from(u8::from(likeliest(logs) == truth));
                }
            }
            let shares: Vec<f64> = right
                .iter()
                .zip(all)
                .filter(|(_, all)| *all > 0.0)
                .map(|(right, all)| right / all)
                .collect();
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            (of, (!shares.is_empty()).then_some(mean))
        };
        network.types.iter().map(of_type).collect()
    }

    /// Writes the model as it is, and what a resumed training needs.
    fn keep(&self) -> Result<(), CourseError> {
        let folder = &self.order.folder;
        save(&self.fit.descent.mean, &folder.join("weights.safetensors"))?;
        let mut tensors = self.fit.descent.state();
        tensors.push(keep::with_record(&self.record));
        keep::checkpoint(folder, &tensors)?;
        keep::write(&folder.join("training.svg"), self.record.drawn().as_bytes())?;
        Ok(keep::write_json(&folder.join(keep::RECORD), &self.record)?)
    }

    /// Begins with the weights of the model that is asked for. What it learned from would be no test
    /// of it.
    fn begin_with_model(&mut self) -> Result<(), CourseError> {
        let Some(from) = &self.order.from else { return Ok(()) };
        let record: Option<Record> = keep::record_of_model(from, "--from")?;
        self.fit.descent.begin_with(&from.join("weights.safetensors"))?;
        let Some(record) = record else { return Ok(()) };
        let seen = |patient: &&String| record.learned_from.contains(patient);
        if let Some(patient) = self.record.held_out.iter().find(seen) {
            let (path, patient) = (from.clone(), patient.clone());
            return Err(CourseError::Seen { path, patient });
        }
        self.record.steps_before = record.steps_before + record.steps;
        self.record.learned_from.extend(record.learned_from);
        self.record.learned_from.sort_unstable();
        self.record.learned_from.dedup();
        Ok(())
    }

    /// Goes on where the folder's checkpoint stands, if it has one.
    fn take_up(&mut self) -> Result<(), CourseError> {
        let folder = &self.order.folder;
        let Some(record): Option<Record> = keep::record(folder)? else { return Ok(()) };
        let lessons =
            |of: &Record| (of.seed, of.balance.to_bits(), of.network.clone(), of.sha256.clone());
        if lessons(&record) != lessons(&self.record) {
            return Err(CourseError::OtherLessons { path: folder.join(keep::RECORD) });
        }
        let tensors = keep::take_up(folder)?;
        self.record = keep::record_within(folder, &tensors)?;
        self.fit.descent.resume(tensors, self.record.steps);
        Ok(())
    }
}
