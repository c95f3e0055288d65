//! What a network answers to levels that are looked at from one place, or from several.

use tch::Tensor;

use super::{Config, Features, Input, Network, Place, View, Views};
use crate::engine::Device;
use crate::label::{LADDER, Shares};

/// Where crops are looked at, in mm beside their middle; slices are the same from everywhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// To the last column: to the patient's left on axial crops, to the back on sagittal ones.
    pub across: f64,
    /// To the last row.
    pub down: f64,
}

impl Look {
    /// The middle.
    pub const MIDDLE: Self = Self { across: 0.0, down: 0.0 };

    /// The middle and four places around it, the same in the mirror. Where exactly a disc's middle was
    /// found is chance, and the mean over some places depends on it less.
    pub const AROUND: [Self; 5] = [
        Self::MIDDLE,
        Self { across: -2.0, down: -2.0 },
        Self { across: 2.0, down: -2.0 },
        Self { across: -2.0, down: 2.0 },
        Self { across: 2.0, down: 2.0 },
    ];
}

/// Levels that go through the network together.
const BATCH: usize = 6;

/// The logarithms of how probable each grade is, level by level and target by target: the mean over
/// `looks` of what `network` answers. `seen` hears of some levels at a time.
pub fn answers(
    network: &Network,
    config: &Config,
    levels: &[(Place<'_>, &Input)],
    looks: &[Look],
    device: Device,
    mut seen: impl FnMut(usize),
) -> Vec<Vec<Shares>> {
    if levels.is_empty() {
        return Vec::new();
    }
    let places: Vec<Place<'_>> = levels.iter().map(|(place, _)| *place).collect();
    let see = |some: &[(Place<'_>, &Input)]| {
        let from = |look: &Look| {
            let views: Vec<View> =
                some.iter().map(|(_, input)| input.view(config, *look)).collect();
            let views = Views::new(&views, device.torch());
            network.see(&views, device.precision(), false)
        };
        looks.iter().map(from).collect::<Vec<Features>>()
    };
    tch::no_grad(|| {
        let features: Vec<Vec<Features>> = levels
            .chunks(BATCH)
            .map(|some| {
                let features = see(some);
                seen(some.len());
                features
            })
            .collect();
        let answer = |look: usize| {
            let lots: Vec<&Features> = features.iter().map(|of_some| &of_some[look]).collect();
            network.answer(&Features::together(&lots), &places, false)
        };
        let logs: Vec<Tensor> = (0..looks.len()).map(answer).collect();
        let mean =
            Tensor::stack(&logs, 0).logsumexp([0i64].as_slice(), false) - (looks.len() as f64).ln();
        rows(&mean)
    })
}

/// The answers of a network to each level, target by target.
fn rows(logs: &Tensor) -> Vec<Vec<Shares>> {
    let targets = logs.size()[1];
    let flat = logs.to_device(tch::Device::Cpu).reshape([-1]);
    let values: Vec<f32> = Vec::try_from(flat).expect("they are floats");
    let (shares, _) = values.as_chunks::<{ LADDER.len() }>();
    shares.chunks(targets as usize).map(<[Shares]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_the_same_in_the_mirror() {
        for look in Look::AROUND {
            assert!(Look::AROUND.contains(&Look { across: -look.across, ..look }), "{look:?}");
        }
    }
}
