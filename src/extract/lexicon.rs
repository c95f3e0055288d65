//! A language's words: read from TOML, checked, and told apart by sense.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::sense::{SENSES, Sense};

/// The lexicons that are compiled into the binary: every folder of `lexicons/` is a language.
#[derive(rust_embed::RustEmbed)]
#[folder = "lexicons/"]
struct Builtin;

/// A phrase and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// Lower-case words, in the tokenizer's cut.
    pub words: Vec<String>,
    pub sense: Sense,
    /// `file.table.key`, for messages.
    path: &'static str,
}

/// A checked lexicon. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lexicon {
    pub(super) terms: Arc<[Term]>,
    language: String,
    version: u32,
    hash: String,
}

/// Why a lexicon is refused. Each names the file and the entry.
#[derive(Debug, thiserror::Error)]
pub enum LexiconError {
    /// No such built-in language.
    #[error(
        "no lexicon for language `{language}` is built in; there are: {known}. Give a folder of your own with --lexicon"
    )]
    UnknownLanguage {
        /// What was asked for.
        language: String,
        /// What there is.
        known: String,
    },
    /// A file or folder that cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or not tables of lists of words.
    #[error("{file}.toml: {message}")]
    Syntax {
        /// The file, without extension.
        file: String,
        /// What is wrong and where.
        message: String,
    },
    /// A file, table or key that no rule knows.
    #[error("{path}: no rule knows this list; known in this table are: {known}")]
    UnknownKey {
        /// `file.table.key`.
        path: String,
        /// What would have been known.
        known: String,
    },
    /// A list that must have words has none.
    #[error("{path}: the list is missing or empty, and the rules need it")]
    Missing {
        /// `file.table.key`.
        path: &'static str,
    },
    /// An entry without a letter or digit.
    #[error("{path}: the entry `{entry}` has no word in it")]
    NoWord {
        /// `file.table.key`.
        path: &'static str,
        /// The entry.
        entry: String,
    },
    /// More words than can be numbered.
    #[error("the lexicon has {words} different words, more than the {most} that can be read with")]
    TooLarge {
        /// How many it has.
        words: usize,
        /// How many it may have.
        most: usize,
    },
    /// The same phrase twice.
    #[error("{second}: `{phrase}` shadows the same words in {first}; keep one of them")]
    Shadowed {
        /// The phrase.
        phrase: String,
        /// Where it stands first.
        first: &'static str,
        /// Where it stands again.
        second: &'static str,
    },
}

/// The TOML texts of one lexicon, by file name without extension.
type Files = Vec<(String, String)>;

impl Lexicon {
    /// A lexicon that is compiled into the binary.
    ///
    /// # Errors
    /// [`LexiconError::UnknownLanguage`]; the others only while a built-in lexicon is broken,
    /// which a test rules out.
    pub fn builtin(language: &str) -> Result<Self, LexiconError> {
        Self::compile(&builtin_files(language)?)
    }

    /// The languages of the built-in lexicons, by alphabet.
    pub fn languages() -> Vec<String> {
        let mut languages: Vec<String> = Builtin::iter()
            .filter_map(|path| path.split_once('/').map(|(language, _)| language.to_owned()))
            .collect();
        languages.dedup();
        languages
    }

    /// The lexicon in a folder of TOML files. When its `lexicon.toml` says `extends = "en"`, its
    /// lists are added to the built-in ones of that language; otherwise it must be whole.
    ///
    /// # Errors
    /// Any [`LexiconError`], naming the file and the entry.
    pub fn load(folder: &Path) -> Result<Self, LexiconError> {
        let mut files = folder_files(folder)?;
        if let Some(base) = header(&files)?.extends {
            let mut whole = builtin_files(&base)?;
            whole.retain(|(name, _)| name != "lexicon");
            files.extend(whole);
        }
        Self::compile(&files)
    }

    /// Language, version and the first digits of the hash, such as `en 1 (3f9a02b1)`.
    pub fn version(&self) -> String {
        format!("{} {} ({})", self.language, self.version, &self.hash[..8])
    }

    /// The language, such as `en`.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// SHA-256 of the words and their senses, in hexadecimal digits.
    pub fn content_hash(&self) -> &str {
        &self.hash
    }

    /// Every phrase as text, for a bench that runs a plain automaton over the same terms.
    pub fn phrases(&self) -> impl Iterator<Item = String> + '_ {
        self.terms
            .iter()
            .filter(|term| {
                Place::of(term.sense) == Place::Anywhere && term.sense != Sense::Ordinary
            })
            .map(|term| term.words.join(" "))
    }

    fn compile(files: &Files) -> Result<Self, LexiconError> {
        let header = header(files)?;
        let mut lists: HashMap<&'static str, Vec<String>> = HashMap::new();
        for (file, text) in files.iter().filter(|(file, _)| file != "lexicon") {
            read_lists(file, text, &mut lists)?;
        }
        let terms = terms(&lists)?;
        let words: HashSet<&str> =
            terms.iter().flat_map(|term| &term.words).map(String::as_str).collect();
        if words.len() > super::vocabulary::MOST_WORDS {
            let most = super::vocabulary::MOST_WORDS;
            return Err(LexiconError::TooLarge { words: words.len(), most });
        }
        let mut hasher = Sha256::new();
        for term in &terms {
            hasher.update(term.path);
            hasher.update(term.words.join(" "));
            hasher.update("\n");
        }
        let hash = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { terms: terms.into(), language: header.language, version: header.version, hash })
    }
}

