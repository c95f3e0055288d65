//! Segments to readings: what the reader `grader` says of each disc.

use serde::{Deserialize, Serialize};

use crate::engine::grader::{Graded, Grader};
use crate::imaging::Segment;
use crate::label::{
    Cell, Certainty, Doubt, Evidence, Grade, GradeSet, LADDER, Level, Opinion, OutcomeSet, Reader,
    ReaderKind, Shares, Target, Verdict,
};
use crate::store::Body;

/// The reader in the version that a grader, known by its hash, makes of it.
pub fn grader_reader(grader: &Grader) -> Reader {
    let hash = grader.content_hash();
    Reader {
        kind: ReaderKind::Grader,
        name: ReaderKind::Grader.name().to_owned(),
        version: format!("{} ({})", env!("CARGO_PKG_VERSION"), hash.get(..8).unwrap_or(hash)),
        content_hash: hash.to_owned(),
    }
}

/// How a target of a level is graded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetGrade {
    /// Which.
    pub target: Target,
    /// The grade.
    pub grade: Grade,
    /// How probable normal, mild, moderate and severe are.
    pub probabilities: Shares,
    /// The lowest and the highest grade that cannot be excluded.
    pub may_be: [Grade; 2],
}

impl TargetGrade {
    /// Whether more than one grade may be true.
    pub fn is_open(&self) -> bool {
        self.may_be[0] != self.may_be[1]
    }

    fn new(graded: &Graded, coverage: usize) -> Self {
        let set: GradeSet = graded.sets[coverage];
        Self {
            target: graded.target,
            grade: graded.grade,
            probabilities: graded.probabilities,
            may_be: [set.low(), set.high()],
        }
    }
}

/// Grades the lumbar ones of levels that were cut out; nothing of others, which no grader has learned,
/// nor of a level that no crop shows. `coverage` is the place of the coverage that sets of grades have.
pub fn grade(
    grader: &Grader,
    levels: &[(Option<Level>, &Segment)],
    coverage: usize,
) -> Vec<Vec<TargetGrade>> {
    let lumbar = levels.iter().enumerate().filter_map(|(place, &(level, segment))| {
        Some((place, (level.filter(|level| level.is_lumbar())?, segment)))
    });
    let (places, lumbar): (Vec<usize>, Vec<(Level, &Segment)>) = lumbar.unzip();
    let mut grades = vec![Vec::new(); levels.len()];
    for (place, graded) in places.into_iter().zip(grader.grade(&lumbar)) {
        let of = |graded: &Graded| TargetGrade::new(graded, coverage);
        grades[place] = graded.unwrap_or_default().iter().map(of).collect();
    }
    grades
}

/// What the grader reads at a disc; it rests on the part of the images on which that was `measured`. A
/// level without a name has no cells to have opinions of.
pub fn graded_disc(level: Option<Level>, grades: &[TargetGrade], measured: &Body) -> Body {
    let Some(level) = level else { return Body::default() };
    let evidence = measured.opinions.first().map(|opinion| opinion.evidence.clone());
    let evidence = evidence.unwrap_or(Evidence::Spans(Vec::new()));
    let opinion = |of: &TargetGrade| Opinion {
        cell: Cell { level, target: of.target },
        verdict: Verdict::Graded(of.grade),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: Some(among_all(&of.probabilities)),
        doubt: of.is_open().then(|| doubt(of.may_be)),
        evidence: evidence.clone(),
    };
    Body { opinions: grades.iter().map(opinion).collect(), ..Body::default() }
}

fn doubt([low, high]: [Grade; 2]) -> Doubt {
    let may_be = OutcomeSet { grades: Some((low, high)), ..OutcomeSet::default() };
    Doubt { may_be, readers_differ: false, is_cut: false }
}

/// Probabilities of the grades that a grader tells apart, by [`Grade::ALL`].
fn among_all(shares: &Shares) -> [f32; Grade::ALL.len()] {
    let mut all = [0.0; Grade::ALL.len()];
    for (grade, share) in LADDER.into_iter().zip(shares) {
        all[grade as usize] = *share;
    }
    all
}
