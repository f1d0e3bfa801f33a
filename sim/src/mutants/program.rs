//! A simulator that was built, and what programs say.

use std::path::PathBuf;
use std::process::Command;

use mutate::SWITCH;

/// A simulator, and the switch of the bug that it has, if it has bugs behind switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) switch: Option<usize>,
}

impl Program {
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env_remove(SWITCH);
        command.envs(self.switch.map(|number| (SWITCH, number.to_string())));
        command
    }
}

/// The output of a command, whatever its exit code.
pub(super) fn said_any(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The output of a command; if it fails, its complaint.
pub(super) fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
