//! What is narrow in a spine, how much, and by what.
//!
//! A cell's *severity* goes on without steps: it is normal below 1, mild below 2, moderate below 3 and
//! severe up to 4. How often it is what at each level is taken from the grades of 1,975 clinical
//! studies (RSNA 2024 Lumbar Spine Degenerative Classification), which tell `normal or mild`, moderate
//! and severe apart. How the two first divide is not known from there: the share of at least mild is
//! taken as the share of at least moderate to the power of [`MILD`].

use fastrand::Rng;

use super::Variant;
use super::anatomy::Anatomy;
use crate::extract::Finding;
use crate::label::{Grade, Level, Side, StenosisType, Target};
use crate::simulate::spine::Seen;
use crate::simulate::{chance, normal};

/// Severities from which on a cell is mild, moderate and severe, and the greatest there is.
pub(super) const MILD_FROM: f64 = 1.0;
pub(super) const MODERATE_FROM: f64 = 2.0;
pub(super) const SEVERE_FROM: f64 = 3.0;
pub(super) const WORST: f64 = 4.0;

/// The grade of a severity.
pub(super) fn grade(severity: f64) -> Grade {
    match severity {
        s if s < MILD_FROM => Grade::Normal,
        s if s < MODERATE_FROM => Grade::Mild,
        s if s < SEVERE_FROM => Grade::Moderate,
        _ => Grade::Severe,
    }
}

/// See the module.
const MILD: f64 = 0.62;

/// The shares of at least moderate and of severe, for central, foraminal and recess; both sides
/// together.
#[rustfmt::skip]
const SHARES: [(Level, [[f64; 2]; 3]); 5] = [
    (Level::L1L2, [[0.045, 0.011], [0.036, 0.004], [0.070, 0.014]]),
    (Level::L2L3, [[0.103, 0.027], [0.090, 0.005], [0.173, 0.042]]),
    (Level::L3L4, [[0.179, 0.062], [0.230, 0.021], [0.330, 0.099]]),
    (Level::L4L5, [[0.249, 0.129], [0.388, 0.069], [0.549, 0.234]]),
    (Level::L5S1, [[0.036, 0.010], [0.359, 0.101], [0.286, 0.082]]),
];
/// Above those it is rarer still.
const THORACIC: [[f64; 2]; 3] = [[0.015, 0.004], [0.012, 0.002], [0.015, 0.003]];

/// How a cell's variance divides, so that grades go together as they do in those studies: between
/// neighbouring levels by 0.5 (canal), between left and right by 0.5 (foramina) and 0.7 (recesses),
/// between canal and recess by 0.7, between canal and foramen by 0.4.
mod variance {
    /// What all cells of a person share.
    pub const PERSON: f64 = 0.35;
    /// What all cells of a person's canal share, and those of the foramina.
    pub const GROUP: f64 = 0.13;
    /// What all cells of a level share.
    pub const LEVEL: f64 = 0.05;
    /// What canal and recesses of a level share.
    pub const CANAL_OF_LEVEL: f64 = 0.19;
    /// What both foramina of a level share.
    pub const FORAMINA_OF_LEVEL: f64 = 0.03;
}

/// What narrows the canal of a level, as shares of what is lost of it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub(super) struct Causes {
    /// A disc that bulges all around.
    pub bulge: f64,
    /// A disc that protrudes to one side.
    pub protrusion: f64,
    /// Thick ligamenta flava.
    pub flavum: f64,
    /// Thick facet joints.
    pub facets: f64,
    /// Short pedicles.
    pub short_pedicles: f64,
    /// Fat around the sac.
    pub fat: f64,
}

/// What is wrong with a level.
#[derive(Debug, Clone)]
pub(super) struct Narrowing {
    /// How severe each target is.
    pub severity: [f64; Target::ALL.len()],
    pub causes: Causes,
    /// Where the protrusion is: mm to the left of the middle.
    pub protrusion_at: f64,
    /// How far the vertebra above has slipped to the front, in mm.
    pub slip: f64,
    /// How worn the disc is, 0 to 1: dark and low.
    pub worn: f64,
    /// Whether the endplates show Modic change: 0 none, 1 to 3 its type.
    pub modic: u8,
    /// Whether the laminae were taken away.
    pub laminectomy: bool,
}

