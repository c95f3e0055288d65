//! Ranges of dates and ages.

use std::fmt;

use super::Problem;

/// Days from the first to the last, both included and in ISO 8601; open where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateRange {
    /// The first day.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
}

/// Ages in years from the lowest to the highest, both included; open where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeRange {
    /// The lowest.
    pub from: Option<u16>,
    /// The highest.
    pub to: Option<u16>,
}

impl DateRange {
    /// Reads `2020`, `2020-01`, `2020-01-31`, and ranges of them such as `2020..2021-06`.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let (from, to) = ends(text).ok_or_else(|| Problem::BadDate(text.to_owned()))?;
        let from = from.map(|date| days(date).map(|(first, _)| first)).transpose()?;
        let to = to.map(|date| days(date).map(|(_, last)| last)).transpose()?;
        if from.is_some() && to.is_some() && from > to {
            return Err(Problem::EmptyRange);
        }
        Ok(Self { from, to })
    }
}

impl AgeRange {
    /// Reads `67` and ranges such as `50..70`.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let bad = || Problem::BadAge(text.to_owned());
        let (from, to) = ends(text).ok_or_else(bad)?;
        let years = |text: Option<&str>| text.map(|years| years.parse::<u16>()).transpose();
        let (from, to) = (years(from).map_err(|_| bad())?, years(to).map_err(|_| bad())?);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(Problem::EmptyRange);
        }
        Ok(Self { from, to })
    }
}

/// The two ends of a range; one value is both. None where there is neither.
fn ends(text: &str) -> Option<(Option<&str>, Option<&str>)> {
    let Some((from, to)) = text.split_once("..") else { return Some((Some(text), Some(text))) };
    let end = |text| Some(text).filter(|text: &&str| !text.is_empty());
    match (end(from), end(to)) {
        (None, None) => None,
        ends => Some(ends),
    }
}

/// The first and the last day of a year, a month or a day.
fn days(text: &str) -> Result<(String, String), Problem> {
    let bad = || Problem::BadDate(text.to_owned());
    let number = |part: &str, digits: usize| {
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse::<i16>().map_err(|_| bad()) } else { Err(bad()) }
    };
    let date = |year: &str, month: &str, day: &str| {
        let (month, day) = (number(month, 2)? as i8, number(day, 2)? as i8);
        jiff::civil::Date::new(number(year, 4)?, month, day).map_err(|_| bad())
    };
    let (first, last) = match *text.split('-').collect::<Vec<_>>() {
        [year] => (date(year, "01", "01")?, date(year, "12", "31")?),
        [year, month] => (date(year, month, "01")?, date(year, month, "01")?.last_of_month()),
        [year, month, day] => (date(year, month, day)?, date(year, month, day)?),
        _ => return Err(bad()),
    };
    Ok((first.to_string(), last.to_string()))
}

/// A range as it is written: one value where both ends are the same.
pub(super) struct Spelt<'a, T>(pub &'a Option<T>, pub &'a Option<T>);

impl<T: fmt::Display + PartialEq> fmt::Display for Spelt<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(from), Some(to)) if from == to => write!(f, "{from}"),
            (from, to) => {
                let end =
                    |end: &Option<T>| end.as_ref().map(ToString::to_string).unwrap_or_default();
                write!(f, "{}..{}", end(from), end(to))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, from: Option<&str>, to: Option<&str>) {
        let range = DateRange::parse(text).unwrap();
        assert_eq!((range.from.as_deref(), range.to.as_deref()), (from, to), "{text}");
    }

    #[test]
    fn a_date_stands_for_all_its_days() {
        check("2020", Some("2020-01-01"), Some("2020-12-31"));
        check("2020-02", Some("2020-02-01"), Some("2020-02-29"));
        check("2021-02..2021-06", Some("2021-02-01"), Some("2021-06-30"));
        check("..2021-06-15", None, Some("2021-06-15"));
        check("2020..", Some("2020-01-01"), None);
    }

    #[test]
    fn what_is_no_date_is_told() {
        for text in [
            "20",
            "2020-1",
            "2020-13",
            "2021-02-29",
            "2020-01-01-01",
            "x..2020",
            "..",
            "2020x",
            "",
            "é020-01",
        ] {
            assert!(DateRange::parse(text).is_err(), "{text}");
        }
        assert_eq!(DateRange::parse("2021..2020"), Err(Problem::EmptyRange));
    }

    #[test]
    fn ages_are_whole_years() {
        assert_eq!(AgeRange::parse("67"), Ok(AgeRange { from: Some(67), to: Some(67) }));
        assert_eq!(AgeRange::parse("50.."), Ok(AgeRange { from: Some(50), to: None }));
        for text in ["", "..", "old", "-5", "70..50", "1e2", "999999"] {
            assert!(AgeRange::parse(text).is_err(), "{text}");
        }
    }
}
