//! A port for real clients in front of a simulated group, at the pace of real time; and the same
//! session played again.
//!
//! The world knows neither sockets nor clocks. Input from outside is given to it between two events
//! and written down with the number of the one before: that, and the seed, is all that a session
//! is.

mod front;
mod port;
mod reply;
mod request;
mod session;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::judge::invariant::Violation;
use crate::report;
use crate::run::guarded;
use crate::scenario::{Profile, Scenario};
use crate::stopwatch::Stopwatch;
use crate::world::World;
use front::Front;
use port::Port;
use session::{HEAD, Line, Origin};

/// How long the port is left alone where nothing happens.
const NAP: Duration = Duration::from_micros(500);
/// The most events between two looks at the port.
const EVENTS_AT_ONCE: u64 = 2000;

/// The arguments of `sim serve`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The seed.
    #[arg(default_value_t = 1)]
    seed: u64,
    /// The profile from which the members' configuration is drawn.
    #[arg(long, value_enum, default_value = "raft")]
    profile: Profile,
    /// Number of members.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=7))]
    members: u8,
    /// Connect clients to this member; by default to the leader.
    #[arg(long)]
    member: Option<usize>,
    /// Add the clients and faults that the profile draws.
    #[arg(long)]
    wild: bool,
    /// The port to listen on, on 127.0.0.1; 0: any free port.
    #[arg(long, default_value_t = 6380)]
    port: u16,
    /// How many simulated seconds pass in a real second.
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Record the session to this file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Replay a recorded session, without a port.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "wild", "member"])]
    replay: Option<PathBuf>,
}

/// Serves until somebody asks for the end, or plays a session again; gives the exit code.
pub(crate) fn serve(args: &Args) -> u8 {
    let ended = match &args.replay {
        Some(path) => replay(path),
        None => serve_port(args),
    };
    ended.unwrap_or_else(|why| {
        report::aside(&why);
        2
    })
}

/// A world that goes on for ever, without drawn clients and faults unless it is wild.
fn world(place: &Origin) -> World {
    let mut scenario = Scenario::draw(place.seed, place.profile);
    scenario.duration = u64::MAX / 2;
    if place.profile == Profile::Raft {
        (scenario.members, scenario.founders) = (place.members, place.members);
        scenario.newcomers_ask = None;
        (scenario.knocks, scenario.meets) = (false, false);
    }
    if !place.wild {
        scenario.clients.clear();
        scenario.calm();
    }
    World::new(scenario)
}

/// One event, and what it means for those who come from outside.
fn step(world: &mut World, front: &mut Front) -> Result<bool, Violation> {
    let more = guarded(|| world.step())?;
    front.attend(world);
    Ok(more)
}

/// The place of a world, and the input that comes then.
fn line(world: &World, given: Option<session::Given>) -> Line {
    Line {
        events: world.events,
        time: world.time,
        digest: world.digest.to_string(),
        given,
    }
}

fn serve_port(args: &Args) -> Result<u8, String> {
    let place = Origin {
        seed: args.seed,
        profile: args.profile,
        members: if args.profile == Profile::Raft {
            args.members.into()
        } else {
            1
        },
        member: args.member,
        wild: args.wild,
    };
    if place.member.is_some_and(|member| member >= place.members) {
        return Err(format!("there are the members 0 to {}", place.members - 1));
    }
    let failed = |error: std::io::Error| format!("port {}: {error}", args.port);
    let mut port = Port::open(args.port).map_err(failed)?;
    let mut record = Record::begin(args.record.as_deref(), &place)?;
    let (mut world, mut front) = (world(&place), Front::new(place.member));
    report::line(&format!(
        "{place} listens on {}",
        port.address().map_err(failed)?
    ));
    let watch = Stopwatch::start();
    while !front.is_over {
        let now = (watch.elapsed().as_secs_f64() * args.pace * 1e9) as u64;
        let last = world.events + EVENTS_AT_ONCE;
        while world.events < last && world.next_at().is_some_and(|at| at <= now) {
            if let Err(violation) = step(&mut world, &mut front) {
                record.add(&line(&world, None))?;
                return Ok(broken(&world, &violation));
            }
        }
        world.pass(now);
        let mut given = port.given();
        for (number, bytes, is_closed) in front.out() {
            port.send(number, &bytes, is_closed);
        }
        given.extend(port.flush());
        let is_calm = given.is_empty() && world.events < last;
        for given in given {
            record.add(&line(&world, Some(given.clone())))?;
            front.take(&mut world, &given);
        }
        if is_calm {
            std::thread::sleep(NAP);
        }
    }
    for (number, bytes, _) in front.out() {
        port.send(number, &bytes, true);
    }
    port.flush();
    record.add(&line(&world, None))?;
    report::line(&format!("the session has ended: {}", line(&world, None)));
    Ok(0)
}

/// The last lines where an invariant is broken, and the exit code.
fn broken(world: &World, violation: &Violation) -> u8 {
    report::line(&format!("{} {}", violation.id, violation.id.name()));
    report::line(&format!("  {}", violation.text));
    report::line(&line(world, None).to_string());
    report::code(violation.id)
}

/// Plays a session again, and compares the digests at each line.
fn replay(path: &Path) -> Result<u8, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string());
    let session = text.and_then(|text| session::parse(&text));
    let (place, lines) = session.map_err(|why| format!("{}: {why}", path.display()))?;
    let (mut world, mut front) = (world(&place), Front::new(place.member));
    let count = lines.len();
    for (number, recorded) in (1..).zip(lines) {
        while world.events < recorded.events {
            match step(&mut world, &mut front) {
                Ok(true) => {}
                Ok(false) => break,
                Err(violation) => return Ok(broken(&world, &violation)),
            }
        }
        world.pass(recorded.time);
        let now = line(&world, recorded.given.clone());
        if now != recorded {
            report::line(&format!("step {number} of {count} differs"));
            report::line(&format!("recorded: {recorded}"));
            report::line(&format!("now:      {now}"));
            return Ok(14);
        }
        let Some(given) = &recorded.given else {
            report::line(&format!("pass {place}, {count} steps, the same: {now}"));
            return Ok(0);
        };
        front.take(&mut world, given);
    }
    let now = line(&world, None);
    report::line(&format!(
        "pass {place}, {count} steps, the same; the session has no end: {now}"
    ));
    Ok(0)
}

/// The file of a session, if there is to be one; each line is written at once.
#[expect(clippy::disallowed_types, reason = "a session grows line by line")]
struct Record(Option<fs::File>);

impl Record {
    #[expect(clippy::disallowed_types, reason = "as above")]
    fn begin(path: Option<&Path>, place: &Origin) -> Result<Self, String> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        let file = fs::File::create(path).and_then(|mut file| {
            writeln!(file, "{HEAD}\n{place}")?;
            Ok(file)
        });
        let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(Some(file)))
    }

    fn add(&mut self, line: &Line) -> Result<(), String> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        writeln!(file, "{line}").map_err(|error| format!("cannot write the session: {error}"))
    }
}
