//! A person's work on one report, as the list of edits that it is made of.
//!
//! An edit says what it replaced, so it can be undone; undoing is an edit too. Nothing is ever
//! taken out of the list, so all of it can be undone and redone however often the page is left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cell, Certainty, Evidence, Opinion, Span, Verdict};

/// What a person says of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The verdict.
    pub verdict: Verdict,
    /// Stated or hedged.
    #[serde(default)]
    pub certainty: Certainty,
    /// Words of the text that the person attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Span>,
    /// What the person has to say about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// What is wrong with a report as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Flag {
    Unreadable,
    NotLumbar,
    TransitionalAnatomy,
    /// The report contradicts itself.
    Contradictory,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 4] =
        [Self::Unreadable, Self::NotLumbar, Self::TransitionalAnatomy, Self::Contradictory];

    /// The name in files, such as `not_lumbar`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotLumbar => "not_lumbar",
            Self::TransitionalAnatomy => "transitional_anatomy",
            Self::Contradictory => "contradictory",
        }
    }

    /// The flag in words, as it stands on its switch.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotLumbar => "not lumbar",
            Self::TransitionalAnatomy => "transitional anatomy",
            Self::Contradictory => "contradicts itself",
        }
    }
}

/// What a person says of the report as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notes {
    /// In the order of [`Flag::ALL`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl Notes {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether an edit is a new one, or takes one back or up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum How {
    #[default]
    Do,
    Undo,
    Redo,
}

/// One cell before and after an edit; none where nothing is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the words say it")]
pub struct CellEdit {
    pub cell: Cell,
    #[serde(default)]
    pub before: Option<Choice>,
    #[serde(default)]
    pub after: Option<Choice>,
}

/// The notes before and after an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the words say it")]
pub struct NotesEdit {
    pub before: Notes,
    pub after: Notes,
}

/// One change, of any number of cells at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edit {
    /// New, or an undo or redo.
    pub how: How,
    /// The cells that it changes.
    pub cells: Vec<CellEdit>,
    /// The notes, where it changes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<NotesEdit>,
}

/// Why an edit cannot be of this report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum EditError {
    #[error("{0}: evidence from byte {1} to {2} is not on characters of the report")]
    Evidence(Cell, u32, u32),
    #[error("{0}: a comment of {1} bytes is too long; {LONGEST_COMMENT} are allowed")]
    Comment(String, usize),
}

/// The longest comment, in bytes.
pub const LONGEST_COMMENT: usize = 4000;

impl Edit {
    /// Whether it points at words of the text.
    pub fn names_words(&self) -> bool {
        let after = self.cells.iter().filter_map(|cell| cell.after.as_ref());
        after.into_iter().any(|choice| !choice.evidence.is_empty())
    }

    /// Checks that the edit can be one of a report with this text.
    ///
    /// # Errors
    /// Where evidence lies outside the text, or a comment is too long.
    pub fn check(&self, text: &str) -> Result<(), EditError> {
        for CellEdit { cell, after, .. } in &self.cells {
            let Some(choice) = after else { continue };
            comment_fits(&cell.to_string(), &choice.comment)?;
            for span in &choice.evidence {
                if text.get(span.start as usize..span.end as usize).is_none_or(str::is_empty) {
                    return Err(EditError::Evidence(*cell, span.start, span.end));
                }
            }
        }
        match &self.notes {
            Some(notes) => comment_fits("notes", &notes.after.comment),
            None => Ok(()),
        }
    }
}

fn comment_fits(whose: &str, comment: &str) -> Result<(), EditError> {
    if comment.len() > LONGEST_COMMENT {
        return Err(EditError::Comment(whose.to_owned(), comment.len()));
    }
    Ok(())
}

/// What stands after all edits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// What was chosen; a cell without a choice is as it was shown.
    pub cells: BTreeMap<Cell, Choice>,
    /// What was said of the report as a whole.
    pub notes: Notes,
}

impl Draft {
    /// The fold of edits in their order.
    pub fn of<'a>(edits: impl IntoIterator<Item = &'a Edit>) -> Self {
        let mut draft = Self::default();
        for edit in edits {
            for CellEdit { cell, after, .. } in &edit.cells {
                match after {
                    Some(choice) => draft.cells.insert(*cell, choice.clone()),
                    None => draft.cells.remove(cell),
                };
            }
            if let Some(notes) = &edit.notes {
                draft.notes = notes.after.clone();
            }
        }
        draft
    }

    /// The opinions that the draft comes to, in the order of cells. What was shown and left alone
    /// is taken as it was shown.
    pub fn opinions(&self, shown: &[Opinion]) -> Vec<Opinion> {
        Cell::all()
            .filter_map(|cell| {
                let shown = shown.iter().find(|opinion| opinion.cell == cell);
                match self.cells.get(&cell) {
                    None => shown.and_then(as_ones_own),
                    Some(choice) => Some(opinion(cell, choice, shown)),
                }
            })
            .filter(|opinion| opinion.verdict != Verdict::NotMentioned)
            .collect()
    }

    /// The comments on cells, in the order of cells.
    pub fn comments(&self) -> Vec<(Cell, String)> {
        let comments = self.cells.iter().filter(|(_, choice)| !choice.comment.is_empty());
        comments.map(|(cell, choice)| (*cell, choice.comment.clone())).collect()
    }
}

