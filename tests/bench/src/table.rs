//! A table as Markdown, its columns as wide as what stands in them.

/// Rows below a heading.
#[derive(Clone, Debug)]
pub struct Table {
    /// So many columns hold names, and stand left.
    names: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with columns of names, and of numbers behind them.
    pub fn new(names: &[&str], numbers: &[&str]) -> Self {
        let heading = names.iter().chain(numbers);
        let heading = heading.map(|&column| column.to_owned()).collect();
        Self {
            names: names.len(),
            rows: vec![heading],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table; names stand left, numbers right.
    pub fn markdown(&self) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths = (0..columns).map(width).collect::<Vec<_>>();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, &width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                let cell = if column < self.names {
                    format!("| {cell:width$} ")
                } else {
                    format!("| {cell:>width$} ")
                };
                text.push_str(&cell);
            }
            text.push_str("|\n");
            if number == 0 {
                for (column, &width) in widths.iter().enumerate() {
                    let rule = "-".repeat(width);
                    let end = if column < self.names { "-" } else { ":" };
                    text.extend(["|-", rule.as_str(), end]);
                }
                text.push_str("|\n");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let mut table = Table::new(&["load"], &["µs"]);
        table.row(["GET".to_owned(), "12.5".to_owned()]);
        let text = "| load |   µs |\n|------|-----:|\n| GET  | 12.5 |\n";
        assert_eq!(table.markdown(), text);
    }
}
