//! The simulator: the core of Seedis in a world that is drawn from a seed.

mod check;
mod cli;
mod client;
mod clock;
mod decisions;
mod digest;
mod disk;
mod draws;
mod fleet;
mod goals;
mod image;
mod judge;
mod model;
mod mutants;
mod queue;
mod replay;
mod report;
mod run;
mod scenario;
mod shrink;
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
