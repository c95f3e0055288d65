//! From the text that bears on a level to the numbers that the network reads.
//!
//! A sequence is `[CLS] level [SEP] own clauses [SEP] general clauses [SEP]`. Where the text names
//! levels, one mark stands instead: whether this level alone is named, it among others, or only
//! others. So what is learned at one level holds at every other, and a sentence that compares
//! levels can be told apart.

use std::path::{Path, PathBuf};

use rust_tokenizers::error::TokenizerError;
use rust_tokenizers::tokenizer::{BertTokenizer, Tokenizer};
use rust_tokenizers::vocab::{BertVocab, Vocab};

use crate::extract::{ClauseSpan, Passage};
use crate::label::{Level, Span};

/// The words and parts of words that a network knows.
#[allow(missing_debug_implementations, reason = "the tokenizer has none")]
pub struct Vocabulary {
    tokenizer: BertTokenizer,
    classify: i64,
    separate: i64,
    stop: i64,
}

/// Why a vocabulary cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{path}` is no vocabulary of word pieces, one a line, with `[PAD]` first and with `[UNK]`, \
     `[CLS]`, `[SEP]`, `[MASK]` and `[unused1]` to `[unused3]`"
)]
pub struct VocabularyError {
    /// The file.
    pub path: PathBuf,
    /// What the tokenizer found wrong with it, if it did.
    pub source: Option<TokenizerError>,
}

/// What stands for a name of levels.
const THIS_LEVEL: &str = "[unused1]";
const THIS_AND_OTHERS: &str = "[unused2]";
const OTHER_LEVELS: &str = "[unused3]";

/// The text of one level as the network reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Sequence {
    /// Numbers of word pieces.
    pub tokens: Vec<i64>,
    /// 0 for the level's own clauses and what stands before them, 1 for general ones.
    pub segments: Vec<i64>,
    /// The bytes of the text that each token stands for; none for what the text does not hold.
    pub spans: Vec<Option<Span>>,
    /// Whether words of the text did not fit and are not in it.
    pub is_cut: bool,
}

impl Sequence {
    fn push(&mut self, token: i64, segment: i64, span: Option<Span>) {
        self.tokens.push(token);
        self.segments.push(segment);
        self.spans.push(span);
    }
}

impl Vocabulary {
    /// Reads a vocabulary: a word piece a line, its number the line's from 0.
    ///
    /// # Errors
    /// Where the file cannot be read, or lacks a mark that sequences are made with.
    pub fn load(path: &Path) -> Result<Self, VocabularyError> {
        let error = |source| VocabularyError { path: path.to_owned(), source };
        let vocabulary = BertVocab::from_file(path).map_err(|source| error(Some(source)))?;
        let number = |piece: &str| {
            let found = vocabulary.values().get(piece).or(vocabulary.special_values().get(piece));
            found.copied().ok_or_else(|| error(None))
        };
        for mark in [THIS_LEVEL, THIS_AND_OTHERS, OTHER_LEVELS] {
            number(mark)?;
        }
        if number("[PAD]")? != 0 {
            return Err(error(None));
        }
        Ok(Self {
            classify: number("[CLS]")?,
            separate: number("[SEP]")?,
            stop: number(".")?,
            tokenizer: BertTokenizer::from_existing_vocab(vocabulary, true, true),
        })
    }

