//! What typing, dictation and transcription do to a text.

use crate::simulate::chance;

/// A text with the slips of whoever typed it, which leave levels and short words alone.
pub(super) fn scuff(text: String, random: &mut fastrand::Rng) -> String {
    let text = match random.u32(..20) {
        0..2 => text.to_uppercase(),
        2..4 => text.to_lowercase(),
        _ => text,
    };
    let text = if chance(random, 0.1) { wrapped(&text) } else { text };
    if chance(random, 0.35) {
        let rate = 0.01 + 0.05 * random.f64();
        misspelt(&text, rate, random)
    } else {
        text
    }
}

/// Lines broken where a terminal of old would.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 68;
    let mut out = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in line.split(' ') {
            if column > 0 {
                let breaks = column + word.len() >= WIDTH;
                out.push(if breaks { '\n' } else { ' ' });
                column = if breaks { 0 } else { column };
            }
            out.push_str(word);
            column += word.len() + 1;
        }
        out.push('\n');
    }
    out
}

fn misspelt(text: &str, rate: f64, random: &mut fastrand::Rng) -> String {
    const SHORTEST: usize = 5;
    text.split_inclusive(|c: char| !c.is_ascii_alphabetic())
        .map(|word| {
            let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
            if letters >= SHORTEST && chance(random, rate) {
                slip(word, letters, random)
            } else {
                word.to_owned()
            }
        })
        .collect()
}

/// One letter left out, doubled, changed or swapped with the next; the first one stays.
fn slip(word: &str, letters: usize, random: &mut fastrand::Rng) -> String {
    let mut bytes = word.as_bytes().to_vec();
    let at = random.usize(1..letters - 1);
    match random.u32(..4) {
        0 => {
            bytes.remove(at);
        }
        1 => bytes.insert(at, bytes[at]),
        2 => bytes[at] = random.u8(b'a'..=b'z'),
        _ => bytes.swap(at, at + 1),
    }
    // Only ASCII letters moved, and what ends the word is left as it was.
    String::from_utf8(bytes).unwrap_or_else(|_| word.to_owned())
}
