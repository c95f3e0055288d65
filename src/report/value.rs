//! Dates, sexes and ages as exports write them, made one way of writing. Nothing is guessed.

use super::problem::Caution;

/// Which of day and month comes first in a date such as `03/04/2019`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// Whether a value stands for none: empty, or what databases and data frames write for it.
pub(super) fn is_blank(value: &str) -> bool {
    const NONE: [&str; 11] =
        ["", "null", "none", "nil", "nan", "na", "n/a", "<na>", "\\n", "-", "unknown"];
    let value = trimmed(value);
    NONE.iter().any(|none| value.eq_ignore_ascii_case(none))
}

/// The value without white space around it, nor the NULs that fixed-width fields are padded with.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// A date as ISO 8601, without the time of day that may follow it.
///
/// Understood are `20190304` (and DICOM date-times), `2019-03-04`, `2019/03/04`, `04.03.2019`,
/// `04-Mar-2019`, `Mar 4, 2019`, and `25/03/2019` or `03/25/2019` with slashes or hyphens, where
/// one number can only be the day. `03/04/2019` needs `order`. Years have four digits.
pub(super) fn iso_date(value: &str, order: Option<DateOrder>) -> Result<String, Caution> {
    let value = trimmed(value);
    let (year, month, day) =
        if let Some(digits) = compact(value) { digits } else { parts(value, order)? };
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    };
    let sane =
        (1850..=2200).contains(&year) && (1..=12).contains(&month) && (1..=longest).contains(&day);
    if sane { Ok(format!("{year:04}-{month:02}-{day:02}")) } else { Err(Caution::UnknownDate) }
}

/// `YYYYMMDD`, alone or at the head of a DICOM date-time `YYYYMMDDHHMM[SS[.F]][±ZZZZ]`.
fn compact(value: &str) -> Option<(u32, u32, u32)> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &value[digits..];
    let is_time = rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'));
    let is_compact = match digits {
        8 => rest.is_empty() || starts_time(rest),
        12 | 14 => is_time,
        _ => false,
    };
    let number = |range: std::ops::Range<usize>| value.get(range)?.parse().ok();
    if is_compact { Some((number(0..4)?, number(4..6)?, number(6..8)?)) } else { None }
}

/// Whether what follows a date is a time of day.
fn starts_time(rest: &str) -> bool {
    let time = rest.strip_prefix('T').unwrap_or(rest).trim_start();
    time.len() < rest.len()
        && time.starts_with(|c: char| c.is_ascii_digit())
        && time.bytes().all(|b| b.is_ascii_digit() || b" :.,+-ZAPMapm".contains(&b))
}

fn parts(value: &str, order: Option<DateOrder>) -> Result<(u32, u32, u32), Caution> {
    let mut rest = value;
    let mut words = Vec::with_capacity(3);
    let mut separators = Vec::with_capacity(2);
    while words.len() < 3 {
        let is_digit = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() || c.is_ascii_digit() != is_digit)
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(Caution::UnknownDate);
        }
        words.push(&rest[..end]);
        rest = &rest[end..];
        if words.len() < 3 {
            let gap =
                rest.find(|c| !matches!(c, '-' | '/' | '.' | ',' | ' ')).unwrap_or(rest.len());
            separators.push(&rest[..gap]);
            rest = &rest[gap..];
        }
    }
    if !rest.is_empty() && !starts_time(rest) {
        return Err(Caution::UnknownDate);
    }
    let [a, b, c] = words[..] else { return Err(Caution::UnknownDate) };
    if let Some(month) = month(b) {
        return Ok((year(c)?, month, number(a)?));
    }
    if let Some(month) = month(a) {
        return Ok((year(c)?, month, number(b)?));
    }
    if separators[0] != separators[1] || !["-", "/", "."].contains(&separators[0]) {
        return Err(Caution::UnknownDate);
    }
    if a.len() == 4 {
        return Ok((year(a)?, number(b)?, number(c)?));
    }
    let (year, a, b) = (year(c)?, number(a)?, number(b)?);
    if separators[0] == "." {
        return Ok((year, b, a));
    }
    match (a > 12, b > 12, order) {
        (true, false, _) => Ok((year, b, a)),
        (false, true, _) => Ok((year, a, b)),
        (false, false, _) if a == b => Ok((year, a, b)),
        (false, false, Some(DateOrder::Dmy)) => Ok((year, b, a)),
        (false, false, Some(DateOrder::Mdy)) => Ok((year, a, b)),
        (false, false, None) => Err(Caution::AmbiguousDate),
        (true, true, _) => Err(Caution::UnknownDate),
    }
}

fn number(digits: &str) -> Result<u32, Caution> {
    let fits = digits.len() <= 2;
    digits.parse().ok().filter(|_| fits).ok_or(Caution::UnknownDate)
}

