//! The command line of the simulator.

mod client;
mod clock;
mod digest;
mod disk;
mod draws;
mod goals;
mod judge;
mod model;
mod queue;
mod report;
mod scenario;
mod wire;
mod workload;
mod world;

fn main() {
    let seed = std::env::args()
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(1);
    let scenario = scenario::Scenario::draw(seed, scenario::Profile::Smoke);
    let mut world = world::World::new(scenario);
    world.trace = std::env::args().nth(2).is_some();
    let verdict = world.run(200_000);
    report::line(&format!(
        "{verdict:?} events {} time {} replies {} {} {:?}",
        world.events,
        world.time,
        world.judge.replies,
        world.digest,
        world.goals()
    ));
}
