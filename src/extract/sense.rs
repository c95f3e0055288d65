//! What a term of the lexicon means: the closed vocabulary that the rules are written in.
//!
//! A language's words live in its TOML files; each list of words there carries one of the
//! senses of [`SENSES`], found by its file, table and key. No word of any language stands in
//! Rust code.

use super::finding::{Finding, Section};
use crate::label::{Grade, Level};

/// A structure whose width the rules are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anatomy {
    /// The spinal canal (rule 10).
    Canal,
    /// The thecal sac, which speaks indirectly of the canal (rule 11).
    Sac,
    /// A neural foramen (rule 12).
    Foramen,
    /// A lateral or subarticular recess (rule 13).
    Recess,
}

/// How a word of anatomy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// "foraminal", "central": only a narrowing word after it makes it a target.
    Adjective,
    /// "foramen": one of them, so that rule 17 may give it a side.
    Singular,
    /// "foramina", and the canal, of which there is one.
    Plural,
}

/// What happens to a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Stenosis: of the canal where nothing else is named (rule 10).
    Stenosis,
    /// Narrowing.
    Narrowing,
    /// Encroachment: narrows a canal, foramen or recess, but only touches a sac (rule 11).
    Encroachment,
    /// Compression.
    Compression,
    /// Effacement, flattening, obliteration.
    Effacement,
    /// Mere contact: no label (rule 11).
    Contact,
}

impl Change {
    /// Whether this change of this structure is a stenosis (rules 10 to 13).
    pub const fn narrows(self, anatomy: Anatomy) -> bool {
        match self {
            Self::Stenosis | Self::Narrowing | Self::Compression | Self::Effacement => true,
            Self::Encroachment => !matches!(anatomy, Anatomy::Sac),
            Self::Contact => false,
        }
    }
}

/// Whether a word of change can stand as a verb with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// "narrowing", "stenosis".
    Noun,
    /// "compressing", "narrows".
    Verb,
    /// "narrowed", "stenotic".
    Adjective,
}

/// One or both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants say all")]
pub enum Sides {
    Left,
    Right,
    Both,
}

/// Which part of the spine a word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Levels that get labels.
    Lumbar,
    /// Cervical or thoracic spine, or another part of the body: its universal statements are
    /// not about lumbar levels.
    Elsewhere,
}

/// Vertebrae, as the letter before a number tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants say all")]
pub enum Column {
    Cervical,
    Thoracic,
    Lumbar,
    Sacral,
}

