//! Which steps must wait for which: the edges of a segment's graph, from the bytes that steps touch.
//!
//! Edges cover every read after a write, write after a read and write after a write, by address and not by value: two buffers
//! may share bytes of the arena. The compiler writes what [`dependences`] says, and validation asks it again.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    plan::{BufferId, FieldSource, Node, Place, PositionSource, Program, Step},
    validate::array_bytes,
};

/// Gives every list of nodes of a program its edges.
pub fn add_edges(program: &mut Program) {
    let mut segments = std::mem::take(&mut program.segments);
    segments.iter_mut().for_each(|segment| add_edges_to(program, &mut segment.nodes));
    program.segments = segments;
}

/// Recurses as deep as steps nest, which emission and validation limit.
fn add_edges_to(program: &Program, nodes: &mut [Node]) {
    let after = dependences(program, nodes);
    for (node, after) in nodes.iter_mut().zip(after) {
        node.after = after;
        node.step.inside_mut().into_iter().for_each(|nodes| add_edges_to(program, nodes));
    }
}

/// For each node the earlier nodes of the list that it must wait for, ascending.
///
/// Only the last access that conflicts is named: what that waited for is waited for too. Takes n log n of the accesses.
/// Buffers, blocks and parameters that do not exist count as touched by nobody.
pub fn dependences(program: &Program, nodes: &[Node]) -> Vec<Vec<u32>> {
    let mut memory: BTreeMap<Space, Ranges> = BTreeMap::new();
    let mut all = Vec::with_capacity(nodes.len());
    for (number, node) in (0u32..).zip(nodes) {
        let mut touched = Touched::default();
        touched.step(&node.step);
        let mut after = BTreeSet::new();
        let arenas =
            |ids: &BTreeSet<BufferId>| ids.iter().filter_map(|id| arena_of(program, *id)).collect::<BTreeSet<u32>>();
        for arena in arenas(&touched.reads).union(&arenas(&touched.writes)) {
            memory.entry(Space::Mapping(*arena)).or_default().read(0, 1, number, &mut after);
        }
        for arena in &touched.mappings {
            memory.entry(Space::Mapping(*arena)).or_default().write(0, 1, number, &mut after);
        }
        for (space, start, end) in touched.reads.iter().filter_map(|id| range_of(program, *id)) {
            memory.entry(space).or_default().read(start, end, number, &mut after);
        }
        for (space, start, end) in touched.writes.iter().filter_map(|id| range_of(program, *id)) {
            memory.entry(space).or_default().write(start, end, number, &mut after);
        }
        all.push(after.into_iter().collect());
    }
    all
}

/// Memory whose parts never overlap those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    Arena,
    Param(u32),
    Result(u32),
    /// Which rows of an arena are mapped: written where they are ensured or retired, read by everything that touches a cache in it.
    Mapping(u32),
}

/// The bytes that a buffer covers; none if nobody writes them in a step, or if it has none.
fn range_of(program: &Program, id: BufferId) -> Option<(Space, u64, u64)> {
    let buffer = program.buffers.get(id.0 as usize)?;
    let bytes = array_bytes(buffer.dtype, &buffer.shape).filter(|bytes| *bytes > 0)?;
    match buffer.place {
        Place::Arena { offset } => Some((Space::Arena, offset, offset.checked_add(bytes)?)),
        Place::Param { index } => Some((Space::Param(index), 0, bytes)),
        Place::Constant { .. } => None,
        Place::Field { block, field } => match program.blocks.get(block as usize)?.fields.get(field as usize)?.source {
            FieldSource::ResultAddress { result } => Some((Space::Result(result), 0, bytes)),
            FieldSource::Value { .. } | FieldSource::ParamAddress { .. } => None,
        },
    }
}

/// The arena that a buffer's cache lies in.
fn arena_of(program: &Program, id: BufferId) -> Option<u32> {
    let Place::Param { index } = program.buffers.get(id.0 as usize)?.place else { return None };
    program.params.get(index as usize)?.cache.as_ref().map(|cache| cache.arena)
}

/// What a step reads and writes, the steps inside it included.
#[derive(Debug, Default)]
struct Touched {
    reads: BTreeSet<BufferId>,
    writes: BTreeSet<BufferId>,
    /// Arenas of which it maps or unmaps rows.
    mappings: BTreeSet<u32>,
}

impl Touched {
    /// Recurses as deep as steps nest, which decoding and validation limit.
    fn step(&mut self, step: &Step) {
        match step {
            Step::Launch(launch) => {
                self.reads.extend(launch.work.reads());
                self.writes.extend(launch.work.writes());
            }
            Step::Ensure(rows) | Step::Retire(rows) => {
                self.mappings.insert(rows.arena);
                if let Some(PositionSource::Buffer(buffer)) = rows.source {
                    self.reads.insert(buffer);
                }
            }
            Step::While { predicate: value, .. } | Step::Switch { index: value, .. } => {
                self.reads.insert(*value);
            }
        }
        step.inside().into_iter().flatten().for_each(|node| self.step(&node.step));
    }
}

/// Who touched the bytes of a space last. Ranges do not overlap.
#[derive(Debug, Default)]
struct Ranges(BTreeMap<u64, Range>);

#[derive(Debug, Clone)]
struct Range {
    end: u64,
    writer: Option<u32>,
    /// Those that have read since.
    readers: Vec<u32>,
}

impl Ranges {
    fn read(&mut self, start: u64, end: u64, reader: u32, after: &mut BTreeSet<u32>) {
        self.cover(start, end);
        for (_, range) in self.0.range_mut(start..end) {
            after.extend(range.writer.filter(|writer| *writer != reader));
            if range.readers.last() != Some(&reader) {
                range.readers.push(reader);
            }
        }
    }

    fn write(&mut self, start: u64, end: u64, writer: u32, after: &mut BTreeSet<u32>) {
        self.cover(start, end);
        let covered: Vec<u64> = self.0.range(start..end).map(|(start, _)| *start).collect();
        for key in covered {
            let Some(range) = self.0.remove(&key) else { continue };
            // Readers waited for the writer before them; where there are none, it is waited for itself.
            let mut others = range.readers.into_iter().filter(|reader| *reader != writer).peekable();
            if others.peek().is_none() {
                after.extend(range.writer.filter(|last| *last != writer));
            }
            after.extend(others);
        }
        self.0.insert(start, Range { end, writer: Some(writer), readers: Vec::new() });
    }

    /// Splits ranges at both ends, and fills what nobody has touched, so that whole ranges cover what is between.
    fn cover(&mut self, start: u64, end: u64) {
        self.split(start);
        self.split(end);
        let mut at = start;
        while at < end {
            let next = self.0.range(at..end).next().map_or(end, |(start, _)| *start);
            if next > at {
                self.0.insert(at, Range { end: next, writer: None, readers: Vec::new() });
            }
            at = self.0[&at].end;
        }
    }

    fn split(&mut self, at: u64) {
        let Some((start, range)) = self.0.range_mut(..at).next_back() else { return };
        if range.end > at && *start < at {
            let rest = range.clone();
            range.end = at;
            self.0.insert(at, rest);
        }
    }
}
