//! The page of a run: one file that needs nothing else, and explains how a failure came about.

mod story;

use std::path::Path;

use crate::json::Json;
use crate::report;
use crate::run::Order;
use crate::subject::Subject;
use crate::timeline::Timeline;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// The scripts of the page, in the order in which a browser reads them.
const SCRIPTS: [&str; 4] = [
    include_str!("data.js"),
    include_str!("lanes.js"),
    include_str!("panel.js"),
    include_str!("page.js"),
];

/// Writes the page of a run, and gives the exit code: a page of a failure is what was asked for.
pub(crate) fn view(subject: &Subject, detailed: u64, output: &Path) -> u8 {
    let page = page(subject, detailed);
    let bytes = page.len();
    if let Err(error) = std::fs::write(output, page) {
        report::line(&format!("{}: {error}", output.display()));
        return 2;
    }
    report::line(&format!("{}: {} KiB", output.display(), bytes / 1024));
    0
}

/// The page as a text.
fn page(subject: &Subject, detailed: u64) -> String {
    let (timeline, story) = story::tell(subject, detailed);
    let data = Json::object([("head", head(subject, &timeline)), ("run", story)]);
    PAGE.replacen("/*style*/", STYLE, 1)
        .replacen("/*script*/", &SCRIPTS.concat(), 1)
        .replacen("/*data*/", &data.to_string(), 1)
}

/// The failure, and how to see it again.
fn head(subject: &Subject, timeline: &Timeline) -> Json {
    let Order { seed, profile, .. } = subject.order;
    let event = timeline.event();
    let profile = profile.name();
    let broken = timeline
        .ending()
        .and_then(|ending| ending.verdict.as_ref().err());
    let broken = broken.map(|broken| {
        Json::object([
            ("id", broken.id.to_string().into()),
            ("name", broken.id.name().into()),
            ("words", broken.id.words().into()),
            ("seen", broken.text.as_str().into()),
        ])
    });
    let world = &timeline.world;
    let again = format!("sim replay {} -i --goto {event}", subject.name());
    Json::object([
        ("seed", seed.to_string().into()),
        ("profile", profile.into()),
        ("event", event.into()),
        ("time", world.time.into()),
        ("digest", world.digest.to_string().into()),
        ("faults", world.goals().faults_line().into()),
        ("again", again.into()),
        ("broken", broken.into()),
    ])
}

#[cfg(test)]
mod tests;
