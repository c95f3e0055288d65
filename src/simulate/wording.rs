//! Grades and findings in a radiologist's words.

use super::spine::Seen;
use super::{SimulatedFinding, chance, pick};
use crate::extract::Finding;
use crate::label::{Certainty, Grade, Level};

/// What is said of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub grade: Grade,
    pub certainty: Certainty,
}

/// A structure that has two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paired {
    Foramen,
    Recess,
}

/// Words of degree, by grade.
const DEGREES: [(Grade, &[&str]); 5] = [
    (Grade::Mild, &["mild", "mild", "mild", "minimal", "slight", "minor"]),
    (Grade::MildModerate, &["mild to moderate", "mild-to-moderate", "mild/moderate"]),
    (Grade::Moderate, &["moderate", "moderate", "moderate", "intermediate"]),
    (Grade::ModerateSevere, &["moderate to severe", "moderate-to-severe", "moderately severe"]),
    (
        Grade::Severe,
        &["severe", "severe", "severe", "marked", "high-grade", "critical", "advanced"],
    ),
];

/// Adverbs of degree, where a grade has one.
const ADVERBS: [(Grade, &[&str]); 3] = [
    (Grade::Mild, &["mildly", "slightly", "minimally"]),
    (Grade::Moderate, &["moderately"]),
    (Grade::Severe, &["severely", "markedly"]),
];

const CANALS: [&str; 4] = ["canal", "central canal", "spinal canal", "spinal canal"];
const NARROWINGS: [&str; 3] = ["stenosis", "narrowing", "stenosis"];
const HEDGES: [&str; 5] = ["possible", "probable", "suspected", "likely", "questionable"];

const CANAL_IS_NORMAL: [&str; 9] = [
    "The spinal canal is patent",
    "The canal is adequate",
    "No canal stenosis",
    "No spinal canal narrowing",
    "There is no central canal stenosis",
    "The central canal is of normal calibre and patent",
    "No significant canal stenosis",
    "Central canal is patent",
    "No evidence of spinal canal stenosis",
];

const FORAMINA_ARE_NORMAL: [&str; 7] = [
    "The neural foramina are patent",
    "No foraminal narrowing",
    "No neural foraminal stenosis",
    "Both neural foramina are patent",
    "There is no foraminal stenosis",
    "Neural foramina are adequate",
    "The foramina are widely patent",
];

const RECESSES_ARE_NORMAL: [&str; 4] = [
    "The lateral recesses are patent",
    "No lateral recess stenosis",
    "Lateral recesses are clear and patent",
    "There is no lateral recess narrowing",
];

/// The canal and the foramina at once.
pub(super) const BOTH_ARE_NORMAL: [&str; 6] = [
    "No canal or foraminal stenosis",
    "No spinal canal or neural foraminal narrowing",
    "The canal and neural foramina are patent",
    "There is no canal or foraminal narrowing",
    "No significant canal or foraminal stenosis",
    "Canal and foramina are patent",
];

/// The canal everywhere (rule 5).
pub(super) const CANAL_IS_NORMAL_EVERYWHERE: [&str; 4] = [
    "No spinal canal stenosis at any level.",
    "There is no canal stenosis at any level.",
    "No central canal stenosis at any lumbar level.",
    "The spinal canal is patent at all levels.",
];

/// Everything at the levels that are not named (rule 7).
pub(super) const OTHERS_ARE_NORMAL: [&str; 5] = [
    "The remaining levels are normal.",
    "Remaining levels are unremarkable.",
    "The other levels are unremarkable.",
    "Other levels are normal.",
    "The remaining lumbar levels are normal.",
];

/// Everything at a level (rule 8).
pub(super) const LEVEL_IS_NORMAL: [&str; 5] =
    ["Unremarkable.", "Normal.", "No significant abnormality.", "Unremarkable", "normal"];

/// A degree, in small letters; none for what has none.
fn degree(grade: Grade, random: &mut fastrand::Rng) -> Option<&'static str> {
    let (_, words) = DEGREES.iter().find(|(of, _)| *of == grade)?;
    Some(pick(random, words))
}

/// A narrowing in front of its noun: `probable mild`, `moderate`, nothing for a bare `present`.
fn qualified(said: Said, random: &mut fastrand::Rng) -> String {
    let hedge = (said.certainty == Certainty::Hedged).then(|| pick(random, &HEDGES));
    let words: Vec<&str> = hedge.into_iter().chain(degree(said.grade, random)).collect();
    words.join(" ")
}