/// `lexicon.toml`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    language: String,
    version: u32,
    extends: Option<String>,
}

fn header(files: &Files) -> Result<Header, LexiconError> {
    let syntax = |message: String| LexiconError::Syntax { file: "lexicon".to_owned(), message };
    let text = files
        .iter()
        .find(|(name, _)| name == "lexicon")
        .map(|(_, text)| text)
        .ok_or_else(|| syntax("missing; it says the language and version".to_owned()))?;
    toml::from_str(text).map_err(|error| syntax(error.to_string()))
}

fn builtin_files(language: &str) -> Result<Files, LexiconError> {
    let prefix = format!("{language}/");
    let mut files = Files::new();
    for path in Builtin::iter() {
        let name = path.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".toml"));
        if let (Some(name), Some(file)) = (name, Builtin::get(&path)) {
            files.push((name.to_owned(), String::from_utf8_lossy(&file.data).into_owned()));
        }
    }
    if files.is_empty() {
        let known = Lexicon::languages().join(", ");
        return Err(LexiconError::UnknownLanguage { language: language.to_owned(), known });
    }
    Ok(files)
}

fn folder_files(folder: &Path) -> Result<Files, LexiconError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| LexiconError::Read { path, source }
    };
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(&path).map_err(failed(&path))?));
        }
    }
    files.sort();
    Ok(files)
}

fn read_lists(
    file: &str,
    text: &str,
    lists: &mut HashMap<&'static str, Vec<String>>,
) -> Result<(), LexiconError> {
    type Tables = HashMap<String, HashMap<String, Vec<String>>>;
    let tables: Tables = toml::from_str(text).map_err(|error| LexiconError::Syntax {
        file: file.to_owned(),
        message: error.to_string(),
    })?;
    for (table, keys) in tables {
        for (key, words) in keys {
            let path = format!("{file}.{table}.{key}");
            let row = SENSES.iter().find(|row| row.path == path).ok_or_else(|| {
                let prefix = format!("{file}.{table}.");
                let siblings = SENSES.iter().filter_map(|row| row.path.strip_prefix(&prefix));
                LexiconError::UnknownKey {
                    known: siblings.collect::<Vec<_>>().join(", "),
                    path: path.clone(),
                }
            })?;
            lists.entry(row.path).or_default().extend(words);
        }
    }
    Ok(())
}

/// The phrases of all lists in the order of [`SENSES`], each once.
fn terms(lists: &HashMap<&'static str, Vec<String>>) -> Result<Vec<Term>, LexiconError> {
    let mut terms = Vec::new();
    let mut seen: HashMap<(Place, Vec<String>), &'static str> = HashMap::new();
    for row in SENSES {
        let words = lists.get(row.path).map_or(&[][..], Vec::as_slice);
        if words.is_empty() && !row.optional {
            return Err(LexiconError::Missing { path: row.path });
        }
        for entry in words {
            let phrase = cut(entry);
            if phrase.is_empty() {
                return Err(LexiconError::NoWord { path: row.path, entry: entry.clone() });
            }
            let place = Place::of(row.sense);
            if let Some(first) = seen.insert((place, phrase.clone()), row.path) {
                let phrase = phrase.join(" ");
                return Err(LexiconError::Shadowed { phrase, first, second: row.path });
            }
            terms.push(Term { words: phrase, sense: row.sense, path: row.path });
        }
    }
    Ok(terms)
}

/// Where a term is looked for. Only terms of the same place can shadow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Anywhere in the text.
    Anywhere,
    /// Only where a heading can stand.
    Heading,
    /// Only before a vertebra's number.
    Column,
    /// Only after such a letter.
    Numeral,
    /// Only before a full stop.
    Abbreviation,
}

impl Place {
    pub fn of(sense: Sense) -> Self {
        match sense {
            Sense::Heading(_) => Self::Heading,
            Sense::Column(_) => Self::Column,
            Sense::Numeral(_) => Self::Numeral,
            Sense::Abbreviation => Self::Abbreviation,
            _ => Self::Anywhere,
        }
    }
}

/// A phrase in the tokenizer's cut, in lower case.
fn cut(phrase: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    super::token::tokenize(phrase, &mut tokens);
    tokens
        .iter()
        .filter(|token| matches!(token.kind, super::token::Kind::Word | super::token::Kind::Number))
        .map(|token| token.text(phrase).to_lowercase())
        .collect()
}
