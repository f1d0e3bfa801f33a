//! The shell: the only code that meets the machine.

fn main() {}