/// The canal in one clause, without a stop.
pub(super) fn canal(said: Said, random: &mut fastrand::Rng) -> String {
    if said.grade == Grade::Normal {
        return pick(random, &CANAL_IS_NORMAL).to_owned();
    }
    let adverbs = ADVERBS.iter().find(|(grade, _)| *grade == said.grade);
    if let Some((_, adverbs)) = adverbs
        && said.certainty == Certainty::Stated
        && chance(random, 0.15)
    {
        return format!("The {} is {} narrowed", pick(random, &CANALS), pick(random, adverbs));
    }
    let (canal, narrowing) = (pick(random, &CANALS), pick(random, &NARROWINGS));
    let qualified = qualified(said, random);
    let clause = match random.u8(..5) {
        0 => format!("there is {qualified} {canal} {narrowing}"),
        1 if said.grade != Grade::Present => format!("{qualified} {narrowing} of the {canal}"),
        2 if said.grade != Grade::Present => format!("{qualified} {canal} {narrowing} is present"),
        _ => format!("{qualified} {canal} {narrowing}"),
    };
    sentence_case(&clause)
}

/// Both sides of a structure in one clause; a side without a say is left out.
pub(super) fn pair(
    structure: Paired,
    left: Option<Said>,
    right: Option<Said>,
    random: &mut fastrand::Rng,
) -> Option<String> {
    let clause = match (left, right) {
        (None, None) => return None,
        (Some(left), Some(right)) if left == right => bilateral(structure, left, random),
        (Some(one), None) => one_sided(structure, "left", one, random),
        (None, Some(one)) => one_sided(structure, "right", one, random),
        (Some(left), Some(right)) => {
            let normal = Grade::Normal;
            match (left.grade == normal, right.grade == normal) {
                (false, false) => differing(structure, left, right, random),
                (true, _) => one_and_normal(structure, "right", right, "left", random),
                (_, true) => one_and_normal(structure, "left", left, "right", random),
            }
        }
    };
    Some(sentence_case(&clause))
}

/// The noun before a narrowing, and the noun of one side.
fn nouns(structure: Paired, random: &mut fastrand::Rng) -> (&'static str, &'static str) {
    match structure {
        Paired::Foramen => {
            (pick(random, &["foraminal", "neural foraminal", "foraminal"]), "neural foramen")
        }
        Paired::Recess => ("lateral recess", "lateral recess"),
    }
}

fn bilateral(structure: Paired, said: Said, random: &mut fastrand::Rng) -> String {
    if said.grade == Grade::Normal {
        return match structure {
            Paired::Foramen => pick(random, &FORAMINA_ARE_NORMAL).to_owned(),
            Paired::Recess => pick(random, &RECESSES_ARE_NORMAL).to_owned(),
        };
    }
    let (noun, _) = nouns(structure, random);
    let (qualified, narrowing) = (qualified(said, random), pick(random, &NARROWINGS));
    match random.u8(..4) {
        0 if said.grade != Grade::Present => {
            let both = match structure {
                Paired::Foramen => "neural foramina",
                Paired::Recess => "lateral recesses",
            };
            format!("{qualified} {narrowing} of both {both}")
        }
        1 => format!("there is {qualified} bilateral {noun} {narrowing}"),
        2 => format!("bilateral {qualified} {noun} {narrowing}"),
        _ => format!("{qualified} bilateral {noun} {narrowing}"),
    }
}

fn one_sided(structure: Paired, side: &str, said: Said, random: &mut fastrand::Rng) -> String {
    let (noun, one) = nouns(structure, random);
    if said.grade == Grade::Normal {
        return format!("the {side} {one} is patent");
    }
    let (qualified, narrowing) = (qualified(said, random), pick(random, &NARROWINGS));
    match random.u8(..3) {
        0 if said.grade != Grade::Present => {
            format!("{qualified} {narrowing} of the {side} {one}")
        }
        _ => format!("{qualified} {side} {noun} {narrowing}"),
    }
}

fn one_and_normal(
    structure: Paired,
    side: &str,
    said: Said,
    normal: &str,
    random: &mut fastrand::Rng,
) -> String {
    let (_, one) = nouns(structure, random);
    format!("{}. The {normal} {one} is patent", one_sided(structure, side, said, random))
}

