//! A query answered by reading every report of the store: slow, plain, and apart from the index.

use deepspine::extract::{self, Mention};
use deepspine::label::{Cell, CellLabel, Certainty, Grade, Level, LevelSet, Verdict};
use deepspine::search::query::{
    CellQuery, CellTest, Comparison, Field, FindingQuery, LevelPick, Pattern, Query, Section, Text,
};
use deepspine::store::{Store, StoredLabel, StoredReport};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RawTokenizer, RemoveLongFilter, SimpleTokenizer,
    Stemmer, TextAnalyzer, TokenStream,
};

/// Everything that a query can ask about a report.
pub(super) struct Known {
    stored: StoredReport,
    labels: Vec<StoredLabel>,
    mentions: Vec<Mention>,
    /// The stems of the whole text, and of the parts that are one section each.
    whole: Vec<String>,
    parts: Vec<(extract::Section, Vec<String>)>,
}

impl Known {
    pub(super) fn all(store: &Store) -> Vec<Self> {
        let reports = store.reports_from(0, 1_000_000).unwrap();
        let known = |stored: StoredReport| {
            let text = &stored.report.text;
            let sections = store.sections(stored.version).unwrap();
            Self {
                labels: store.label(stored.number).unwrap(),
                mentions: store.mentions(stored.version).unwrap(),
                whole: stems(text, true),
                parts: sections
                    .iter()
                    .map(|s| (s.section, stems(&text[s.span.range()], true)))
                    .collect(),
                stored,
            }
        };
        reports.into_iter().map(known).collect()
    }

    pub(super) fn number(&self) -> u64 {
        self.stored.number
    }

    pub(super) fn study(&self) -> u64 {
        self.stored.study
    }

    pub(super) fn patient(&self) -> Option<u64> {
        self.stored.patient
    }

    pub(super) fn matches(&self, query: &Query) -> bool {
        match query {
            Query::All => true,
            Query::And(queries) => queries.iter().all(|query| self.matches(query)),
            Query::Or(queries) => queries.iter().any(|query| self.matches(query)),
            Query::Not(query) => !self.matches(query),
            Query::Text(text) => self.has_words(text),
            Query::Field(field) => self.has_field(field),
            Query::Cell(cell) => self.is_labelled(cell),
            Query::Finding(finding) => self.mentions.iter().any(|m| affirms(m, finding)),
            Query::Status(status) => self.stored.status == *status,
            Query::Conflict => self.labels.iter().any(|label| label.label.conflict),
            Query::By(reader) => {
                self.labels.iter().any(|l| l.reader == *reader || l.kind.name() == reader)
            }
        }
    }

    fn has_field(&self, field: &Field) -> bool {
        let report = &self.stored.report;
        match field {
            Field::Modality(value) => report.modality.as_ref() == Some(value),
            Field::Sex(value) => report.sex.as_ref() == Some(value),
            Field::Patient(value) => report.patient.as_ref() == Some(value),
            Field::Accession(value) => report.accession.as_ref() == Some(value),
            Field::Source(value) => report.source.as_ref() == Some(value),
            Field::Study(value) => report.study_uid.as_ref() == Some(value),
            Field::Id(value) => report.id == *value,
            Field::Date(range) => report.exam_date.as_ref().is_some_and(|date| {
                range.from.as_ref().is_none_or(|from| from <= date)
                    && range.to.as_ref().is_none_or(|to| date <= to)
            }),
            Field::Age(range) => report.age.is_some_and(|age| {
                range.from.is_none_or(|from| from <= age) && range.to.is_none_or(|to| age <= to)
            }),
        }
    }

    fn is_labelled(&self, query: &CellQuery) -> bool {
        let labels: Vec<_> = self.labels.iter().map(|stored| stored.label).collect();
        let passes = |cell: Cell| labels.iter().any(|l| l.cell == cell && passes(l, query.test));
        let at = |level: Level| query.target.targets().map(move |target| Cell { level, target });
        match query.level {
            LevelPick::One(level) => at(level).any(passes),
            LevelPick::Any => Level::ALL.into_iter().flat_map(at).any(passes),
            LevelPick::All => {
                let six = [Level::L5L6, Level::L6S1];
                let has_six = labels.iter().any(|label| six.contains(&label.cell.level));
                let lumbar = if has_six { LevelSet::SIX_LUMBAR } else { LevelSet::LUMBAR };
                lumbar.iter().flat_map(at).all(passes)
            }
        }
    }

