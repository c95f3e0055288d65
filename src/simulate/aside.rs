//! Sentences beside the point: what every report says and no label follows from.

use super::pick;

const TECHNIQUE: [&str; 9] = [
    "Sagittal T1, T2 and STIR and axial T2-weighted images were obtained.",
    "Multiplanar, multisequence imaging of the lumbar spine without contrast.",
    "Sagittal and axial T1 and T2 sequences.",
    "Routine non-contrast protocol at 1.5 T.",
    "Images were acquired at 3 Tesla without intravenous contrast.",
    "T2 axial images were angled through the discs.",
    "Sagittal STIR, T1 and T2 FSE with axial T2 FSE.",
    "Helical acquisition with sagittal and coronal reformats.",
    "Standard lumbar protocol; motion degrades the axial series slightly.",
];

const ALIGNMENT: [&str; 10] = [
    "Vertebral body heights are maintained.",
    "Lumbar lordosis is preserved.",
    "There is straightening of the lumbar lordosis.",
    "Mild levoconvex curvature.",
    "Mild dextroscoliosis centred on L3.",
    "Alignment is anatomic.",
    "Marrow signal is normal.",
    "Heterogeneous marrow signal, likely red marrow reconversion.",
    "A small hemangioma lies in the L2 vertebral body.",
    "Schmorl's nodes are seen in the upper endplates.",
];

const ELSEWHERE: [&str; 22] = [
    "The conus medullaris ends at L1 and is normal in signal.",
    "The conus terminates at L1-L2.",
    "Cauda equina nerve roots are unremarkable.",
    "A Tarlov cyst at S2 is noted incidentally.",
    "Simple renal cysts are seen on both sides.",
    "The abdominal aorta is normal in calibre.",
    "The visualized kidneys are unremarkable.",
    "Fatty atrophy of the multifidus muscles.",
    "Paraspinal soft tissues are unremarkable.",
    "Degenerative change of the sacroiliac joints.",
    "The uterus contains a fibroid.",
    "The bladder is distended.",
    "Prostate enlargement is partly seen.",
    "A small synovial cyst projects posteriorly from a facet joint.",
    "No pars defect is identified.",
    "No suspicious osseous lesion.",
    "No epidural collection.",
    "The paravertebral muscles are symmetrical.",
    "Epidural lipomatosis is noted in the sacral canal region.",
    "Diverticulosis of the sigmoid colon.",
    "Gallstones are incidentally seen.",
    "The psoas muscles are normal.",
];

const CLOSING: [&str; 8] = [
    "Clinical correlation is recommended.",
    "Thank you for this referral.",
    "Findings were discussed with the referring physician.",
    "Consider follow-up if symptoms persist.",
    "Comparison with any outside imaging would be helpful.",
    "Electronically signed.",
    "Dictated and reviewed.",
    "No further imaging is needed at this time.",
];

pub(super) fn technique(random: &mut fastrand::Rng) -> &'static str {
    pick(random, &TECHNIQUE)
}

pub(super) fn alignment(random: &mut fastrand::Rng) -> &'static str {
    pick(random, &ALIGNMENT)
}

pub(super) fn elsewhere(random: &mut fastrand::Rng) -> &'static str {
    pick(random, &ELSEWHERE)
}

pub(super) fn closing(random: &mut fastrand::Rng) -> &'static str {
    pick(random, &CLOSING)
}

/// Things that are seen by the way, and where.
const INCIDENTAL: [&str; 20] = [
    "simple cyst",
    "hemorrhagic cyst",
    "lipoma",
    "T2-hyperintense focus",
    "lymph node",
    "calcification",
    "sclerotic focus",
    "bone island",
    "hemangioma",
    "perineural cyst",
    "calculus",
    "angiomyolipoma",
    "parapelvic cyst",
    "sebaceous cyst",
    "haematoma",
    "seroma",
    "fluid pocket",
    "enhancing nodule",
    "arachnoid cyst",
    "fibroid",
];

const PLACES: [&str; 20] = [
    "the upper pole of the left kidney",
    "the lower pole of the right kidney",
    "the right hepatic lobe",
    "the sacral ala",
    "the left iliac bone",
    "the right iliac crest",
    "the retroperitoneum",
    "the subcutaneous fat of the back",
    "the left psoas muscle",
    "the right adrenal gland",
    "the pelvis",
    "the spleen",
    "the tail of the pancreas",
    "the mesentery",
    "the posterior body wall",
    "the gluteal region",
    "the presacral space",
    "the left ovary",
    "the gallbladder",
    "the coccyx",
];

const ADVICE: [&str; 12] = [
    "Ultrasound may be considered.",
    "This is of doubtful significance.",
    "It is unchanged since the earlier examination.",
    "It was not seen before.",
    "Dedicated imaging is suggested.",
    "It has the features of a benign lesion.",
    "Correlate with laboratory values.",
    "Follow-up in twelve months is advised.",
    "It is incompletely imaged.",
    "No further work-up is required.",
    "It was described on an earlier tomography.",
    "Its signal suppresses with fat saturation.",
];

/// Parts of names, so that there are thousands of them.
const BEGINNINGS: [&str; 24] = [
    "Al", "Ber", "Cas", "Dor", "El", "Fen", "Gar", "Hol", "Iv", "Jan", "Kes", "Lam", "Mor", "Nor",
    "Os", "Pel", "Quin", "Ros", "Sal", "Tor", "Ul", "Ver", "Wes", "Zan",
];
const MIDDLES: [&str; 12] =
    ["a", "bur", "den", "e", "ga", "in", "lo", "man", "o", "ri", "ta", "un"];
const ENDS: [&str; 14] = [
    "berg", "cott", "den", "field", "gren", "ham", "ic", "ley", "mann", "ner", "ov", "son", "ton",
    "witz",
];

/// Something seen by the way, measured.
pub(super) fn incidental(random: &mut fastrand::Rng) -> String {
    let (what, place) = (pick(random, &INCIDENTAL), pick(random, &PLACES));
    let size = random.u8(3..58);
    match random.u8(..3) {
        0 => format!("A {size} mm {what} lies in {place}. {}", pick(random, &ADVICE)),
        1 => format!("Incidental {what} of {size} mm in {place}."),
        _ => format!("There is a {what} in {place}, {size} x {} mm.", random.u8(3..40)),
    }
}

/// Who signed, and when.
pub(super) fn signature(random: &mut fastrand::Rng) -> String {
    let name = |random: &mut fastrand::Rng| {
        format!("{}{}{}", pick(random, &BEGINNINGS), pick(random, &MIDDLES), pick(random, &ENDS))
    };
    let (first, last) = (name(random), name(random));
    let (hour, minute) = (random.u8(6..23), random.u8(..60));
    match random.u8(..3) {
        0 => format!("Reported by Dr. {last}, verified by Dr. {first} at {hour:02}:{minute:02}."),
        1 => format!("Electronically signed by {first} {last}, MD."),
        _ => format!("Dictated: {last}. Transcribed: {first}, {hour:02}{minute:02} hours."),
    }
}

/// An earlier examination that is compared with.
pub(super) fn comparison(random: &mut fastrand::Rng) -> String {
    match random.u8(..4) {
        0 => "None.".to_owned(),
        1 => "No prior study is available.".to_owned(),
        2 => format!("MRI of {}/{}/20{:02}.", random.u8(1..13), random.u8(1..29), random.u8(8..26)),
        _ => format!("Radiographs from 20{:02}.", random.u8(8..26)),
    }
}