/// The meaning of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// A structure.
    Anatomy(Anatomy, Form),
    /// What happens to it.
    Change(Change, Class),
    /// Wide enough: "patent", "adequate".
    Patent,
    /// Normal in general, of a structure or of a whole level: "normal", "unremarkable".
    Normal,
    /// Nothing found in a whole level: "no abnormality".
    NoAbnormality,
    /// "not assessed": no label.
    Unassessable,
    /// A finding beside stenosis, whose degree and side are its own (rule 19).
    Finding(Finding),
    /// A disc lesion of all sides, which takes no side of its own: "diffuse bulge" (rule 17).
    Diffuse,
    /// Another noun that takes degrees and sides for itself: "disc height", "spinal cord".
    Noun,
    /// A nerve root.
    Root,
    /// The conus: a level that says where it ends is no disc level named (rule 5).
    Conus,
    /// Inside a foramen: "within" (rule 12).
    Within,
    /// A degree.
    Degree(Grade),
    /// "significant": severe, but after a negation no degree at all (rules 18, 20).
    Significant,
    /// "borderline": mild, hedged (rule 18).
    Borderline,
    /// "complete": severe where it goes with obliteration (rule 18).
    Complete,
    /// "none" where a degree would stand.
    None,
    /// A side.
    Side(Sides),
    /// "greater than", "worse on": the side after it adds nothing (rule 16).
    Worse,
    /// A whole-spine cue: "at all levels".
    Universal,
    /// "remaining levels" (rule 7).
    Remaining,
    /// "except": what follows is left out of the universal or remaining levels.
    Except,
    /// "above": the levels over the one that follows.
    Above,
    /// "below": the levels under the one that follows.
    Below,
    /// "multilevel": several levels, none named (rule 6).
    Multilevel,
    /// "worst at": picks a level out of several (rules 4, 6).
    Worst,
    /// "this level", "the same level".
    SameLevel,
    /// "both levels", "these levels".
    SameLevels,
    /// "the former" of two levels.
    Former,
    /// "the latter" of two levels.
    Latter,
    /// "respectively".
    Respectively,
    /// A level with a name of its own: "lumbosacral disc".
    NamedLevel(Level),
    /// "first" to "fifth", counting lumbar discs.
    Ordinal(u8),
    /// "between", which two vertebrae after it make a level of.
    Between,
    /// "vertebrae": what ordinals count after "between".
    VertebraWord,
    /// "interspace": what an ordinal counts, and filler beside a level.
    Disc,
    /// "level": filler beside a level.
    LevelWord,
    /// "through": a range of levels.
    Through,
    /// "on", "over": L4 on L5.
    Over,
    /// The letter before a vertebra's number.
    Column(Column),
    /// "four", after such a letter.
    Numeral(u8),
    /// A part of the spine or body.
    Region(Region),
    /// "no", "without".
    Not,
    /// "absent", "is not seen": negation after its noun.
    Absent,
    /// "more than", "new": after a negation, nothing is excluded (rule 20).
    Limit,
    /// "no more than": a negation and a limit at once.
    AtMost,
    /// "study", "scan": with "prior" or a year before it, what it showed is not present.
    Exam,
    /// "no interval change": neither negation nor claim.
    Unchanged,
    /// "possible", "may be".
    Hedge,
    /// "is suspected", "cannot be excluded".
    HedgeAfter,
    /// "may have been artifact": doubts everything before it in the sentence.
    Doubt,
    /// "previously": the degree beside it is not the present one (rule 1).
    Previously,
    /// "now", "currently": what follows is the present state again.
    Now,
    /// "the prior study showed", "if": what follows is not the present state.
    PriorStudy,
    /// "progressed", "increased": a change from one degree to another (rule 1).
    Progressed,
    /// "from".
    From,
    /// "resolved": normal now (rule 1).
    Resolved,
    /// "resolution of": what follows is gone.
    Resolution,
    /// "which", "this": goes on about what was said before.
    Anaphor,
    /// "is", "remains", "shows", "noted".
    Be,
    /// "there is": begins a claim of its own.
    ThereIs,
    /// "and".
    And,
    /// "or".
    Or,
    /// "of", "in", "at".
    Of,
    /// "to" between degrees.
    To,
    /// "with": what follows has its own negation and degree.
    With,
    /// "causing": what follows has its own degree, but a negation before reaches it.
    Causing,
    /// "so are": what was said before holds for the next structure too.
    Alike,
    /// "but": ends what a negation or hedge reaches.
    But,
    /// Filler that carries nothing: articles, "bony", "caliber".
    Filler,
    /// An ordinary word, known so that spelling tolerance leaves it alone.
    Ordinary,
    /// "comma", dictated.
    Spoken(char),
    /// "page", in the foot of a page.
    Page,
    /// A heading, looked up only where a heading can stand.
    Heading(Section),
    /// An abbreviation whose full stop ends no sentence.
    Abbreviation,
}

/// Where in a lexicon the words of a sense stand: file, table and key.
#[derive(Debug, Clone, Copy)]
pub struct SenseRow {
    /// `file.table.key`.
    pub path: &'static str,
    /// What its words mean.
    pub sense: Sense,
    /// Whether a language may leave the list out.
    pub optional: bool,
}

const fn row(path: &'static str, sense: Sense) -> SenseRow {
    SenseRow { path, sense, optional: false }
}

const fn opt(path: &'static str, sense: Sense) -> SenseRow {
    SenseRow { path, sense, optional: true }
}

