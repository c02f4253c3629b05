//! Packs buffers with known lifetimes into one arena.
//!
//! Walks them in order of their start and keeps the free ranges: the smallest that is large enough is taken, the arena
//! grows where none is. That is near the least possible on models, whose lifetimes nest, and takes n log n; packing by
//! size first is a little denser but compares every pair.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use pygraph_artifact::bytes::ALIGNMENT;

/// A buffer that wants a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// First position at which it is needed.
    pub start: u32,
    /// Last position at which it is needed.
    pub end: u32,
    /// Its size.
    pub bytes: u64,
}

/// Where buffers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// One a request, each a multiple of [`ALIGNMENT`].
    pub offsets: Vec<u64>,
    /// Size of the arena.
    pub bytes: u64,
    /// Most bytes needed at one time: no arena can be smaller.
    pub peak: u64,
}

/// Gives each buffer a place that it shares with none that is needed while it is.
pub fn pack(requests: &[Request]) -> Layout {
    let mut layout = Layout { offsets: vec![0; requests.len()], bytes: 0, peak: 0 };
    let mut by_start: Vec<usize> = (0..requests.len()).filter(|index| requests[*index].bytes > 0).collect();
    by_start.sort_by_key(|index| (requests[*index].start, Reverse(requests[*index].bytes), *index));
    let mut free = Free::default();
    let mut live: BinaryHeap<Reverse<(u32, u64, u64)>> = BinaryHeap::new();
    let mut live_bytes = 0;
    for index in by_start {
        let request = requests[index];
        while let Some(Reverse((end, offset, bytes))) = live.peek().copied() {
            if end >= request.start {
                break;
            }
            live.pop();
            live_bytes -= bytes;
            free.release(offset, bytes);
        }
        let bytes = request.bytes.next_multiple_of(ALIGNMENT as u64);
        let offset = free.take(bytes, &mut layout.bytes);
        layout.offsets[index] = offset;
        live.push(Reverse((request.end, offset, bytes)));
        live_bytes += bytes;
        layout.peak = layout.peak.max(live_bytes);
    }
    layout
}

/// Free ranges of the arena; no two touch.
#[derive(Default)]
struct Free {
    /// From offset to size.
    by_offset: BTreeMap<u64, u64>,
    /// Size and offset.
    by_size: BTreeSet<(u64, u64)>,
}

impl Free {
    /// Takes a range of that size; lets the arena grow where there is none.
    fn take(&mut self, bytes: u64, arena_bytes: &mut u64) -> u64 {
        if let Some((found, offset)) = self.by_size.range((bytes, 0)..).next().copied() {
            self.remove(offset, found);
            if found > bytes {
                self.insert(offset + bytes, found - bytes);
            }
            return offset;
        }
        let mut offset = *arena_bytes;
        if let Some((last, found)) = self.by_offset.last_key_value().map(|(offset, bytes)| (*offset, *bytes))
            && last + found == *arena_bytes
        {
            self.remove(last, found);
            offset = last;
        }
        *arena_bytes = offset + bytes;
        offset
    }

    fn release(&mut self, offset: u64, bytes: u64) {
        let (mut offset, mut bytes) = (offset, bytes);
        if let Some((before, found)) = self.by_offset.range(..offset).next_back().map(|(at, size)| (*at, *size))
            && before + found == offset
        {
            self.remove(before, found);
            (offset, bytes) = (before, found + bytes);
        }
        if let Some(found) = self.by_offset.get(&(offset + bytes)).copied() {
            self.remove(offset + bytes, found);
            bytes += found;
        }
        self.insert(offset, bytes);
    }

    fn insert(&mut self, offset: u64, bytes: u64) {
        self.by_offset.insert(offset, bytes);
        self.by_size.insert((bytes, offset));
    }

    fn remove(&mut self, offset: u64, bytes: u64) {
        self.by_offset.remove(&offset);
        self.by_size.remove(&(bytes, offset));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Request, pack};

    fn request(start: u32, end: u32, bytes: u64) -> Request {
        Request { start, end, bytes }
    }

    /// No two buffers that are needed at one time share a byte, and all lie in the arena.
    fn check(requests: &[Request]) {
        let layout = pack(requests);
        let needed: u64 = requests.iter().map(|request| request.bytes.next_multiple_of(64)).sum();
        assert!(layout.peak <= layout.bytes && layout.bytes <= needed);
        for (index, a) in requests.iter().enumerate() {
            let start = layout.offsets[index];
            assert!(start.is_multiple_of(64) && start + a.bytes <= layout.bytes);
            for (other, b) in requests.iter().enumerate().skip(index + 1) {
                let together = a.start <= b.end && b.start <= a.end;
                let other_start = layout.offsets[other];
                let apart = start + a.bytes <= other_start || other_start + b.bytes <= start;
                assert!(!together || apart, "buffers {index} and {other} share bytes");
            }
        }
    }

    #[test]
    fn a_buffer_reuses_the_bytes_of_one_that_is_over() {
        let requests = [request(0, 1, 100), request(1, 2, 100), request(2, 3, 100)];
        assert_eq!(pack(&requests).bytes, 256);
        check(&requests);
    }

    #[test]
    fn a_buffer_written_where_another_is_last_read_does_not_reuse_its_bytes() {
        let requests = [request(0, 1, 64), request(1, 2, 64)];
        assert_eq!(pack(&requests).bytes, 128);
        check(&requests);
    }

    #[test]
    fn an_empty_buffer_takes_no_room() {
        assert_eq!(pack(&[request(0, 9, 0), request(0, 9, 0)]).bytes, 0);
    }

    proptest! {
        #[test]
        fn buffers_needed_together_share_no_byte(
            lifetimes in prop::collection::vec((0u32..60, 0u32..20, 0u64..2000), 0..80)
        ) {
            check(&lifetimes.iter().map(|(start, span, bytes)| request(*start, start + span, *bytes)).collect::<Vec<_>>());
        }
    }
}
