//! The network: two branches that sum up the axial and the sagittal crops of a level, and a head for
//! each stenosis type. The types share the branches, or each has its own.
//!
//! It knows one side alone, the patient's right. The left is what it finds in the mirror, so that
//! both sides teach the same weights; the canal is the mean of both. In the mirror an axial crop has
//! its columns the other way round, a sagittal crop its slices, whose features need no second look.
//!
//! A sagittal crop's slices go through one two-dimensional branch, and a layer over all of them knows
//! which is which: convolutions in three dimensions took three times as long on a processor.

use tch::nn::{self, LinearConfig, Path};
use tch::{Kind, Tensor};

use super::place::neighbours;
use super::{Config, Place, Scale, Views};
use crate::engine::convolution::{Convolution, channels_last};
use crate::label::{LADDER, StenosisType};

/// How many pixels on a side become one with more channels, before anything else.
const FOLD: i64 = 2;

/// Channels that the last image of a branch is read in, pixel by pixel.
const READ: i64 = 16;

/// The share of features that training goes without at a time (Srivastava et al. 2014).
const DROPOUT: f64 = 0.2;

/// Scores of grades from views: by one task that is all stenosis types, or by one of each.
#[derive(Debug)]
pub struct Network(Vec<Task>);

/// Branches, and the heads that share them.
#[derive(Debug)]
struct Task {
    axial: Option<Branch>,
    sagittal: Option<Branch>,
    /// Sums up what was seen on all sagittal slices.
    mix: Option<nn::Linear>,
    trunk: nn::Linear,
    /// Sums up a level with those above and below it.
    around: Option<nn::Linear>,
    heads: Vec<Head>,
}

/// Convolutions, and a layer that knows where in the image what was seen is.
#[derive(Debug)]
struct Branch {
    layers: Vec<Convolution>,
    last: Convolution,
    read: nn::Linear,
    /// The features of a crop that is not there.
    absent: Tensor,
}

/// Tells grades apart for one stenosis type.
#[derive(Debug)]
struct Head {
    of: StenosisType,
    score: nn::Linear,
    /// The first bound between grades, and how much further up each other one is, as a logarithm.
    bounds: Option<Tensor>,
}

/// The features of levels, as they are and in the mirror, each [levels, features].
type Sides = [Tensor; 2];

/// What was seen of levels, task by task: the features of the right and of the left side.
#[derive(Debug)]
pub struct Features(Vec<Sides>);

impl Features {
    /// Those of several lots of levels, one after the other.
    pub fn together(lots: &[&Self]) -> Self {
        let tasks = lots.first().map_or(0, |lot| lot.0.len());
        let of_side = |task: usize, side: usize| {
            let all: Vec<&Tensor> = lots.iter().map(|lot| &lot.0[task][side]).collect();
            Tensor::cat(&all, 0)
        };
        Self((0..tasks).map(|task| [0, 1].map(|side| of_side(task, side))).collect())
    }
}

impl Network {
    /// A network with its variables under `root`.
    pub fn new(root: &Path<'_>, config: &Config) -> Self {
        let alone = |of: &StenosisType| Task::new(&(root / of.name()), config, &[*of]);
        Self(match config.single_task {
            true => config.types.iter().map(alone).collect(),
            false => vec![Task::new(root, config, &config.types)],
        })
    }

    /// What is seen of levels. Convolutions compute in the precision `kind`.
    pub fn see(&self, views: &Views, kind: Kind, train: bool) -> Features {
        Features(self.0.iter().map(|task| task.see(views, kind, train)).collect())
    }