/// What is wrong with each level, from head to foot, of someone whose age in years is known.
pub(super) fn narrowings(
    anatomy: &Anatomy,
    variant: Variant,
    age: f64,
    random: &mut Rng,
) -> Vec<Narrowing> {
    let person = normal(random);
    let groups = [normal(random), normal(random)];
    let short_pedicles = chance(random, 0.12);
    let fat = chance(random, 0.05);
    let last = anatomy.levels.len() - 1;
    let mut all: Vec<Narrowing> = Vec::new();
    for (place, level) in anatomy.levels.iter().enumerate() {
        let of_level = normal(random);
        let pairs = [normal(random), normal(random)];
        let severity = Target::ALL.map(|target| {
            let group = usize::from(target.row().stenosis == StenosisType::Foraminal);
            let shared = [variance::CANAL_OF_LEVEL, variance::FORAMINA_OF_LEVEL][group];
            let parts = [
                (variance::PERSON, person),
                (variance::GROUP, groups[group]),
                (variance::LEVEL, of_level),
                (shared, pairs[group]),
            ];
            let own = 1.0 - parts.iter().map(|(share, _)| share).sum::<f64>();
            let shared: f64 = parts.iter().map(|(share, z)| share.sqrt() * z).sum();
            severity(shares(*level, target), shared + own.sqrt() * normal(random))
        });
        let rudimentary = variant == Variant::Sacralized && place == last;
        let severity = if rudimentary { severity.map(|s| s.min(0.3)) } else { severity };
        all.push(Narrowing::of(*level, severity, age, [short_pedicles, fat], random));
    }
    all
}

impl Narrowing {
    fn of(
        level: Level,
        severity: [f64; Target::ALL.len()],
        age: f64,
        [short_pedicles, fat]: [bool; 2],
        random: &mut Rng,
    ) -> Self {
        let central = severity[Target::Central as usize];
        let worst = severity.iter().copied().fold(0.0, f64::max);
        let lower = matches!(level, Level::L4L5 | Level::L5S1 | Level::L5L6 | Level::L6S1);
        let wear = (age - 20.0) / 90.0 + 0.09 * worst + if lower { 0.08 } else { 0.0 };
        let worn = (wear + 0.14 * normal(random)).clamp(0.0, 1.0);
        let is_herniated = chance(random, if worst > 1.0 { 0.28 } else { 0.06 });
        let [left, right] = [Target::RecessLeft, Target::RecessRight].map(|t| severity[t as usize]);
        let side = if left >= right { 1.0 } else { -1.0 };
        let slips = level == Level::L4L5 && central > 1.0 && chance(random, 0.3)
            || level == Level::L3L4 && central > 1.5 && chance(random, 0.12);
        Self {
            severity,
            causes: Causes::draw(is_herniated, short_pedicles, fat, random),
            protrusion_at: side * (2.0 + 3.5 * random.f64()),
            slip: if slips { 2.5 + 4.5 * random.f64() } else { 0.0 },
            worn,
            modic: modic(worn, random),
            laminectomy: false,
        }
    }

    /// Widens what an operation widens: the canal and the recesses of a level, and with them what else
    /// was narrow there.
    pub fn decompress(&mut self) {
        self.laminectomy = true;
        self.severity = self.severity.map(|severity| severity.min(0.55));
    }

    /// Lets the level be narrower by this, as years make it.
    pub fn progress(&mut self, by: f64) {
        let worse = |severity: f64| (severity + by * (0.3 + 0.4 * severity)).min(WORST - 0.05);
        self.severity = self.severity.map(worse);
        self.worn = (self.worn + 0.05 * by).min(1.0);
    }

    /// What a radiologist sees at its disc and joints.
    pub fn seen(&self) -> Seen {
        let worst = self.severity.iter().copied().fold(0.0, f64::max);
        let narrow = self.of_target(Target::Central) >= MILD_FROM;
        let Causes { bulge, protrusion, flavum, facets, .. } = self.causes;
        let herniated = protrusion > 0.0 && worst >= MILD_FROM;
        let all = [
            (Finding::Bulge, self.worn > 0.35 || narrow && bulge > 0.2),
            (Finding::Protrusion, herniated && worst < 2.5),
            (Finding::Extrusion, herniated && worst >= 2.5),
            (Finding::FlavumThickening, narrow && flavum > 0.25),
            (Finding::FacetArthropathy, self.worn > 0.5 || narrow && facets > 0.2),
            (Finding::ModicChange, self.modic > 0),
            (Finding::NerveRootCompression, worst >= MODERATE_FROM),
        ];
        Seen {
            findings: all.iter().filter(|(_, is)| *is).map(|(finding, _)| *finding).collect(),
            side: if self.protrusion_at > 0.0 { Side::Left } else { Side::Right },
            modic: self.modic,
        }
    }

    /// How severe a target is.
    pub fn of_target(&self, target: Target) -> f64 {
        self.severity[target as usize]
    }

