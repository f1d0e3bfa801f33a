//! Bounds of a machine; each is an error of the script that reaches it.

/// The most that a script may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptLimits {
    /// Memory, as it is reckoned on every platform alike.
    pub memory_bytes: u64,
    /// Calls within calls.
    pub frames: usize,
    /// Slots of one stack.
    pub slots: usize,
    /// Coroutines within coroutines.
    pub coroutines: usize,
    /// Steps of one match of a pattern, besides those that its subject's length allows.
    pub pattern_steps: u64,
}

impl Default for ScriptLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * 1024 * 1024,
            frames: 20_000,
            slots: 1_000_000,
            coroutines: 200,
            pattern_steps: 4_000_000,
        }
    }
}
