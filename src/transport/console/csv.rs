//! Comma-separated values (RFC 4180), for spreadsheets that must not take a text for a formula.

/// What makes a spreadsheet take a cell for a formula, in both widths; or take what follows for one.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Appends a line. Every cell is quoted; one that could be a formula gets an apostrophe before it, which shows that
/// it is a text.
pub(super) fn line(to: &mut String, cells: impl IntoIterator<Item: AsRef<str>>) {
    for (number, cell) in cells.into_iter().enumerate() {
        to.push_str(if number == 0 { "\"" } else { ",\"" });
        let cell = cell.as_ref();
        if cell.starts_with(FORMULA) {
            to.push('\'');
        }
        to.push_str(&cell.replace('"', "\"\""));
        to.push('"');
    }
    to.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> String {
        let mut text = String::new();
        line(&mut text, cells);
        text
    }

    #[test]
    fn a_cell_holds_whatever_it_holds() {
        assert_eq!(
            of(&["1", "a,b", "say \"hi\""]),
            "\"1\",\"a,b\",\"say \"\"hi\"\"\"\r\n"
        );
        assert_eq!(of(&["", "a\r\nb"]), "\"\",\"a\r\nb\"\r\n");
    }

    #[test]
    fn nothing_is_a_formula() {
        for text in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A",
        ] {
            assert_eq!(of(&[text]), format!("\"'{text}\"\r\n"));
        }
        assert_eq!(of(&["a=1"]), "\"a=1\"\r\n");
    }
}
