//! What a network sees of the crops of a level: decoded once and kept small, then looked at from
//! anywhere.

use tch::{Device, Kind, Tensor};

use super::{Config, Look};
use crate::imaging::{self, Crop, Segment};

/// What is kept around a view so that it can be moved and turned, in pixels on each side, and in
/// slices.
const AXIAL_MARGIN: i64 = 12;
const SAGITTAL_MARGIN: i64 = 8;
const SLICE_MARGIN: i64 = 1;

/// Bytes hold brightness up to 1.5 times that of the brightest usual voxel.
const FULL: f64 = 170.0;

/// The crops of a level at the resolution of a network, in bytes.
#[derive(Debug, Default)]
pub struct Input {
    /// [slices, rows, columns], with a margin.
    pub axial: Option<Tensor>,
    /// [T2 and T1, slices, rows, columns], with a margin; what is absent is 0.
    pub sagittal: Option<Tensor>,
    /// Whether there is a sagittal T2 and a sagittal T1.
    pub sequences: [bool; 2],
}

/// What a network sees of a level in one go.
#[derive(Debug)]
pub struct View {
    /// [slices, rows, columns].
    pub axial: Option<Tensor>,
    /// [T2 and T1, slices, rows, columns].
    pub sagittal: Option<Tensor>,
    /// Whether there is a sagittal T2 and a sagittal T1.
    pub sequences: [bool; 2],
}

/// Views of several levels.
#[derive(Debug)]
pub struct Views {
    /// How many levels there are.
    pub(super) count: i64,
    /// Those that have an axial crop, and the crops.
    pub(super) axial: Option<(Tensor, Tensor)>,
    /// Those that have a sagittal crop, and the crops.
    pub(super) sagittal: Option<(Tensor, Tensor)>,
    /// By level, whether there is an axial T2, a sagittal T2 and a sagittal T1.
    pub(super) present: Tensor,
}

impl Input {
    /// What the network sees of a segment. Crops that it does not look at are left out.
    pub fn new(config: &Config, segment: &Segment) -> Self {
        let axial = segment.get(imaging::Kind::AxialT2).filter(|_| config.inputs.axial());
        let of_sagittal = |kind: imaging::Kind| {
            let crop = segment.get(kind).filter(|_| config.inputs.sagittal());
            crop.map(|crop| sagittal(config, crop))
        };
        let (t2, t1) =
            (of_sagittal(imaging::Kind::SagittalT2), of_sagittal(imaging::Kind::SagittalT1));
        let sequences = [t2.is_some(), t1.is_some()];
        let one = t2.as_ref().or(t1.as_ref()).map(Tensor::zeros_like);
        let both = one.map(|absent| {
            Tensor::stack(&[t2.as_ref().unwrap_or(&absent), t1.as_ref().unwrap_or(&absent)], 0)
        });
        Self { axial: axial.map(|crop| self::axial(config, crop)), sagittal: both, sequences }
    }

    /// Whether there is nothing to look at.
    pub const fn is_empty(&self) -> bool {
        self.axial.is_none() && self.sagittal.is_none()
    }

    /// What is seen from a place, as it is. Looks that would go beyond the margin stay within it.
    pub fn view(&self, config: &Config, look: Look) -> View {
        let seen = &config.sagittal;
        let part = |crop: &Tensor, pixel: f64, size: &[i64]| {
            let first = crop.dim() - size.len();
            let moves = [look.down, look.across].map(|by| (by / pixel).round() as i64);
            // The last two axes are rows and columns; slices stay where they are.
            let moves = [0].into_iter().chain(moves).skip(3 - size.len());
            let part = size.iter().zip(moves).enumerate().fold(
                crop.shallow_clone(),
                |crop, (at, (&side, by))| {
                    let spare = crop.size()[first + at] - side;
                    crop.narrow((first + at) as i64, (spare / 2 + by).clamp(0, spare), side)
                },
            );
            unit(&part)
        };
        View {
            axial: self
                .axial
                .as_ref()
                .map(|crop| part(crop, config.axial.pixel, &[config.axial.side; 2])),
            sagittal: self
                .sagittal
                .as_ref()
                .map(|crop| part(crop, seen.pixel, &[seen.slices, seen.height, seen.width])),
            sequences: self.sequences,
        }
    }
}

