//! The shape of a report: sections, lines, paragraphs, notes.

use super::Dictation;
use crate::label::{Level, LevelSet};
use crate::simulate::grammar::Given;
use crate::simulate::wording::sentence_case;

/// How levels follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A line a level.
    Lines,
    /// The level alone on its line.
    Headed,
    /// All levels in one paragraph.
    Prose,
}

const TITLES: [&str; 6] = [
    "MRI LUMBAR SPINE",
    "MRI of the lumbar spine without contrast",
    "LSS MRI :",
    "MR Lumbar Spine",
    "EXAM: MRI lumbar spine",
    "Lumbosacral spine MRI",
];
const HISTORY: [&str; 5] =
    ["INDICATION", "Clinical history", "HISTORY", "Clinical details", "Reason"];
const FINDINGS: [&str; 4] = ["FINDINGS", "Findings", "Report", "REPORT"];
const IMPRESSION: [&str; 5] = ["IMPRESSION", "Impression", "CONCLUSION", "Conclusion", "Opinion"];

/// The text of a report. What it states is left in the dictation.
pub(super) fn report(dictation: &mut Dictation<'_>) -> String {
    match dictation.random.u32(..10) {
        0..6 => dictation.full(),
        6..8 => dictation.paragraph(),
        _ => dictation.note(),
    }
}

