//! The label of a report: what it says by everyone who has read it.

use super::{Cell, Certainty, Opinion, ReaderKind, Status, Verdict};

/// What is said of one cell, without what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellLabel {
    /// The cell.
    pub cell: Cell,
    /// The verdict.
    pub verdict: Verdict,
    /// Stated or hedged.
    pub certainty: Certainty,
    /// The text contradicts itself about the cell (rule 22 d).
    pub conflict: bool,
}

impl From<&Opinion> for CellLabel {
    fn from(opinion: &Opinion) -> Self {
        let &Opinion { cell, verdict, certainty, conflict, .. } = opinion;
        Self { cell, verdict, certainty, conflict }
    }
}

impl CellLabel {
    /// Whether both say the same of the cell; conflict is the text's, not the reader's.
    fn agrees_with(&self, other: &Self) -> bool {
        (self.verdict, self.certainty) == (other.verdict, other.certainty)
    }
}

/// A reader's newest reading of a report, as it counts towards the label. `R` names the reader.
#[derive(Debug, Clone)]
pub struct Vote<R> {
    /// Who.
    pub reader: R,
    /// What kind of reader that is.
    pub kind: ReaderKind,
    /// Whether the reading settles the report.
    pub adjudicates: bool,
    /// At most one a cell, in the order of cells; a cell that is left out is not mentioned.
    pub cells: Vec<CellLabel>,
}

impl<R> Vote<R> {
    pub(super) fn get(&self, cell: Cell) -> Option<&CellLabel> {
        let found = self.cells.iter().find(|label| label.cell == cell);
        found.filter(|label| label.verdict != Verdict::NotMentioned)
    }
}

/// What a report is labelled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLabel<R> {
    /// How far people have settled it.
    pub status: Status,
    /// The labelled cells in order, each with the reader that decided it.
    pub cells: Vec<(CellLabel, R)>,
}

impl<R: Copy> ReportLabel<R> {
    /// The label that follows from all votes on the report's present text.
    ///
    /// Each cell is the adjudicator's, else what all people agree on, else the machine's: that of
    /// rules and fused reader whose vote comes first, so newest first is their order. The image
    /// readers have no say in what a report says. `reopened` tells that people had read an earlier
    /// text, so that the report is theirs to settle again.
    pub fn derive(votes: &[Vote<R>], reopened: bool) -> Self {
        if let Some(settling) = votes.iter().find(|vote| vote.adjudicates) {
            let cells = Cell::all()
                .filter_map(|cell| Some((*settling.get(cell)?, settling.reader)))
                .collect();
            return Self { status: Status::Adjudicated, cells };
        }
        let people: Vec<_> = votes.iter().filter(|v| v.kind == ReaderKind::Person).collect();
        let machine = votes.iter().find(|vote| vote.kind.labels_reports());
        let mut cells = Vec::new();
        let mut agreed = true;
        for cell in Cell::all() {
            let decider = match agreement(&people, cell) {
                Agreement::On(person) => Some(person),
                Agreement::Nobody => machine,
                Agreement::None => {
                    agreed = false;
                    machine
                }
            };
            let label = decider.and_then(|vote| Some((*vote.get(cell)?, vote.reader)));
            cells.extend(label);
        }
        let status = match (people.is_empty(), agreed && !reopened) {
            (true, true) => Status::Machine,
            (false, true) => Status::Agreed,
            (_, false) => Status::ToAdjudicate,
        };
        Self { status, cells }
    }
}

/// Whether people say the same of a cell.
pub(super) enum Agreement<'a, R> {
    /// No person has read.
    Nobody,
    /// They do, as this vote has it.
    On(&'a Vote<R>),
    /// They do not.
    None,
}

