//! Lines of log that others can cause: at most one a second, with the number of those left out.

use std::time::Duration;

use tokio::time::Instant;

/// The time between two lines.
const PAUSE: Duration = Duration::from_secs(1);
/// The time after which the same line is told again.
const PAUSE_OF_THE_SAME: Duration = Duration::from_secs(10);

/// The lines that were logged last, and how many were left out.
#[derive(Debug, Default)]
pub(super) struct Told {
    last: Option<(Instant, String)>,
    left_out: u64,
}

impl Told {
    /// Tells a line now, or only counts it.
    pub(super) fn warn(&mut self, text: String) {
        if let Some(line) = self.line(text, Instant::now()) {
            tracing::warn!("{line}");
        }
    }

    fn line(&mut self, text: String, now: Instant) -> Option<String> {
        if let Some((at, last)) = &self.last {
            let pause = if *last == text {
                PAUSE_OF_THE_SAME
            } else {
                PAUSE
            };
            if now.duration_since(*at) < pause {
                self.left_out += 1;
                return None;
            }
        }
        let left_out = std::mem::take(&mut self.left_out);
        let line = if left_out == 0 {
            text.clone()
        } else {
            format!("{text} ({left_out} similar lines were left out before this one)")
        };
        self.last = Some((now, text));
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_line_a_second_is_told_and_what_is_left_out_is_counted() {
        let mut told = Told::default();
        let begun = Instant::now();
        let at = |ms: u64| begun + Duration::from_millis(ms);
        assert_eq!(told.line("a".into(), at(0)).as_deref(), Some("a"));
        for ms in 1..1000 {
            assert_eq!(told.line(format!("b{ms}"), at(ms)), None);
        }
        let line = told.line("c".into(), at(1000)).unwrap();
        assert!(line.starts_with("c (999 similar lines"), "{line}");
        assert_eq!(told.line("c".into(), at(10_999)), None);
        assert!(told.line("c".into(), at(11_000)).is_some());
    }
}