impl Views {
    /// Views beside each other.
    pub fn new(views: &[View], device: Device) -> Self {
        let gather = |of: fn(&View) -> Option<&Tensor>| {
            let found: Vec<(i64, &Tensor)> = views
                .iter()
                .enumerate()
                .filter_map(|(at, view)| Some((at as i64, of(view)?)))
                .collect();
            let (places, crops): (Vec<i64>, Vec<&Tensor>) = found.into_iter().unzip();
            (!crops.is_empty()).then(|| {
                let places = Tensor::from_slice(&places).to_device(device);
                (places, Tensor::stack(&crops, 0).to_device(device))
            })
        };
        let present: Vec<f32> = views
            .iter()
            .flat_map(|view| {
                let [t2, t1] = view.sequences.map(|is| is && view.sagittal.is_some());
                [view.axial.is_some(), t2, t1].map(|is| f32::from(u8::from(is)))
            })
            .collect();
        let present = Tensor::from_slice(&present).view([-1, 3]).to_device(device);
        Self {
            count: views.len() as i64,
            axial: gather(|view| view.axial.as_ref()),
            sagittal: gather(|view| view.sagittal.as_ref()),
            present,
        }
    }
}

/// Bytes as brightness.
pub fn unit(bytes: &Tensor) -> Tensor {
    bytes.to_kind(Kind::Float) / FULL
}

fn bytes(brightness: &Tensor) -> Tensor {
    (brightness * FULL).round().clamp(0.0, 255.0).to_kind(Kind::Uint8)
}

fn axial(config: &Config, crop: &Crop) -> Tensor {
    let seen = &config.axial;
    let side = seen.side + 2 * AXIAL_MARGIN;
    bytes(&resampled(crop, [seen.apart, seen.pixel], [seen.slices, side, side]))
}

fn sagittal(config: &Config, crop: &Crop) -> Tensor {
    let seen = &config.sagittal;
    let [height, width] = [seen.height, seen.width].map(|side| side + 2 * SAGITTAL_MARGIN);
    let slices = seen.slices + 2 * SLICE_MARGIN;
    bytes(&resampled(crop, [seen.apart, seen.pixel], [slices, height, width]))
}

/// The middle of a crop with slices and pixels of another distance, so many of them; what is beyond
/// the crop is 0.
fn resampled(crop: &Crop, [apart, pixel]: [f64; 2], [slices, height, width]: [i64; 3]) -> Tensor {
    let [across, down, between] = crop.geometry.spacing();
    let size = crop.geometry.size.map(|side| side as i64);
    // As much of the crop as the new pixels cover, and as much of nothing as they go beyond it.
    let missing = |wanted: i64, spacing: f64, size: i64| {
        let missing = (wanted as f64 * pixel / spacing).round() as i64 - size;
        let before = missing.div_euclid(2);
        [before, missing - before]
    };
    let padding = [missing(width, across, size[0]), missing(height, down, size[1])].concat();
    let values = Tensor::from_slice(&crop.values).view([1, size[2], size[1], size[0]]);
    let middle = values.constant_pad_nd(padding).squeeze_dim(0).to_kind(Kind::Float);
    let slices = resliced(&middle, apart / between, slices).unsqueeze(0);
    slices.internal_upsample_bilinear2d_aa([height, width], false, None, None).squeeze_dim(0)
}

