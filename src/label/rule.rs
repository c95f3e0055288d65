//! The rules of the labelling guideline, as a statement's trace names them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule of the labelling guideline, by its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rule(u8);

/// What each rule decides, in the order of the guideline.
const TITLES: [&str; 22] = [
    "only the present state counts",
    "decompressed is normal",
    "a level holds to the end of its paragraph",
    "several levels share a statement",
    "a universal statement covers the lumbar levels",
    "without a level nothing is labelled, the worst one is",
    "remaining levels are normal",
    "a normal level is normal in every target",
    "a vertebra is no disc level, its foramen is",
    "direct words of the canal",
    "the thecal sac speaks indirectly of the canal",
    "words of the foramina",
    "words of the lateral recess",
    "each named target is normal",
    "no side means both sides",
    "one side worse than the other means both",
    "a singular foramen takes the side of the lesion",
    "words of degree",
    "a degree binds to its own noun and carries in a list",
    "negation is normal",
    "millimetres are no grade",
    "filters over all statements of the cell",
];

impl Rule {
    /// The rule with this number, 1 to 22.
    ///
    /// # Panics
    /// When there is no such rule; numbers are written in code, so tests see it.
    pub const fn new(number: u8) -> Self {
        assert!(number >= 1 && number as usize <= TITLES.len());
        Self(number)
    }

    /// The number in the guideline.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// What the rule decides, in a few words.
    pub const fn title(self) -> &'static str {
        TITLES[self.0 as usize - 1]
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}: {}", self.0, self.title())
    }
}

/// The rules that made a statement: a set, told in the order of the guideline.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Rule>", into = "Vec<Rule>")]
pub struct Trace(u32);

impl Trace {
    /// The trace of these rule numbers.
    ///
    /// # Panics
    /// When there is no such rule, as [`Rule::new`] does.
    pub const fn of(numbers: &[u8]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < numbers.len() {
            bits |= 1 << Rule::new(numbers[i]).0;
            i += 1;
        }
        Self(bits)
    }

    /// The rules of both traces.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The rules, in the order of the guideline.
    pub fn rules(self) -> impl Iterator<Item = Rule> {
        (1..=TITLES.len() as u8).filter(move |n| self.0 & 1 << n != 0).map(Rule)
    }
}

impl From<Vec<Rule>> for Trace {
    fn from(rules: Vec<Rule>) -> Self {
        Self(rules.iter().fold(0, |bits, rule| bits | 1 << rule.0))
    }
}

impl From<Trace> for Vec<Rule> {
    fn from(trace: Trace) -> Self {
        trace.rules().collect()
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rules().map(Rule::number)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_keeps_each_rule_once_in_order() {
        let trace = Trace::of(&[19, 4]).and(Trace::of(&[4, 10]));
        let numbers: Vec<_> = trace.rules().map(Rule::number).collect();
        assert_eq!(numbers, [4, 10, 19]);
        let json = serde_json::to_string(&trace).unwrap();
        assert_eq!(json, "[4,10,19]");
        assert_eq!(serde_json::from_str::<Trace>(&json).unwrap(), trace);
    }
}
