//! What is told of one level or several: the clauses, and the statements that they make.

use super::{Dictation, Said, both};
use crate::label::{Directness, Grade, LevelSet, Naming, StenosisType, Target};
use crate::simulate::grammar::Given;

/// How often a clause says each grade. Rarer grades come oftener than in life, to be learned.
const GRADES: [(Grade, u32); 7] = [
    (Grade::Normal, 30),
    (Grade::Mild, 18),
    (Grade::MildModerate, 8),
    (Grade::Moderate, 16),
    (Grade::ModerateSevere, 8),
    (Grade::Severe, 13),
    (Grade::Present, 10),
];

/// The words for a structure that has two sides.
struct Pair {
    stenosis: StenosisType,
    noun: &'static str,
    nouns: &'static str,
    one: &'static str,
}

const FORAMINA: Pair = Pair {
    stenosis: StenosisType::Foraminal,
    noun: "{foraminal}",
    nouns: "{foramina}",
    one: "{foramen}",
};
const RECESSES: Pair = Pair {
    stenosis: StenosisType::Recess,
    noun: "{recessal}",
    nouns: "{recesses}",
    one: "{recess}",
};

/// The names that phrases have for the left side and for the right.
const SIDES: [[(&str, &str); 4]; 2] = {
    let left = ("{side_left}", "{on_left}");
    let right = ("{side_right}", "{on_right}");
    [
        [("side", left.0), ("on_side", left.1), ("other", right.0), ("on_other", right.1)],
        [("side", right.0), ("on_side", right.1), ("other", left.0), ("on_other", left.1)],
    ]
};

