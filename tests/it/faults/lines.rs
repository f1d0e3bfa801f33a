//! Lines of the log that cannot be written are lost, and nothing else is.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::full_disk::Mount;
use crate::process::{Client, Directory, free_port};

use super::stage::{Process, file, until_it_says};

fn append(path: &Path) -> File {
    let mut options = OpenOptions::new();
    let opened = options.create(true).append(true).open(path);
    opened.expect("a file")
}

/// Makes the server say two lines and waits until it could have.
fn makes_lines(client: &mut Client) {
    client.ask(&["SET", "a", "1"]);
    client.ask(&["SAVE"]);
}

fn goes_on_and_stops(process: Process) {
    let mut client = process.client();
    makes_lines(&mut client);
    makes_lines(&mut client);
    assert_eq!(client.ask(&["GET", "a"]), "1");
    drop(client);
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn a_reader_that_goes_away_costs_lines_and_nothing_else() {
    let directory = Directory::new("reader-gone");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let errors = writer.try_clone().expect("the same pipe");
    let process = Process::server(directory.path(), &[], writer, errors);
    makes_lines(&mut process.client());
    drop(reader);
    goes_on_and_stops(process);
}

#[test]
fn a_reader_that_stands_still_is_not_waited_for() {
    let directory = Directory::new("reader-still");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("a small pipe");
    let errors = writer.try_clone().expect("the same pipe");
    let process = Process::server(directory.path(), &[], writer, errors);
    let mut client = process.client();
    for _ in 0..40 {
        makes_lines(&mut client);
    }
    drop(client);
    goes_on_and_stops(process);
    drop(reader);
}

#[test]
fn an_output_that_takes_nothing_costs_lines_and_nothing_else() {
    let full = || OpenOptions::new().write(true).open("/dev/full");
    let Ok(_) = full() else {
        println!("skipped: there is no /dev/full here");
        return;
    };
    let full = || full().expect("it was there");
    let directory = Directory::new("output-full");
    goes_on_and_stops(Process::server(directory.path(), &[], full(), full()));
    let data = directory.path().display().to_string();
    let copy = directory.path().join("copy").display().to_string();
    let again = directory.path().join("again").display().to_string();
    for (words, code) in [
        (&["--version"][..], 0),
        (&["--help"], 0),
        (&["--no-such-option"], 2),
        (&["check", &data], 0),
        (&["check", &copy], 2),
        (&["backup", &data, &copy], 0),
        (&["restore", &copy, "--dir", &again], 0),
        (&["restore", &copy, "--dir", &again], 2),
    ] {
        let mut tool = Process::spawn(words, full(), full());
        assert_eq!(tool.wait().code(), Some(code), "{words:?}");
    }
}

#[test]
fn how_many_lines_a_full_file_system_has_cost_is_said() {
    let directory = Directory::new("log-full");
    let Some(_mount) = Mount::new(directory.path(), 1) else {
        println!("skipped: no right to mount a file system here");
        return;
    };
    let data = Directory::new("log-full-data");
    let (log, filler) = (
        directory.path().join("log"),
        directory.path().join("filler"),
    );
    let options = ["--logfile", &log.display().to_string()];
    let process = Process::server(data.path(), &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    let mut file = File::create(&filler).expect("room");
    while file.write_all(&[1; 4096]).is_ok() {}
    // Beyond the page that is there already.
    for _ in 0..40 {
        makes_lines(&mut client);
    }
    drop(file);
    fs::remove_file(&filler).expect("it is there");
    makes_lines(&mut client);
    until_it_says(&log, "lines could not be written here and are lost");
    drop(client);
    goes_on_and_stops(process);
}

#[test]
fn a_log_file_that_is_moved_away_is_left_behind() {
    let (directory, log) = file("rotated");
    let data = directory.path().join("data");
    let options = ["--logfile", &log.display().to_string()];
    let mut process = Process::server(&data, &options, Stdio::null(), Stdio::null());
    let mut client = process.client();
    for (signal, name) in [(None, "1"), (Some("HUP"), "2"), (Some("USR1"), "3")] {
        makes_lines(&mut client);
        until_it_says(&log, "rewrote the log");
        fs::rename(&log, directory.path().join(name)).expect("it is there");
        if let Some(signal) = signal {
            process.signal(signal);
        }
        makes_lines(&mut client);
        until_it_says(&log, "rewrote the log");
    }
    fs::remove_file(&log).expect("it is there");
    makes_lines(&mut client);
    until_it_says(&log, "rewrote the log");
    assert!(process.is_alive());
    drop(client);
    goes_on_and_stops(process);
}

#[test]
fn there_are_no_colours_where_there_is_no_terminal() {
    let (directory, out) = file("colours");
    let process = Process::server(
        &directory.path().join("data"),
        &[],
        append(&out),
        append(&out),
    );
    goes_on_and_stops(process);
    let port = free_port().to_string();
    let demo = ["demo", "--nodes", "1", "--port", &port];
    let demo = Process::spawn(&demo, append(&out), append(&out));
    until_it_says(&out, "1 members");
    until_it_says(&out, "{member=1}: recovered");
    assert_eq!(demo.stop(), Some(0));
    let text = fs::read(&out).expect("it is there");
    assert!(!text.contains(&0x1b), "an escape sequence in a file");
}
