//! Members of JSON, found without parsing the rest.
//!
//! A quote within a JSON text is escaped, so `"name":` can only be a member's name.

use memchr::memmem;

/// What follows the first `"name":`, which may go on with the beginning of its value.
pub(crate) fn after<'a>(json: &'a [u8], name: &str) -> Option<&'a [u8]> {
    debug_assert!(name.starts_with('"'));
    memmem::find(json, name.as_bytes()).map(|at| &json[at + name.len()..])
}

/// The whole number that a text begins with.
pub(crate) fn number(json: &[u8]) -> Option<u64> {
    let digits = json.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&json[..digits]).ok()?.parse().ok()
}

/// Likewise with a sign.
pub(crate) fn signed(json: &[u8]) -> Option<i64> {
    match json.strip_prefix(b"-") {
        Some(rest) => number(rest)
            .and_then(|number| i64::try_from(number).ok())
            .map(|number| -number),
        None => number(json).and_then(|number| i64::try_from(number).ok()),
    }
}

/// The text that begins here, if it has no escapes.
pub(crate) fn text(json: &[u8]) -> Option<&str> {
    let rest = json.strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', rest)?;
    std::str::from_utf8(&rest[..end]).ok()
}

pub(crate) fn count(json: &[u8], name: &str) -> usize {
    memmem::find_iter(json, name.as_bytes()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found() {
        let json = br#"{"a":"\"b\":1","b":42,"c":-7,"d":"text"}"#;
        assert_eq!(after(json, r#""b":"#).and_then(number), Some(42));
        assert_eq!(after(json, r#""c":"#).and_then(signed), Some(-7));
        assert_eq!(after(json, r#""d":"#).and_then(text), Some("text"));
        assert_eq!(after(json, r#""e":"#), None);
    }
}
