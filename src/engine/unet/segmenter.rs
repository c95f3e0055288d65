//! A trained network at work: a sagittal volume in, a mask of the same voxels out.

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
    #[error("`{path}` is not what this version of the program writes")]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` describes no network: widths and pixels must be more than nothing")]
    Impossible { path: PathBuf },
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl Segmenter {
    /// Slices that go through the network together.
    const BATCH: usize = 2;

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
    /// from side to side of the patient.
    pub fn segment(&self, volume: &Volume, mut sliced: impl FnMut(usize)) -> Mask {
        let [left, back, up] = volume.geometry.nearest_axes();
        // As the network learned them: rows lead to the back, columns down.
        let order = [back, (up.0, !up.1), left];
        let seen = volume.reordered(order);
        let count = seen.geometry.size[2];
        let slices: Vec<Tensor> = (0..count).map(|k| self.input(&seen, k)).collect();
        let places = (self.config.neighbour / seen.geometry.spacing()[2]).round().max(1.0) as usize;
        let mut values = Vec::with_capacity(seen.values.len());
        let numbers: Vec<usize> = (0..count).collect();
        for batch in numbers.chunks(Self::BATCH) {
            let stacked: Vec<Tensor> = batch.iter().map(|&k| beside(&slices, k, places)).collect();
            let found = tch::no_grad(|| self.tissues(&Tensor::stack(&stacked, 0), &seen));
            values.extend(found);
            sliced(batch.len());
        }
        let mask = Mask { geometry: seen.geometry, values };
        mask.reordered(inverse(order))
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

    /// Numbers of tissues of a batch of inputs, at the volume's own pixels, slice after slice.
    fn tissues(&self, images: &Tensor, seen: &Volume) -> Vec<u8> {
        let images = images.to_device(self.device.torch());
        let scores = |images: &Tensor| {
            self.network.padded(images, self.kind).to_kind(Kind::Float).softmax(1, Kind::Float)
        };
        let mut found = scores(&images);
        if self.mirrored {
            // Left for right are the neighbours; front for back, the columns.
            found += scores(&images.flip([1, 3])).flip([3]);
        }
        let [width, height, _] = seen.geometry.size;
        let found = found.upsample_bilinear2d([height as i64, width as i64], false, None, None);
        debug_assert_eq!(found.size()[1], Tissue::ALL.len() as i64, "a score for each tissue");
        // Ten times as fast as `argmax`, which finds the same.
        let (_, numbers) = found.max_dim(1, false);
        let numbers = numbers.to_kind(Kind::Uint8).to_device(tch::Device::Cpu);
        Vec::try_from(numbers.reshape([-1])).expect("a mask is of bytes")
    }
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
