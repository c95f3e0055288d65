//! How a radiologist tells a spine: the layouts that reports come in.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::spine::Spine;
use super::wording::{self, Paired, Said};
use super::{SimulatedFinding, aside, chance, patient, pick};
use crate::extract::Finding;
use crate::label::{Cell, CellLabel, Certainty, Grade, Level, Target, Verdict};

/// A text with what it says.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub text: String,
    pub labels: Vec<CellLabel>,
    pub findings: Vec<SimulatedFinding>,
}

/// How levels are spelt.
const SPELLINGS: [fn(Level) -> String; 5] = [
    |level| level.name().to_owned(),
    |level| level.name().replacen("-L", "-", 1),
    |level| level.name().replacen("-L", "/", 1).replacen("-S", "/S", 1),
    |level| level.name().replace('-', "/"),
    |level| level.name().replacen("-L", " - L", 1).replacen("-S", " - S", 1),
];

/// How a report is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// `L4-L5: ...` on a line a level.
    Lines,
    /// The same with a dash before each.
    Bullets,
    /// The level alone on its line, its sentences beneath.
    Headed,
    /// `At L4-L5, ...` in a paragraph a level.
    Prose,
    /// A few lines without headings, on the worst levels only.
    Note,
}

/// Whether headings shout, and what they are called.
struct Headings {
    indication: &'static str,
    technique: &'static str,
    comparison: &'static str,
    findings: &'static str,
    impression: &'static str,
}

const HEADINGS: [Headings; 4] = [
    Headings {
        indication: "INDICATION",
        technique: "TECHNIQUE",
        comparison: "COMPARISON",
        findings: "FINDINGS",
        impression: "IMPRESSION",
    },
    Headings {
        indication: "Clinical history",
        technique: "Technique",
        comparison: "Comparison",
        findings: "Findings",
        impression: "Impression",
    },
    Headings {
        indication: "Clinical details",
        technique: "Technique",
        comparison: "Comparison",
        findings: "Report",
        impression: "Conclusion",
    },
    Headings {
        indication: "HISTORY",
        technique: "TECHNIQUE",
        comparison: "COMPARISON",
        findings: "FINDINGS",
        impression: "CONCLUSION",
    },
];

/// Writes the report of a spine.
pub(super) fn write(spine: &Spine, random: &mut fastrand::Rng) -> Written {
    let layout = match random.u8(..20) {
        0..7 => Layout::Lines,
        7..9 => Layout::Bullets,
        9..12 => Layout::Headed,
        12..16 => Layout::Prose,
        _ => Layout::Note,
    };
    let mut teller = Teller {
        layout,
        spelling: SPELLINGS[random.usize(..SPELLINGS.len())],
        spine,
        said: BTreeMap::new(),
        written: Written::default(),
    };
    if layout == Layout::Note {
        teller.note(random)
    } else {
        teller.full(random)
    }
    teller.finish()
}

/// An addendum that changes nothing.
pub(super) fn addendum(random: &mut fastrand::Rng) -> Written {
    const ADDENDA: [&str; 5] = [
        "ADDENDUM: Prior outside images have become available and were reviewed.",
        "ADDENDUM: The report was discussed with the referring team by telephone.",
        "ADDENDUM: The side marker was checked and is correct.",
        "ADDENDUM: Images were reviewed in conference.",
        "ADDENDUM: A copy was sent to the family physician.",
    ];
    let text = format!("{}\n{}", pick(random, &ADDENDA), aside::closing(random));
    Written { text, ..Written::default() }
}

/// How a narrowing is told.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// Without a degree.
    bare: bool,
    /// With a hedge.
    hedged: bool,
}

impl Manner {
    fn draw(random: &mut fastrand::Rng) -> Self {
        Self { bare: chance(random, 0.06), hedged: chance(random, 0.05) }
    }
}

/// A report in the making.
struct Teller<'a> {
    layout: Layout,
    spelling: fn(Level) -> String,
    spine: &'a Spine,
    /// What was said of each cell so far.
    said: BTreeMap<Cell, Said>,
    written: Written,
}