fn differing(structure: Paired, left: Said, right: Said, random: &mut fastrand::Rng) -> String {
    let (noun, _) = nouns(structure, random);
    let narrowing = pick(random, &NARROWINGS);
    let bare = |said: Said| said.grade == Grade::Present || said.certainty == Certainty::Hedged;
    if bare(left) || bare(right) {
        // Where a degree or a hedge would reach over to the other side, two sentences are plain.
        let left = format!("{} left {noun} {narrowing}", qualified(left, random));
        let right = format!("{} right {noun} {narrowing}", qualified(right, random));
        return format!("{}. {}", left.trim_start(), sentence_case(&right));
    }
    let (left, right) = (qualified(left, random), qualified(right, random));
    if random.bool() {
        format!("{right} right and {left} left {noun} {narrowing}")
    } else {
        format!("{left} left and {right} right {noun} {narrowing}")
    }
}

/// A clause with a capital and single spaces.
pub(super) fn sentence_case(clause: &str) -> String {
    let clause = clause.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut letters = clause.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What is found at a disc or its joints: the words, and the finding that they affirm.
const LESIONS: [(&str, Finding, f64); 17] = [
    ("Diffuse disc bulge", Finding::Bulge, 0.1),
    ("Disc bulge", Finding::Bulge, 0.1),
    ("Broad-based disc bulge", Finding::Bulge, 0.1),
    ("Circumferential bulge", Finding::Bulge, 0.15),
    ("Left paracentral disc protrusion", Finding::Protrusion, 0.25),
    ("Right paracentral disc protrusion", Finding::Protrusion, 0.25),
    ("Shallow central protrusion", Finding::Protrusion, 0.25),
    ("Central disc extrusion", Finding::Extrusion, 0.5),
    ("Left paracentral extrusion", Finding::Extrusion, 0.5),
    ("Right subarticular extrusion with caudal migration", Finding::Extrusion, 0.55),
    ("Posterior annular fissure", Finding::AnnularFissure, 0.2),
    ("Bilateral facet arthropathy", Finding::FacetArthropathy, 0.15),
    ("Facet hypertrophy", Finding::FacetArthropathy, 0.2),
    ("Ligamentum flavum thickening", Finding::FlavumThickening, 0.35),
    ("Ligamentum flavum hypertrophy", Finding::FlavumThickening, 0.35),
    ("Modic type 2 endplate changes", Finding::ModicChange, 0.3),
    ("Modic type 1 change of the endplates", Finding::ModicChange, 0.4),
];

const NO_LESIONS: [(&str, Finding); 5] = [
    ("No disc bulge", Finding::Bulge),
    ("No disc protrusion", Finding::Protrusion),
    ("No disc extrusion", Finding::Extrusion),
    ("No nerve root compression", Finding::NerveRootCompression),
    ("No facet arthropathy", Finding::FacetArthropathy),
];

/// Clauses about the disc and joints of a level that is worn so much, with what they say. Where it is
/// known what is seen there, nothing else is said.
pub(super) fn lesions(
    level: Level,
    worn: f64,
    seen: Option<&Seen>,
    random: &mut fastrand::Rng,
) -> Vec<(String, SimulatedFinding)> {
    let count = match seen {
        // Most of what is drawn is not seen.
        Some(_) => random.usize(..12),
        None if worn < 0.15 => 0,
        None => random.usize(..4).min(1 + (worn * 4.0) as usize),
    };
    let mut clauses: Vec<(String, SimulatedFinding)> = Vec::new();
    for _ in 0..count {
        let (words, finding, least) = LESIONS[random.usize(..LESIONS.len())];
        let is_new = clauses.iter().all(|(_, said)| said.finding != finding);
        let is_true = seen.map_or(worn >= least, |seen| seen.allows(words, finding));
        if is_true && is_new {
            let certainty = Certainty::Stated;
            let said = SimulatedFinding { finding, level: Some(level), negated: false, certainty };
            clauses.push((words.to_owned(), said));
        }
    }
    if clauses.is_empty() && chance(random, 0.25) {
        let (words, finding) = NO_LESIONS[random.usize(..NO_LESIONS.len())];
        let certainty = Certainty::Stated;
        let said = SimulatedFinding { finding, level: Some(level), negated: true, certainty };
        if seen.is_none_or(|seen| !seen.findings.contains(&finding)) {
            clauses.push((words.to_owned(), said));
        }
    }
    clauses
}