    /// The logarithms of how probable each grade is, [levels, targets, grades], for the targets of
    /// [`Config::targets`]. Where context is looked at, `places` tell which levels are neighbours.
    pub fn answer(&self, seen: &Features, places: &[Place<'_>], train: bool) -> Tensor {
        let tasks = self.0.iter().zip(&seen.0);
        let targets: Vec<Tensor> =
            tasks.flat_map(|(task, seen)| task.answer(seen, places, train)).collect();
        Tensor::stack(&targets, 1)
    }

    /// The same network for grading alone: normalization is part of the convolutions.
    #[must_use]
    pub fn folded(self, kind: Kind) -> Self {
        Self(self.0.into_iter().map(|task| task.folded(kind)).collect())
    }
}

impl Task {
    fn new(root: &Path<'_>, config: &Config, types: &[StenosisType]) -> Self {
        let features = config.features;
        let axial = config.inputs.axial().then(|| {
            let size = [config.axial.side; 2];
            let shape = Shape { channels: config.axial.slices, size, first: 1 };
            Branch::new(&(root / "axial"), &shape, &config.axial.widths, features, features)
        });
        let seen = &config.sagittal;
        let of_slice = (features / 2).max(1);
        let sagittal = config.inputs.sagittal().then(|| {
            let shape = Shape { channels: 2, size: [seen.height, seen.width], first: 2 };
            Branch::new(&(root / "sagittal"), &shape, &seen.widths, of_slice, features)
        });
        let mix = config
            .inputs
            .sagittal()
            .then(|| linear(root / "mix", seen.slices * of_slice, features));
        let branches = i64::from(axial.is_some()) + i64::from(sagittal.is_some());
        let trunk = linear(root / "trunk", branches * features + 3, features);
        let around = config.context.then(|| linear(root / "around", 3 * features, features));
        let heads = types.iter().map(|&of| Head::new(root, of, config)).collect();
        Self { axial, sagittal, mix, trunk, around, heads }
    }

    /// The features of levels.
    fn see(&self, views: &Views, kind: Kind, train: bool) -> Sides {
        let axial = self.axial.as_ref().map(|branch| {
            let crops = views.axial.as_ref();
            let seen = crops.map(|(places, crops)| (places, branch.both_sides(crops, kind, train)));
            branch.or_absent(seen, views.count)
        });
        let sagittal = self.sagittal.as_ref().zip(self.mix.as_ref()).map(|(branch, mix)| {
            let crops = views.sagittal.as_ref();
            let seen = crops.map(|(places, c)| (places, branch.slices(c, mix, kind, train)));
            branch.or_absent(seen, views.count)
        });
        [0, 1].map(|side| {
            let branches = axial.iter().chain(&sagittal).map(|sides| &sides[side]);
            let seen: Vec<&Tensor> = branches.chain([&views.present]).collect();
            Tensor::cat(&seen, 1).dropout(DROPOUT, train).apply(&self.trunk).relu()
        })
    }

