//! Each measurement, small: it must run to its end and say something, whatever the figures are.
//!
//! `BENCH_SERVER` names a server that is built already; without it the one of this tree is.

use std::path::PathBuf;
use std::time::Duration;

use bench::counts::{Effort, count};
use bench::load::requests::Template;
use bench::loads::LOADS;
use bench::programs::Program;
use bench::server::{Log, Server};
use bench::tail::Situation;
use bench::{compare, tail};

fn ours() -> Program {
    let built = std::env::var_os("BENCH_SERVER").map(PathBuf::from);
    Program::ours(built.as_deref()).expect("our server")
}

/// Our server, and the peers that are installed.
fn all() -> Vec<Program> {
    let mut programs = vec![ours()];
    programs.extend(Program::peers(&[]).expect("the peers that are installed"));
    programs
}

#[test]
fn every_load_is_answered_by_every_server() {
    let settings = compare::Settings {
        programs: all(),
        log: Log::Off,
        rounds: 1,
        time: Duration::from_millis(10),
        keys: 100,
        seed: 1,
        cores: None,
    };
    let mut rows = Vec::new();
    for load in LOADS {
        rows.extend(compare::play(&load, &settings).unwrap());
    }
    let table = compare::table(&rows);
    assert_eq!(
        table.lines().count(),
        2 + LOADS.len() * settings.programs.len(),
        "{table}"
    );
    assert!(!table.contains("NaN"), "{table}");
    let json = compare::json(&rows);
    let rates = json[0]["requests_per_s"].as_array().expect("rates");
    assert_eq!(rates.len(), 1);
}

#[test]
fn loads_run_with_every_log() {
    for log in [Log::Everysec, Log::Always] {
        let settings = compare::Settings {
            programs: all(),
            log,
            rounds: 2,
            time: Duration::from_millis(10),
            keys: 100,
            seed: 1,
            cores: None,
        };
        let rows = compare::play(&LOADS[3], &settings).unwrap();
        assert_eq!(rows.len(), settings.programs.len());
    }
}

#[test]
fn every_situation_is_measured() {
    let settings = tail::Settings {
        programs: all(),
        log: Log::Off,
        rounds: 1,
        rate: 2000.0,
        time: Duration::from_millis(200),
        keys: 1000,
        seed: 1,
        cores: None,
    };
    let mut rows = Vec::new();
    for situation in Situation::ALL {
        rows.extend(tail::play(situation, &settings).unwrap());
    }
    let table = tail::table(&rows);
    assert_eq!(table.lines().count(), 2 + 5 * settings.programs.len());
    assert!(!table.contains("NaN"), "{table}");
}

#[test]
fn counts_are_had_or_said_to_be_skipped() {
    let effort = Effort {
        traced: 200,
        keys: 1000,
        requests: 100,
    };
    let program = ours();
    for only in [
        "system calls per GET, one client",
        "16+3 B",
        "instructions per GET, one",
    ] {
        let counted = count(&program, only, effort).unwrap();
        assert!(
            counted.counts.len() + counted.skipped.len() > 0,
            "{only}: {counted:?}"
        );
        assert!(
            counted.counts.iter().all(|count| count.value > 0.0),
            "{counted:?}"
        );
    }
}

#[test]
fn a_server_that_ends_during_a_load_is_an_error_and_leaves_nothing() {
    let mut server = Server::start(&ours(), Log::Off, None).unwrap();
    let directory = server.directory().to_owned();
    server.end().unwrap();
    let failure = server.fill(&Template::new(&["PING"]), 1).unwrap_err();
    assert!(
        failure.to_string().contains("takes no connection"),
        "{failure}"
    );
    drop(server);
    assert!(!directory.exists());
}

#[test]
fn a_program_that_is_no_server_is_said_to_be_none() {
    let program = Program {
        name: "odd".to_owned(),
        path: "/bin/false".into(),
        version: String::new(),
    };
    let failure = Server::start(&program, Log::Off, None).unwrap_err();
    let words = failure.to_string();
    assert!(words.starts_with("odd does not start"), "{words}");
}
