//! What was mapped and unmapped, by whom.

use std::{collections::VecDeque, fmt, ops::Range};

/// One change of what is mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// In which slot.
    pub slot: usize,
    /// Which bytes, from the slot's start.
    pub bytes: Range<u64>,
    /// What became of them.
    pub change: Change,
    /// Who did it.
    pub by: Actor,
}

/// What became of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There is memory behind them.
    Mapped,
    /// There is no memory behind them.
    Unmapped,
}

/// Who changed what is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The caller, who waited for it.
    Caller,
    /// The mapping thread.
    Thread,
}

/// The last changes in an arena, oldest first. `Display` writes one a line.
#[derive(Debug, Clone, Default)]
pub struct EventLog {
    /// At most [`EventLog::EVENTS_MAX`].
    pub events: VecDeque<Event>,
    /// How many older ones are not kept.
    pub forgotten: u64,
}

impl EventLog {
    /// How many events are kept.
    pub const EVENTS_MAX: usize = 4096;

    /// Adds an event; one that goes on where the last one ended becomes part of it.
    pub(super) fn push(&mut self, event: Event) {
        if let Some(last) = self.events.back_mut()
            && (last.slot, last.change, last.by) == (event.slot, event.change, event.by)
        {
            if last.bytes.end == event.bytes.start {
                last.bytes.end = event.bytes.end;
                return;
            }
            if last.bytes.start == event.bytes.end {
                last.bytes.start = event.bytes.start;
                return;
            }
        }
        if self.events.len() == EventLog::EVENTS_MAX {
            self.events.pop_front();
            self.forgotten += 1;
        }
        self.events.push_back(event);
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { slot, bytes, .. } = self;
        let change = match self.change {
            Change::Mapped => "mapped",
            Change::Unmapped => "unmapped",
        };
        let by = match self.by {
            Actor::Caller => "caller",
            Actor::Thread => "thread",
        };
        write!(f, "slot {slot}: bytes {}..{} {change} by the {by}", bytes.start, bytes.end)
    }
}

impl fmt::Display for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.forgotten > 0 {
            writeln!(f, "({} earlier events)", self.forgotten)?;
        }
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(slot: usize, bytes: Range<u64>, change: Change) -> Event {
        Event { slot, bytes, change, by: Actor::Caller }
    }

    #[test]
    fn neighbours_are_one_event() {
        let mut log = EventLog::default();
        log.push(event(0, 0..8, Change::Mapped));
        log.push(event(0, 8..16, Change::Mapped));
        log.push(event(1, 16..24, Change::Mapped));
        log.push(event(1, 16..24, Change::Unmapped));
        log.push(event(1, 8..16, Change::Unmapped));
        log.push(Event { by: Actor::Thread, ..event(1, 8..16, Change::Mapped) });
        let expected = "slot 0: bytes 0..16 mapped by the caller\n\
                        slot 1: bytes 16..24 mapped by the caller\n\
                        slot 1: bytes 8..24 unmapped by the caller\n\
                        slot 1: bytes 8..16 mapped by the thread\n";
        assert_eq!(log.to_string(), expected);
    }

    #[test]
    fn old_events_are_forgotten_and_counted() {
        let mut log = EventLog::default();
        for number in 0..EventLog::EVENTS_MAX + 2 {
            log.push(event(number, 0..8, Change::Mapped));
        }
        assert_eq!((log.events.len(), log.forgotten), (EventLog::EVENTS_MAX, 2));
        assert!(log.to_string().starts_with("(2 earlier events)\nslot 2: bytes 0..8 mapped by the caller\n"));
    }
}