fn year(digits: &str) -> Result<u32, Caution> {
    let fits = digits.len() == 4;
    digits.parse().ok().filter(|_| fits).ok_or(Caution::UnknownDate)
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let word = if word == "sept" { "sep" } else { &word };
    let index = MONTHS.iter().position(|name| word == &name[..3] || word == *name)?;
    u32::try_from(index + 1).ok()
}

/// `F`, `M` or `O`.
pub(super) fn sex(value: &str) -> Result<&'static str, Caution> {
    match trimmed(value).to_ascii_lowercase().as_str() {
        "f" | "female" | "w" | "woman" => Ok("F"),
        "m" | "male" | "man" => Ok("M"),
        "o" | "other" | "x" | "d" | "diverse" | "nonbinary" | "non-binary" => Ok("O"),
        _ => Err(Caution::UnknownSex),
    }
}

/// An age in whole years: `67`, `67.4`, `67 y`, `67-year-old`, `067Y`, or DICOM's months, weeks
/// and days (`018M` is 1).
pub(super) fn age(value: &str) -> Result<u16, Caution> {
    const OLDEST: f64 = 130.0;
    let value = trimmed(value).to_ascii_lowercase();
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let unit: String = unit.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    let is_word = value[end..].bytes().all(|b| b.is_ascii_alphabetic() || b" -./".contains(&b));
    let a_year = match unit.as_str() {
        "" | "y" | "yr" | "yrs" | "yo" | "year" | "years" | "yearold" | "yearsold" => 1.0,
        "m" | "mo" | "month" | "months" => 12.0,
        "w" | "wk" | "week" | "weeks" => 365.25 / 7.0,
        "d" | "day" | "days" => 365.25,
        _ => return Err(Caution::UnknownAge),
    };
    match number.parse::<f64>() {
        Ok(number) if is_word && number / a_year <= OLDEST => Ok((number / a_year) as u16),
        _ => Err(Caution::UnknownAge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_common_kind_become_iso() {
        for value in [
            "2019-03-25",
            "20190325",
            "20190325143000.000000+0100",
            "2019-03-25T14:30:00Z",
            "2019-03-25 14:30:00.000",
            "2019/03/25",
            "25.03.2019",
            "25/03/2019",
            "03/25/2019",
            "3/25/2019 2:30 PM",
            "25-03-2019",
            "25-MAR-2019",
            "25MAR2019",
            "Mar 25, 2019",
            "March 25 2019",
            " 25 March 2019 ",
        ] {
            assert_eq!(iso_date(value, None).as_deref(), Ok("2019-03-25"), "{value}");
        }
        assert_eq!(iso_date("Sept 3, 2019", None).as_deref(), Ok("2019-09-03"));
        assert_eq!(iso_date("29.02.2020", None).as_deref(), Ok("2020-02-29"));
    }

    #[test]
    fn a_date_that_can_be_read_two_ways_is_left_out_until_the_order_is_given() {
        assert_eq!(iso_date("03/04/2019", None), Err(Caution::AmbiguousDate));
        assert_eq!(iso_date("03-04-2019", None), Err(Caution::AmbiguousDate));
        assert_eq!(iso_date("03/04/2019", Some(DateOrder::Dmy)).as_deref(), Ok("2019-04-03"));
        assert_eq!(iso_date("03/04/2019", Some(DateOrder::Mdy)).as_deref(), Ok("2019-03-04"));
        assert_eq!(iso_date("03.04.2019", None).as_deref(), Ok("2019-04-03"));
        assert_eq!(iso_date("04/04/2019", None).as_deref(), Ok("2019-04-04"));
    }

    #[test]
    fn what_is_no_date_is_not_understood() {
        for value in [
            "2019-13-04",
            "20190230",
            "29.02.2019",
            "03/04/19",
            "00000000",
            "13/13/2019",
            "43512",
            "soon",
            "2019",
            "2019-03",
            "1.2/2019",
            "2019-03-25 or so",
            "12.3456.2019",
            "é/é/é",
        ] {
            assert_eq!(iso_date(value, None), Err(Caution::UnknownDate), "{value}");
        }
    }

    #[test]
    fn ages_are_whole_years() {
        for value in ["67", "067Y", "67 y", "67yo", "67.9", "67 years", "67-year-old", "67 Y/O"] {
            assert_eq!(age(value), Ok(67), "{value}");
        }
        assert_eq!([age("018M"), age("003W"), age("0")], [Ok(1), Ok(0), Ok(0)]);
        for value in ["", ">89", "90+", "-3", "999", "67 kg", "1.2.3", "."] {
            assert_eq!(age(value), Err(Caution::UnknownAge), "{value}");
        }
    }

    #[test]
    fn sexes_are_f_m_or_o() {
        assert_eq!([sex("Female"), sex(" m"), sex("X")], [Ok("F"), Ok("M"), Ok("O")]);
        assert_eq!(sex("1"), Err(Caution::UnknownSex));
    }
}
