//! One function while it is compiled: its code, constants, variables and jumps.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::operand::NO_JUMP;
use crate::lua::instruction::Instruction;
use crate::lua::prototype::{Capture, Constant, LocalName, Prototype};

/// The key by which a constant is found again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConstantKey {
    Nil,
    Boolean(bool),
    /// The bits of a number; 0 and -0 are one, of which the first to come is kept, as in Lua 5.1.
    Number(u64),
    String(Box<[u8]>),
}

/// A block of statements.
#[derive(Debug)]
pub(super) struct Block {
    /// The jumps of `break`.
    pub(super) breaks: i32,
    /// How many locals were active before it.
    pub(super) active_before: usize,
    /// True if a closure has taken a local of it.
    pub(super) has_upvalue: bool,
    pub(super) is_loop: bool,
}

/// The function under way.
#[derive(Debug)]
pub(super) struct FunctionState<'s> {
    pub(super) code: Vec<Instruction>,
    lines: Vec<u32>,
    constants: Vec<Constant>,
    constant_places: BTreeMap<ConstantKey, u32>,
    pub(super) functions: Vec<Arc<Prototype>>,
    pub(super) captures: Vec<Capture>,
    pub(super) upvalue_names: Vec<&'s [u8]>,
    locals: Vec<LocalName>,
    /// The place in `locals` of each local that is active; its register is its place here.
    pub(super) active: Vec<usize>,
    pub(super) blocks: Vec<Block>,
    pub(super) free: usize,
    registers: usize,
    /// The last instruction to which a jump leads: what stands before must stay as it is.
    last_target: usize,
    /// Jumps to the next instruction.
    pending: i32,
    pub(super) parameters: u8,
    pub(super) is_vararg: bool,
    pub(super) wants_arg: bool,
    pub(super) line: u32,
}

