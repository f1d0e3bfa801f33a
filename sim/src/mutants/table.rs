//! The table of planted bugs: how many runs and seconds each took, for people and for a page.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::Hunt;
use super::catch::Shrunk;
use super::patches::Mutant;

/// Between these lines of a page stands the table; all else of it stays.
const BEGIN: &str = "<!-- the table of planted bugs begins -->";
const END: &str = "<!-- the table of planted bugs ends -->";
const HEAD: &str = "| planted bug | what is broken | fired | profiles | runs: median | p95 | \
    seconds: median | p95 | by clients alone | shrunk: faults | operations | seconds |";
/// The cell of what was not looked for, neither now nor before.
const NOT_ASKED: &str = "–";
/// So many columns at the end stay if they were not looked for now: what clients alone saw, and
/// what a failure has shrunk to.
const KEPT: usize = 4;

/// The outcome for one mutant.
pub(super) struct Row {
    name: String,
    words: String,
    profiles: String,
    /// The invariants that fired, the most frequent first.
    fired: Vec<String>,
    /// In the median, and for 95 of 100 starting points.
    runs: [u64; 2],
    seconds: [f64; 2],
    /// From how many starting points it lived, of how many.
    lived: [usize; 2],
    shrunk: Option<Shrunk>,
    /// The column of what clients alone saw.
    by_clients: Option<String>,
}

impl Row {
    pub(super) fn new(mutant: &Mutant, hunt: &Hunt) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (catch, _) in &hunt.catches {
            *counts.entry(&catch.id).or_default() += 1;
        }
        let mut fired: Vec<(&str, usize)> = counts.into_iter().collect();
        fired.sort_by_key(|(id, count)| (usize::MAX - count, *id));
        let caught = hunt.catches.iter().map(|(catch, _)| catch.runs);
        let mut runs: Vec<u64> = caught.chain(hunt.lived.iter().copied()).collect();
        let mut seconds: Vec<f64> = hunt.catches.iter().map(|(_, seconds)| *seconds).collect();
        runs.sort_unstable();
        seconds.sort_by(f64::total_cmp);
        let profiles: Vec<&str> = mutant.profiles.iter().map(|p| p.name()).collect();
        Self {
            name: mutant.name.clone(),
            words: mutant.words.clone(),
            profiles: profiles.join(" "),
            fired: fired.into_iter().map(|(id, _)| id.to_owned()).collect(),
            runs: spread(&runs),
            seconds: spread(&seconds),
            lived: [hunt.lived.len(), runs.len()],
            shrunk: hunt.shrunk,
            by_clients: hunt.by_clients.as_ref().map(|(id, runs)| match id {
                Some(id) => format!("{id}, {runs}"),
                None => format!("lives, {runs}"),
            }),
        }
    }

    /// In one line, for who waits.
    pub(super) fn told(&self) -> String {
        let ([median, p95], [half, most]) = (self.runs, self.seconds);
        let name = &self.name;
        let lives = self.lives();
        let shrunk = self.shrunk.map_or_else(String::new, |shrunk| {
            let Shrunk {
                faults,
                operations,
                seconds,
            } = shrunk;
            format!("; shrunk to {faults} faults, {operations} operations in {seconds:.1} s")
        });
        let by_clients = self.by_clients.as_ref();
        let by_clients = by_clients.map_or_else(String::new, |cell| {
            format!("; by clients alone (runs): {cell}")
        });
        format!(
            "{name:<32} runs: median {median}, p95 {p95}; seconds: {half:.1}, {most:.1}\
             {lives}{by_clients}{shrunk}"
        )
    }

    fn lives(&self) -> String {
        match self.lived {
            [0, _] => String::new(),
            [lived, all] => format!("; LIVES from {lived} of {all} starting points"),
        }
    }

    /// The row of the page, which keeps the last cells where those were not looked for now.
    fn line(&self, before: Option<&[String]>) -> String {
        let shrunk = self.shrunk.map(|shrunk| {
            let Shrunk {
                faults,
                operations,
                seconds,
            } = shrunk;
            [
                faults.to_string(),
                operations.to_string(),
                format!("{seconds:.1}"),
            ]
        });
        let shrunk = shrunk.map(|cells| cells.map(Some)).unwrap_or_default();
        let now = [self.by_clients.clone()].into_iter().chain(shrunk);
        let kept = |place: usize| before.and_then(|cells| cells.get(place)).cloned();
        let last = now.enumerate().map(|(place, cell)| {
            let cell = cell.or_else(|| kept(place));
            cell.unwrap_or_else(|| NOT_ASKED.to_owned())
        });
        let last = last.collect::<Vec<_>>().join(" | ");
        let ([median, p95], [half, most]) = (self.runs, self.seconds);
        let (name, words, profiles) = (&self.name, &self.words, &self.profiles);
        let fired = self.fired.join(" ") + &self.lives();
        format!(
            "| `{name}` | {words} | {fired} | {profiles} | {median} | {p95} | {half:.1} | \
             {most:.1} | {last} |"
        )
    }
}

