//! Parameters of the calls that list and search. An empty one counts as absent: forms send them so.

use std::fmt::Display;
use std::str::FromStr;

use super::error::ConsoleError;

/// What a parameter says, if it says anything.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    name: &'static str,
    value: Option<&str>,
) -> Result<Option<T>, ConsoleError> {
    given(value)
        .map(str::parse)
        .transpose()
        .map_err(|error: T::Err| ConsoleError::invalid(name, error.to_string()))
}

/// A parameter's text, if it has any.
pub(super) fn given(value: Option<&str>) -> Option<&str> {
    value.filter(|text| !text.is_empty())
}

/// How many are asked for: `usual` if nothing is said, `most` at most.
pub(super) fn limit(value: Option<&str>, usual: usize, most: usize) -> Result<usize, ConsoleError> {
    match parsed("limit", value)? {
        None => Ok(usual),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => Err(ConsoleError::invalid(
            "limit",
            format!("must be 1 to {most}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_bounds_and_an_empty_one_is_the_usual() {
        assert_eq!(limit(None, 50, 200), Ok(50));
        assert_eq!(limit(Some(""), 50, 200), Ok(50));
        assert_eq!(limit(Some("200"), 50, 200), Ok(200));
        for wrong in ["0", "201", "-1", "1e2", "many", "99999999999999999999"] {
            assert!(limit(Some(wrong), 50, 200).is_err(), "{wrong}");
        }
    }
}