    /// The logarithms of how probable each grade is, [levels, grades], target by target.
    fn answer(&self, seen: &Sides, places: &[Place<'_>], train: bool) -> Vec<Tensor> {
        let [right, left] = match &self.around {
            None => seen.each_ref().map(Tensor::shallow_clone),
            Some(around) => in_context(seen, places, around),
        }
        .map(|features| features.dropout(DROPOUT, train));
        self.heads
            .iter()
            .flat_map(|head| {
                let scores = [&left, &right].map(|features| features.apply(&head.score));
                match head.of {
                    StenosisType::Central => vec![(&scores[0] + &scores[1]) / 2.0],
                    // The order of targets has the left first.
                    StenosisType::Foraminal | StenosisType::Recess => scores.into(),
                }
                .into_iter()
                .map(|scores| head.logs(&scores))
            })
            .collect()
    }

    fn folded(self, kind: Kind) -> Self {
        let fold = |branch: Branch| branch.folded(kind);
        Self { axial: self.axial.map(fold), sagittal: self.sagittal.map(fold), ..self }
    }
}

/// Features of levels with those of the levels above and below them; where there is none, with nothing.
fn in_context(sides: &Sides, places: &[Place<'_>], around: &nn::Linear) -> Sides {
    let beside = neighbours(places).map(|beside| Tensor::from_slice(&beside));
    sides.each_ref().map(|own| {
        let nothing = Tensor::zeros([1, own.size()[1]], (own.kind(), own.device()));
        let all = Tensor::cat(&[own, &nothing], 0);
        let [above, below] =
            beside.each_ref().map(|beside| all.index_select(0, &beside.to_device(own.device())));
        Tensor::cat(&[own, &above, &below], 1).apply(around).relu()
    })
}

fn linear(root: Path<'_>, from: i64, to: i64) -> nn::Linear {
    nn::linear(root, from, to, LinearConfig::default())
}

/// What a branch reads.
struct Shape {
    channels: i64,
    size: [i64; 2],
    /// How many of its pixels the first convolution goes on by.
    first: i64,
}

impl Branch {
    fn new(root: &Path<'_>, shape: &Shape, widths: &[i64], of_image: i64, features: i64) -> Self {
        let mut layers = Vec::new();
        let mut from = shape.channels * FOLD * FOLD;
        let mut size = shape.size.map(|side| side / FOLD);
        for (number, &to) in widths.iter().enumerate() {
            let stride = if number == 0 { shape.first } else { 2 };
            layers.push(Convolution::normed(&(root / (2 * number)), from, to, stride));
            size = size.map(|side| (side - 1) / stride + 1);
            // Two at the resolutions in between: fine ones cost most, coarse ones see little.
            if (1..widths.len().saturating_sub(1)).contains(&number) {
                layers.push(Convolution::normed(&(root / (2 * number + 1)), to, to, 1));
            }
            from = to;
        }
        Self {
            layers,
            last: Convolution::normed(&(root / "last"), from, READ, 1),
            read: linear(root / "read", READ * size[0] * size[1], of_image),
            absent: root.zeros("absent", &[features]),
        }
    }

    /// Features of images, [images, channels, rows, columns].
    fn read(&self, images: &Tensor, kind: Kind, train: bool) -> Tensor {
        let mut x = channels_last(&images.pixel_unshuffle(FOLD).to_kind(kind));
        for layer in self.layers.iter().chain([&self.last]) {
            x = layer.forward(&x, train).relu_();
        }
        x.to_kind(Kind::Float).flatten(1, -1).apply(&self.read).relu()
    }

    /// Features of images as they are and in the mirror.
    fn both_sides(&self, images: &Tensor, kind: Kind, train: bool) -> Sides {
        let both = Tensor::cat(&[images, &images.flip([3])], 0);
        let features = self.read(&both, kind, train);
        let count = images.size()[0];
        [features.narrow(0, 0, count), features.narrow(0, count, count)]
    }

    /// Features of stacks of slices, [stacks, channels, slices, rows, columns].
    fn slices(&self, stacks: &Tensor, mix: &nn::Linear, kind: Kind, train: bool) -> Sides {
        let [count, slices] = [stacks.size()[0], stacks.size()[2]];
        let images = stacks.transpose(1, 2).flatten(0, 1);
        let features = self.read(&images, kind, train).view([count, slices, -1]);
        [features.shallow_clone(), features.flip([1])]
            .map(|all| all.flatten(1, 2).apply(mix).relu())
    }

    /// Features of all levels: those that were seen, and of the others what stands for nothing.
    fn or_absent(&self, seen: Option<(&Tensor, Sides)>, count: i64) -> Sides {
        let absent = || self.absent.unsqueeze(0).expand([count, -1], false);
        match seen {
            None => [absent(), absent()],
            Some((places, sides)) => sides.map(|seen| absent().index_copy(0, places, &seen)),
        }
    }

    fn folded(self, kind: Kind) -> Self {
        Self {
            layers: self.layers.iter().map(|layer| layer.folded(kind)).collect(),
            last: self.last.folded(kind),
            ..self
        }
    }
}

impl Head {
    fn new(root: &Path<'_>, of: StenosisType, config: &Config) -> Self {
        let grades = LADDER.len() as i64;
        let root = root / "heads" / of.name();
        let (scores, bounds) = match config.scale {
            Scale::Categories => (grades, None),
            Scale::Ordered => (1, Some(root.zeros("bounds", &[grades - 1]))),
        };
        Self { of, score: linear(root, config.features, scores), bounds }
    }

    /// The logarithms of probabilities, [levels, grades], from scores, [levels, 4 or 1].
    fn logs(&self, scores: &Tensor) -> Tensor {
        let Some(bounds) = &self.bounds else { return scores.log_softmax(1, Kind::Float) };
        // The first bound is anywhere, each other one above the one before it.
        let first = bounds.narrow(0, 0, 1) - 1.0;
        let rest = bounds.narrow(0, 1, LADDER.len() as i64 - 2).exp();
        let bounds = Tensor::cat(&[first, rest], 0).cumsum(0, Kind::Float);
        let worse = (scores - bounds).sigmoid();
        let edge = |value: f64| worse.narrow(1, 0, 1).full_like(value);
        let worse = Tensor::cat(&[edge(1.0), worse.shallow_clone(), edge(0.0)], 1);
        let grades = LADDER.len() as i64;
        let shares = worse.narrow(1, 0, grades) - worse.narrow(1, 1, grades);
        shares.clamp_min(1e-6).log()
    }
}