/// A machine's opinion as that of a person who lets it stand: how sure the machine was is not theirs.
fn as_ones_own(opinion: &Opinion) -> Option<Opinion> {
    let own = Opinion { distribution: None, doubt: None, ..opinion.clone() };
    (own.verdict != Verdict::NotMentioned).then_some(own)
}

/// A choice as an opinion. The evidence is what the person attached, else that of what was shown
/// where both say the same.
fn opinion(cell: Cell, choice: &Choice, shown: Option<&Opinion>) -> Opinion {
    let same = shown.filter(|shown| shown.verdict == choice.verdict);
    let evidence = match same {
        Some(shown) if choice.evidence.is_empty() => shown.evidence.clone(),
        _ => Evidence::Spans(choice.evidence.clone()),
    };
    Opinion {
        cell,
        verdict: choice.verdict,
        certainty: choice.certainty,
        conflict: same.is_some_and(|shown| shown.conflict),
        distribution: None,
        doubt: None,
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Grade, Level, Target};
    use super::*;

    const CELL: Cell = Cell { level: Level::L4L5, target: Target::Central };

    fn choice(grade: Grade) -> Choice {
        Choice {
            verdict: Verdict::Graded(grade),
            certainty: Certainty::Stated,
            evidence: Vec::new(),
            comment: String::new(),
        }
    }

    fn edit(how: How, before: Option<Choice>, after: Option<Choice>) -> Edit {
        Edit { how, cells: vec![CellEdit { cell: CELL, before, after }], notes: None }
    }

    fn shown(grade: Grade) -> Opinion {
        Opinion {
            cell: CELL,
            verdict: Verdict::Graded(grade),
            certainty: Certainty::Hedged,
            conflict: false,
            distribution: None,
            doubt: None,
            evidence: Evidence::Spans(vec![Span { start: 0, end: 4 }]),
        }
    }

    #[test]
    fn an_undone_edit_leaves_what_was_before() {
        let mild = Some(choice(Grade::Mild));
        let severe = Some(choice(Grade::Severe));
        let edits = [
            edit(How::Do, None, mild.clone()),
            edit(How::Do, mild.clone(), severe.clone()),
            edit(How::Undo, severe, mild.clone()),
        ];
        assert_eq!(Draft::of(&edits).cells.get(&CELL), mild.as_ref());
    }

    #[test]
    fn what_was_shown_and_left_alone_is_taken_as_it_was_shown() {
        let proposal = [shown(Grade::Mild)];
        assert_eq!(Draft::default().opinions(&proposal), proposal);
        // How sure a machine is, is not the person's; and what it did not mention, they do not.
        let unsure = Opinion { distribution: Some([0.1; _]), ..shown(Grade::Mild) };
        let doubted = Opinion { verdict: Verdict::NotMentioned, ..shown(Grade::Mild) };
        assert_eq!(Draft::default().opinions(&[unsure]), proposal);
        assert!(Draft::default().opinions(&[doubted]).is_empty());
    }

    #[test]
    fn a_cell_chosen_away_has_no_opinion() {
        let gone = Choice { verdict: Verdict::NotMentioned, ..choice(Grade::Mild) };
        let draft = Draft::of(&[edit(How::Do, None, Some(gone))]);
        assert_eq!(draft.opinions(&[shown(Grade::Mild)]), []);
    }

    #[test]
    fn evidence_of_what_was_shown_stays_with_the_same_verdict_only() {
        let of = |grade| Draft::of(&[edit(How::Do, None, Some(choice(grade)))]);
        let evidence = |grade| of(grade).opinions(&[shown(Grade::Mild)])[0].evidence.clone();
        assert_eq!(evidence(Grade::Mild), shown(Grade::Mild).evidence);
        assert_eq!(evidence(Grade::Severe), Evidence::Spans(Vec::new()));
    }

    #[test]
    fn evidence_must_lie_on_characters_of_the_text() {
        let at = |start, end| {
            let evidence = vec![Span { start, end }];
            edit(How::Do, None, Some(Choice { evidence, ..choice(Grade::Mild) }))
                .check("enger Recessus ü")
        };
        assert!(at(0, 5).is_ok());
        for (start, end) in [(3, 3), (5, 99), (16, 17), (6, 2)] {
            assert!(at(start, end).is_err(), "{start}..{end}");
        }
    }
}