    fn has_words(&self, text: &Text) -> bool {
        let section = text.section.map(|section| match section {
            Section::Findings => extract::Section::Findings,
            Section::Impression => extract::Section::Impression,
            Section::Addendum => extract::Section::Addendum,
            Section::Background => extract::Section::Background,
        });
        match section {
            None => has_pattern(&self.whole, &text.pattern),
            Some(wanted) => {
                // What stands between two parts of a section counts as one word.
                let between = ["·".repeat(100)];
                let parts = self.parts.iter().filter(|(section, _)| *section == wanted);
                let words: Vec<String> =
                    parts.flat_map(|(_, words)| [words, &between[..]].concat()).collect();
                has_pattern(&words, &text.pattern)
            }
        }
    }
}

fn passes(label: &CellLabel, test: CellTest) -> bool {
    let order = |found: Grade, wanted: Grade| Some(found.rank()?.cmp(&wanted.rank()?));
    match test {
        CellTest::Labelled => true,
        CellTest::Unassessable => label.verdict == Verdict::Unassessable,
        CellTest::Hedged => label.certainty == Certainty::Hedged,
        CellTest::Stated => label.certainty == Certainty::Stated,
        CellTest::Conflict => label.conflict,
        CellTest::Compare(comparison, wanted) => {
            label.verdict.grade().is_some_and(|found| match (comparison, order(found, wanted)) {
                (Comparison::Equal, _) => found == wanted,
                (_, None) => false,
                (Comparison::AtLeast, Some(order)) => order.is_ge(),
                (Comparison::More, Some(order)) => order.is_gt(),
                (Comparison::AtMost, Some(order)) => order.is_le(),
                (Comparison::Less, Some(order)) => order.is_lt(),
            })
        }
    }
}

fn affirms(mention: &Mention, query: &FindingQuery) -> bool {
    mention.finding == query.finding
        && !mention.negated
        && (query.or_hedged || mention.certainty == Certainty::Stated)
        && query.level.is_none_or(|level| mention.level == Some(level))
}

fn stems(text: &str, stem: bool) -> Vec<String> {
    let mut words = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(60))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build();
    let mut stemmer = TextAnalyzer::builder(RawTokenizer::default())
        .filter(Stemmer::new(Language::English))
        .build();
    let mut stems = Vec::new();
    words.token_stream(text).process(&mut |token| {
        let word = token.text.clone();
        if stem {
            stemmer.token_stream(&singular(&word)).process(&mut |t| stems.push(t.text.clone()));
        } else {
            stems.push(word);
        }
    });
    stems
}

fn singular(word: &str) -> String {
    for (plural, singular) in [("oses", "osis"), ("mina", "men"), ("ae", "a")] {
        if let Some(stem) = word.strip_suffix(plural).filter(|_| word.len() > 5) {
            return format!("{stem}{singular}");
        }
    }
    word.to_owned()
}

fn has_pattern(words: &[String], pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Word(text) => near(words, &stems(text, true), 0),
        Pattern::Phrase { words: text, slop } => near(words, &stems(text, true), *slop as i64),
        Pattern::Prefix(text) => match stems(text, true).as_slice() {
            [stem] => {
                let start = stems(text, false).remove(0);
                words.iter().any(|word| word.starts_with(&start) || word == stem)
            }
            several => near(words, several, 0),
        },
        Pattern::Fuzzy { word, distance } => match stems(word, true).as_slice() {
            [stem] => words.iter().any(|w| strsim::osa_distance(w, stem) <= usize::from(*distance)),
            several => near(words, several, 0),
        },
    }
}

/// Whether the stems stand in this order, each at most `slop` out of place in relation to any
/// other: by trying every choice of places.
fn near(words: &[String], stems: &[String], slop: i64) -> bool {
    fn try_from(
        words: &[String],
        stems: &[String],
        slop: i64,
        place: i64,
        range: (i64, i64),
    ) -> bool {
        let Some((stem, rest)) = stems.split_first() else { return true };
        words.iter().zip(0i64..).filter(|(word, _)| *word == stem).any(|(_, at)| {
            let shifted = at - place;
            let range = (range.0.min(shifted), range.1.max(shifted));
            range.1 - range.0 <= slop && try_from(words, rest, slop, place + 1, range)
        })
    }
    !stems.is_empty() && try_from(words, stems, slop, 0, (i64::MAX / 2, i64::MIN / 2))
}
