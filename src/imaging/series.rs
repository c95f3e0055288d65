//! What a series is good for: sagittal T2, sagittal T1, axial T2, or other. Geometry is asked
//! first, then the physics of the sequence, then its name.

use serde::Serialize;

use super::geometry::Geometry;
use super::slice::Protocol;
use super::stack::{Note, Stack};

/// Slices that a scanner made in one go.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The series' description, else the name of its file.
    pub name: String,
    /// How it was made.
    pub protocol: Protocol,
    /// What it is good for.
    pub kind: Kind,
    /// Why it is taken for that.
    pub reason: String,
    /// Its volumes, those with most slices first.
    pub stacks: Vec<Stack>,
    /// What was noticed.
    pub notes: Vec<Note>,
}

/// What a series is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Vertebrae, discs and canal are found on it.
    SagittalT2,
    /// Foramina are graded on it too.
    SagittalT1,
    /// Canal and recesses are graded on it.
    AxialT2,
    /// Not read any further.
    Other,
}

impl Kind {
    /// Its name in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SagittalT2 => "sagittal_t2",
            Self::SagittalT1 => "sagittal_t1",
            Self::AxialT2 => "axial_t2",
            Self::Other => "other",
        }
    }

    /// What it is called by people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SagittalT2 => "sagittal T2",
            Self::SagittalT1 => "sagittal T1",
            Self::AxialT2 => "axial T2",
            Self::Other => "other",
        }
    }
}

/// How slices lie in the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Sagittal,
    Coronal,
    Axial,
}

/// What makes an image bright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weighting {
    T1,
    T2,
    Other,
}

impl Series {
    /// A series, once it is known what it is good for.
    pub fn new(name: String, protocol: Protocol, stacks: Vec<Stack>, notes: Vec<Note>) -> Self {
        let (kind, reason) = match (stacks.is_empty(), notes.last()) {
            (true, Some(note)) => (Kind::Other, format!("it has no volume: {note}")),
            _ => kind(&name, &protocol, &stacks),
        };
        Self { name, protocol, kind, reason, stacks, notes }
    }
}

/// A cut of the spine shows at least so many mm of it.
const LEAST_HEIGHT: f64 = 60.0;

fn kind(name: &str, protocol: &Protocol, stacks: &[Stack]) -> (Kind, String) {
    let Some(largest) = stacks.first() else {
        return (Kind::Other, "it has no volume".to_owned());
    };
    let cut_of = |stack: &Stack| cut(&stack.volume.geometry);
    let cut = cut_of(largest);
    if stacks.iter().any(|stack| cut_of(stack) != cut) {
        return (
            Kind::Other,
            "its slices lie in several directions, as a localizer's do".to_owned(),
        );
    }
    if protocol.image_type.as_ref().is_some_and(|kind| kind.contains("LOCALIZER")) {
        return (Kind::Other, "its image type says that it is a localizer".to_owned());
    }
    let (weighting, why) = weighting(name, protocol);
    let geometry = &largest.volume.geometry;
    let height = geometry.size[1] as f64 * geometry.spacing()[1];
    match (cut, weighting) {
        (Cut::Coronal, _) => (Kind::Other, "it is coronal".to_owned()),
        (Cut::Sagittal, _) if height < LEAST_HEIGHT => {
            (Kind::Other, format!("it is sagittal, but only {height:.0} mm high"))
        }
        (Cut::Sagittal, Weighting::T2) => (Kind::SagittalT2, format!("it is sagittal; {why}")),
        (Cut::Sagittal, Weighting::T1) => (Kind::SagittalT1, format!("it is sagittal; {why}")),
        (Cut::Axial, Weighting::T2) => (Kind::AxialT2, format!("it is axial; {why}")),
        (Cut::Axial, Weighting::T1) => (Kind::Other, format!("it is axial; {why}")),
        (_, Weighting::Other) => (Kind::Other, why),
    }
}

/// The way a grid's slices lie: across the axis of the patient that they are stacked along most.
/// The most tilted slices, through a steep L5-S1, are still nearer to axial than to coronal.
fn cut(geometry: &Geometry) -> Cut {
    let [a, b, _] = geometry.steps;
    let normal = super::geometry::cross(a, b).map(f64::abs);
    match normal {
        [left, back, up] if left >= back && left >= up => Cut::Sagittal,
        [_, back, up] if back > up => Cut::Coronal,
        _ => Cut::Axial,
    }
}

/// Echo times in ms: T2-weighted from here on.
const LONG_ECHO: f64 = 60.0;
/// T1-weighted up to here, where the repetition time is short too.
const SHORT_ECHO: f64 = 30.0;
const SHORT_REPETITION: f64 = 1200.0;

