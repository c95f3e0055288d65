//! Report to reading. Read this first: it is the whole main job on one page.

#[cfg(feature = "neural")]
pub mod grading;
#[cfg(feature = "neural")]
pub mod measurement;
#[cfg(feature = "neural")]
pub mod study;

use crate::archive::Read;
#[cfg(feature = "neural")]
use crate::engine::encoder;
use crate::extract::{Extraction, Extractor};
#[cfg(feature = "neural")]
use crate::label::{Conformal, Fusion, Seen};
use crate::label::{Opinion, Reader, ReaderKind, resolve_all};
use crate::store::Body;

/// Reads one report's text by the rules and resolves its statements into opinions, one a mentioned
/// cell, by level and target.
pub fn read_text(extractor: &mut Extractor, text: &str) -> (Extraction, Vec<Opinion>) {
    let extraction = extractor.extract(text);
    let opinions = resolve_all(&extraction.statements);
    (extraction, opinions)
}

/// Who reads texts: the rules alone, or the transformer beside them. A clone is for another thread.
#[derive(Clone)]
#[allow(missing_debug_implementations, reason = "a network has none")]
pub struct TextReader {
    extractor: Extractor,
    #[cfg(feature = "neural")]
    transformer: Option<Transformer>,
}

/// A transformer, and how its beliefs are made one with the rules' opinions.
#[cfg(feature = "neural")]
#[derive(Clone)]
struct Transformer {
    model: encoder::Reader,
    together: Option<(Fusion, Conformal)>,
}

/// What a text's readers make of it.
#[derive(Debug, Clone)]
pub struct TextReading {
    /// What the rules found.
    pub extraction: Extraction,
    /// Each reader with its opinions, in the order of cells. The last one's are the label.
    pub readings: Vec<(ReaderKind, Vec<Opinion>)>,
}

impl TextReading {
    /// The opinions that the text is labelled with.
    pub fn opinions(&self) -> &[Opinion] {
        self.readings.last().map_or(&[], |(_, opinions)| opinions)
    }

    /// The opinions of a reader of this kind, where it has read.
    pub fn of(&self, kind: ReaderKind) -> Option<&[Opinion]> {
        self.readings.iter().find(|(of, _)| *of == kind).map(|(_, opinions)| &opinions[..])
    }
}

impl TextReader {
    /// The rules alone.
    pub const fn rules(extractor: Extractor) -> Self {
        Self {
            extractor,
            #[cfg(feature = "neural")]
            transformer: None,
        }
    }

    /// A transformer beside the rules, which has the last word.
    #[cfg(feature = "neural")]
    pub const fn transformer(extractor: Extractor, model: encoder::Reader) -> Self {
        Self { extractor, transformer: Some(Transformer { model, together: None }) }
    }

    /// Rules and transformer, fused as the model's calibration says, and in doubt where a conformal
    /// set at `coverage` holds several outcomes. None where the model is not calibrated, or not for
    /// that coverage.
    #[cfg(feature = "neural")]
    pub fn fused(extractor: Extractor, model: encoder::Reader, coverage: f64) -> Option<Self> {
        let calibration = model.calibration()?;
        let conformal = calibration.conformal.iter().find(|c| c.coverage == coverage)?;
        let together = Some((calibration.fusion, conformal.clone()));
        Some(Self { extractor, transformer: Some(Transformer { model, together }) })
    }

    /// The readers in the order of [`TextReading::readings`], with the versions that read.
    pub fn readers(&self) -> Vec<Reader> {
        let rules = Reader {
            kind: ReaderKind::Rules,
            name: ReaderKind::Rules.name().to_owned(),
            version: format!("{} {}", env!("CARGO_PKG_VERSION"), self.lexicon_version()),
            content_hash: self.extractor.content_hash().to_owned(),
        };
        #[cfg(feature = "neural")]
        if let Some(Transformer { model, together }) = &self.transformer {
            let transformer = model.identity().clone();
            let fused = together.as_ref().map(|(_, conformal)| Reader {
                kind: ReaderKind::Fused,
                name: ReaderKind::Fused.name().to_owned(),
                version: format!(
                    "{}, {}, {} % coverage",
                    rules.version,
                    transformer.version,
                    100.0 * conformal.coverage
                ),
                content_hash: format!("{} {}", rules.content_hash, transformer.content_hash),
            });
            return [rules, transformer].into_iter().chain(fused).collect();
        }
        vec![rules]
    }

    /// The version of the lexicon that the rules read with.
    pub fn lexicon_version(&self) -> &str {
        self.extractor.lexicon_version()
    }

    /// Reads texts. Several at once are read faster than one by one.
    pub fn read(&mut self, texts: &[&str]) -> Vec<TextReading> {
        let by_rules = |text: &&str| {
            let (extraction, opinions) = read_text(&mut self.extractor, text);
            TextReading { extraction, readings: vec![(ReaderKind::Rules, opinions)] }
        };
        #[allow(unused_mut, reason = "without a transformer the rules have the last word")]
        let mut readings: Vec<TextReading> = texts.iter().map(by_rules).collect();
        #[cfg(feature = "neural")]
        if let Some(transformer) = &self.transformer {
            transformer.read(texts, &mut readings);
        }
        readings
    }

    /// Reads texts for the archive: of each, what every reader made of it. What stands beside the
    /// opinions is the rules'.
    pub fn read_to_keep(&mut self, texts: &[&str]) -> Vec<Vec<Read>> {
        self.read(texts).into_iter().map(to_keep).collect()
    }
}

#[cfg(feature = "neural")]
impl Transformer {
    fn read(&self, texts: &[&str], readings: &mut [TextReading]) {
        let pairs: Vec<_> =
            texts.iter().zip(&*readings).map(|(text, r)| (*text, &r.extraction)).collect();
        let seen = self.model.read(&pairs);
        for (reading, seen) in readings.iter_mut().zip(seen) {
            let opinions = seen.iter().filter_map(Seen::opinion).collect();
            reading.readings.push((ReaderKind::Transformer, opinions));
            if let Some((fusion, conformal)) = &self.together {
                let opinions = fusion.opinions(&reading.readings[0].1, &seen, conformal);
                reading.readings.push((ReaderKind::Fused, opinions));
            }
        }
    }
}

fn to_keep(TextReading { extraction, readings }: TextReading) -> Vec<Read> {
    let Extraction { mentions, measurements, sections, .. } = extraction;
    let mut beside = Some(Body { mentions, measurements, sections, ..Body::default() });
    readings
        .into_iter()
        .map(|(_, opinions)| Read::new(Body { opinions, ..beside.take().unwrap_or_default() }))
        .collect()
}
