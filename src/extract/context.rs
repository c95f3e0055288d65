//! What a negation, a hedge or a resolution reaches.

use super::place::{Clause, Mark};
use super::scan::Tag;
use super::sense::{Class, Sense};

/// Whether a claim is affirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    Affirmed,
    /// "no", "without", "is absent" (rule 20).
    Negated,
    /// "has resolved" (rule 1).
    Resolved,
    /// "no high-grade": nothing is said (rule 20).
    Void,
}

/// A stance and the marks of the words that negate or hedge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Polarity {
    pub stance: Stance,
    pub cue: Option<usize>,
    pub hedge: Option<usize>,
}

/// The marks of a claim: modifiers from `head`, core from `first` to `last`, then `trailing`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach<'r> {
    pub head: usize,
    pub first: usize,
    pub last: usize,
    pub trailing: &'r [usize],
    /// Whether the claim says that something is wide: a negation before does not reach it.
    pub wide: bool,
}

/// The polarity of the claim with this reach.
pub(super) fn polarity(clause: &Clause, reach: Reach<'_>) -> Polarity {
    let sense = |at: usize| clause.sense(at);
    let inside =
        |wanted: Sense| (reach.head..=reach.last).rev().find(|&at| sense(at) == Some(wanted));
    let trails =
        |wanted: Sense| reach.trailing.iter().copied().find(|&at| sense(at) == Some(wanted));
    let hedge = hedge(clause, reach).or_else(|| doubt(clause, reach.last));
    let told = |stance, cue| Polarity { stance, cue, hedge };

    if let Some(cue) = trails(Sense::Resolved).or_else(|| resolution(clause, reach)) {
        return told(Stance::Resolved, Some(cue));
    }
    if is_of_the_past(clause, reach) {
        return told(Stance::Void, None);
    }
    // "was moderate then"
    let is_past = trails(Sense::Previously).is_some_and(|past| {
        reach.trailing.iter().any(|&at| at < past && sense(at) == Some(Sense::Be))
            && !reach.trailing.iter().any(|&at| at > past && sense(at).is_some_and(is_degree))
            && trails(Sense::Now).is_none()
    });
    if is_past {
        return told(Stance::Void, None);
    }
    // "absent on the left" beside a degree is a degree of its own.
    let graded = reach
        .trailing
        .iter()
        .any(|&at| matches!(sense(at), Some(Sense::Degree(_) | Sense::Significant)))
        || (reach.head..=reach.last).any(|at| matches!(sense(at), Some(Sense::Degree(_))));
    if trails(Sense::Unassessable).is_some() && !graded {
        return told(Stance::Void, None);
    }
    if let Some(cue) = trails(Sense::Absent).filter(|_| !graded) {
        return told(Stance::Negated, Some(cue));
    }
    if let Some(cue) = trails(Sense::Not) {
        return told(Stance::Negated, Some(cue));
    }
    let cue = match inside(Sense::Not).filter(|&at| !clause.is_listed_no(at)) {
        Some(cue) => Some(cue),
        None if reach.wide => None,
        None => negation(clause, reach),
    };
    let near = reach.head.saturating_sub(2)..=reach.last;
    let says = |wanted: Sense| near.clone().find(|&at| sense(at) == Some(wanted));
    if let Some(cue) = says(Sense::AtMost) {
        return told(Stance::Void, Some(cue));
    }
    match cue {
        Some(cue) if says(Sense::Limit).is_some() || limited(clause, cue, reach) => {
            told(Stance::Void, Some(cue))
        }
        Some(cue) => told(Stance::Negated, Some(cue)),
        None => told(Stance::Affirmed, None),
    }
}

/// Whether a negation reaches the noun with this reach.
pub(super) fn negated(clause: &Clause, reach: Reach<'_>) -> bool {
    let absent = (reach.last + 1..clause.marks.len())
        .take_while(|&at| {
            matches!(clause.sense(at), Some(Sense::Be | Sense::Absent | Sense::Filler))
        })
        .any(|at| clause.sense(at) == Some(Sense::Absent));
    absent || negation(clause, reach).is_some()
}

