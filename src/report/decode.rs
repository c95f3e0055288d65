//! From the bytes of a file to UTF-8 text, as a stream: compression first, then encoding.

use std::cell::Cell;
use std::io::{self, BufRead, Cursor, Read};
use std::rc::Rc;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::columns::ColumnNames;

/// How much is looked at to tell what a file is, and how much is decoded at a time.
const CHUNK: usize = 64 * 1024;

/// A word that names no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no encoding that is known; give one such as utf-8, utf-16le or windows-1252")]
pub struct UnknownEncoding(String);

/// The encoding of a name such as `utf-8`, `utf-16le` or `windows-1252`.
pub fn encoding(name: &str) -> Result<&'static Encoding, UnknownEncoding> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| UnknownEncoding(name.to_owned()))
}

/// What came to light while a file was decoded. Shared, since it is the file's format that
/// decodes and the records that it matters to.
#[derive(Debug, Default)]
pub(super) struct Decoding {
    /// The encoding, once it is settled.
    encoding: Cell<Option<&'static Encoding>>,
    is_guess: Cell<bool>,
    is_damaged: Cell<bool>,
}

impl Decoding {
    /// The encoding that had to be guessed from the bytes, if it had to.
    pub fn guess(&self) -> Option<&'static str> {
        self.encoding.get().filter(|_| self.is_guess.get()).map(Encoding::name)
    }

    /// The encoding that `text` breaks: it holds a replacement character, and the decoder put
    /// some into this file. One that was in the file from the start is no fault of its own.
    pub fn damage(&self, text: &str) -> Option<&'static str> {
        let is_damaged = self.is_damaged.get() && text.contains(char::REPLACEMENT_CHARACTER);
        is_damaged.then(|| self.encoding.get().unwrap_or(UTF_8).name())
    }
}

/// A file with its compression taken off, and its beginning looked at.
pub(super) struct Content {
    head: Vec<u8>,
    rest: Box<dyn Read>,
    given: Option<&'static Encoding>,
    decoding: Rc<Decoding>,
}

/// The beginning of a file, for a format to tell whether the file is of its kind.
pub(super) struct Head<'a> {
    pub bytes: &'a [u8],
    pub text: String,
    /// The columns that the user named: only formats with columns can be meant then.
    pub given: &'a ColumnNames,
}

impl Content {
    /// Opens a file whatever it is called: its first bytes tell how it is compressed.
    pub fn open(
        mut raw: Box<dyn Read>,
        given: Option<&'static Encoding>,
        decoding: Rc<Decoding>,
    ) -> io::Result<Self> {
        const GZIP: &[u8] = b"\x1f\x8b";
        const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
        let (magic, failure) = chunk(&mut raw, ZSTD.len());
        let (is_gzip, is_zstd) = (magic.starts_with(GZIP), magic.starts_with(ZSTD));
        let raw = Cursor::new(magic).chain(Failing(failure)).chain(raw);
        let mut rest: Box<dyn Read> = if is_gzip {
            Box::new(flate2::read::MultiGzDecoder::new(raw))
        } else if is_zstd {
            Box::new(zstd::Decoder::new(raw)?)
        } else {
            Box::new(raw)
        };
        let (head, failure) = chunk(&mut rest, CHUNK);
        match failure {
            Some(error) if head.is_empty() => Err(error),
            failure => {
                Ok(Self { head, rest: Box::new(Failing(failure).chain(rest)), given, decoding })
            }
        }
    }

    /// The beginning of the file.
    pub fn head<'a>(&'a self, given: &'a ColumnNames) -> Head<'a> {
        let memory = Box::new(Cursor::new(self.head.clone()));
        let mut decoded = Decoded::new(memory, &self.head, self.given, Rc::default());
        // A reader of memory does not fail, and of no text nothing is recognised.
        let text = decoded.fill().map(|()| decoded.text).unwrap_or_default();
        Head { bytes: &self.head, text, given }
    }

    /// Whether there is nothing in the file.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// All bytes, for a format that has to jump about in them.
    pub fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        self.rest.read_to_end(&mut self.head)?;
        Ok(self.head)
    }

    /// The text, as it comes.
    pub fn into_text(self) -> Decoded {
        let whole = Cursor::new(self.head.clone()).chain(self.rest);
        Decoded::new(Box::new(whole), &self.head, self.given, self.decoding)
    }
}

/// Up to `length` bytes, and the error that kept it from being as many. What was read before an
/// error is kept, so that the records before a damaged place in a file are not lost with it.
fn chunk(reader: &mut dyn Read, length: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut bytes = Vec::with_capacity(length);
    let failure = reader.take(length as u64).read_to_end(&mut bytes).err();
    (bytes, failure)
}