impl Dictation<'_> {
    fn grade(&mut self) -> Grade {
        let all: u32 = GRADES.iter().map(|(_, weight)| weight).sum();
        let mut left = self.random.u32(..all);
        for (grade, weight) in GRADES {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return grade,
            }
        }
        Grade::Normal
    }

    fn degree(&mut self) -> Grade {
        loop {
            let grade = self.grade();
            if grade.has_degree() {
                return grade;
            }
        }
    }

    /// All clauses about some levels, and what they state.
    pub(super) fn about(&mut self, levels: LevelSet) -> Vec<String> {
        let mut clauses = Vec::new();
        if self.chance(0.16) {
            self.state(levels, &Target::ALL, Said::stated(Grade::Normal), Naming::Named);
            return vec![self.plain("level_normal")];
        }
        if self.chance(0.12) {
            clauses.push(self.several(levels));
        } else {
            if self.chance(0.72) {
                clauses.push(self.canal(levels));
            }
            if self.chance(0.68) {
                clauses.push(self.pair(&FORAMINA, levels));
            }
            if self.chance(0.3) {
                clauses.push(self.pair(&RECESSES, levels));
            }
        }
        if self.chance(0.2) {
            self.random.shuffle(&mut clauses);
        }
        if self.chance(0.12) {
            clauses.insert(0, self.lesion(levels));
        }
        self.with_asides(clauses)
    }

    /// Clauses with what stands among them and labels nothing.
    fn with_asides(&mut self, mut clauses: Vec<String>) -> Vec<String> {
        for (list, share) in [("beside", 0.3), ("vague", 0.05), ("contact", 0.08)] {
            if self.chance(share) {
                let aside = self.aside(list);
                let at = self.random.usize(..=clauses.len());
                clauses.insert(at, aside);
            }
        }
        if self.chance(0.7) || clauses.is_empty() {
            let cause = self.aside("cause");
            let bound = !clauses.is_empty() && self.chance(0.45);
            if bound {
                let joint = match self.random.u8(..3) {
                    0 => ", ".to_owned(),
                    1 => " ".to_owned() + &self.plain("producing") + " ",
                    _ => " noted, ".to_owned(),
                };
                clauses[0] = format!("{cause}{joint}{}", clauses[0]);
            } else {
                clauses.insert(0, cause);
            }
        }
        clauses
    }

    /// A clause about canal, foramina and perhaps recesses at once.
    fn several(&mut self, levels: LevelSet) -> String {
        let mut targets = vec![Target::Central];
        targets.extend(both(StenosisType::Foraminal));
        let grade = if self.chance(0.6) { Grade::Normal } else { self.grade() };
        let list = match grade {
            Grade::Normal if self.chance(0.25) => {
                targets.extend(both(StenosisType::Recess));
                "triple_normal"
            }
            Grade::Normal => "all_normal",
            Grade::Present => "all_present",
            _ => "all_graded",
        };
        self.state(levels, &targets, Said::stated(grade), Naming::Named);
        self.grow(list, &graded(grade))
    }

    /// A clause about the canal, or about the thecal sac in it.
    fn canal(&mut self, levels: LevelSet) -> String {
        let grade = self.grade();
        let (list, said) = match self.random.u32(..100) {
            0..20 => (["sac_normal", "sac_graded", "sac_present"], Said::indirect(grade)),
            20..26 if grade.has_degree() => (["canal_hedged"; 3], Said::hedged(grade)),
            26..32 if grade.has_degree() => (["canal_changed"; 3], Said::stated(grade)),
            32..36 if grade == Grade::Normal => (["canal_decompressed"; 3], Said::stated(grade)),
            _ => (["canal_normal", "canal_graded", "canal_present"], Said::stated(grade)),
        };
        // The sac has adverbs of three degrees only (rule 11).
        let said = match (said.directness, grade) {
            (Directness::Indirect, Grade::MildModerate) => Said::indirect(Grade::Mild),
            (Directness::Indirect, Grade::ModerateSevere) => Said::indirect(Grade::Severe),
            _ => said,
        };
        self.state(levels, &[Target::Central], said, Naming::Named);
        let before = self.degree().name();
        let mut given = graded(said.grade);
        given.grades.push(("before", before));
        let mut clause = self.grow(list[kind(said.grade)], &given);
        if said.directness == Directness::Indirect && self.chance(0.15) {
            // The canal decides (rule 22a).
            self.state(levels, &[Target::Central], Said::stated(Grade::Normal), Naming::Named);
            clause += ". ";
            clause += &self.plain("canal_normal");
        }
        clause
    }

    /// A clause about a structure on both sides, or on one.
    fn pair(&mut self, pair: &Pair, levels: LevelSet) -> String {
        let [left, right] = both(pair.stenosis)[..] else { return String::new() };
        let grade = self.grade();
        match self.random.u32(..100) {
            0..50 => {
                let hedged = grade.has_degree() && self.chance(0.08);
                let (list, said) = match hedged {
                    true => (["pair_hedged"; 3], Said::hedged(grade)),
                    false => (["pair_normal", "pair_graded", "pair_present"], Said::stated(grade)),
                };
                self.state(levels, &[left, right], said, Naming::Named);
                let mut clause = self.grow(list[kind(grade)], &pair.given(grade, 0));
                if grade.is_stenosis() && self.chance(0.12) {
                    clause += &self.plain("leaning");
                }
                clause
            }
            50..72 => {
                let side = self.random.usize(..2);
                let hedged = grade.has_degree() && self.chance(0.08);
                let (list, said) = match hedged {
                    true => (["side_hedged"; 3], Said::hedged(grade)),
                    false => (["side_normal", "side_graded", "side_present"], Said::stated(grade)),
                };
                self.state(levels, &[[left, right][side]], said, Naming::Named);
                self.grow(list[kind(grade)], &pair.given(grade, side))
            }
            72..90 => {
                let (on_left, on_right) = (self.degree(), self.degree());
                self.state(levels, &[left], Said::stated(on_left), Naming::Named);
                self.state(levels, &[right], Said::stated(on_right), Naming::Named);
                let mut given = pair.given(on_left, 0);
                given.grades = vec![("left", on_left.name()), ("right", on_right.name())];
                self.grow("pair_differs", &given)
            }
            _ => {
                let (side, grade) = (self.random.usize(..2), self.degree());
                let sides = [left, right];
                self.state(levels, &[sides[side]], Said::stated(grade), Naming::Named);
                self.state(levels, &[sides[1 - side]], Said::stated(Grade::Normal), Naming::Named);
                self.grow("side_and_normal", &pair.given(grade, side))
            }
        }
    }

    /// A lesion of one side that narrows "the foramen": that side's (rule 17).
    fn lesion(&mut self, levels: LevelSet) -> String {
        let pair = if self.chance(0.7) { &FORAMINA } else { &RECESSES };
        let side = self.random.usize(..2);
        let target = both(pair.stenosis)[side];
        self.state(levels, &[target], Said::stated(Grade::Present), Naming::Named);
        self.grow("lesion_side", &pair.given(Grade::Present, side))
    }

    /// A clause about the whole lumbar spine (rule 5).
    pub(super) fn everywhere(&mut self) -> String {
        let foramina = both(StenosisType::Foraminal);
        let (list, targets) = match self.random.u32(..10) {
            0..6 => ("canal_normal_everywhere", vec![Target::Central]),
            6..8 => ("foramina_normal_everywhere", foramina),
            _ => ("all_normal_everywhere", [vec![Target::Central], foramina].concat()),
        };
        self.state(LevelSet::LUMBAR, &targets, Said::stated(Grade::Normal), Naming::Universal);
        self.plain(list)
    }

    /// A clause about every level that is not mentioned (rule 7).
    pub(super) fn others(&mut self, mentioned: LevelSet) -> String {
        let others = self.unmentioned(mentioned);
        self.state(others, &Target::ALL, Said::stated(Grade::Normal), Naming::Named);
        self.plain("others_normal")
    }

    /// The canal of one level once more, as an impression repeats it.
    pub(super) fn again(&mut self, levels: LevelSet) -> Option<String> {
        let level = levels.iter().next()?;
        let said = self
            .statements
            .iter()
            .rev()
            .find(|statement| {
                statement.cell.level == level && statement.cell.target == Target::Central
            })
            .filter(|statement| {
                statement.grade.has_degree() && statement.directness == Directness::Direct
            })
            .map(|statement| Said::stated(statement.grade))?;
        self.state(level.into(), &[Target::Central], said, Naming::Named);
        Some(self.grow("canal_graded", &graded(said.grade)))
    }
}

impl Pair {
    /// The words of this structure for a grade, told of a side: 0 for left, 1 for right.
    fn given(&self, grade: Grade, side: usize) -> Given<'static> {
        let mut given = graded(grade);
        given.words.extend([("noun", self.noun), ("nouns", self.nouns), ("one", self.one)]);
        given.words.extend(SIDES[side]);
        given
    }
}

fn graded(grade: Grade) -> Given<'static> {
    Given { words: Vec::new(), grades: vec![("", grade.name())] }
}

/// Which of the lists for normal, for a degree and for none a grade is told from.
const fn kind(grade: Grade) -> usize {
    match grade {
        Grade::Normal => 0,
        Grade::Present => 2,
        _ => 1,
    }
}
