//! Bounds of the core that are as small in many runs as nobody would set them: few bytes and few
//! requests come to what happens at them.
//!
//! Each is drawn by itself, and most are usual in most runs: what one of them hides another shows.
//! The bounds that no run draws are these, in src/limits.rs and beside the code:
//!
//! * those of what one client may send before it is refused (arguments, nesting, lines, watched
//!   keys): the refusal is an answer that the model knows by the real bound, and generators send
//!   requests at it (`garbage.rs`);
//! * capacities of buffers that are kept for the next use: nothing can be seen of them;
//! * forms on the disk and on the wire: parts of strings of 64 KiB, heads, magic numbers;
//! * sizes that a block has by the way in which it is stored (runs of lists, leaves, pages): the
//!   unit tests of the store fill them, and lists and sorted sets of a run go beyond them;
//! * how much is looked through for a watched key: beyond it EXEC is refused for no reason that
//!   anybody could see;
//! * the shell's own, and those of names and files of configuration: a simulation has neither.

use core::time::Duration;

use seedis::limits;
use seedis::node::config::{ClientsMemory, MemoryPolicy};

use crate::draws::Dice;
use crate::scenario::{MS, Scenario};
use crate::workload::{Kind, Shape};

/// The appends and bytes that are on their way to one member: the most entries of one append, the
/// most appends, the most bytes.
type Window = (usize, usize, usize);

const MIB: usize = 1 << 20;

impl Scenario {
    /// Memory that is short, and keys that go for that.
    pub(crate) fn evict(&mut self, class: &impl Fn(u64) -> Dice, shape: Shape) {
        // Most runs hold some ten or thirty thousand bytes.
        if !self.patient && class(197).permille(200) {
            let most = [12_000, 18_000, 25_000, 40_000, 60_000, 100_000];
            self.config.memory_max = *class(161).pick(&most);
        }
        if self.config.memory_max == 0 {
            return;
        }
        if class(162).permille(800) {
            self.config.memory_policy = *class(163).pick(&MemoryPolicy::ALL);
        }
        if self.evicts() && class(167).permille(600) {
            let shape = Shape {
                keys: 100,
                value_bytes: 300,
                ..shape
            };
            self.clients.push((Kind::Cache, shape));
        }
        self.config.memory_samples = *class(164).pick(&[5, 5, 1, 16]);
        self.config.lfu_log_factor = *class(165).pick(&[10, 10, 0, 100]);
        self.config.lfu_decay_minutes = *class(166).pick(&[1, 1, 0, 3]);
    }

    /// Clients that run scripts, of which some are ended early. The model does not know which of
    /// them find no memory.
    fn run_scripts(&mut self, class: &impl Fn(u64) -> Dice) {
        self.config.script_instructions = *class(172).pick(&[20_000, 50_000, 200_000]);
        self.config.script_memory_bytes = *class(173).pick(&[256 << 10, 64 << 20]);
        if self.config.memory_max > 0 || !class(170).permille(350) {
            return;
        }
        let shape = Shape {
            keys: *class(174).pick(&[1, 3, 6]),
            value_bytes: 16,
            members: self.members as u64,
            garbage: false,
            kills: false,
        };
        let own = (Kind::Scripts, shape);
        let count = class(171).within(1, 3);
        self.clients.extend((0..count).map(|_| own));
    }

    /// Clients that load libraries and call their functions.
    fn run_functions(&mut self, class: &impl Fn(u64) -> Dice) {
        if self.config.memory_max > 0 || !class(183).permille(300) {
            return;
        }
        let shape = Shape {
            keys: *class(184).pick(&[1, 3, 6]),
            value_bytes: 16,
            members: self.members as u64,
            garbage: false,
            kills: false,
        };
        let count = class(185).within(1, 3);
        let own = (Kind::Functions, shape);
        self.clients.extend((0..count).map(|_| own));
    }

    /// Returns true if keys may be evicted.
    pub(crate) fn evicts(&self) -> bool {
        self.config.memory_max > 0 && self.config.memory_policy != MemoryPolicy::NoEviction
    }

    /// Draws what is no class of faults and no client.
    pub(crate) fn turn_knobs(&mut self, class: &impl Fn(u64) -> Dice, is_light: bool) {
        self.run_scripts(class);
        self.run_functions(class);
        if class(182).permille(150) {
            // The least that it can be.
            self.config.clients_memory = ClientsMemory::Bytes(1);
        }
        let bounds = &mut self.config.bounds;
        bounds.base_piece_bytes = *class(100).pick(if is_light {
            &[64 << 10, 300]
        } else {
            &[64 << 10, 64 << 10, 8 << 10, 1000, 300]
        });
        // Clients ask for something while a base is written only where that takes as long as they
        // think.
        self.base_latency = *class(198).pick(&[0, 0, 5, 30, 100]) * MS;
        bounds.old_state_bytes = *class(101).pick(&[32 * MIB, 32 * MIB, 32 * MIB, 500]);
        bounds.entry_bytes = *class(102).pick(&[MIB, MIB, MIB, 1, 300]);
        // A segment of a light run is read in sixteen steps, others in fifty at most.
        bounds.read_bytes = *class(103).pick(if is_light {
            &[1 << 20, 1 << 20, 1000]
        } else {
            &[1 << 20, 1 << 20, 20_000]
        });
        bounds.parked_bytes = *class(104).pick(&[MIB, MIB, MIB, 0, 200]);
        bounds.reply_block_bytes = *class(202).pick(&[256 << 10, 1, 20, 400]);
        bounds.served_at_once = *class(105).pick(&[1024, 1024, 1]);
        bounds.told_at_once = *class(114).pick(&[256, 256, 1]);
        // A disk is full for a second or so.
        let patience = *class(199).pick(&[5000, 5000, 300, 0]);
        bounds.room_patience = Duration::from_millis(patience);
        // All that is proposed in a run must get through in the time that a group has to settle.
        let windows: &[Window] = &[
            (4096, 64, 16 * MIB),
            (4096, 64, 16 * MIB),
            (1, 64, 16 * MIB),
            (3, 8, 16 * MIB),
            (4096, 1, 16 * MIB),
            (4096, 2, 500),
            (4096, 64, 1),
        ];
        let window = *class(106).pick(windows);
        if self.config.append_bytes >= MIB {
            (
                bounds.append_entries,
                bounds.in_flight_appends,
                bounds.in_flight_bytes,
            ) = window;
        }
        bounds.fed_bytes = *class(107).pick(&[256 * MIB, 256 * MIB, 0, 2000]);
        let tables = &mut self.config.tables;
        let few = [limits::SMALL_ITEMS_MAX, limits::SMALL_ITEMS_MAX, 1, 3, 12];
        tables.small_items_max = *class(108).pick(&few);
        let short = limits::SMALL_LIST_BYTES_MAX;
        tables.small_list_bytes_max = *class(109).pick(&[short, short, 12, 60]);
        let freed = limits::FREED_AT_ONCE_BYTES;
        tables.freed_at_once_bytes = *class(116).pick(&[freed, freed, 0, 300]);
        let empty = limits::EMPTY_SEGMENTS_MAX;
        tables.empty_segments_max = *class(117).pick(&[empty, empty, 0, 2]);
    }
}
