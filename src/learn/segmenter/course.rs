//! A whole training in its folder: rounds of steps, a checkpoint after each, so that a training that
//! is stopped at any moment goes on from its last round as if it had not been.

use std::path::PathBuf;

use fastrand::Rng;

use super::{Fit, Point, Record, Slices, SlicesError, Viewer};
use crate::engine::unet::Config;
use crate::engine::{Device, WeightsError, save};
use crate::imaging::Tissue;
use crate::learn::descent::Pace;
use crate::learn::keep::{self, KeepError};
use crate::learn::overlap::Overlap;

/// What a training is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// The folder of `images` and `masks`.
    pub slices: PathBuf,
    /// The width of their pixels in mm.
    pub pixel: f64,
    /// How far slices whose numbers follow each other are apart in mm.
    pub apart: f64,
    /// The model whose weights it begins with; random ones without.
    pub from: Option<PathBuf>,
    /// Where the model and the checkpoints go.
    pub folder: PathBuf,
    /// Decides everything: the same seed trains the same model on the same machine.
    pub seed: u64,
    /// The share of subjects that is kept from learning.
    pub held_out: f64,
    /// Steps in all.
    pub steps: i32,
    /// Steps of a round.
    pub round: i32,
    /// Views of a step.
    pub views: usize,
    /// Pixels on a side of a view.
    pub side: i64,
    /// The highest rate.
    pub rate: f64,
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
    Slices(#[from] SlicesError),
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("a view of {side} pixels does not fit the network; give a multiple of {multiple}")]
    Side { side: i64, multiple: i64 },
    #[error(
        "`{path}` is of a training on other slices, with another split or seed; give another folder \
         to begin anew"
    )]
    OtherLessons { path: PathBuf },
    #[error(
        "subject {subject} would be judged on, but the model in `{path}` has learned from it; give the \
         seed and the share that it was trained with"
    )]
    Seen { path: PathBuf, subject: String },
}

/// A training under way.
#[derive(Debug)]
pub struct Course {
    order: Order,
    slices: Slices,
    /// Subject and slice of all that is learned from.
    lessons: Vec<(usize, usize)>,
    held_out: Vec<usize>,
    fit: Fit,
    record: Record,
}

impl Course {
    /// Begins a training, or takes up the one whose folder is given.
    ///
    /// # Errors
    /// Where the slices or the folder are not what they should be.
    pub fn open(order: Order) -> Result<Self, CourseError> {
        let multiple = order.network.multiple();
        if order.side <= 0 || order.side % multiple != 0 {
            return Err(CourseError::Side { side: order.side, multiple });
        }
        let slices = Slices::read(&order.slices)?;
        keep::make(&order.folder)?;
        let held_out = slices.held_out(order.held_out, order.seed);
        let (judged, learned): (Vec<usize>, Vec<usize>) =
            (0..slices.subjects.len()).partition(|subject| held_out.contains(subject));
        let names = |subjects: &[usize]| {
            subjects.iter().map(|&at| slices.subjects[at].name.clone()).collect()
        };
        let record = Record {
            seed: order.seed,
            learned_from: names(&learned),
            held_out: names(&judged),
            slices: slices.subjects.iter().map(|subject| subject.slices.len()).sum(),
            sha256: slices.sha256.clone(),
            ..Record::default()
        };
        let lessons = learned
            .iter()
            .flat_map(|&subject| {
                (0..slices.subjects[subject].slices.len()).map(move |s| (subject, s))
            })
            .collect();
        tch::manual_seed(order.seed as i64);
        let pace = Pace { steps: order.steps, warm_up: order.steps / 20, rate: order.rate };
        let fit = Fit::new(&order.network, pace, order.views, order.device);
        let mut course = Self { order, slices, lessons, held_out, fit, record };
        course.begin_with_model()?;
        course.take_up()?;
        keep::write_json(&course.order.folder.join("config.json"), &course.order.network)?;
        Ok(course)
    }

    /// Where the training stands.
    pub const fn record(&self) -> &Record {
        &self.record
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
        let Order { pixel, apart, side, .. } = self.order;
        let viewer = Viewer { config: &self.order.network, pixel, apart, side };
        let (mut sum, mut steps) = (0.0, 0);
        while steps < self.order.round && !self.fit.descent.is_over() {
            let loss = self.fit.step(&self.slices, &self.lessons, &viewer, &mut random);
            sum += loss;
            steps += 1;
            stepped(loss);
        }
        let loss = sum / f64::from(steps.max(1));
        let point = Point { steps: self.fit.descent.steps(), loss, dice: self.judge() };
        self.record.rounds += 1;
        self.record.steps = point.steps;
        self.record.curve.push(point);
        self.keep()?;
        Ok(point)
    }

    /// Dice of each tissue, the mean over held-out subjects.
    fn judge(&self) -> [f64; Tissue::FOREGROUND.len()] {
        let places = (self.order.network.neighbour / self.order.apart).round().max(1.0) as i64;
        let of_subject = |&subject: &usize| self.fit.judge(&self.slices, subject, places);
        let overlaps: Vec<Overlap> = self.held_out.iter().map(of_subject).collect();
        Tissue::FOREGROUND.map(|tissue| {
            let dice: Vec<f64> =
                overlaps.iter().filter_map(|overlap| overlap.dice(tissue)).collect();
            dice.iter().sum::<f64>() / dice.len().max(1) as f64
        })
    }

    /// Writes the model where it is the best so far, and what a resumed training needs.
    fn keep(&self) -> Result<(), CourseError> {
        let folder = &self.order.folder;
        if self.record.best() == Some(self.record.curve.len() - 1) {
            save(&self.fit.descent.mean, &folder.join("weights.safetensors"))?;
        }
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
        let seen = |subject: &&String| record.learned_from.contains(subject);
        if let Some(subject) = self.record.held_out.iter().find(seen) {
            let (path, subject) = (from.clone(), subject.clone());
            return Err(CourseError::Seen { path, subject });
        }
        self.record.steps_before = record.steps_before + record.steps;
        Ok(())
    }

    /// Goes on where the folder's checkpoint stands, if it has one.
    fn take_up(&mut self) -> Result<(), CourseError> {
        let folder = &self.order.folder;
        let Some(record): Option<Record> = keep::record(folder)? else { return Ok(()) };
        let own = &self.record;
        let lessons = |of: &Record| (of.seed, of.held_out.clone(), of.sha256.clone());
        if lessons(&record) != lessons(own) {
            return Err(CourseError::OtherLessons { path: folder.join(keep::RECORD) });
        }
        let tensors = keep::take_up(folder)?;
        self.record = keep::record_within(folder, &tensors)?;
        self.fit.descent.resume(tensors, self.record.steps);
        Ok(())
    }
}