const fn is_degree(sense: Sense) -> bool {
    matches!(sense, Sense::Degree(_) | Sense::Significant | Sense::Borderline)
}

/// "Resolution of the previously severe stenosis": the words before a claim that say it is gone. Whatever
/// stands before them may say that it is not, or not wholly, so only what begins there is taken, and
/// not where the present state follows: "resolution of the severe stenosis, now mild".
fn resolution(clause: &Clause, reach: Reach<'_>) -> Option<usize> {
    let mut before = (0..reach.first).rev().take_while(|&at| {
        at >= reach.head
            || matches!(
                clause.sense(at),
                Some(
                    Sense::Resolution
                        | Sense::Of
                        | Sense::Filler
                        | Sense::Previously
                        | Sense::Degree(_)
                        | Sense::Significant
                        | Sense::Side(_)
                )
            )
    });
    let cue = before.find(|&at| clause.sense(at) == Some(Sense::Resolution))?;
    let begins = cue == 0
        || clause.is_place(cue - 1)
        || matches!(
            clause.tag(cue - 1),
            Some(Tag::Comma | Tag::Colon | Tag::Term(Sense::With | Sense::ThereIs | Sense::And))
        );
    let is_followed =
        (reach.last + 1..clause.marks.len()).any(|at| clause.sense(at) == Some(Sense::Now));
    (begins && !is_followed).then_some(cue)
}

/// Whether only an earlier state is told: "preop severe stenosis", "had caused stenosis".
fn is_of_the_past(clause: &Clause, reach: Reach<'_>) -> bool {
    let is_present = reach.trailing.iter().any(|&at| {
        matches!(
            clause.sense(at),
            Some(Sense::Now | Sense::Unchanged | Sense::Progressed | Sense::Be | Sense::Resolved)
        )
    });
    let before = (0..=reach.first).rev().take(6).take_while(|&at| {
        at >= reach.head
            || matches!(
                clause.sense(at),
                Some(
                    Sense::Causing
                        | Sense::Be
                        | Sense::Filler
                        | Sense::Degree(_)
                        | Sense::Side(_)
                        | Sense::Previously
                        | Sense::ThereIs
                )
            )
    });
    let mut before = before;
    !is_present && before.any(|at| clause.sense(at) == Some(Sense::Previously))
}

/// Whether a degree between a negation and its claim leaves milder ones open: "no severe".
fn limited(clause: &Clause, cue: usize, reach: Reach<'_>) -> bool {
    let from = cue.max(reach.head.saturating_sub(1));
    let end = reach.last.min(if cue < reach.first { reach.last } else { reach.last + 1 });
    (from..=end)
        .any(|at| matches!(clause.sense(at), Some(Sense::Degree(_) | Sense::Complete)) && at > cue)
}

