//! Planes and curved surfaces through a volume as pictures, with what a mask shows drawn over them.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use rayon::prelude::*;

use super::geometry::Lps;
use super::spine::{Column, Frame, Part};
use super::{Mask, Volume};

/// A picture of an image, and one that is laid over it.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The width of a pixel in mm.
    pub pixel: f64,
    /// Brightness, as PNG.
    pub image: Vec<u8>,
    /// Parts of the spine in colours on a clear ground, as PNG.
    pub overlay: Vec<u8>,
}

/// The brightness that is drawn black and that which is drawn white.
#[derive(Debug, Clone, Copy)]
pub struct Window(f32, f32);

impl Window {
    /// From the darkest to the brightest but for a few voxels.
    pub fn of(volume: &Volume) -> Self {
        const EVERY: usize = 97;
        let mut values: Vec<f32> = volume.values.iter().copied().step_by(EVERY).collect();
        values.sort_by(f32::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
        Self(at(0.01), at(0.99))
    }

    fn gray(self, value: Option<f32>) -> u8 {
        let share = value.map_or(0.0, |value| (value - self.0) / (self.1 - self.0).max(1e-6));
        (share.clamp(0.0, 1.0) * 255.0) as u8
    }
}

/// The median surface: each row at its height, each as far aside as the canal is there. A bent spine
/// is seen from end to end.
#[derive(Debug, Clone)]
pub struct Median {
    front: f64,
    top: f64,
    width: usize,
    /// How far to the left each row is.
    left: Vec<f64>,
}

impl Median {
    const PIXEL: f64 = 0.5;

    /// The median surface of a volume with a column.
    pub fn of(volume: &Volume, column: &Column) -> Self {
        let corners = (0..8).map(|corner: usize| {
            let end = |axis: usize| {
                let last = volume.geometry.size[axis] as f64 - 1.0;
                if corner >> axis & 1 == 1 { last } else { 0.0 }
            };
            volume.geometry.to_patient([end(0), end(1), end(2)])
        });
        let (mut least, mut most) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for corner in corners {
            for axis in 0..3 {
                least[axis] = least[axis].min(corner[axis]);
                most[axis] = most[axis].max(corner[axis]);
            }
        }
        // What lies far before and behind the spine makes the picture small.
        const BEFORE: f64 = 65.0;
        const BEHIND: f64 = 75.0;
        let seen = column.discs.iter().map(|disc| disc.centre[1]);
        least[1] = least[1].max(seen.clone().fold(f64::INFINITY, f64::min) - BEFORE);
        most[1] = most[1].min(seen.fold(f64::NEG_INFINITY, f64::max) + BEHIND);
        let curve = column.canal.as_ref().map_or(&column.curve, |canal| &canal.curve);
        let height = ((most[2] - least[2]) / Self::PIXEL) as usize + 1;
        let mut along = 0.0;
        let left = (0..height).map(|row| {
            let up = most[2] - row as f64 * Self::PIXEL;
            for _ in 0..4 {
                let frame = curve.frame(along);
                along += (up - frame.at[2]) / frame.down[2].min(-0.3);
            }
            // Beyond its ends the canal's curve would lead anywhere.
            along = along.clamp(0.0, curve.length());
            curve.at(along)[0].clamp(least[0], most[0])
        });
        Self {
            front: least[1],
            top: most[2],
            width: ((most[1] - least[1]) / Self::PIXEL) as usize + 1,
            left: left.collect(),
        }
    }

    /// The pixel of a place in the patient, wherever aside it is.
    pub fn pixel(&self, patient: Lps) -> (f64, f64) {
        ((patient[1] - self.front) / Self::PIXEL, (self.top - patient[2]) / Self::PIXEL)
    }

    /// Draws it.
    pub fn picture(&self, volume: &Volume, parts: &Mask, window: Window) -> Picture {
        let place = |x: usize, y: usize| {
            let (back, down) = (x as f64 * Self::PIXEL, y as f64 * Self::PIXEL);
            [self.left[y], self.front + back, self.top - down]
        };
        drawn(volume, parts, window, [self.width, self.left.len()], Self::PIXEL, place)
    }
}

/// A plane across the canal, seen from the feet as axial slices are: the patient's left is at the
/// right, the front at the top.
#[derive(Debug, Clone, Copy)]
pub struct Axial(pub Frame);

impl Axial {
    const PIXEL: f64 = 0.4;
    const SIDE: usize = 220;
    /// How far before the middle of the picture the front goes on, as a share of it: the column is
    /// before the canal.
    const CANAL_AT: f64 = 0.6;