/// Every list that a lexicon has.
pub const SENSES: &[SenseRow] = &[
    row("anatomy.canal.noun", Sense::Anatomy(Anatomy::Canal, Form::Plural)),
    row("anatomy.canal.adjective", Sense::Anatomy(Anatomy::Canal, Form::Adjective)),
    row("anatomy.sac.noun", Sense::Anatomy(Anatomy::Sac, Form::Plural)),
    row("anatomy.foramen.singular", Sense::Anatomy(Anatomy::Foramen, Form::Singular)),
    row("anatomy.foramen.plural", Sense::Anatomy(Anatomy::Foramen, Form::Plural)),
    row("anatomy.foramen.adjective", Sense::Anatomy(Anatomy::Foramen, Form::Adjective)),
    row("anatomy.recess.singular", Sense::Anatomy(Anatomy::Recess, Form::Singular)),
    row("anatomy.recess.plural", Sense::Anatomy(Anatomy::Recess, Form::Plural)),
    row("anatomy.recess.adjective", Sense::Anatomy(Anatomy::Recess, Form::Adjective)),
    row("anatomy.other.noun", Sense::Noun),
    row("anatomy.other.nerve_root", Sense::Root),
    row("anatomy.other.conus", Sense::Conus),
    row("anatomy.other.within", Sense::Within),
    row("change.stenosis.noun", Sense::Change(Change::Stenosis, Class::Noun)),
    row("change.stenosis.adjective", Sense::Change(Change::Stenosis, Class::Adjective)),
    row("change.narrowing.noun", Sense::Change(Change::Narrowing, Class::Noun)),
    opt("change.narrowing.verb", Sense::Change(Change::Narrowing, Class::Verb)),
    row("change.narrowing.adjective", Sense::Change(Change::Narrowing, Class::Adjective)),
    row("change.encroachment.noun", Sense::Change(Change::Encroachment, Class::Noun)),
    opt("change.encroachment.verb", Sense::Change(Change::Encroachment, Class::Verb)),
    opt("change.encroachment.adjective", Sense::Change(Change::Encroachment, Class::Adjective)),
    row("change.compression.noun", Sense::Change(Change::Compression, Class::Noun)),
    row("change.compression.verb", Sense::Change(Change::Compression, Class::Verb)),
    row("change.compression.adjective", Sense::Change(Change::Compression, Class::Adjective)),
    row("change.effacement.noun", Sense::Change(Change::Effacement, Class::Noun)),
    opt("change.effacement.verb", Sense::Change(Change::Effacement, Class::Verb)),
    row("change.effacement.adjective", Sense::Change(Change::Effacement, Class::Adjective)),
    row("change.contact.noun", Sense::Change(Change::Contact, Class::Noun)),
    row("change.contact.verb", Sense::Change(Change::Contact, Class::Verb)),
    opt("change.contact.adjective", Sense::Change(Change::Contact, Class::Adjective)),
    row("normal.words.patent", Sense::Patent),
    row("normal.words.normal", Sense::Normal),
    row("normal.words.no_abnormality", Sense::NoAbnormality),
    row("normal.words.unassessable", Sense::Unassessable),
    row("normal.words.none", Sense::None),
    row("degree.words.mild", Sense::Degree(Grade::Mild)),
    row("degree.words.mild_moderate", Sense::Degree(Grade::MildModerate)),
    row("degree.words.moderate", Sense::Degree(Grade::Moderate)),
    row("degree.words.moderate_severe", Sense::Degree(Grade::ModerateSevere)),
    row("degree.words.severe", Sense::Degree(Grade::Severe)),
    row("degree.words.significant", Sense::Significant),
    opt("degree.words.borderline", Sense::Borderline),
    opt("degree.words.complete", Sense::Complete),
    row("side.words.left", Sense::Side(Sides::Left)),
    row("side.words.right", Sense::Side(Sides::Right)),
    row("side.words.both", Sense::Side(Sides::Both)),
    row("side.words.worse", Sense::Worse),
    row("side.words.diffuse", Sense::Diffuse),
    row("level.which.universal", Sense::Universal),
    row("level.which.remaining", Sense::Remaining),
    row("level.which.except", Sense::Except),
    row("level.which.above", Sense::Above),
    row("level.which.below", Sense::Below),
    row("level.which.multilevel", Sense::Multilevel),
    row("level.which.worst", Sense::Worst),
    row("level.which.same", Sense::SameLevel),
    opt("level.which.same_several", Sense::SameLevels),
    opt("level.which.former", Sense::Former),
    opt("level.which.latter", Sense::Latter),
    row("level.which.respectively", Sense::Respectively),
    opt("level.name.l5_s1", Sense::NamedLevel(Level::L5S1)),
    opt("level.name.first", Sense::Ordinal(1)),
    opt("level.name.second", Sense::Ordinal(2)),
    opt("level.name.third", Sense::Ordinal(3)),
    opt("level.name.fourth", Sense::Ordinal(4)),
    opt("level.name.fifth", Sense::Ordinal(5)),
    opt("level.name.between", Sense::Between),
    opt("level.name.vertebra", Sense::VertebraWord),
    row("level.name.disc", Sense::Disc),
    row("level.name.level", Sense::LevelWord),
    row("level.name.through", Sense::Through),
    row("level.name.over", Sense::Over),
    row("level.vertebra.cervical", Sense::Column(Column::Cervical)),
    row("level.vertebra.thoracic", Sense::Column(Column::Thoracic)),
    row("level.vertebra.lumbar", Sense::Column(Column::Lumbar)),
    row("level.vertebra.sacral", Sense::Column(Column::Sacral)),
    opt("level.numeral.one", Sense::Numeral(1)),
    opt("level.numeral.two", Sense::Numeral(2)),
    opt("level.numeral.three", Sense::Numeral(3)),
    opt("level.numeral.four", Sense::Numeral(4)),
    opt("level.numeral.five", Sense::Numeral(5)),
    opt("level.numeral.six", Sense::Numeral(6)),
    opt("level.numeral.seven", Sense::Numeral(7)),
    opt("level.numeral.eight", Sense::Numeral(8)),
    opt("level.numeral.nine", Sense::Numeral(9)),
    opt("level.numeral.ten", Sense::Numeral(10)),
    opt("level.numeral.eleven", Sense::Numeral(11)),
    opt("level.numeral.twelve", Sense::Numeral(12)),
    row("level.region.lumbar", Sense::Region(Region::Lumbar)),
    row("level.region.elsewhere", Sense::Region(Region::Elsewhere)),
    row("context.negation.not", Sense::Not),
    row("context.negation.absent", Sense::Absent),
    row("context.negation.limit", Sense::Limit),
    opt("context.negation.at_most", Sense::AtMost),
    row("context.hedge.before", Sense::Hedge),
    row("context.hedge.after", Sense::HedgeAfter),
    opt("context.hedge.doubt", Sense::Doubt),
    row("context.time.previously", Sense::Previously),
    row("context.time.now", Sense::Now),
    row("context.time.prior_study", Sense::PriorStudy),
    row("context.time.exam", Sense::Exam),
    row("context.time.unchanged", Sense::Unchanged),
    row("context.time.progressed", Sense::Progressed),
    row("context.time.from", Sense::From),
    row("context.time.resolved", Sense::Resolved),
    opt("context.time.resolution", Sense::Resolution),
    row("grammar.words.anaphor", Sense::Anaphor),
    row("grammar.words.be", Sense::Be),
    row("grammar.words.there_is", Sense::ThereIs),
    row("grammar.words.and", Sense::And),
    row("grammar.words.or", Sense::Or),
    row("grammar.words.of", Sense::Of),
    row("grammar.words.to", Sense::To),
    row("grammar.words.with", Sense::With),
    row("grammar.words.causing", Sense::Causing),
    opt("grammar.words.alike", Sense::Alike),
    row("grammar.words.but", Sense::But),
    row("grammar.words.filler", Sense::Filler),
    row("grammar.words.abbreviation", Sense::Abbreviation),
    opt("grammar.spoken.period", Sense::Spoken('.')),
    opt("grammar.spoken.comma", Sense::Spoken(',')),
    opt("grammar.spoken.colon", Sense::Spoken(':')),
    opt("grammar.spoken.semicolon", Sense::Spoken(';')),
    opt("grammar.spoken.dash", Sense::Spoken('-')),
    opt("grammar.spoken.slash", Sense::Spoken('/')),
    opt("grammar.spoken.paragraph", Sense::Spoken('\n')),
    opt("sections.foot.page", Sense::Page),
    row("sections.heading.findings", Sense::Heading(Section::Findings)),
    row("sections.heading.impression", Sense::Heading(Section::Impression)),
    row("sections.heading.addendum", Sense::Heading(Section::Addendum)),
    row("sections.heading.ignored", Sense::Heading(Section::Background)),
    row("findings.words.bulge", Sense::Finding(Finding::Bulge)),
    row("findings.words.protrusion", Sense::Finding(Finding::Protrusion)),
    row("findings.words.extrusion", Sense::Finding(Finding::Extrusion)),
    row("findings.words.sequestration", Sense::Finding(Finding::Sequestration)),
    row("findings.words.annular_fissure", Sense::Finding(Finding::AnnularFissure)),
    row("findings.words.facet_arthropathy", Sense::Finding(Finding::FacetArthropathy)),
    row("findings.words.flavum_thickening", Sense::Finding(Finding::FlavumThickening)),
    row("findings.words.listhesis", Sense::Finding(Finding::Listhesis)),
    row("findings.words.modic_change", Sense::Finding(Finding::ModicChange)),
    row("findings.words.fracture", Sense::Finding(Finding::Fracture)),
    row("findings.words.prior_surgery", Sense::Finding(Finding::PriorSurgery)),
    row("findings.words.transitional_anatomy", Sense::Finding(Finding::TransitionalAnatomy)),
    opt("ordinary.words.known", Sense::Ordinary),
];
