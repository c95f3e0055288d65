//! Spelling tolerance: the word of the lexicon within a bounded edit distance of a misspelt one.

/// Words shorter than this are taken as they stand: too many others are near them.
const SHORTEST: usize = 5;
/// From this length on two edits are forgiven instead of one.
const TWO_EDITS: usize = 8;
/// Longer words are no misspelling of a term.
const LONGEST: usize = 24;

/// The words of a lexicon that a misspelling may mean.
#[derive(Debug)]
pub(super) struct Speller {
    words: Vec<Candidate>,
    /// Where the candidates of each length begin in `words`; one more entry than lengths.
    by_length: [usize; LONGEST + 2],
}

#[derive(Debug)]
struct Candidate {
    letters: Vec<u8>,
    /// One bit a letter: words that differ in many letters are told apart at a glance.
    signature: u32,
    number: u16,
}

impl Speller {
    pub fn new<'a>(words: impl Iterator<Item = (&'a str, u16)>) -> Self {
        let mut words: Vec<Candidate> = words
            .filter(|(word, _)| (SHORTEST..=LONGEST).contains(&word.len()))
            .map(|(word, number)| Candidate {
                letters: word.as_bytes().to_vec(),
                signature: signature(word.as_bytes()),
                number,
            })
            .collect();
        words.sort_by(|a, b| (a.letters.len(), &a.letters).cmp(&(b.letters.len(), &b.letters)));
        words.dedup_by_key(|candidate| candidate.number);
        let by_length = std::array::from_fn(|n| words.partition_point(|w| w.letters.len() < n));
        Self { words, by_length }
    }

    /// The number of the nearest word, the first in length and alphabet among equals.
    ///
    /// Distance counts insertions, deletions, substitutions and swaps of neighbours (optimal
    /// string alignment). The first letter must be right, or swapped with the second: people
    /// seldom miss it, and it keeps "ventral" from "central".
    pub fn nearest(&self, word: &str) -> Option<u16> {
        let word = word.as_bytes();
        // A word of four letters may have lost its fifth, but is otherwise too near to others.
        if !(SHORTEST - 1..=LONGEST).contains(&word.len()) {
            return None;
        }
        let bound = allowed(word.len());
        let shortest = (word.len() - bound).max(SHORTEST);
        let longest = (word.len() + bound).min(LONGEST);
        let own = signature(word);
        let mut best: Option<(usize, u16)> = None;
        for candidate in &self.words[self.by_length[shortest]..self.by_length[longest + 1]] {
            let letters = &candidate.letters;
            let most = best.map_or(bound, |(d, _)| d - 1).min(allowed(letters.len()));
            if (own ^ candidate.signature).count_ones() as usize > 2 * most
                || !same_beginning(word, letters)
            {
                continue;
            }
            if let Some(distance) = distance(word, letters, most) {
                best = Some((distance, candidate.number));
                if distance <= 1 {
                    break;
                }
            }
        }
        best.map(|(_, number)| number)
    }
}

const fn allowed(length: usize) -> usize {
    if length >= TWO_EDITS { 2 } else { 1 }
}

fn same_beginning(a: &[u8], b: &[u8]) -> bool {
    a[0] == b[0] || (a[0] == b[1] && a[1] == b[0])
}

fn signature(word: &[u8]) -> u32 {
    word.iter().fold(0, |bits, letter| bits | 1 << (letter & 31))
}

/// The optimal string alignment distance, or none where it exceeds `most`.
fn distance(a: &[u8], b: &[u8], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before = [0usize; LONGEST + 1];
    let mut last: [usize; LONGEST + 1] = std::array::from_fn(|j| j);
    for i in 1..=a.len() {
        let mut row = [0usize; LONGEST + 1];
        row[0] = i;
        let mut least = i;
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut cost = (last[j - 1] + differs).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(before[j - 2] + 1);
            }
            row[j] = cost;
            least = least.min(cost);
        }
        if least > most {
            return None;
        }
        before = last;
        last = row;
    }
    (last[b.len()] <= most).then_some(last[b.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
        let speller = Speller::new(words.iter().enumerate().map(|(i, &w)| (w, i as u16)));
        speller.nearest(word).map(|number| words[number as usize])
    }

    #[test]
    fn swaps_losses_and_doublings_are_mended() {
        let words = ["stenosis", "foraminal", "recess", "canal"];
        assert_eq!(nearest("stensois", &words), Some("stenosis"));
        assert_eq!(nearest("stenosiss", &words), Some("stenosis"));
        assert_eq!(nearest("formainal", &words), Some("foraminal"));
        assert_eq!(nearest("canl", &words), Some("canal"));
        assert_eq!(nearest("cnal", &["coral", "can"]), None, "four letters forgive one loss only");
        assert_eq!(nearest("recesss", &words), Some("recess"));
    }

    #[test]
    fn the_first_letter_and_the_bound_hold() {
        assert_eq!(nearest("ventral", &["central"]), None);
        assert_eq!(nearest("moderator", &["moderate"]), Some("moderate"));
        assert_eq!(nearest("marker", &["marked"]), Some("marked"));
        assert_eq!(nearest("mart", &["marked"]), None);
        assert_eq!(nearest("severance", &["severe"]), None);
    }

    #[test]
    fn the_nearest_of_several_wins() {
        assert_eq!(nearest("foraminall", &["foramina", "foraminal"]), Some("foraminal"));
    }
}