    /// The pixel of a place in the plane.
    pub fn pixel(&self, patient: Lps) -> (f64, f64) {
        let [left, front, _] = self.0.offsets(patient);
        let side = Self::SIDE as f64;
        (side / 2.0 + left / Self::PIXEL, side * Self::CANAL_AT - front / Self::PIXEL)
    }

    /// Draws it.
    pub fn picture(&self, volume: &Volume, parts: &Mask, window: Window) -> Picture {
        let side = Self::SIDE as f64;
        let place = |x: usize, y: usize| {
            let left = (x as f64 - side / 2.0) * Self::PIXEL;
            let front = (side * Self::CANAL_AT - y as f64) * Self::PIXEL;
            self.0.place(left, front, 0.0)
        };
        drawn(volume, parts, window, [Self::SIDE, Self::SIDE], Self::PIXEL, place)
    }
}

/// A slice as PNG, with what a mask has and its reference has not in orange, and what it lacks or
/// takes for something else in blue.
pub fn errors(volume: &Volume, found: &Mask, reference: &Mask, k: usize) -> Vec<u8> {
    const TOO_MUCH: [f32; 3] = [255.0, 140.0, 30.0];
    const MISSED: [f32; 3] = [60.0, 150.0, 255.0];
    const STRENGTH: f32 = 0.65;
    let [width, height, _] = volume.geometry.size;
    let window = Window::of(volume);
    let (values, found, is) = (volume.slice(k), found.slice(k), reference.slice(k));
    let picture = RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let place = y as usize * width + x as usize;
        let gray = f32::from(window.gray(Some(values[place])));
        let colour = match (found[place], is[place]) {
            (found, is) if found == is => return Rgb([gray as u8; 3]),
            (_, 0) => TOO_MUCH,
            _ => MISSED,
        };
        Rgb(colour.map(|part| (gray * (1.0 - STRENGTH) + part * STRENGTH) as u8))
    });
    let mut png = Vec::new();
    picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("memory can be written");
    png
}

/// Slices below each other as PNG. `values` are brightnesses with rows fastest; 0 is black, and
/// white is somewhat over 1, so that the brightest fluid is still told from what is around it.
pub fn strip(values: impl Iterator<Item = f32>, width: usize, rows: usize) -> Vec<u8> {
    const WHITE: f32 = 1.2;
    let gray = values.map(|value| ((value / WHITE).clamp(0.0, 1.0) * 255.0) as u8).collect();
    let strip = GrayImage::from_vec(width as u32, rows as u32, gray);
    let mut png = Vec::new();
    let strip = strip.expect("there is a value for each pixel");
    strip.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("memory can be written");
    png
}

fn drawn(
    volume: &Volume,
    parts: &Mask,
    window: Window,
    [width, height]: [usize; 2],
    pixel: f64,
    place: impl Fn(usize, usize) -> Lps + Sync,
) -> Picture {
    let samples: Vec<(u8, u8)> = (0..width * height)
        .into_par_iter()
        .map(|at| {
            let patient = place(at % width, at / width);
            let gray = window.gray(volume.interpolated(patient));
            (gray, parts.nearest(patient).unwrap_or(0))
        })
        .collect();
    let image = GrayImage::from_fn(width as u32, height as u32, |x, y| {
        Luma([samples[y as usize * width + x as usize].0])
    });
    let overlay = RgbaImage::from_fn(width as u32, height as u32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let own = samples[y * width + x].1;
        let differs =
            |x: usize, y: usize| x < width && y < height && samples[y * width + x].1 != own;
        let is_edge = differs(x + 1, y)
            || differs(x, y + 1)
            || x > 0 && differs(x - 1, y)
            || y > 0 && differs(x, y - 1);
        colour(own, is_edge)
    });
    let mut picture = Picture { width, height, pixel, image: Vec::new(), overlay: Vec::new() };
    image
        .write_to(&mut Cursor::new(&mut picture.image), ImageFormat::Png)
        .expect("memory can be written");
    overlay
        .write_to(&mut Cursor::new(&mut picture.overlay), ImageFormat::Png)
        .expect("memory can be written");
    picture
}

/// Neighbouring vertebrae differ in hue; all differ from discs and from the canal in lightness too.
fn colour(part: u8, is_edge: bool) -> Rgba<u8> {
    let [red, green, blue] = match Part::of(part) {
        None => return Rgba([0; 4]),
        Some(Part::Canal) => [255, 92, 170],
        Some(Part::Disc(_)) => [255, 196, 64],
        Some(Part::Vertebra(number)) if number.is_multiple_of(2) => [64, 190, 255],
        Some(Part::Vertebra(_) | Part::VertebraBelow) => [84, 226, 166],
    };
    Rgba([red, green, blue, if is_edge { 235 } else { 56 }])
}
