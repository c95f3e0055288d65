//! A trained network at work: a sagittal volume in, a mask of the same voxels out.

use std::ops::Range;
use std::path::{Path, PathBuf};

use tch::nn::VarStore;
use tch::{Kind, Tensor};

use super::{Config, Network};
use crate::engine::{Device, WeightsError, content_hash, load};
use crate::imaging::{Mask, Tissue, Volume};

/// Finds vertebrae, discs and canal on sagittal volumes.
#[derive(Debug)]
pub struct Segmenter {
    config: Config,
    network: Network,
    device: Device,
    kind: Kind,
    /// Whether each slice is read from both sides of a mirror, which takes twice as long.
    mirrored: bool,
    content_hash: String,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum SegmenterError {
    #[error(
        "`{path}` cannot be read; a segmenter's folder has config.json and weights.safetensors"
    )]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "`{path}` is not what this version of the program writes for a segmenter; if this is a \
         grader's folder, `grade` takes it with --grader"
    )]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` describes no network: widths and pixels must be more than nothing")]
    Impossible { path: PathBuf },
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl Segmenter {
    /// Slices that go through the network together.
    const BATCH: usize = 2;

    /// How far beside the spine of some slices it is looked for on others, in mm.
    const ROOM: f64 = 24.0;

    /// Loads a model's folder.
    ///
    /// # Errors
    /// Where a file is missing or not of this version; every difference is named.
    pub fn load(folder: &Path, device: Device) -> Result<Self, SegmenterError> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| SegmenterError::Unreadable { path: path.clone(), source })?;
        let config: Config = serde_json::from_str(&text)
            .map_err(|source| SegmenterError::Malformed { path: path.clone(), source })?;
        let sizes = [config.pixel, config.neighbour];
        let is_possible = sizes.iter().all(|size| size.is_finite() && *size > 0.0)
            && (1..=8).contains(&config.widths.len())
            && config.widths.iter().all(|width| (1..=4096).contains(width));
        if !is_possible {
            return Err(SegmenterError::Impossible { path });
        }
        let variables = VarStore::new(device.torch());
        let network = Network::new(&variables.root(), &config);
        let weights = folder.join("weights.safetensors");
        load(&variables, &weights)?;
        let kind = device.precision();
        let network = tch::no_grad(|| network.folded(kind));
        let content_hash = content_hash(&[&path, &weights])
            .map_err(|source| SegmenterError::Unreadable { path: weights, source })?;
        Ok(Self { config, network, device, kind, mirrored: false, content_hash })
    }

    /// The SHA-256 of its configuration and its weights, in hexadecimal digits.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// Whether to read each slice from both sides of a mirror.
    #[must_use]
    pub fn mirrored(self, mirrored: bool) -> Self {
        Self { mirrored, ..self }
    }

    /// The tissue of each voxel. The volume may have its axes in any order; its slices are taken
    /// from side to side of the patient. Where the spine is on a few of them tells where to look for it
    /// on the others, which halves what they cost.
    pub fn segment(&self, volume: &Volume, mut sliced: impl FnMut(usize)) -> Mask {
        let [left, back, up] = volume.geometry.nearest_axes();
        // As the network learned them: rows lead to the back, columns down.
        let order = [back, (up.0, !up.1), left];
        let seen = volume.reordered(order);
        let count = seen.geometry.size[2];
        let slices: Vec<Tensor> = (0..count).map(|k| self.input(&seen, k)).collect();
        let places = (self.config.neighbour / seen.geometry.spacing()[2]).round().max(1.0) as usize;
        let mut values = vec![Tissue::Background.number(); seen.values.len()];
        let [width, height, _] = seen.geometry.size;
        let mut read = |numbers: &[usize], columns: &Range<i64>, values: &mut [u8]| {
            for batch in numbers.chunks(Self::BATCH) {
                let stacked: Vec<Tensor> =
                    batch.iter().map(|&k| beside(&slices, k, places)).collect();
                let images = Tensor::stack(&stacked, 0);
                let found = tch::no_grad(|| self.tissues(&images, columns, &seen));
                for (&k, found) in batch.iter().zip(found.chunks_exact(width * height)) {
                    values[k * width * height..][..width * height].copy_from_slice(found);
                }
                sliced(batch.len());
            }
        };
        let (first, others): (Vec<usize>, Vec<usize>) =
            (0..count).partition(|k| [count / 4, count / 2, count * 3 / 4].contains(k));
        let all = 0..slices[0].size()[1];
        read(&first, &all, &mut values);
        let columns = self.columns(&values, width, all);
        read(&others, &columns, &mut values);
        let mask = Mask { geometry: seen.geometry, values };
        mask.reordered(inverse(order))
    }

    /// Those columns of all at the network's pixels on which a spine is to be looked for, where a mask of
    /// some slices, so many of the volume's pixels wide, shows it. All where it shows none.
    fn columns(&self, mask: &[u8], width: usize, all: Range<i64>) -> Range<i64> {
        let Some([from, to]) = spine_columns(mask, width) else { return all };
        let scale = all.end as f64 / width as f64;
        let room = Self::ROOM / self.config.pixel;
        let from = (from as f64 * scale - room) as i64;
        let to = (to as f64 * scale + room) as i64;
        from.max(0)..to.min(all.end)
    }

    /// A slice with pixels of the network's size, [height, width].
    fn input(&self, seen: &Volume, k: usize) -> Tensor {
        let [width, height, _] = seen.geometry.size;
        let [across, down, _] = seen.geometry.spacing();
        let slice = Tensor::from_slice(seen.slice(k)).view([1, 1, height as i64, width as i64]);
        let pixels = |count: usize, spacing: f64| {
            (count as f64 * spacing / self.config.pixel).round().max(1.0) as i64
        };
        let size = [pixels(height, down), pixels(width, across)];
        let slice = slice.internal_upsample_bilinear2d_aa(size, false, None, None);
        slice.view(size)
    }

    /// Numbers of tissues of a batch of inputs, at the volume's own pixels, slice after slice. Beside
    /// these columns of the inputs is background.
    fn tissues(&self, images: &Tensor, columns: &Range<i64>, seen: &Volume) -> Vec<u8> {
        let images = images.to_device(self.device.torch());
        let scores = |images: &Tensor, columns: Range<i64>| {
            let scores = self.network.within(images, columns, self.kind);
            scores.to_kind(Kind::Float).softmax(1, Kind::Float)
        };
        let all = images.size()[3];
        let mut found = scores(&images, columns.clone());
        if self.mirrored {
            // Left for right are the neighbours; front for back, the columns.
            let columns = all - columns.end..all - columns.start;
            found += scores(&images.flip([1, 3]), columns).flip([3]);
        }
        let found = widened(&found, columns, all);
        let [width, height, _] = seen.geometry.size;
        let found = found.upsample_bilinear2d([height as i64, width as i64], false, None, None);
        debug_assert_eq!(found.size()[1], Tissue::ALL.len() as i64, "a score for each tissue");
        // Ten times as fast as `argmax`, which finds the same.
        let (_, numbers) = found.max_dim(1, false);
        let numbers = numbers.to_kind(Kind::Uint8).to_device(tch::Device::Cpu);
        Vec::try_from(numbers.reshape([-1])).expect("a mask is of bytes")
    }
}

/// Scores of some columns as scores of all of them: beside them is background.
fn widened(scores: &Tensor, columns: &Range<i64>, all: i64) -> Tensor {
    let [slices, tissues, height, count] = scores.size()[..] else { unreachable!("four sides") };
    if count == all {
        return scores.shallow_clone();
    }
    let wide = Tensor::zeros([slices, tissues, height, all], (scores.kind(), scores.device()));
    let _ = wide.select(1, Tissue::Background.number().into()).fill_(1.0);
    wide.narrow(3, columns.start, count).copy_(scores);
    wide
}

/// The first column of a mask's slices that a spine is on, and the one after the last; none where there
/// is no spine. A few pixels far from all others are no part of it.
fn spine_columns(mask: &[u8], width: usize) -> Option<[usize; 2]> {
    const STRAY: usize = 500;
    let mut counts = vec![0; width];
    for row in mask.chunks_exact(width) {
        for (count, &number) in counts.iter_mut().zip(row) {
            *count += usize::from(number != Tissue::Background.number());
        }
    }
    let stray = counts.iter().sum::<usize>() / STRAY;
    let (before, after) = (reached(counts.iter(), stray)?, reached(counts.iter().rev(), stray)?);
    Some([before, width - after])
}

/// Where numbers added up are more than a limit.
fn reached<'a>(mut numbers: impl Iterator<Item = &'a usize>, limit: usize) -> Option<usize> {
    let mut sum = 0;
    numbers.position(|number| {
        sum += number;
        sum > limit
    })
}

/// A slice between its neighbours, [3, height, width]; at the edge it stands there itself.
fn beside(slices: &[Tensor], k: usize, places: usize) -> Tensor {
    let before = k.saturating_sub(places);
    let after = (k + places).min(slices.len() - 1);
    Tensor::stack(&[&slices[before], &slices[k], &slices[after]], 0)
}

/// The order that undoes an order.
fn inverse(order: [(usize, bool); 3]) -> [(usize, bool); 3] {
    let mut back = [(0, false); 3];
    for (new, (old, reversed)) in order.into_iter().enumerate() {
        back[old] = (new, reversed);
    }
    back
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::save;
    use crate::imaging::Geometry;

    fn volume() -> Volume {
        let steps = [[0.0, 0.9, 0.0], [0.0, 0.0, -0.9], [4.0, 0.0, 0.0]];
        let geometry = Geometry::new([40, 60, 5], [0.0; 3], steps).unwrap();
        let mut random = fastrand::Rng::with_seed(1);
        let values = (0..geometry.count()).map(|_| random.f32()).collect();
        Volume { geometry, values }
    }

    fn segmenter() -> Segmenter {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { widths: vec![4, 8], ..Config::default() };
        tch::manual_seed(7);
        let variables = VarStore::new(tch::Device::Cpu);
        let _ = Network::new(&variables.root(), &config);
        let text = serde_json::to_string(&config).unwrap();
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        save(&variables, &folder.path().join("weights.safetensors")).unwrap();
        Segmenter::load(folder.path(), Device::CPU).unwrap()
    }

    #[test]
    fn a_mask_has_the_voxels_of_its_volume_however_they_are_ordered() {
        let (volume, segmenter) = (volume(), segmenter());
        let mut sliced = 0;
        let mask = segmenter.segment(&volume, |count| sliced += count);
        assert_eq!((mask.geometry, sliced), (volume.geometry, 5));
        assert!(Tissue::ALL.iter().filter(|t| mask.values.contains(&t.number())).count() > 1);
        let order = [(2, true), (0, false), (1, true)];
        let turned = segmenter.segment(&volume.reordered(order), |_| ());
        assert_eq!(turned, mask.reordered(order));
    }

    #[test]
    fn some_columns_are_read_as_they_are_among_all() {
        tch::manual_seed(7);
        let variables = VarStore::new(tch::Device::Cpu);
        let config = Config { widths: vec![4, 8], ..Config::default() };
        let network = Network::new(&variables.root(), &config).folded(Kind::Float);
        let images = Tensor::randn([2, 3, 50, 121], (Kind::Float, tch::Device::Cpu));
        let all = network.padded(&images, Kind::Float);
        let some = network.within(&images, 22..90, Kind::Float);
        assert_eq!(some.size(), [2, Tissue::ALL.len() as i64, 50, 68]);
        // Nearer to the edge it misses what is beside it.
        let far =
            (all.narrow(3, 46, 20) - some.narrow(3, 46 - 22, 20)).abs().max().double_value(&[]);
        assert!(far < 1e-4, "{far}");
    }

    #[test]
    fn a_spine_is_looked_for_where_it_is() {
        let mut mask = [0; 4 * 100];
        assert_eq!(spine_columns(&mask, 100), None);
        for row in mask.chunks_exact_mut(100) {
            row[40..60].fill(1);
        }
        assert_eq!(spine_columns(&mask, 100), Some([40, 60]));
        mask[3] = 2;
        assert_eq!(spine_columns(&mask, 100), Some([3, 60]), "one of 81 pixels counts");
        let mut many = mask.repeat(10);
        many[..400].copy_from_slice(&mask);
        for at in (1..10).map(|slice| slice * 400 + 3) {
            many[at] = 0;
        }
        assert_eq!(spine_columns(&many, 100), Some([40, 60]), "one of 801 is stray");
    }

    #[test]
    fn the_scale_of_brightness_does_not_matter() {
        let (volume, segmenter) = (volume(), segmenter());
        let values = volume.values.iter().map(|value| value * 3000.0 - 500.0).collect();
        let other = Volume { values, ..volume.clone() };
        let (a, b) = (segmenter.segment(&volume, |_| ()), segmenter.segment(&other, |_| ()));
        let differ = a.values.iter().zip(&b.values).filter(|(a, b)| a != b).count();
        assert!(differ * 20 < a.values.len(), "{differ}");
    }

    #[test]
    fn a_folder_that_is_no_model_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |text: &str| {
            std::fs::write(folder.path().join("config.json"), text).unwrap();
            Segmenter::load(folder.path(), Device::CPU).unwrap_err().to_string()
        };
        assert!(refused("{}").contains("config.json"));
        let none = r#"{"pixel": 0.5, "neighbour": 4.0, "widths": []}"#;
        assert!(refused(none).contains("describes no network"));
        let some = r#"{"pixel": 0.5, "neighbour": 4.0, "widths": [4]}"#;
        assert!(refused(some).contains("weights.safetensors"));
    }
}