/// Gives back an error that was met while reading ahead.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Text being decoded to UTF-8. A sequence of bytes that is no text becomes a replacement
/// character, and [`Decoding::damage`] tells.
pub(super) struct Decoded {
    source: Box<dyn Read>,
    /// None as long as the text is plain ASCII and nothing says what will follow.
    decoder: Option<Decoder>,
    decoding: Rc<Decoding>,
    text: String,
    position: usize,
    failure: Option<io::Error>,
    is_done: bool,
}

impl Decoded {
    fn new(
        source: Box<dyn Read>,
        head: &[u8],
        given: Option<&'static Encoding>,
        decoding: Rc<Decoding>,
    ) -> Self {
        let marked = Encoding::for_bom(head).map(|(encoding, _)| encoding);
        let encoding = marked.or(given).or_else(|| utf16_without_mark(head));
        decoding.encoding.set(encoding);
        Self {
            source,
            decoder: encoding.map(Encoding::new_decoder_with_bom_removal),
            decoding,
            text: String::new(),
            position: 0,
            failure: None,
            is_done: false,
        }
    }

    /// Decodes the next chunk that has any text.
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.position = 0;
        while self.text.is_empty() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.is_done {
                break;
            }
            let mut raw = self.chunk();
            if self.decoder.is_none() {
                match raw.iter().position(|byte| !byte.is_ascii()) {
                    // ASCII reads the same in whatever may turn up later.
                    None => {
                        self.text.push_str(&String::from_utf8_lossy(&raw));
                        continue;
                    }
                    // A guess wants to see what follows the first telling byte.
                    Some(first) if first > CHUNK / 2 && !self.is_done => raw.extend(self.chunk()),
                    Some(_) => {}
                }
            }
            self.decode(&raw);
        }
        Ok(())
    }

    fn chunk(&mut self) -> Vec<u8> {
        let (raw, failure) = chunk(&mut self.source, CHUNK);
        self.is_done = raw.len() < CHUNK;
        self.failure = failure;
        raw
    }

    fn decode(&mut self, mut raw: &[u8]) {
        let (decoding, is_done) = (&self.decoding, self.is_done);
        let decoder = self.decoder.get_or_insert_with(|| {
            let encoding = if is_utf8(raw) {
                UTF_8
            } else {
                decoding.is_guess.set(true);
                let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
                detector.feed(raw, is_done);
                detector.guess(None, Utf8Detection::Deny)
            };
            decoding.encoding.set(Some(encoding));
            encoding.new_decoder_without_bom_handling()
        });
        loop {
            let room = decoder.max_utf8_buffer_length_without_replacement(raw.len());
            self.text.reserve(room.unwrap_or(CHUNK));
            let (result, read) =
                decoder.decode_to_string_without_replacement(raw, &mut self.text, is_done);
            raw = &raw[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.text.push(char::REPLACEMENT_CHARACTER);
                    decoding.is_damaged.set(true);
                }
            }
        }
    }
}

impl BufRead for Decoded {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.text.len() {
            self.fill()?;
        }
        Ok(&self.text.as_bytes()[self.position..])
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount;
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// UTF-16 shows in Western text by a zero in every other byte.
fn utf16_without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let units = head[..head.len().min(4096)].chunks_exact(2);
    let total = units.len();
    let (mut first, mut second) = (0, 0);
    for unit in units {
        first += usize::from(unit[0] == 0);
        second += usize::from(unit[1] == 0);
    }
    let (most, few) = (total / 2, total / 16);
    if total < 2 {
        None
    } else if second > most && first <= few {
        Some(UTF_16LE)
    } else if first > most && second <= few {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Whether bytes beyond ASCII are UTF-8, if perhaps with a damaged place.
fn is_utf8(raw: &[u8]) -> bool {
    let (mut sound, mut broken) = (0, 0);
    for chunk in raw.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    sound >= broken
}

/// What [`read_line`] came upon.
pub(super) enum Line {
    /// A line, with its line break where it has one.
    Whole,
    /// The beginning of a line that is longer than the limit.
    TooLong,
    /// The end of the text.
    End,
}

/// Appends the next line to `line`.
pub(super) fn read_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    limit: usize,
) -> io::Result<Line> {
    let read = input.by_ref().take(limit as u64).read_until(b'\n', line)?;
    if read == 0 {
        Ok(Line::End)
    } else if read < limit || line.ends_with(b"\n") {
        Ok(Line::Whole)
    } else {
        Ok(Line::TooLong)
    }
}
