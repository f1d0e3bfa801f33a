//! The simulator: the core of Seedis in a world that is drawn from a seed.

mod check;
mod cli;
mod client;
mod clock;
mod digest;
mod disk;
mod draws;
mod fleet;
mod goals;
mod image;
mod judge;
mod model;
mod mutants;
mod profile;
mod queue;
mod report;
mod run;
mod scenario;
mod stopwatch;
mod twins;
mod wire;
mod workload;
mod world;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main().into()
}
