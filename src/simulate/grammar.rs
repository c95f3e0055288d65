//! Phrases that grow out of lists of phrases.
//!
//! A phrase may hold names in braces. `{canal}` stands for any phrase of the list `canal`;
//! `{degree}` for one of the list that goes with the grade that is told; a word that the teller
//! gives, such as `{side}`, for itself. The lists are data, in `phrases/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::chance;

/// Every list by its name, and within it by the grade or level that it goes with, or `any`.
type Lists = BTreeMap<String, BTreeMap<String, Phrases>>;

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let files = [
        include_str!("phrases/words.toml"),
        include_str!("phrases/levels.toml"),
        include_str!("phrases/claims.toml"),
        include_str!("phrases/asides.toml"),
    ];
    files
        .iter()
        .flat_map(|file| {
            toml::from_str::<BTreeMap<String, BTreeMap<String, Vec<String>>>>(file)
                .expect("the phrases are part of the program, and a test reads them all")
        })
        .map(|(name, keys)| {
            (name, keys.into_iter().map(|(key, all)| (key, Phrases::new(all))).collect())
        })
        .collect()
});

/// Which phrases may be used, so that a reader can be judged on ones that it never saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Without those that are held out.
    Training,
    /// Half of them held out ones.
    HeldOut,
}

/// The phrases of one list.
#[derive(Debug)]
struct Phrases {
    training: Vec<String>,
    held_out: Vec<String>,
}

impl Phrases {
    /// Lists shorter than this are used whole: nothing could be learned without them.
    const FEWEST_TO_SPLIT: usize = 6;

    fn new(all: Vec<String>) -> Self {
        let split = all.len() >= Self::FEWEST_TO_SPLIT;
        let (held_out, training) = all.into_iter().partition(|phrase| split && is_held(phrase));
        Self { training, held_out }
    }

    fn pick(&self, part: Part, random: &mut fastrand::Rng) -> &str {
        let held = part == Part::HeldOut && !self.held_out.is_empty() && chance(random, 0.5);
        let from = if held { &self.held_out } else { &self.training };
        &from[random.usize(..from.len())]
    }
}

/// One phrase in six, by nothing but its letters (FNV-1a), so that adding others moves none.
fn is_held(phrase: &str) -> bool {
    let hash = phrase.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32).is_multiple_of(6)
}

/// What the names of a phrase stand for while it grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Given<'a> {
    /// Words by name, such as `side`.
    pub words: Vec<(&'static str, &'a str)>,
    /// The keys of lists that go with a grade: by the ending of a list's name (`left` for
    /// `degree_left`, empty for `degree`) the grade's name.
    pub grades: Vec<(&'static str, &'static str)>,
}

/// Grows a phrase of the list `name`.
///
/// # Panics
/// Where a name is neither a list's nor given; a test grows every phrase.
pub(super) fn grow(
    name: &str,
    given: &Given<'_>,
    part: Part,
    random: &mut fastrand::Rng,
) -> String {
    let mut out = String::new();
    expand(pick(name, given, part, random), given, part, random, &mut out);
    out
}

fn expand(
    phrase: &str,
    given: &Given<'_>,
    part: Part,
    random: &mut fastrand::Rng,
    out: &mut String,
) {
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = after.split_once('}').expect("a brace that opens closes");
        match given.words.iter().find(|(word, _)| *word == name) {
            Some((_, word)) => expand(word, given, part, random, out),
            None => expand(pick(name, given, part, random), given, part, random, out),
        }
        rest = after;
    }
    out.push_str(rest);
}

fn pick(name: &str, given: &Given<'_>, part: Part, random: &mut fastrand::Rng) -> &'static str {
    let by_key = |list: &str, key: &str| LISTS.get(list).and_then(|keys| keys.get(key));
    let graded = || {
        given.grades.iter().find_map(|(ending, grade)| {
            let list = match *ending {
                "" => Some(name),
                _ => name.strip_suffix(ending)?.strip_suffix('_'),
            };
            by_key(list?, grade)
        })
    };
    by_key(name, "any")
        .or_else(graded)
        .unwrap_or_else(|| {
            panic!("`{{{name}}}` is no list of phrases, and no word is given for it")
        })
        .pick(part, random)
}

/// The phrase of a list that goes with this key, if it has any.
pub(super) fn keyed(
    name: &str,
    key: &str,
    part: Part,
    random: &mut fastrand::Rng,
) -> Option<&'static str> {
    Some(LISTS.get(name)?.get(key)?.pick(part, random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_grows_from_lists_and_given_words() {
        let mut random = fastrand::Rng::with_seed(1);
        let given = Given {
            words: vec![("side", "{side_left}"), ("noun", "{foraminal}"), ("one", "{foramen}")],
            grades: vec![("", "mild")],
        };
        for part in [Part::Training, Part::HeldOut] {
            let grown = grow("side_hedged", &given, part, &mut random);
            assert!(!grown.contains(['{', '}']) && !grown.is_empty(), "{grown}");
        }
    }

    #[test]
    fn what_is_held_out_is_never_trained_on() {
        let degrees = &LISTS["wide"]["any"];
        assert!(!degrees.held_out.is_empty());
        let mut random = fastrand::Rng::with_seed(1);
        let drawn: Vec<&str> =
            (0..2000).map(|_| degrees.pick(Part::Training, &mut random)).collect();
        assert!(degrees.training.iter().all(|phrase| drawn.contains(&phrase.as_str())));
        let held = |phrase: &str| degrees.held_out.iter().any(|held| held == phrase);
        assert!(!drawn.iter().any(|phrase| held(phrase)));
        let tried = (0..2000).filter(|_| held(degrees.pick(Part::HeldOut, &mut random))).count();
        assert!((900..1100).contains(&tried), "{tried} of 2000");
    }

    #[test]
    fn every_list_leaves_something_to_train_on() {
        for (name, keys) in &*LISTS {
            assert!(keys.values().all(|phrases| !phrases.training.is_empty()), "{name}");
        }
    }
}
