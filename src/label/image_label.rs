//! The label of an image: what it shows by everyone who has looked at it.

use super::report_label::{Agreement, agreement};
use super::{Cell, CellLabel, ReaderKind, Vote};

/// Machines that read images, the one whose reading stands first.
const MACHINES: [ReaderKind; 2] = [ReaderKind::Grader, ReaderKind::Measurement];

/// What an image shows, by cell in order, each with the reader that decided it.
///
/// Each cell is the adjudicator's, else what all people who have graded it agree on, else, where no
/// person has graded it, the engine's: the grader's, where it has an opinion, before the
/// measurement's. A person who looked at one cell has said nothing of others, unlike one who has read a
/// report. Readers of text have no say in what an image shows.
pub fn image_label<R: Copy>(votes: &[Vote<R>]) -> Vec<(CellLabel, R)> {
    let decided = |cell| {
        let grading = |vote: &&Vote<R>| vote.get(cell).is_some();
        let settling = votes.iter().filter(grading).find(|vote| vote.adjudicates);
        let people: Vec<_> =
            votes.iter().filter(|v| v.kind == ReaderKind::Person).filter(grading).collect();
        let machine = || {
            let of = |kind| votes.iter().filter(grading).find(|vote| vote.kind == kind);
            MACHINES.into_iter().find_map(of)
        };
        let decider = settling.or_else(|| match agreement(&people, cell) {
            Agreement::On(person) => Some(person),
            Agreement::Nobody => machine(),
            Agreement::None => None,
        })?;
        Some((*decider.get(cell)?, decider.reader))
    };
    Cell::all().filter_map(decided).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Certainty, Grade, Level, Target, Verdict};
    use super::*;

    const CANAL: Cell = Cell { level: Level::L4L5, target: Target::Central };
    const RECESS: Cell = Cell { level: Level::L4L5, target: Target::RecessLeft };

    fn vote(kind: ReaderKind, cells: &[(Cell, Grade)]) -> Vote<ReaderKind> {
        let cells = cells.iter().map(|(cell, grade)| CellLabel {
            cell: *cell,
            verdict: Verdict::Graded(*grade),
            certainty: Certainty::Stated,
            conflict: false,
        });
        Vote { reader: kind, kind, adjudicates: false, cells: cells.collect() }
    }

    fn said(votes: &[Vote<ReaderKind>]) -> Vec<(Cell, Grade, ReaderKind)> {
        let label = image_label(votes).into_iter();
        label.map(|(label, by)| (label.cell, label.verdict.grade().unwrap(), by)).collect()
    }

    #[test]
    fn the_network_stands_before_the_measurement_and_people_before_both() {
        use ReaderKind::{Grader, Measurement, Person};
        let measured = vote(Measurement, &[(CANAL, Grade::Severe)]);
        assert_eq!(said(std::slice::from_ref(&measured)), [(CANAL, Grade::Severe, Measurement)]);
        let graded = vote(Grader, &[(CANAL, Grade::Moderate), (RECESS, Grade::Mild)]);
        let both = [measured, graded];
        let mild = (RECESS, Grade::Mild, Grader);
        assert_eq!(said(&both), [(CANAL, Grade::Moderate, Grader), mild]);
        let person = vote(Person, &[(CANAL, Grade::Normal)]);
        let all = [&both[..], &[person]].concat();
        assert_eq!(said(&all), [(CANAL, Grade::Normal, Person), mild]);
    }

    #[test]
    fn what_people_differ_on_is_open_until_it_is_settled() {
        let one = vote(ReaderKind::Person, &[(CANAL, Grade::Normal)]);
        let other = vote(ReaderKind::Person, &[(CANAL, Grade::Severe)]);
        let machine = vote(ReaderKind::Grader, &[(CANAL, Grade::Severe)]);
        assert_eq!(said(&[one.clone(), other.clone(), machine.clone()]), []);
        let mut settled = other;
        settled.adjudicates = true;
        let severe = (CANAL, Grade::Severe, ReaderKind::Person);
        assert_eq!(said(&[settled, one, machine]), [severe]);
    }

    #[test]
    fn readers_of_text_have_no_say() {
        assert_eq!(said(&[vote(ReaderKind::Fused, &[(CANAL, Grade::Severe)])]), []);
    }
}