impl FunctionState<'_> {
    pub(super) fn new(line: u32) -> Self {
        Self {
            code: Vec::new(),
            lines: Vec::new(),
            constants: Vec::new(),
            constant_places: BTreeMap::new(),
            functions: Vec::new(),
            captures: Vec::new(),
            upvalue_names: Vec::new(),
            locals: Vec::new(),
            active: Vec::new(),
            blocks: Vec::new(),
            free: 0,
            registers: 2,
            last_target: usize::MAX,
            pending: NO_JUMP,
            parameters: 0,
            is_vararg: false,
            wants_arg: false,
            line,
        }
    }

    pub(super) fn finish(self, chunk: &Arc<str>) -> Prototype {
        Prototype {
            chunk: chunk.clone(),
            code: self.code,
            lines: self.lines,
            constants: self.constants,
            functions: self.functions,
            captures: self.captures,
            locals: self.locals,
            upvalue_names: self
                .upvalue_names
                .iter()
                .map(|name| Box::from(*name))
                .collect(),
            parameters: self.parameters,
            is_vararg: self.is_vararg,
            wants_arg: self.wants_arg,
            registers: self.registers as u8,
        }
    }

    /// The number of instructions, which is the place of the next.
    pub(super) fn here(&self) -> usize {
        self.code.len()
    }

    /// Marks the next instruction as one to which jumps lead.
    pub(super) fn label(&mut self) -> usize {
        self.last_target = self.here();
        self.here()
    }

    /// Returns true if a jump may lead to the next instruction.
    pub(super) fn is_target(&self) -> bool {
        self.pending != NO_JUMP || self.last_target == self.here()
    }

    /// Appends an instruction; jumps that wait for it lead to it.
    pub(super) fn emit(&mut self, instruction: Instruction, line: u32) -> usize {
        let here = self.here();
        let pending = core::mem::replace(&mut self.pending, NO_JUMP);
        self.patch_list_aux(pending, here, None, here);
        self.code.push(instruction);
        self.lines.push(line);
        here
    }

    /// Drops the last instruction.
    pub(super) fn drop_last(&mut self) {
        self.code.pop();
        self.lines.pop();
    }

    pub(super) fn last(&self) -> Option<Instruction> {
        self.code.last().copied()
    }

    pub(super) fn at(&self, place: usize) -> Option<Instruction> {
        self.code.get(place).copied()
    }

    pub(super) fn replace(&mut self, place: usize, instruction: Instruction) {
        if let Some(there) = self.code.get_mut(place) {
            *there = instruction;
        }
    }

    pub(super) fn set_line(&mut self, place: usize, line: u32) {
        if let Some(there) = self.lines.get_mut(place) {
            *there = line;
        }
    }

    /// Uses registers up to `count`.
    pub(super) fn touch(&mut self, count: usize) {
        self.registers = self.registers.max(count);
    }

    /// The place of a constant; one that is there already is used again.
    pub(super) fn constant(&mut self, key: ConstantKey) -> u32 {
        let bits = match key {
            ConstantKey::Number(bits) => Some(bits),
            _ => None,
        };
        let key = match bits.map(f64::from_bits) {
            Some(0.0) => ConstantKey::Number(0),
            _ => key,
        };
        if let Some(place) = self.constant_places.get(&key) {
            return *place;
        }
        let place = self.constants.len() as u32;
        self.constants.push(match &key {
            ConstantKey::Nil => Constant::Nil,
            ConstantKey::Boolean(value) => Constant::Boolean(*value),
            ConstantKey::Number(own) => Constant::Number(f64::from_bits(bits.unwrap_or(*own))),
            ConstantKey::String(bytes) => Constant::String(bytes.clone()),
        });
        self.constant_places.insert(key, place);
        place
    }

    pub(super) fn constant_is_text(&self, place: u32) -> bool {
        matches!(
            self.constants.get(place as usize),
            Some(Constant::String(_))
        )
    }

    // Variables.

    /// The register of the active local `name`, the innermost of that name.
    pub(super) fn find_local(&self, name: &[u8]) -> Option<u8> {
        let is_it = |place: &usize| self.locals.get(*place).is_some_and(|l| *l.name == *name);
        self.active.iter().rposition(is_it).map(|at| at as u8)
    }

    /// Adds a local that is not active yet; its place.
    pub(super) fn add_local(&mut self, name: &[u8]) -> usize {
        self.locals.push(LocalName {
            name: Box::from(name),
            from: 0,
            to: 0,
        });
        self.locals.len() - 1
    }

    /// Makes the last `count` locals active from the next instruction on.
    pub(super) fn activate(&mut self, places: &[usize]) {
        let here = self.here() as u32;
        for place in places {
            if let Some(local) = self.locals.get_mut(*place) {
                local.from = here;
            }
            self.active.push(*place);
        }
    }

    /// Ends the life of all locals beyond the first `count`.
    pub(super) fn deactivate(&mut self, count: usize) {
        let here = self.here() as u32;
        for place in self.active.drain(count.min(self.active.len())..) {
            if let Some(local) = self.locals.get_mut(place) {
                local.to = here;
            }
        }
    }

    /// Notes that a closure takes the local in `register`.
    pub(super) fn mark_upvalue(&mut self, register: u8) {
        let register = usize::from(register);
        let block = self
            .blocks
            .iter_mut()
            .rev()
            .find(|block| block.active_before <= register);
        if let Some(block) = block {
            block.has_upvalue = true;
        }
    }

    // Lists of jumps: each jump of a list holds the place of the next until it is patched.

    /// Appends a jump to nowhere yet.
    pub(super) fn jump(&mut self, line: u32) -> i32 {
        // Jumps to this jump go where it goes.
        let pending = core::mem::replace(&mut self.pending, NO_JUMP);
        let mut jump = self.emit(Instruction::Jump { by: NO_JUMP }, line) as i32;
        self.join(&mut jump, pending);
        jump
    }

    fn next_jump(&self, place: i32) -> i32 {
        match self.at(place as usize) {
            Some(Instruction::Jump { by }) => by,
            _ => NO_JUMP,
        }
    }

    /// Joins the list `more` to `list`; their order does not matter.
    pub(super) fn join(&mut self, list: &mut i32, more: i32) {
        if more == NO_JUMP {
            return;
        }
        if *list == NO_JUMP {
            *list = more;
            return;
        }
        // The end of the shorter one is found in as many steps as it has jumps.
        let (mut last, mut other) = (*list, more);
        let (mut first, mut rest) = (*list, more);
        loop {
            let next = self.next_jump(last);
            if next == NO_JUMP {
                break;
            }
            (last, other) = (other, next);
            (first, rest) = (rest, first);
        }
        *list = first;
        self.replace(last as usize, Instruction::Jump { by: rest });
    }

    /// The instruction that decides whether the jump at `place` is taken.
    pub(super) fn control_of(&self, place: usize) -> usize {
        let before = place.wrapping_sub(1);
        match self.at(before) {
            Some(
                Instruction::Equal { .. }
                | Instruction::Less { .. }
                | Instruction::LessEqual { .. }
                | Instruction::Test { .. }
                | Instruction::TestSet { .. }
                | Instruction::ForTest { .. },
            ) => before,
            _ => place,
        }
    }

    /// Returns true if a jump of the list brings no value with it.
    pub(super) fn needs_value(&self, mut list: i32) -> bool {
        while list != NO_JUMP {
            let control = self.control_of(list as usize);
            if !matches!(self.at(control), Some(Instruction::TestSet { .. })) {
                return true;
            }
            list = self.next_jump(list);
        }
        false
    }

    /// Lets the `TestSet` before a jump store to `register`, or only test; false if it is another.
    fn patch_test(&mut self, place: usize, register: Option<u8>) -> bool {
        let control = self.control_of(place);
        let Some(Instruction::TestSet { b, wanted, .. }) = self.at(control) else {
            return false;
        };
        let instruction = match register {
            Some(a) if a != b => Instruction::TestSet { a, b, wanted },
            _ => Instruction::Test { a: b, wanted },
        };
        self.replace(control, instruction);
        true
    }

    pub(super) fn remove_values(&mut self, mut list: i32) {
        while list != NO_JUMP {
            self.patch_test(list as usize, None);
            list = self.next_jump(list);
        }
    }

    fn fix_jump(&mut self, place: i32, to: usize) {
        let by = to as i32 - (place + 1);
        self.replace(place as usize, Instruction::Jump { by });
    }

    /// Leads jumps that bring a value, which is then in `register`, to `with_value`; others
    /// elsewhere.
    pub(super) fn patch_list_aux(
        &mut self,
        mut list: i32,
        with_value: usize,
        register: Option<u8>,
        otherwise: usize,
    ) {
        while list != NO_JUMP {
            let next = self.next_jump(list);
            if self.patch_test(list as usize, register) {
                self.fix_jump(list, with_value);
            } else {
                self.fix_jump(list, otherwise);
            }
            list = next;
        }
    }

    /// Leads the jumps of a list to `target`.
    pub(super) fn patch_list(&mut self, list: i32, target: usize) {
        if target == self.here() {
            self.patch_to_here(list);
        } else {
            self.patch_list_aux(list, target, None, target);
        }
    }

    /// Leads the jumps of a list to the next instruction.
    pub(super) fn patch_to_here(&mut self, list: i32) {
        self.label();
        let mut pending = self.pending;
        self.join(&mut pending, list);
        self.pending = pending;
    }

    /// Leads all jumps that wait to the next instruction right now.
    pub(super) fn settle_pending(&mut self) {
        let here = self.here();
        let pending = core::mem::replace(&mut self.pending, NO_JUMP);
        self.patch_list_aux(pending, here, None, here);
    }
}
