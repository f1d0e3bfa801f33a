//! A source file with many bugs in it, each behind a switch of its own.

use crate::sites::{Edit, Site};

/// The source with these bugs, each with the number of its switch.
pub(crate) fn rewritten(source: &str, sites: &[(usize, &Site)]) -> String {
    let mut edits: Vec<(usize, &Edit)> = Vec::new();
    for (number, site) in sites {
        edits.extend(site.edits.iter().map(|edit| (*number, edit)));
    }
    // What ends behind an expression comes before what begins there; outer ones lie outside.
    edits.sort_by_key(|(number, edit)| {
        let (depth, order) = (edit.depth as isize, *number as isize);
        let nested = if edit.is_behind {
            (0, -depth, -order)
        } else {
            (1, depth, order)
        };
        (edit.range.start, nested)
    });
    let (mut text, mut at) = (String::with_capacity(source.len() * 2), 0);
    for (number, edit) in edits {
        text += &source[at..edit.range.start.max(at)];
        text += &edit
            .text
            .replace('@', &format!("crate::mutant::is({number})"));
        at = edit.range.end.max(at);
    }
    text + &source[at..]
}
