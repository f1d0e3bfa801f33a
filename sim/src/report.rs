//! What is printed: lines of a trace, last lines of a run.

use std::io::Write as _;

/// Prints a line; a reader that has gone away is no reason to fail.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Shows that a line is waited for.
pub(crate) fn prompt() {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(b"> ");
    let _ = out.flush();
}

/// Prints a line for whoever waits, beside the output.
pub(crate) fn aside(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