pub(super) fn agreement<'a, R>(people: &[&'a Vote<R>], cell: Cell) -> Agreement<'a, R> {
    let Some((first, others)) = people.split_first() else { return Agreement::Nobody };
    let same = |other: &&Vote<R>| match (first.get(cell), other.get(cell)) {
        (Some(one), Some(another)) => one.agrees_with(another),
        (None, None) => true,
        _ => false,
    };
    if others.iter().all(same) { Agreement::On(first) } else { Agreement::None }
}

#[cfg(test)]
mod tests {
    use super::super::{Grade, Level, Target};
    use super::*;

    const CELL: Cell = Cell { level: Level::L4L5, target: Target::Central };

    fn vote(reader: &'static str, kind: ReaderKind, grade: Option<Grade>) -> Vote<&'static str> {
        let cells = grade.map(|grade| CellLabel {
            cell: CELL,
            verdict: Verdict::Graded(grade),
            certainty: Certainty::Stated,
            conflict: false,
        });
        Vote { reader, kind, adjudicates: false, cells: cells.into_iter().collect() }
    }

    fn check(
        votes: &[Vote<&'static str>],
        reopened: bool,
        status: Status,
        said: Option<(Grade, &str)>,
    ) {
        let label = ReportLabel::derive(votes, reopened);
        let found = label.cells.first().map(|(l, by)| (l.verdict.grade().unwrap(), *by));
        assert_eq!((label.status, found), (status, said));
    }

    #[test]
    fn machines_label_until_people_do() {
        let rules = vote("rules", ReaderKind::Rules, Some(Grade::Mild));
        let anna = vote("anna", ReaderKind::Person, Some(Grade::Severe));
        let mild = Some((Grade::Mild, "rules"));
        check(std::slice::from_ref(&rules), false, Status::Machine, mild);
        check(&[rules, anna], false, Status::Agreed, Some((Grade::Severe, "anna")));
    }

    #[test]
    fn of_rules_and_fused_reader_the_newer_one_labels() {
        let rules = vote("rules", ReaderKind::Rules, Some(Grade::Mild));
        let transformer = vote("net", ReaderKind::Transformer, Some(Grade::Severe));
        let fused = vote("both", ReaderKind::Fused, Some(Grade::Moderate));
        let moderate = Some((Grade::Moderate, "both"));
        let all = [fused.clone(), transformer, rules.clone()];
        check(&all, false, Status::Machine, moderate);
        check(&[rules, fused], false, Status::Machine, Some((Grade::Mild, "rules")));
    }

    #[test]
    fn not_mentioned_is_an_opinion_of_who_has_read() {
        let rules = vote("rules", ReaderKind::Rules, Some(Grade::Mild));
        let anna = vote("anna", ReaderKind::Person, None);
        check(&[rules, anna], false, Status::Agreed, None);
    }

    #[test]
    fn people_who_differ_leave_the_cell_to_the_rules_until_it_is_settled() {
        let rules = vote("rules", ReaderKind::Rules, Some(Grade::Mild));
        let anna = vote("anna", ReaderKind::Person, Some(Grade::Severe));
        let ben = vote("ben", ReaderKind::Person, None);
        let mut settled = vote("cora", ReaderKind::Person, Some(Grade::Moderate));
        settled.adjudicates = true;
        let open = [rules, anna, ben];
        check(&open, false, Status::ToAdjudicate, Some((Grade::Mild, "rules")));
        let all = [&open[..], &[settled]].concat();
        check(&all, true, Status::Adjudicated, Some((Grade::Moderate, "cora")));
    }

    #[test]
    fn a_text_changed_after_people_read_it_goes_back_to_them() {
        let rules = vote("rules", ReaderKind::Rules, Some(Grade::Mild));
        check(&[rules], true, Status::ToAdjudicate, Some((Grade::Mild, "rules")));
    }

    #[test]
    fn image_readers_have_no_say_in_what_a_report_says() {
        let grader = vote("net", ReaderKind::Grader, Some(Grade::Severe));
        check(&[grader], false, Status::Machine, None);
    }
}
