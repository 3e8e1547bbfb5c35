//! A table for a terminal.

/// The widest cell. A name that is longer is cut.
const WIDEST: usize = 40;

/// Returns the lines of a table whose columns are as wide as their cells.
pub(super) fn lines<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let cut = |cell: &str| -> String {
        // Letters of other scripts may be wider; a terminal shows them then a little to the right.
        let plain: String = cell.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        match plain.char_indices().nth(WIDEST) {
            Some((end, _)) => format!("{}…", &plain[..end]),
            None => plain,
        }
    };
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| cut(cell))).collect();
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([head[at].chars().count()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let body = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    std::iter::once(line(head)).chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells_and_no_cell_moves_the_cursor() {
        let rows = [["1".to_owned(), "Asha\u{1b}[2J".to_owned()], ["12345".to_owned(), "x".repeat(50)]];
        let shown = lines(["no", "name"], &rows);
        assert_eq!(shown[0], "no     name");
        assert_eq!(shown[1], "1      Asha [2J");
        assert_eq!(shown[2].chars().count(), 7 + WIDEST + 1);
    }
}