    /// How severe a type is on a side: left 1, right -1.
    pub fn of_side(&self, stenosis: StenosisType, side: f64) -> f64 {
        let side = if side > 0.0 { Side::Left } else { Side::Right };
        Target::of(stenosis, Some(side)).map(|target| self.of_target(target)).fold(0.0, f64::max)
    }
}

impl Causes {
    fn draw(is_herniated: bool, short_pedicles: bool, fat: bool, random: &mut Rng) -> Self {
        let mut part = |usual: f64| usual * (0.3 + 1.4 * random.f64());
        let all = Self {
            bulge: part(1.0),
            protrusion: if is_herniated { part(2.0) } else { 0.0 },
            flavum: part(1.0),
            facets: part(0.7),
            short_pedicles: if short_pedicles { part(1.2) } else { 0.0 },
            fat: if fat { part(2.0) } else { 0.0 },
        };
        let sum = all.bulge + all.protrusion + all.flavum + all.facets;
        let sum = sum + all.short_pedicles + all.fat;
        Self {
            bulge: all.bulge / sum,
            protrusion: all.protrusion / sum,
            flavum: all.flavum / sum,
            facets: all.facets / sum,
            short_pedicles: all.short_pedicles / sum,
            fat: all.fat / sum,
        }
    }

    /// What comes from the front, of what comes from front and back.
    pub fn front_share(&self) -> f64 {
        let front = self.bulge + self.protrusion + 0.5 * (self.short_pedicles + self.fat);
        front.clamp(0.15, 0.85)
    }
}

/// Type 2 is the most frequent by far (Modic et al. 1988, Radiology 166:193).
fn modic(worn: f64, random: &mut Rng) -> u8 {
    match chance(random, 0.45 * (worn - 0.3).max(0.0)) {
        true => [1, 2, 2, 2, 1, 3][random.usize(..6)],
        false => 0,
    }
}

fn shares(level: Level, target: Target) -> [f64; 2] {
    let alike = match level {
        Level::L5L6 => Level::L4L5,
        Level::L6S1 => Level::L5S1,
        other => other,
    };
    let row = SHARES.iter().find(|(of, _)| *of == alike).map_or(THORACIC, |(_, row)| *row);
    match target.row().stenosis {
        StenosisType::Central => row[0],
        StenosisType::Foraminal => row[1],
        StenosisType::Recess => row[2],
    }
}

/// The severity that belongs to a normal number, where so many cells are at least moderate, and so
/// many severe.
fn severity([moderate, severe]: [f64; 2], z: f64) -> f64 {
    let mild = quantile(1.0 - moderate.powf(MILD));
    let [moderate, severe] = [moderate, severe].map(|share| quantile(1.0 - share));
    match z {
        z if z < mild => MILD_FROM * ((z - mild) / 1.3).exp(),
        z if z < moderate => MILD_FROM + (z - mild) / (moderate - mild),
        z if z < severe => MODERATE_FROM + (z - moderate) / (severe - moderate),
        z => WORST - (-(z - severe) / 0.6).exp(),
    }
}

/// Below which a normal number is with this probability (Abramowitz & Stegun 26.2.23).
fn quantile(probability: f64) -> f64 {
    let tail = probability.min(1.0 - probability).max(1e-9);
    let t = (-2.0 * tail.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let above = t - numerator / denominator;
    if probability < 0.5 { -above } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        for (probability, z) in [(0.5, 0.0), (0.975, 1.959_96), (0.1, -1.281_55)] {
            assert!((quantile(probability) - z).abs() < 5e-4, "{probability}");
        }
    }

    #[test]
    fn grades_are_as_frequent_as_in_clinical_studies() {
        let mut random = Rng::with_seed(5);
        let shares = shares(Level::L4L5, Target::Central);
        let all: Vec<f64> = (0..20_000).map(|_| severity(shares, normal(&mut random))).collect();
        let share = |from: f64| all.iter().filter(|s| **s >= from).count() as f64 / 20_000.0;
        assert!((share(MODERATE_FROM) - 0.249).abs() < 0.01, "{}", share(MODERATE_FROM));
        assert!((share(SEVERE_FROM) - 0.129).abs() < 0.01, "{}", share(SEVERE_FROM));
        assert!(all.iter().all(|severity| (0.0..WORST).contains(severity)));
    }

    #[test]
    fn severity_rises_without_a_gap() {
        let all: Vec<f64> =
            (-300..300).map(|z| severity([0.25, 0.13], f64::from(z) / 100.0)).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] < 0.06));
    }
}
