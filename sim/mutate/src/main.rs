//! The program `mutate`: all of it stands in the library.

fn main() -> std::process::ExitCode {
    mutate::main()
}