fn weighting(name: &str, protocol: &Protocol) -> (Weighting, String) {
    if let Some(modality) = protocol.modality.as_deref().filter(|modality| *modality != "MR") {
        return (Weighting::Other, format!("its modality is {modality}, not MR"));
    }
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let named = |wanted: &[&str]| words.iter().find(|word| wanted.contains(&word.as_str()));
    let fat_dark = ["stir", "tirm", "irfse", "spair", "spir", "dixon", "fatsat", "fs"];
    if let Some(word) = named(&fat_dark) {
        return (Weighting::Other, format!("its name has `{word}`: fat is suppressed"));
    }
    if let Some(time) = protocol.inversion_time.filter(|time| (50.0..400.0).contains(time)) {
        return (
            Weighting::Other,
            format!("its inversion time is {time:.0} ms: fat is suppressed"),
        );
    }
    if let Some(agent) = &protocol.contrast_agent {
        return (Weighting::Other, format!("a contrast agent was given: {agent}"));
    }
    match (protocol.echo_time, protocol.repetition_time) {
        (Some(echo), _) if echo >= LONG_ECHO => {
            return (Weighting::T2, format!("an echo time of {echo:.0} ms weights it by T2"));
        }
        (Some(echo), Some(repetition)) if echo <= SHORT_ECHO && repetition <= SHORT_REPETITION => {
            let why = format!(
                "echo and repetition times of {echo:.0} and {repetition:.0} ms weight it by T1"
            );
            return (Weighting::T1, why);
        }
        _ => {}
    }
    let begins = |with: &str| words.iter().any(|word| word.starts_with(with));
    match (begins("t1"), begins("t2")) {
        (false, true) => (Weighting::T2, "its name says T2".to_owned()),
        (true, false) => (Weighting::T1, "its name says T1".to_owned()),
        _ if protocol.echo_time.is_some() => {
            (Weighting::Other, "its echo and repetition times are of neither T1 nor T2".to_owned())
        }
        _ => (Weighting::T2, "nothing says how it is weighted; T2 is assumed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Volume, geometry::Lps};

    fn stack(steps: [Lps; 3]) -> Stack {
        let geometry = Geometry::new([200, 300, 2], [0.0; 3], steps).unwrap();
        let slices = vec![None, None];
        Stack { volume: Volume::filled(geometry, 0.0), slices, back: None, notes: Vec::new() }
    }

    const SAGITTAL: [Lps; 3] = [[0.0, 0.8, 0.0], [0.0, 0.0, -0.8], [-4.0, 0.0, 0.0]];
    /// Through a disc that is tilted by 40 degrees.
    const AXIAL: [Lps; 3] = [[0.6, 0.0, 0.0], [0.0, 0.46, -0.386], [0.0, 2.57, 3.06]];
    const CORONAL: [Lps; 3] = [[0.8, 0.0, 0.0], [0.0, 0.0, -0.8], [0.0, 4.0, 0.0]];

    fn kind_of(steps: &[[Lps; 3]], name: &str, te: f64, tr: f64) -> Kind {
        let protocol = Protocol {
            echo_time: (te > 0.0).then_some(te),
            repetition_time: (tr > 0.0).then_some(tr),
            ..Protocol::default()
        };
        let stacks = steps.iter().map(|steps| stack(*steps)).collect();
        Series::new(name.to_owned(), protocol, stacks, Vec::new()).kind
    }

    #[test]
    fn geometry_is_asked_first() {
        assert_eq!(kind_of(&[SAGITTAL], "", 100.0, 3000.0), Kind::SagittalT2);
        assert_eq!(kind_of(&[AXIAL, AXIAL], "sag t2", 100.0, 3000.0), Kind::AxialT2);
        assert_eq!(kind_of(&[CORONAL], "sag t2", 100.0, 3000.0), Kind::Other);
        assert_eq!(kind_of(&[SAGITTAL, AXIAL], "t2", 100.0, 3000.0), Kind::Other);
        assert_eq!(kind_of(&[], "t2", 100.0, 3000.0), Kind::Other);
    }

    #[test]
    fn physics_comes_before_names() {
        assert_eq!(kind_of(&[SAGITTAL], "T2 SAG", 10.0, 600.0), Kind::SagittalT1);
        assert_eq!(kind_of(&[SAGITTAL], "T2 SAG STIR", 100.0, 4000.0), Kind::Other);
        assert_eq!(kind_of(&[SAGITTAL], "vb1_T1_img", 0.0, 0.0), Kind::SagittalT1);
        assert_eq!(kind_of(&[SAGITTAL], "t2w_tse", 0.0, 0.0), Kind::SagittalT2);
        assert_eq!(kind_of(&[SAGITTAL], "PD", 30.0, 3000.0), Kind::Other);
        assert_eq!(kind_of(&[SAGITTAL], "spine", 0.0, 0.0), Kind::SagittalT2);
    }
}