    /// How many word pieces there are.
    pub fn len(&self) -> usize {
        self.tokenizer.vocab().values().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sequence of a passage. What comes after `longest` tokens is cut off, general clauses first.
    /// `namings` are where the text names levels, in its order.
    pub fn sequence(
        &self,
        text: &str,
        passage: &Passage,
        namings: &[ClauseSpan],
        longest: usize,
    ) -> Sequence {
        let mut sequence = Sequence::default();
        sequence.push(self.classify, 0, None);
        for (token, _) in self.pieces(passage.level.name()) {
            sequence.push(token, 0, None);
        }
        sequence.push(self.separate, 0, None);
        for (segment, clauses) in [(0, &passage.own), (1, &passage.general)] {
            for clause in clauses {
                self.clause(text, *clause, passage.level, namings, segment, &mut sequence);
            }
            sequence.push(self.separate, segment, None);
        }
        sequence.is_cut = sequence.spans.iter().skip(longest).any(Option::is_some);
        sequence.tokens.truncate(longest);
        sequence.segments.truncate(longest);
        sequence.spans.truncate(longest);
        sequence
    }

    /// A clause, with marks for the levels that it names, and a stop.
    fn clause(
        &self,
        text: &str,
        clause: Span,
        level: Level,
        namings: &[ClauseSpan],
        segment: i64,
        sequence: &mut Sequence,
    ) {
        let mut at = clause.start;
        let first = namings.partition_point(|naming| naming.span.start < clause.start);
        for naming in namings[first..].iter().take_while(|n| n.span.end <= clause.end) {
            self.words(text, Span { start: at, end: naming.span.start }, segment, sequence);
            let mark = match (naming.levels.contains(level), naming.levels.len()) {
                (true, 1) => THIS_LEVEL,
                (true, _) => THIS_AND_OTHERS,
                (false, _) => OTHER_LEVELS,
            };
            let token = self.tokenizer.vocab().token_to_id(mark);
            sequence.push(token, segment, Some(naming.span));
            at = naming.span.end;
        }
        self.words(text, Span { start: at, end: clause.end }, segment, sequence);
        sequence.push(self.stop, segment, None);
    }

    fn words(&self, text: &str, span: Span, segment: i64, sequence: &mut Sequence) {
        let words = &text[span.range()];
        for (token, within) in self.pieces(words) {
            let span =
                within.map(|w| Span { start: span.start + w.start, end: span.start + w.end });
            sequence.push(token, segment, span);
        }
    }

    /// The word pieces of some words, with the bytes of each.
    fn pieces(&self, words: &str) -> Vec<(i64, Option<Span>)> {
        let pieces = self.tokenizer.tokenize_with_offsets(words);
        let numbers = self.tokenizer.convert_tokens_to_ids(&pieces.tokens);
        // The tokenizer counts characters.
        let bytes: Vec<u32> =
            words.char_indices().map(|(at, _)| at as u32).chain([words.len() as u32]).collect();
        let byte = |character: u32| bytes.get(character as usize).copied();
        let span = |offset: &rust_tokenizers::Offset| {
            Some(Span { start: byte(offset.begin)?, end: byte(offset.end)? })
        };
        numbers
            .into_iter()
            .zip(&pieces.offsets)
            .map(|(number, offset)| (number, offset.as_ref().and_then(span)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Extractor, Lexicon};

    const PIECES: &str = "[PAD] [unused1] [unused2] [unused3] [UNK] [CLS] [SEP] [MASK] . - , l1 l2 \
                          l3 l4 l5 s1 severe mild canal sten ##osis at and no in any level the";

    fn vocabulary() -> (tempfile::TempDir, Vocabulary) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocab.txt");
        std::fs::write(&path, PIECES.split_whitespace().collect::<Vec<_>>().join("\n")).unwrap();
        let vocabulary = Vocabulary::load(&path).unwrap();
        (folder, vocabulary)
    }

    fn read(text: &str, level: Level, longest: usize) -> (Vec<String>, Sequence) {
        let (_folder, vocabulary) = vocabulary();
        let extraction = Extractor::new(&Lexicon::builtin("en").unwrap()).extract(text);
        let passages = extraction.passages();
        let passage = passages.iter().find(|passage| passage.level == level).unwrap();
        let sequence = vocabulary.sequence(text, passage, &extraction.namings, longest);
        let pieces = sequence
            .tokens
            .iter()
            .map(|token| PIECES.split_whitespace().nth(*token as usize).unwrap().to_owned());
        (pieces.collect(), sequence)
    }

    const TEXT: &str = "Severe canal stenosis at L4-5, mild at L3-4 and L2-3.\n\n\
                        No canal stenosis.";

    #[test]
    fn levels_are_marked_as_seen_from_the_level_that_is_read() {
        let (pieces, _) = read(TEXT, Level::L4L5, 128);
        assert_eq!(
            pieces.join(" "),
            "[CLS] l4 - l5 [SEP] severe canal sten ##osis at [unused1] , mild at [unused3] . [SEP] \
             no canal sten ##osis . [SEP]"
        );
        let (pieces, _) = read(TEXT, Level::L3L4, 128);
        assert!(pieces.join(" ").contains("at [unused3] , mild at [unused2]"), "{pieces:?}");
    }

    #[test]
    fn spans_are_bytes_of_the_text_and_segments_part_own_from_general() {
        let text = "L4-5: é sévere canal stenosis at L4-5.\n\nNo canal stenosis.";
        let (pieces, sequence) = read(text, Level::L4L5, 128);
        for (piece, span) in pieces.iter().zip(&sequence.spans) {
            let Some(span) = span else { continue };
            let words = text[span.range()].to_lowercase();
            match piece.as_str() {
                "severe" => assert_eq!(words, "sévere"),
                "[unused1]" => assert_eq!(words, "l4-5"),
                "[UNK]" => {}
                _ => assert_eq!(words, piece.trim_start_matches("##")),
            }
        }
        let no = pieces.iter().position(|piece| piece == "no").unwrap();
        assert_eq!((sequence.segments[no - 1], sequence.segments[no]), (0, 1));
        let (_, cut) = read(text, Level::L4L5, 8);
        assert_eq!((cut.tokens.len(), cut.is_cut, sequence.is_cut), (8, true, false));
    }

    #[test]
    fn a_vocabulary_without_the_marks_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.txt");
        std::fs::write(&path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n.\ncanal\n").unwrap();
        let message = Vocabulary::load(&path).err().unwrap().to_string();
        assert!(message.contains("words.txt") && message.contains("[unused1]"), "{message}");
    }
}
