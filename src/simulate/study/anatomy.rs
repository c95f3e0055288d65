//! The sizes of a spine, level by level, and how much people differ.
//!
//! Heights, depths and widths of bodies, canals and pedicles after Panjabi et al. 1992 (Spine
//! 17:299) and Zhou et al. 2000 (Eur Spine J 9:242); pedicles also after Zindrick et al. 1987
//! (Spine 12:160). How the column turns from level to level, and how pitch and depth change, is
//! what the reference masks of SPIDER have (van der Graaf et al. 2024), as `imaging::spine` states it.

use fastrand::Rng;

use super::Variant;
use crate::label::Level;
use crate::simulate::normal;

/// A vertebra's usual size in mm and degrees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertebra {
    /// The height of its body in the middle.
    pub height: f64,
    /// The depth of its body.
    pub depth: f64,
    /// The width of its body.
    pub width: f64,
    /// By how many degrees its endplates open to the front.
    pub wedge: f64,
    /// Between its pedicles.
    pub canal_width: f64,
    /// From its body to its lamina.
    pub canal_depth: f64,
    /// The width of a pedicle.
    pub pedicle: f64,
    /// The height of the disc below, and by how many degrees that opens to the front.
    pub disc: f64,
    pub disc_wedge: f64,
}

const fn row(body: [f64; 4], canal: [f64; 2], pedicle: f64, disc: [f64; 2]) -> Vertebra {
    let [height, depth, width, wedge] = body;
    let [canal_width, canal_depth] = canal;
    let [disc, disc_wedge] = disc;
    Vertebra { height, depth, width, wedge, canal_width, canal_depth, pedicle, disc, disc_wedge }
}

/// T9 to L5.
const USUAL: [Vertebra; 9] = [
    row([20.0, 28.0, 31.0, -3.0], [18.0, 16.0], 7.0, [4.5, 0.0]),
    row([21.0, 28.5, 32.0, -3.0], [18.5, 16.0], 7.5, [4.5, 0.0]),
    row([22.5, 29.5, 35.0, -4.0], [20.0, 16.5], 8.5, [5.5, 1.0]),
    row([24.5, 30.5, 39.0, -3.5], [21.5, 17.5], 8.5, [6.5, 2.0]),
    row([26.0, 32.0, 42.0, -1.6], [22.5, 18.0], 8.5, [7.5, 3.0]),
    row([27.0, 34.0, 44.0, -0.4], [23.0, 18.0], 9.0, [8.7, 5.5]),
    row([27.0, 35.0, 45.5, 1.6], [23.5, 17.5], 10.0, [9.8, 7.5]),
    row([26.5, 35.5, 48.0, 2.2], [24.5, 17.5], 12.0, [10.8, 8.0]),
    row([26.0, 34.8, 50.0, 6.5], [27.0, 17.5], 15.0, [9.8, 12.0]),
];

/// The segments of the sacrum: height and depth in mm, and by how many degrees each turns the column.
pub(super) const SACRUM: [[f64; 3]; 5] = [
    [28.0, 31.0, 7.0],
    [24.0, 22.0, -11.0],
    [20.0, 15.0, -17.0],
    [17.0, 11.0, -18.0],
    [16.0, 9.0, -20.0],
];

/// Between two segments of the sacrum, in mm.
pub(super) const SACRAL_DISC: f64 = 2.4;

/// The deviation of whole people in size, and of a measure of one vertebra from what it is in people
/// of the same size, as shares (Panjabi 1992, Zhou 2000).
const SIZE: f64 = 0.045;
const OWN: f64 = 0.025;
/// Women are smaller, and men larger, by this share.
const SEX: f64 = 0.045;
/// The deviation of how much people are bent, as a share, lying on their backs.
const BENT: f64 = 0.16;
/// Usual slope of the upper endplate of S1 lying on the back, and its deviation, in degrees.
const SACRAL_SLOPE: [f64; 2] = [37.0, 5.5];

/// A person's bones.
#[derive(Debug, Clone)]
pub(super) struct Anatomy {
    /// From the uppermost vertebra to the last above the sacrum.
    pub vertebrae: Vec<Vertebra>,
    /// The disc below each.
    pub levels: Vec<Level>,
    /// What the canal's size is multiplied with.
    pub size: f64,
    /// In degrees.
    pub sacral_slope: f64,
    /// How far to the left the column is bent: mm, and where its apex is and how long a bend is, in mm
    /// above the sacrum.
    pub bend: [f64; 3],
    /// The left side of vertebrae at the apex is turned to the front by so many degrees.
    pub twist: f64,
    /// How much fat is under the skin of the back, in mm.
    pub fat: f64,
    /// Where the cord ends: so many mm below the middle of the disc L1-L2.
    pub conus: f64,
}

impl Anatomy {
    /// The bones of someone.
    pub fn new(female: bool, variant: Variant, scoliosis: bool, random: &mut Rng) -> Self {
        let sex = if female { 1.0 - SEX } else { 1.0 + SEX };
        let size = sex * (1.0 + SIZE * normal(random)).clamp(0.85, 1.15);
        let bent = (1.0 + BENT * normal(random)).clamp(0.55, 1.45);
        let mut rows = USUAL.to_vec();
        if variant == Variant::SixLumbar {
            // The fourth is there twice, and the uppermost out of the picture.
            rows.insert(7, rows[7]);
            rows.remove(0);
        }
        let last = rows.len() - 1;
        if variant == Variant::Sacralized {
            (rows[last].disc, rows[last].disc_wedge) = (3.2, 3.0);
        }
        let vertebrae: Vec<Vertebra> = rows.iter().map(|row| row.of(size, bent, random)).collect();
        let (upper, lower): (_, &[Level]) = match variant {
            Variant::SixLumbar => (&Level::ALL[1..7], &[Level::L4L5, Level::L5L6, Level::L6S1]),
            _ => (&Level::ALL[..7], &[Level::L4L5, Level::L5S1]),
        };
        let bend = match scoliosis {
            true => [(9.0 + 11.0 * random.f64()) * sign(random), 70.0 + 60.0 * random.f64(), 150.0],
            false => [1.5 * normal(random), 90.0, 150.0],
        };
        Self {
            vertebrae,
            levels: upper.iter().chain(lower).copied().collect(),
            size,
            sacral_slope: SACRAL_SLOPE[0] * (0.5 + 0.5 * bent) + SACRAL_SLOPE[1] * normal(random),
            bend,
            twist: if scoliosis { bend[0] * (0.4 + 0.5 * random.f64()) } else { 0.0 },
            fat: 14.0 + 22.0 * random.f64(),
            conus: -8.0 + 11.0 * normal(random),
        }
    }
}

impl Vertebra {
    fn of(&self, size: f64, bent: f64, random: &mut Rng) -> Self {
        let mut own = |usual: f64| usual * size * (1.0 + OWN * normal(random)).clamp(0.9, 1.1);
        let height = own(self.height);
        let depth = own(self.depth);
        let width = own(self.width);
        Self {
            height,
            depth,
            width,
            wedge: self.wedge * (0.7 + 0.3 * bent),
            canal_width: own(self.canal_width),
            canal_depth: own(self.canal_depth),
            pedicle: own(self.pedicle),
            disc: own(self.disc),
            disc_wedge: self.disc_wedge * bent,
        }
    }
}

fn sign(random: &mut Rng) -> f64 {
    if random.bool() { 1.0 } else { -1.0 }
}