/// So many slices about the middle one, so many old ones apart: between two of them, both in
/// proportion.
fn resliced(crop: &Tensor, step: f64, count: i64) -> Tensor {
    let old = crop.size()[0];
    let mut shares = vec![0.0f32; (count * old) as usize];
    for new in 0..count {
        let at = (old - 1) as f64 / 2.0 + (new as f64 - (count - 1) as f64 / 2.0) * step;
        if (0.0..=(old - 1) as f64).contains(&at) {
            let low = (at.floor() as i64).min(old - 2).max(0);
            let share = (at - low as f64) as f32;
            shares[(new * old + low) as usize] = 1.0 - share;
            if low + 1 < old {
                shares[(new * old + low + 1) as usize] = share;
            }
        }
    }
    let shares = Tensor::from_slice(&shares).view([count, old]);
    let [height, width] = [crop.size()[1], crop.size()[2]];
    shares.matmul(&crop.reshape([old, height * width])).view([count, height, width])
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::imaging::Geometry;
    use crate::imaging::crop::SHAPES;
    use crate::imaging::geometry::Lps;

    fn value(tensor: &Tensor, at: &[i64]) -> f64 {
        tensor.double_value(at)
    }

    fn crop(kind: imaging::Kind, lit: impl Fn([usize; 3]) -> bool) -> Segment {
        let shape = SHAPES.iter().find(|shape| shape.kind == kind).unwrap();
        let axes: [Lps; 3] = std::array::from_fn(|axis| {
            std::array::from_fn(|part| if part == axis { shape.spacing[axis] } else { 0.0 })
        });
        let geometry = Geometry::new(shape.size, [0.0; 3], axes).unwrap();
        let mut crop = Crop::filled(geometry, f16::ZERO);
        let [width, height, _] = shape.size;
        for (place, value) in crop.values.iter_mut().enumerate() {
            let at = [place % width, place / width % height, place / width / height];
            *value = if lit(at) { f16::ONE } else { f16::ZERO };
        }
        Segment { crops: [(kind, crop)].into() }
    }

    #[test]
    fn the_middle_of_a_crop_stays_in_the_middle() {
        let config = Config::default();
        let lit =
            |[x, y, z]: [usize; 3]| z == 12 && (140..180).contains(&y) && (70..90).contains(&x);
        let input = Input::new(&config, &crop(imaging::Kind::SagittalT2, lit));
        assert_eq!((input.sequences, input.axial.is_none()), ([true, false], true));
        let view = input.view(&config, Look::MIDDLE).sagittal.unwrap();
        assert_eq!(view.size(), [2, 13, 96, 64]);
        assert!((value(&view, &[0, 6, 48, 32]) - 1.0).abs() < 0.01);
        assert_eq!(value(&view, &[1, 6, 48, 32]), 0.0, "there is no T1");
        assert_eq!(value(&view, &[0, 5, 48, 32]), 0.0, "it is on one slice alone");
        let same = (&view - view.flip([1])).abs().max();
        assert_eq!(f64::try_from(same).unwrap(), 0.0, "a mirror sees the same");
    }

    #[test]
    fn pixels_grow_without_moving_and_nothing_lies_beyond() {
        let config = Config::default();
        let crop = crop(imaging::Kind::AxialT2, |[x, ..]| x >= 180);
        let view = Input::new(&config, &crop).view(&config, Look::MIDDLE).axial.unwrap();
        assert_eq!(view.size(), [8, 112, 112]);
        assert!(value(&view, &[0, 50, 54]) < 0.01 && value(&view, &[0, 50, 57]) > 0.99);
        let mut far = config;
        far.axial.pixel = 2.0;
        let view = Input::new(&far, &crop).view(&far, Look::MIDDLE).axial.unwrap();
        assert_eq!((value(&view, &[0, 56, 111]), value(&view, &[0, 0, 60])), (0.0, 0.0));
        assert!(value(&view, &[0, 56, 70]) > 0.99);
    }

    #[test]
    fn a_look_beside_the_middle_sees_what_lies_there() {
        let config = Config::default();
        let crop = crop(imaging::Kind::AxialT2, |[x, y, _]| x >= 180 && y >= 180);
        let input = Input::new(&config, &crop);
        let first_lit = |look| {
            let view = input.view(&config, look).axial.unwrap();
            let lit = |at: &[i64; 3]| value(&view, at) > 0.5;
            let along = |at: fn(i64) -> [i64; 3]| (0..112).find(|&i| lit(&at(i)));
            [along(|i| [0, 111, i]), along(|i| [0, i, 111])].map(Option::unwrap)
        };
        let middle = first_lit(Look::MIDDLE);
        let look = |across, down| Look { across, down };
        assert_eq!(first_lit(look(6.0, -3.0)), [middle[0] - 10, middle[1] + 5]);
        assert_eq!(first_lit(look(-60.0, 60.0)), [middle[0] + 12, middle[1] - 12]);
        let lit = |[x, y, z]: [usize; 3]| z == 12 && x >= 80 && y >= 160;
        let input = Input::new(&config, &self::crop(imaging::Kind::SagittalT2, lit));
        let at = |look, place: [i64; 4]| {
            value(&input.view(&config, look).sagittal.unwrap(), &place) > 0.5
        };
        assert_eq!([47, 48].map(|row| at(Look::MIDDLE, [0, 6, row, 60])), [false, true]);
        assert_eq!([49, 50].map(|row| at(look(0.0, -1.5), [0, 6, row, 60])), [false, true]);
        assert_eq!([29, 30].map(|column| at(look(1.5, 0.0), [0, 6, 90, column])), [false, true]);
    }

    #[test]
    fn views_know_which_crops_there_are() {
        let config = Config::default();
        let of = |kind| Input::new(&config, &crop(kind, |_| false)).view(&config, Look::MIDDLE);
        let views = [of(imaging::Kind::AxialT2), of(imaging::Kind::SagittalT1)];
        let views = Views::new(&views, Device::Cpu);
        let present: Vec<f32> = Vec::try_from(views.present.reshape([-1])).unwrap();
        assert_eq!(present, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let places: Vec<i64> = Vec::try_from(&views.sagittal.unwrap().0).unwrap();
        assert_eq!(places, [1]);
        assert!(Input::new(&config, &Segment::default()).is_empty());
    }
}