impl Dictation<'_> {
    fn one_of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.random.usize(..all.len())]
    }

    fn full(&mut self) -> String {
        let mut text = String::new();
        if self.chance(0.7) {
            text += &format!("{}\n\n", self.one_of(&TITLES));
        }
        if self.chance(0.8) {
            text += &format!("{}: {}\n\n", self.one_of(&HISTORY), self.sentence("history"));
        }
        text += &format!("{}:\n", self.one_of(&FINDINGS));
        for _ in 0..self.random.usize(..3) {
            text += &format!("{}\n", self.sentence("elsewhere"));
        }
        let mut everywhere = self.chance(0.2);
        if everywhere && self.chance(0.5) {
            text += &(sentence_case(&self.everywhere()) + ".\n");
            everywhere = false;
        }
        let layout = [Layout::Lines, Layout::Headed, Layout::Prose][self.random.usize(..3)];
        let mentioned = self.chosen(0.75);
        text += &self.levels(&mentioned, layout);
        let all = union(&mentioned);
        if self.chance(0.4) {
            text += &format!("\n{}.\n", sentence_case(&self.others(all)));
        } else if everywhere {
            text += &format!("\n{}.\n", sentence_case(&self.everywhere()));
        }
        if self.chance(0.3) {
            text += &format!("\n{}\n", self.sentence("elsewhere"));
        }
        if self.chance(0.6) {
            text += &format!("\n{}:\n", self.one_of(&IMPRESSION));
            text += &self.impression(&mentioned);
        }
        if self.chance(0.15) {
            text += &format!("\nRecommendation: {}\n", self.sentence("advice"));
        }
        text
    }

    /// A report in one or two paragraphs.
    fn paragraph(&mut self) -> String {
        let mut text = String::new();
        if self.chance(0.4) {
            text += &format!("{}\n", self.one_of(&TITLES));
        }
        for _ in 0..self.random.usize(..2) {
            text += &format!("{} ", self.sentence("elsewhere"));
        }
        let mentioned = self.chosen(0.5);
        text += &self.levels(&mentioned, Layout::Prose);
        text = text.trim_end().to_owned();
        match self.random.u32(..3) {
            0 => text += &format!("\n\n{}.", sentence_case(&self.others(union(&mentioned)))),
            1 => text += &format!("\n\n{}.", sentence_case(&self.everywhere())),
            _ => {}
        }
        text
    }

    /// A clinic's note: a line or a few.
    fn note(&mut self) -> String {
        let mut text = String::new();
        if self.chance(0.6) {
            text += &format!("{}\n", self.one_of(&TITLES));
        }
        if self.chance(0.4) {
            text += &format!("{}\n", self.sentence("elsewhere"));
        }
        let groups = self.chosen(0.3);
        for &levels in &groups {
            let (clauses, name) = (self.about(levels), self.names(levels));
            let cause = self.aside("cause");
            text += &match self.random.u32(..3) {
                0 => format!("{cause} noted at {name} level, {}", clauses.join(", ")),
                1 => format!("{name}: {}", clauses.join(", ")),
                _ => format!("at {name} {cause}, {}", clauses.join(" and ")),
            };
            text += self.one_of(&[".\n", "\n", " .\n", ".\n"]);
        }
        if self.chance(0.3) || groups.is_empty() {
            text += &format!("{}.\n", self.everywhere());
        }
        text
    }

    /// The levels that are told, from the top or from the bottom, some of them together.
    fn chosen(&mut self, share: f64) -> Vec<LevelSet> {
        let mut groups: Vec<LevelSet> = Vec::new();
        for level in LevelSet::LUMBAR.iter() {
            let told = self.chance(share) || (level == Level::L4L5 && self.chance(0.7));
            if !told {
                continue;
            }
            let joins = self.chance(0.12);
            match groups.last_mut() {
                Some(last) if joins && last.len() == 1 => *last = last.with(level),
                _ => groups.push(level.into()),
            }
        }
        if self.chance(0.25) {
            groups.reverse();
        }
        groups
    }

    fn levels(&mut self, groups: &[LevelSet], layout: Layout) -> String {
        let mut text = String::new();
        for &levels in groups {
            let clauses = self.about(levels);
            let name = self.names(levels);
            text += &match layout {
                Layout::Lines => format!("{}{}\n", self.opening(&name), self.sentences(clauses)),
                Layout::Headed => format!("{name}\n{}\n\n", self.sentences(clauses)),
                Layout::Prose => self.prose(&name, clauses),
            };
        }
        text
    }

    /// "At L4-L5 there is ...", or the level after what is told of it, where that is one clause.
    fn prose(&mut self, name: &str, clauses: Vec<String>) -> String {
        if let [clause] = &clauses[..]
            && !clause.contains('.')
            && self.chance(0.5)
        {
            return format!("{} at {name}. ", sentence_case(clause));
        }
        format!("At {name}, {} ", self.sentences(clauses))
    }

    fn impression(&mut self, groups: &[LevelSet]) -> String {
        let mut text = String::new();
        for &levels in groups.iter().filter(|levels| levels.len() == 1) {
            if let Some(clause) = self.again(levels) {
                let name = self.names(levels);
                text += &match self.random.u32(..2) {
                    0 => format!("- {} at {name}.\n", sentence_case(&clause)),
                    _ => format!("- {name}: {clause}.\n"),
                };
            }
        }
        if text.is_empty() {
            text = "Degenerative changes as above.\n".to_owned();
        }
        text
    }

    fn opening(&mut self, name: &str) -> String {
        let given = Given { words: vec![("Level", name), ("level", name)], grades: Vec::new() };
        self.grow("begins", &given)
    }

    fn names(&mut self, levels: LevelSet) -> String {
        let names: Vec<String> = levels.iter().map(|level| self.level(level)).collect();
        names.join(self.one_of(&[" and ", ", ", " & "]))
    }

    fn sentence(&mut self, list: &str) -> String {
        sentence_case(&self.aside(list)) + "."
    }

    /// Clauses as sentences, some of them joined by commas.
    fn sentences(&mut self, clauses: Vec<String>) -> String {
        let mut text = String::new();
        for (at, clause) in clauses.iter().enumerate() {
            let last = at + 1 == clauses.len();
            let opens = text.is_empty() || text.ends_with(". ");
            text += &if opens { sentence_case(clause) } else { clause.clone() };
            text += if last {
                "."
            } else if self.chance(0.25) {
                ", "
            } else if self.chance(0.1) {
                "; "
            } else {
                ". "
            };
        }
        text
    }
}

fn union(groups: &[LevelSet]) -> LevelSet {
    groups.iter().fold(LevelSet::EMPTY, |all, levels| all.union(*levels))
}