impl Teller<'_> {
    fn finish(mut self) -> Written {
        self.written.labels = self
            .said
            .iter()
            .map(|(&cell, said)| CellLabel {
                cell,
                verdict: Verdict::Graded(said.grade),
                certainty: said.certainty,
                conflict: false,
            })
            .collect();
        self.written
    }

    fn line(&mut self, text: &str) {
        self.written.text.push_str(text);
        self.written.text.push('\n');
    }

    /// A whole report.
    fn full(&mut self, random: &mut fastrand::Rng) {
        let headings = &HEADINGS[random.usize(..HEADINGS.len())];
        if chance(random, 0.7) {
            self.line(pick(
                random,
                &["MRI LUMBAR SPINE WITHOUT CONTRAST\n", "MRI of the lumbar spine\n"],
            ));
        }
        self.line(&format!("{}: {}\n", headings.indication, patient::indication(random)));
        if chance(random, 0.7) {
            self.line(&format!("{}: {}\n", headings.technique, aside::technique(random)));
        }
        if chance(random, 0.6) {
            self.line(&format!("{}: {}\n", headings.comparison, aside::comparison(random)));
        }
        self.line(&format!("{}:", headings.findings));
        self.opening(random);
        let levels: Vec<Level> = self.spine.levels.iter().map(|state| state.level).collect();
        let rest = levels.iter().take_while(|&&level| self.spine.is_unmentioned(level)).count();
        // What is normal from the top down may be told at once, at the end.
        let skipped = if chance(random, 0.4) { rest.min(levels.len() - 1) } else { 0 };
        for &level in &levels[skipped..] {
            self.level(level, random);
        }
        if skipped > 0 {
            self.others_are_normal(&levels[..skipped], random);
        }
        for _ in 0..random.usize(1..4) {
            self.line(aside::elsewhere(random));
        }
        for _ in 0..random.usize(..3) {
            self.line(&aside::incidental(random));
        }
        self.line("");
        self.line(&format!("{}:", headings.impression));
        self.impression(random);
        if chance(random, 0.4) {
            self.line(&format!("\n{}", aside::closing(random)));
        }
        if chance(random, 0.8) {
            self.line(&format!("\n{}", aside::signature(random)));
        }
    }

    /// What stands before the levels.
    fn opening(&mut self, random: &mut fastrand::Rng) {
        self.count_vertebrae();
        for _ in 0..random.usize(1..4) {
            self.line(aside::alignment(random));
        }
        if let Some(level) = self.spine.operated {
            let level_name = (self.spelling)(level);
            self.line(&format!("Status post laminectomy at {level_name}."));
            self.mention(Finding::PriorSurgery, Some(level));
        }
        for state in self.spine.levels.iter().filter(|state| state.slipped.is_some()) {
            let (above, below) = state.level.name().split_once('-').unwrap_or_default();
            let grade = state.slipped.unwrap_or(1);
            let text = format!("Grade {grade} anterolisthesis of {above} on {below}.\n");
            self.written.text.push_str(&text);
            self.written.findings.push(SimulatedFinding {
                finding: Finding::Listhesis,
                level: Some(state.level),
                negated: false,
                certainty: Certainty::Stated,
            });
        }
        self.line("");
    }

    fn count_vertebrae(&mut self) {
        if self.spine.has_six() {
            self.line("There are six lumbar type vertebrae.");
            self.mention(Finding::TransitionalAnatomy, None);
        }
    }

    fn mention(&mut self, finding: Finding, level: Option<Level>) {
        let certainty = Certainty::Stated;
        self.written.findings.push(SimulatedFinding { finding, level, negated: false, certainty });
    }

    /// All that is said of one level.
    fn level(&mut self, level: Level, random: &mut fastrand::Rng) {
        let name = (self.spelling)(level);
        let is_bare = self.spine.is_normal(level) && self.spine.operated != Some(level);
        if is_bare && self.layout != Layout::Prose && chance(random, 0.35) {
            let words = pick(random, &wording::LEVEL_IS_NORMAL);
            self.put_level(&name, words);
            self.say_normal(level);
            return;
        }
        let mut clauses = self.lesions(level, random);
        clauses.extend(self.cells(level, random));
        let text = clauses.iter().map(|clause| format!("{clause}.")).collect::<Vec<_>>().join(" ");
        self.put_level(&name, &text);
    }

    fn put_level(&mut self, name: &str, text: &str) {
        let line = match self.layout {
            Layout::Lines | Layout::Note => format!("{name}: {text}"),
            Layout::Bullets => format!("- {name}: {text}"),
            Layout::Headed => format!("{name}:\n{text}\n"),
            Layout::Prose => format!("At {name}, {}{}\n", text[..1].to_lowercase(), &text[1..]),
        };
        self.line(&line);
    }

    fn lesions(&mut self, level: Level, random: &mut fastrand::Rng) -> Vec<String> {
        let state = self.spine.levels.iter().find(|state| state.level == level);
        let worn = state.map_or(0.0, |state| state.worn);
        let seen = state.and_then(|state| state.seen.as_ref());
        let (clauses, findings): (Vec<_>, Vec<_>) =
            wording::lesions(level, worn, seen, random).into_iter().unzip();
        self.written.findings.extend(findings);
        clauses
    }

    /// The clauses about the cells of a level.
    fn cells(&mut self, level: Level, random: &mut fastrand::Rng) -> Vec<String> {
        let manner = Manner::draw(random);
        let canal = self.as_told(Cell { level, target: Target::Central }, manner);
        let foramina = self.sides(level, [Target::ForaminalLeft, Target::ForaminalRight], random);
        let tells_recess = chance(random, 0.4);
        let recesses = self.sides(level, [Target::RecessLeft, Target::RecessRight], random);
        let recesses = if tells_recess { recesses } else { [None, None] };
        let is_normal = |said: Option<Said>| {
            said.is_some_and(|s| s.grade == Grade::Normal && s.certainty == Certainty::Stated)
        };
        let mut clauses = Vec::new();
        self.say(level, Target::Central, Some(canal));
        self.say(level, Target::ForaminalLeft, foramina[0]);
        self.say(level, Target::ForaminalRight, foramina[1]);
        if is_normal(Some(canal)) && foramina.into_iter().all(is_normal) && chance(random, 0.6) {
            clauses.push(pick(random, &wording::BOTH_ARE_NORMAL).to_owned());
        } else {
            clauses.push(wording::canal(canal, random));
            clauses.extend(wording::pair(Paired::Foramen, foramina[0], foramina[1], random));
        }
        self.say(level, Target::RecessLeft, recesses[0]);
        self.say(level, Target::RecessRight, recesses[1]);
        clauses.extend(wording::pair(Paired::Recess, recesses[0], recesses[1], random));
        clauses
    }

    /// Both sides, of which now and then only the narrow one is told.
    fn sides(
        &self,
        level: Level,
        targets: [Target; 2],
        random: &mut fastrand::Rng,
    ) -> [Option<Said>; 2] {
        let manner = Manner::draw(random);
        let sides = targets.map(|target| self.as_told(Cell { level, target }, manner));
        let leaves_out = chance(random, 0.3) && sides[0] != sides[1];
        sides.map(|said| Some(said).filter(|said| !leaves_out || said.grade != Grade::Normal))
    }

    /// A cell's grade as it is told in a manner. What is normal is told plainly.
    fn as_told(&self, cell: Cell, manner: Manner) -> Said {
        match self.spine.grade(cell) {
            Grade::Normal => Said { grade: Grade::Normal, certainty: Certainty::Stated },
            grade => Said {
                grade: if manner.bare { Grade::Present } else { grade },
                certainty: if manner.hedged { Certainty::Hedged } else { Certainty::Stated },
            },
        }
    }

    fn say(&mut self, level: Level, target: Target, said: Option<Said>) {
        if let Some(said) = said {
            self.said.insert(Cell { level, target }, said);
        }
    }

    fn say_normal(&mut self, level: Level) {
        let normal = Said { grade: Grade::Normal, certainty: Certainty::Stated };
        for target in Target::ALL {
            self.said.entry(Cell { level, target }).or_insert(normal);
        }
    }

    fn others_are_normal(&mut self, levels: &[Level], random: &mut fastrand::Rng) {
        if self.layout != Layout::Lines {
            self.line("");
        }
        self.line(pick(random, &wording::OTHERS_ARE_NORMAL));
        levels.iter().for_each(|&level| self.say_normal(level));
    }

    /// The worst first, in the same words of degree or fewer.
    fn impression(&mut self, random: &mut fastrand::Rng) {
        let mut worst: Vec<(Cell, Said)> =
            self.said.iter().map(|(&cell, &said)| (cell, said)).collect();
        worst.retain(|(cell, said)| {
            cell.target == Target::Central
                && said.grade.has_degree()
                && said.certainty == Certainty::Stated
        });
        worst.sort_by_key(|(_, said)| std::cmp::Reverse(said.grade.rank()));
        worst.truncate(random.usize(1..4));
        if worst.is_empty() {
            self.line(pick(
                random,
                &["Degenerative changes as described.", "No acute abnormality.", "As above."],
            ));
            return;
        }
        let numbered = chance(random, 0.6);
        for (number, (cell, said)) in worst.into_iter().enumerate() {
            let mut text = String::new();
            if numbered {
                let _ = write!(text, "{}. ", number + 1);
            }
            let grade = said.grade.name().replace('_', " to ");
            let name = (self.spelling)(cell.level);
            let _ = write!(text, "{} canal stenosis at {name}.", wording::sentence_case(&grade));
            self.line(&text);
        }
    }

    /// A short note on what is worst, and on the rest together.
    fn note(&mut self, random: &mut fastrand::Rng) {
        let mut levels: Vec<Level> = self.spine.levels.iter().map(|state| state.level).collect();
        let (narrow, normal): (Vec<Level>, Vec<Level>) =
            levels.iter().partition(|&&level| !self.spine.is_normal(level));
        levels = narrow;
        if chance(random, 0.4) {
            self.line(pick(random, &["MRI L-spine.", "Lumbar MRI reviewed.", "MR lumbar spine:"]));
        }
        self.count_vertebrae();
        for level in levels.iter().rev().take(3) {
            self.level(*level, random);
        }
        if levels.len() <= 3 && !levels.is_empty() && !normal.is_empty() && chance(random, 0.5) {
            self.line("");
            self.others_are_normal(&normal, random);
        } else if levels.is_empty() {
            self.line(pick(random, &wording::CANAL_IS_NORMAL_EVERYWHERE));
            let normal = Said { grade: Grade::Normal, certainty: Certainty::Stated };
            for state in &self.spine.levels {
                self.said.insert(Cell { level: state.level, target: Target::Central }, normal);
            }
        }
        if chance(random, 0.3) {
            self.line(&format!("\n{}", aside::incidental(random)));
        }
        if self.written.text.trim().is_empty() || chance(random, 0.7) {
            self.line(&format!("\n{}", aside::signature(random)));
        }
    }
}
