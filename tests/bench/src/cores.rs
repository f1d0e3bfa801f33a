//! One core for the server, another for the load: neither takes the other's time.

use crate::failure::Result;

/// The cores of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    /// The core of the load.
    pub load: usize,
    /// The core of the server.
    pub server: usize,
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::Cores;
    use crate::failure::Result;

    /// The first and the last of the cores that this process may use.
    pub(super) fn cores() -> Result<Option<Cores>> {
        let allowed = sched_getaffinity(None).map_err(std::io::Error::from)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let first = cores.next();
        let last = cores.next_back();
        Ok(first.zip(last).map(|(load, server)| Cores { load, server }))
    }

    pub(super) fn pin(core: usize) -> Result<()> {
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set).map_err(std::io::Error::from)?;
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Cores;
    use crate::failure::Result;

    pub(super) fn cores() -> Result<Option<Cores>> {
        Ok(None)
    }

    pub(super) fn pin(_core: usize) -> Result<()> {
        Ok(())
    }
}

impl Cores {
    /// The cores to measure on; none where there is only one, or where none can be chosen.
    pub fn find() -> Result<Option<Self>> {
        system::cores()
    }
}

/// Runs this with the calling thread on the server's core, so that a process which it starts stays
/// there, and puts the thread on the load's core then.
pub fn on_the_servers<T>(cores: Option<Cores>, start: impl FnOnce() -> T) -> Result<T> {
    let Some(cores) = cores else {
        return Ok(start());
    };
    system::pin(cores.server)?;
    let started = start();
    system::pin(cores.load)?;
    Ok(started)
}