/// The middle of a sorted list, and what 95 of 100 do not exceed.
fn spread<T: Copy + Default>(sorted: &[T]) -> [T; 2] {
    let at = |share: usize| (sorted.len() * share).div_ceil(100).saturating_sub(1);
    [50, 95].map(|share| sorted.get(at(share)).copied().unwrap_or_default())
}

/// Puts the rows into a page. Those of mutants that were not hunted stay, and so does what others
/// have shrunk to, and what clients saw of them.
pub(super) fn write(page: &Path, rows: &[Row]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", page.display());
    let text = fs::read_to_string(page).map_err(failed)?;
    let with_table = replaced(&text, rows)
        .ok_or_else(|| format!("{} has no marks for the table", page.display()))?;
    fs::write(page, with_table).map_err(failed)
}

fn replaced(text: &str, rows: &[Row]) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (old, behind) = rest.split_once(END)?;
    let name_of = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    let old = old
        .lines()
        .filter_map(|line| Some((name_of(line)?, line.to_owned())));
    let mut lines: BTreeMap<String, String> = old.collect();
    for row in rows {
        let kept = lines.get(&row.name).map(|line| {
            let cells = line.trim_end_matches('|').split(" | ");
            let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
            cells[cells.len().saturating_sub(KEPT)..].to_vec()
        });
        let line = row.line(kept.as_deref());
        lines.insert(row.name.clone(), line);
    }
    let rule = "|---".repeat(HEAD.matches(" | ").count() + 1);
    let all: Vec<String> = lines.into_values().collect();
    let table = all.join("\n");
    Some(format!(
        "{before}{BEGIN}\n{HEAD}\n{rule}|\n{table}\n{END}{behind}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, runs: u64) -> Row {
        Row {
            name: name.to_owned(),
            words: "It is broken".to_owned(),
            profiles: "smoke".to_owned(),
            fired: vec!["R1".to_owned()],
            runs: [runs; 2],
            seconds: [0.5; 2],
            lived: [0, 1],
            shrunk: None,
            by_clients: None,
        }
    }

    #[test]
    fn the_middle_and_the_end_of_a_list() {
        let all: Vec<u64> = (1..=21).collect();
        assert_eq!(spread(&all), [11, 20]);
        assert_eq!(spread(&[7_u64]), [7, 7]);
        assert_eq!(spread::<u64>(&[]), [0, 0]);
    }

    #[test]
    fn a_row_is_replaced_and_what_was_shrunk_stays() {
        let page = format!("before\n{BEGIN}\n{END}\nbehind\n");
        let page = replaced(&page, &[row("b", 1), row("a", 2)]).unwrap();
        let page = page.replace(
            "| 1 | 1 | 0.5 | 0.5 | – | – | – | – |",
            "| 1 | 1 | 0.5 | 0.5 | C1, 7 | 3 | 4 | 5.0 |",
        );
        let page = replaced(&page, &[row("b", 9)]).unwrap();
        let rows: Vec<&str> = page.lines().filter(|line| line.contains('`')).collect();
        assert!(
            rows[0].ends_with("| 2 | 2 | 0.5 | 0.5 | – | – | – | – |"),
            "{page}"
        );
        assert!(
            rows[1].ends_with("| 9 | 9 | 0.5 | 0.5 | C1, 7 | 3 | 4 | 5.0 |"),
            "{page}"
        );
        assert!(page.starts_with("before\n") && page.ends_with("\nbehind\n"));
    }
}
