//! The program `bench`: all of it stands in the library.

fn main() -> std::process::ExitCode {
    bench::main()
}
