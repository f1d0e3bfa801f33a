//! Any bytes as a script: refused or run, within bounds, and alike however it is sliced.

use seedis::lua::{Machine, Program, ScriptLimits, Stop, Value, compile};

/// Instructions that a script may use.
const BUDGET: u64 = 20_000;

/// Compiles `data`, and runs it at once, in pieces and again.
pub fn run(data: &[u8]) {
    let program = match compile(data, "fuzz") {
        Ok(program) => program,
        Err(error) => {
            assert!(
                error.message.starts_with(b"fuzz:"),
                "an error names its place"
            );
            return;
        }
    };
    let limits = ScriptLimits {
        memory_bytes: 1 << 20,
        frames: 300,
        slots: 20_000,
        pattern_steps: 10_000,
        ..ScriptLimits::default()
    };
    let mut machine = Machine::new(limits, 1);
    let host = machine.host_function(7);
    let globals = machine.globals();
    machine.set_field(globals, "host", host);
    machine.refuse_unknown_globals("no global");
    machine.seal();
    let whole = played(&mut machine, &program, BUDGET);
    for slice in [BUDGET, 97, 3] {
        assert_eq!(
            played(&mut machine, &program, slice),
            whole,
            "in slices of {slice}"
        );
    }
}

/// The end of a script, the instructions that it has used, and its memory.
fn played(machine: &mut Machine, program: &Program, slice: u64) -> (Vec<u8>, u64, u64) {
    machine.reset(3);
    let function = machine.load(program);
    machine.start(function, &[Value::Number(1.0)]);
    let mut shown = Vec::new();
    loop {
        let left = BUDGET.saturating_sub(machine.used());
        if left == 0 {
            shown.extend_from_slice(b"budget");
            break;
        }
        match machine.run(slice.min(left)) {
            Stop::Paused => {}
            Stop::Call { function } => {
                assert_eq!(function, 7);
                answer(machine);
            }
            Stop::Done => {
                for value in machine.results() {
                    show(machine, *value, &mut shown);
                }
                break;
            }
            Stop::Failed(error) => {
                shown.push(b'!');
                show(machine, error, &mut shown);
                break;
            }
        }
    }
    (shown, machine.used(), machine.memory_bytes())
}

/// Answers with a table of the arguments, and throws the first if there are three.
fn answer(machine: &mut Machine) {
    let arguments = machine.arguments().to_vec();
    if let [error, _, _] = arguments[..] {
        machine.throw(error);
        return;
    }
    let table = machine.table();
    for (at, argument) in (1..).zip(&arguments) {
        machine.set(table, Value::Number(f64::from(at)), *argument);
    }
    machine.answer(&[table, Value::Boolean(true)]);
}

fn show(machine: &Machine, value: Value, out: &mut Vec<u8>) {
    if !machine.text(value, out) {
        out.extend_from_slice(machine.type_name(value).as_bytes());
    }
    out.push(b' ');
}
