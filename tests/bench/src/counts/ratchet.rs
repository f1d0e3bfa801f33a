//! The file of counts, which may only become better.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::count::Count;
use crate::failure::{Failure, Result};
use crate::machine::said;

/// A count may be so much worse than the file says: the noise of counts that are kept is below it.
const WORSE_MAX: f64 = 0.10;

/// The counts of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// The compiler whose instructions were counted.
    compiler: String,
    /// Values by name.
    pub(super) counts: BTreeMap<String, f64>,
}

/// The counts that are worse, and what else there is to say.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) worse: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Kept {
    /// The counts that are kept, by this compiler.
    pub(super) fn of(counts: &[Count]) -> Self {
        let kept = counts.iter().filter(|count| count.is_kept);
        // Three digits behind the point are more than the noise leaves.
        let values = kept.map(|count| (count.name.clone(), (count.value * 1e3).round() / 1e3));
        Self {
            compiler: compiler(),
            counts: values.collect(),
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| Failure::from(error).during(&name))?;
        Self::parse(&text).map_err(|failure| failure.during(&name))
    }

    fn parse(text: &str) -> Result<Self> {
        let file: Value =
            serde_json::from_str(text).map_err(|error| Failure::new(error.to_string()))?;
        let counts = file.get("counts").and_then(Value::as_object);
        let counts = counts.ok_or_else(|| Failure::new("it has no object `counts`"))?;
        let values = counts.iter().map(|(name, value)| {
            let value = value.as_f64().filter(|value| *value > 0.0);
            let value = value.ok_or_else(|| Failure::new(format!("`{name}` is no number")))?;
            Ok((name.clone(), value))
        });
        Ok(Self {
            compiler: file["compiler"].as_str().unwrap_or_default().to_owned(),
            counts: values.collect::<Result<_>>()?,
        })
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let file = json!({
            "about": "Written by `bench counts --write`; docs/PERFORMANCE.md says what each is.",
            "compiler": self.compiler,
            "counts": self.counts,
        });
        std::fs::write(path, format!("{file:#}\n"))
            .map_err(|error| Failure::from(error).during(&path.display().to_string()))
    }

    /// Judges counts whose names have this in them. Some may be missing where something was
    /// skipped.
    pub(super) fn judge(&self, counts: &[Count], only: &str, is_part: bool) -> Verdict {
        self.judge_as(&compiler(), counts, only, is_part)
    }

    fn judge_as(&self, compiler: &str, counts: &[Count], only: &str, is_part: bool) -> Verdict {
        let mut verdict = Verdict::default();
        for (name, kept) in &self.counts {
            let Some(count) = counts.iter().find(|count| count.name == *name) else {
                if name.contains(only) && !is_part {
                    verdict
                        .worse
                        .push(format!("{name}: is not counted any more"));
                }
                continue;
            };
            if count.is_of_compiler && self.compiler != compiler {
                verdict.notes.push(format!(
                    "{name}: not judged, the file holds what {} made of it and this is {compiler}",
                    self.compiler
                ));
                continue;
            }
            let change = count.value / kept - 1.0;
            let words = format!(
                "{name}: {:.3}, {:+.1} % against {kept:.3} in the file",
                count.value,
                100.0 * change
            );
            if change > WORSE_MAX {
                verdict.worse.push(words);
            } else if change < -WORSE_MAX {
                verdict.notes.push(words + ": better, write the file anew");
            }
        }
        for count in counts.iter().filter(|count| count.is_kept) {
            if !self.counts.contains_key(&count.name) {
                verdict
                    .worse
                    .push(format!("{}: is not in the file, write it anew", count.name));
            }
        }
        verdict
    }
}

/// The compiler, in its own words.
fn compiler() -> String {
    said("rustc", &["--version"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, value: f64) -> Count {
        Count {
            name: name.to_owned(),
            value,
            is_kept: true,
            is_of_compiler: name.starts_with("instructions"),
        }
    }

    fn file() -> Kept {
        Kept::parse(
            r#"{"compiler": "one", "counts": {"calls of GET": 2.0, "instructions of GET": 500}}"#,
        )
        .unwrap()
    }

    fn worse(counts: &[Count]) -> Vec<String> {
        file().judge_as("one", counts, "", false).worse
    }

    #[test]
    fn a_count_that_is_worse_fails_by_its_name() {
        let instructions = count("instructions of GET", 514.0);
        let found = worse(&[count("calls of GET", 2.21), instructions.clone()]);
        let words = "calls of GET: 2.210, +10.5 % against 2.000 in the file";
        assert_eq!(found, [words]);
        assert!(worse(&[count("calls of GET", 2.19), instructions]).is_empty());
    }

    #[test]
    fn a_count_that_is_better_asks_for_another_file() {
        let counts = [
            count("calls of GET", 1.5),
            count("instructions of GET", 500.0),
        ];
        let verdict = file().judge_as("one", &counts, "", false);
        assert!(verdict.worse.is_empty());
        assert!(verdict.notes[0].ends_with("better, write the file anew"));
    }

    #[test]
    fn a_count_that_is_gone_or_new_fails() {
        let found = worse(&[count("calls of GET", 2.0), count("calls of SET", 2.0)]);
        assert_eq!(
            found,
            [
                "instructions of GET: is not counted any more",
                "calls of SET: is not in the file, write it anew",
            ]
        );
        let verdict = file().judge_as("one", &[count("calls of GET", 2.0)], "", true);
        assert!(verdict.worse.is_empty(), "something was skipped");
        let verdict = file().judge_as("one", &[count("calls of GET", 2.0)], "calls", false);
        assert!(verdict.worse.is_empty(), "only some were asked for");
    }

    #[test]
    fn instructions_of_another_compiler_are_not_judged() {
        let counts = [
            count("calls of GET", 2.0),
            count("instructions of GET", 900.0),
        ];
        let verdict = file().judge_as("other", &counts, "", false);
        assert!(verdict.worse.is_empty());
        assert!(verdict.notes[0].contains("not judged"), "{verdict:?}");
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"counts": {"a": "b"}}"#,
            r#"{"counts": {"a": 0}}"#,
        ] {
            assert!(Kept::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_file_that_is_committed_can_be_read() {
        let kept = Kept::parse(include_str!("../../counts.json")).unwrap();
        assert!(kept.counts.len() > 5);
        assert!(kept.compiler.starts_with("rustc"));
    }
}
