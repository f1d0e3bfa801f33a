//! The process's use of memory and of the processor, from `/proc`.

use std::fs;
use std::rc::Rc;
use std::time::Duration;

use seedis::node::input::{Input, Sample};

use crate::allocator;
use crate::serve::Server;

/// How often the node is told.
const INTERVAL: Duration = Duration::from_millis(250);

/// Tells the node for ever.
pub(crate) async fn watch(server: Rc<Server>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let machine_bytes = kilobytes(&read("/proc/meminfo"), "MemTotal:");
    loop {
        ticks.tick().await;
        let sample = Sample {
            machine_bytes,
            ..sample()
        };
        allocator::fit(sample.rss_bytes);
        server.tell(Input::Sampled(sample));
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Takes a sample now; zeros if the machine does not say.
fn sample() -> Sample {
    // Ticks tell how the time is shared, and a clock how much it is.
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let spent_us = spent.tv_sec as u64 * 1_000_000 + spent.tv_nsec as u64 / 1000;
    let [user, system] = ticks(&read("/proc/self/stat")).unwrap_or_default();
    let system_us = (spent_us * system).checked_div(user + system).unwrap_or(0);
    Sample {
        rss_bytes: kilobytes(&read("/proc/self/status"), "VmRSS:"),
        machine_bytes: 0,
        user_us: spent_us - system_us,
        system_us,
    }
}

/// The processor's time in a `stat`: fields 14 and 15, counted behind the name in brackets, which
/// may hold anything.
fn ticks(stat: &str) -> Option<[u64; 2]> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse().ok();
    Some([next()?, next()?])
}

/// The figure of one line, in bytes; 0 where there is none.
fn kilobytes(text: &str, name: &str) -> u64 {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_behind_any_name() {
        let stat = "77 (a) (b) c) S 1 77 77 0 -1 4194560 9 0 0 0 123 45 0 0 20 0 1 0";
        assert_eq!(ticks(stat), Some([123, 45]));
        assert_eq!(ticks("77 (cut"), None);
        assert_eq!(
            kilobytes("VmHWM:\t 9 kB\nVmRSS:\t   12 kB\n", "VmRSS:"),
            12 << 10
        );
        assert_eq!(kilobytes("", "VmRSS:"), 0);
    }

    #[test]
    fn this_process_takes_memory_of_this_machine() {
        // The system counts time in hundredths of a second: this is at work until it has one.
        let worked = (0..1_000_000).any(|_| sample().user_us > 0);
        assert!(worked);
        assert!(sample().rss_bytes > 1 << 20);
    }
}
