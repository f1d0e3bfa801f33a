//! CONFIG REWRITE: changed directives are written into the configuration file, everything else in
//! it stays.
use std::fs;
use std::io;
use std::path::PathBuf;

/// The configuration file, where the server was started with one.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    path: Option<PathBuf>,
}

impl Configuration {
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    /// Writes these directives into the file, at their old places where they have one.
    pub(crate) fn save(&self, directives: &[(&'static str, String)]) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = rewritten(&fs::read_to_string(path)?, directives);
        // A file that is renamed is never seen half written.
        let new = path.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, path)
    }
}

fn rewritten(text: &str, directives: &[(&'static str, String)]) -> String {
    let mut left: Vec<_> = directives.iter().collect();
    let mut out = String::new();
    for line in text.lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let place = left
            .iter()
            .position(|(own, _)| own.eq_ignore_ascii_case(name));
        match place {
            Some(place) => out.push_str(&written(left.remove(place))),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    for directive in left {
        out.push_str(&written(directive));
        out.push('\n');
    }
    out
}

fn written((name, value): &(&'static str, String)) -> String {
    if value.is_empty() || value.contains(char::is_whitespace) {
        format!("{name} \"{value}\"")
    } else {
        format!("{name} {value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_keeps_its_place_and_a_new_one_comes_last() {
        let text = "# mine\nport 7000\nTimeout 5\n";
        let changes = [("timeout", "9".to_string()), ("save", String::new())];
        let wanted = "# mine\nport 7000\ntimeout 9\nsave \"\"\n";
        assert_eq!(rewritten(text, &changes), wanted);
    }
}