/// The negation that reaches the claim from before it.
fn negation(clause: &Clause, reach: Reach<'_>) -> Option<usize> {
    let has = |from: usize, to: usize, test: fn(Sense) -> bool| {
        (from..=to).any(|at| clause.sense(at).is_some_and(test))
    };
    let modified = has(reach.head, reach.last, |s| {
        matches!(s, Sense::Degree(_) | Sense::Significant | Sense::Side(_))
    });
    let alternative = |from: usize| {
        (from..clause.marks.len())
            .take_while(|&at| {
                !matches!(clause.sense(at), Some(Sense::But | Sense::With | Sense::ThereIs))
            })
            .any(|at| clause.sense(at) == Some(Sense::Or))
    };
    let mut listed = false;
    let mut caused = None;
    let mut at = reach.head;
    while at > 0 {
        at -= 1;
        if clause.is_place(at) {
            if listed && !alternative(at) {
                return None;
            }
            continue;
        }
        match clause.tag(at)? {
            Tag::Comma | Tag::Slash => {
                // "no herniation, canal stenosis mild": what has a degree or verb of its own
                // is said anew.
                let own = has(reach.first, reach.last, |s| s == Sense::Be)
                    || reach.trailing.iter().any(|&i| clause.sense(i).is_some_and(is_degree));
                if own || has(reach.head, reach.first, |s| matches!(s, Sense::Degree(_))) {
                    return None;
                }
                listed = true;
            }
            Tag::Other | Tag::Number => {}
            Tag::Term(sense) => match sense {
                Sense::Not => {
                    // In "bulge without herniation causing stenosis" it is the bulge that causes it.
                    let finding = |from: usize, to: usize| {
                        from < to
                            && has(from, to - 1, |s| matches!(s, Sense::Finding(_) | Sense::Noun))
                    };
                    let subject =
                        caused.is_some_and(|cause| finding(at + 1, cause) && finding(0, at));
                    return (!subject).then_some(at);
                }
                Sense::Causing => caused = Some(at),
                // "no stenosis aside from mild narrowing"
                Sense::Except => return None,
                Sense::And => {
                    if has(reach.head, reach.first, |s| matches!(s, Sense::Degree(_))) {
                        return None;
                    }
                    listed = true;
                }
                Sense::Or => listed = true,
                Sense::With if clause.sense(at.wrapping_sub(1)) == Some(Sense::Not) => {}
                Sense::With | Sense::But | Sense::Be | Sense::ThereIs => return None,
                Sense::Patent | Sense::Normal | Sense::None | Sense::NoAbnormality => return None,
                Sense::Anaphor | Sense::Absent | Sense::Resolved => return None,
                // "no resolution of the severe stenosis"
                Sense::Resolution => return None,
                // "no canal stenosis moderate foraminal narrowing" has lost its full stop.
                Sense::Change(_, Class::Noun)
                    if !listed
                        && caused.is_none()
                        && has(reach.head, reach.first, |s| matches!(s, Sense::Degree(_))) =>
                {
                    return None;
                }
                // A claim that is complete stands between: only a list of alternatives, or a
                // bare noun, is still reached.
                Sense::Change(_, class)
                    if listed && class != Class::Verb && modified && !alternative(at) =>
                {
                    return None;
                }
                _ => {}
            },
            _ => return None,
        }
    }
    None
}

/// The hedge that reaches the claim.
pub(super) fn hedge(clause: &Clause, reach: Reach<'_>) -> Option<usize> {
    let inside = (reach.head..=reach.last).find(|&at| clause.sense(at) == Some(Sense::Hedge));
    let after = || {
        reach.trailing.iter().copied().find(|&at| {
            matches!(clause.sense(at), Some(Sense::HedgeAfter | Sense::Hedge))
                || clause.tag(at) == Some(Tag::Question)
        })
    };
    inside.or_else(after).or_else(|| hedge_before(clause, reach.head))
}

fn hedge_before(clause: &Clause, head: usize) -> Option<usize> {
    const STRANGERS: usize = 2;
    let mut strangers = 0;
    for at in (0..head).rev() {
        match clause.marks[at] {
            Mark::Place(_) => {}
            Mark::Tag(Tag::Question) => return Some(at),
            Mark::Tag(Tag::Other) => strangers += 1,
            Mark::Tag(Tag::Term(sense)) => match sense {
                Sense::Hedge => return Some(at),
                Sense::Filler
                | Sense::Of
                | Sense::Over
                | Sense::Side(_)
                | Sense::Degree(_)
                | Sense::Significant
                | Sense::Be
                | Sense::Causing
                | Sense::ThereIs
                | Sense::LevelWord
                | Sense::Unchanged => {}
                _ => return None,
            },
            Mark::Tag(_) => return None,
        }
        if strangers > STRANGERS {
            return None;
        }
    }
    None
}

/// The later word of the clause that doubts all that stands before it.
pub(super) fn doubt(clause: &Clause, last: usize) -> Option<usize> {
    (last + 1..clause.marks.len()).find(|&at| clause.sense(at) == Some(Sense::Doubt))
}
