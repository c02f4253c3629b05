//! Small launches that do not wait for each other, as one kernel.
//!
//! A graph's node costs its time to start and end, and one that waits for several others more: between a product of queries, keys and values and the attention
//! that reads them lie two rotations, a copy and two writes into caches, each of some blocks. Those that can begin at the same time, as soon as as many launches before them have ended, become
//! one kernel if they wait for one of the same launches or one waits for both: nobody waits much longer then than before.
//!
//! Where one block can do all of a launch, and the next is a block that waits for it, the block does both (a chain): a rotation of keys, and their way into a cache.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use pygraph_artifact::{
    join::first_launches,
    plan::{Node, Program, Step, launches},
};
use pygraph_kernels::cuda::MULTIPROCESSORS;

use crate::{
    PlacedCall, PlacedLaunch,
    kernel::{CallCode, KernelText, LaunchCode, LaunchLibrary, NAME, Operand},
    nest::line,
};

/// Blocks of a kernel that is joined. What takes longer to do than to start is better apart: what waits for one of the launches would wait for all (a prefill
/// of 512 tokens took 40 us more of 3,650).
const BLOCKS_MAX: u32 = 3 * MULTIPROCESSORS as u32;
/// Parts of a kernel: each is code that its blocks may have to load.
const PARTS_MAX: usize = 8;
/// Groups that are looked at for each launch, the last ones: how long that takes does not depend on how many there are.
const LOOK_MAX: usize = 16;
/// Threads of a launch that one block does before it does another.
const CHAIN_THREADS_MAX: u32 = 1024;

/// What some blocks of a joined kernel do: a launch, or two, one after the other; their numbers.
pub type Part = Vec<usize>;

/// The launches of a program that are to be one kernel each.
pub fn groups(program: &Program, codes: &[LaunchCode]) -> Vec<Vec<Part>> {
    let (mut found, mut first) = (Vec::new(), 0);
    for segment in &program.segments {
        of_list(&segment.nodes, first, codes, &mut found);
        first += launches(&segment.nodes).len();
    }
    found
}

/// Launches that become one kernel, while more may join.
#[derive(Default)]
struct Group {
    parts: Vec<Part>,
    blocks: u32,
    /// Nodes that one of them waits for, and nodes that wait for one of them.
    neighbours: BTreeSet<usize>,
}

/// Those of a list, whose first launch has the number `first`, and of the lists inside it. Recurses as deep as steps nest, which emission limits.
fn of_list(nodes: &[Node], first: usize, codes: &[LaunchCode], found: &mut Vec<Vec<Part>>) {
    let mut later: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    // The number of each node that is a launch.
    let mut numbers: Vec<Option<usize>> = Vec::with_capacity(nodes.len());
    for ((position, node), mut number) in nodes.iter().enumerate().zip(first_launches(nodes, first)) {
        node.after.iter().for_each(|earlier| later[*earlier as usize].push(position));
        numbers.push(matches!(node.step, Step::Launch(_)).then_some(number));
        for list in node.step.inside() {
            of_list(list, number, codes, found);
            number += launches(list).len();
        }
    }
    let seconds = chains(nodes, &numbers, codes);
    // How many launches stand before each node in the longest row of them; and by that, since the last loop or choice, the groups.
    let mut levels: Vec<Option<u32>> = vec![None; nodes.len()];
    let mut open: BTreeMap<u32, Vec<Group>> = BTreeMap::new();
    for (position, node) in nodes.iter().enumerate() {
        if levels[position].is_some() {
            continue; // a chain's second
        }
        let part: Vec<usize> = [Some(position), seconds[position]].into_iter().flatten().collect();
        let around = |nodes_of: &dyn Fn(usize) -> Vec<usize>| -> Vec<usize> {
            part.iter().flat_map(|node| nodes_of(*node)).filter(|other| !part.contains(other)).collect()
        };
        let earlier = around(&|node| nodes[node].after.iter().map(|earlier| *earlier as usize).collect());
        let level_of = |earlier: &usize| levels[*earlier].map_or(0, |level| level + 1);
        let level = earlier.iter().map(level_of).max().unwrap_or(0);
        part.iter().for_each(|node| levels[*node] = Some(level));
        if !node.step.inside().is_empty() {
            close(&mut open, found);
        }
        let launches: Part = part.iter().filter_map(|node| numbers[*node]).collect();
        let blocks = match launches[..] {
            [launch] => blocks_of(&codes[launch]),
            [_, _] => Some(1),
            _ => None,
        };
        let Some(blocks) = blocks else { continue };
        let is_first = earlier.is_empty();
        let neighbours: BTreeSet<usize> = earlier.into_iter().chain(around(&|node| later[node].clone())).collect();
        let groups = open.entry(level).or_default();
        let fits = |at: &usize| {
            let group = &groups[*at];
            let has_room = group.blocks + blocks <= BLOCKS_MAX && group.parts.len() < PARTS_MAX;
            has_room && (is_first || !group.neighbours.is_disjoint(&neighbours))
        };
        let near = (groups.len().saturating_sub(LOOK_MAX)..groups.len()).find(fits);
        let at = near.unwrap_or_else(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        groups[at].parts.push(launches);
        groups[at].blocks += blocks;
        groups[at].neighbours.extend(neighbours);
    }
    close(&mut open, found);
}

/// For each node the one that the same block does next.
fn chains(nodes: &[Node], numbers: &[Option<usize>], codes: &[LaunchCode]) -> Vec<Option<usize>> {
    let mut seconds: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut is_second = vec![false; nodes.len()];
    let mut barrier = 0;
    for (position, node) in nodes.iter().enumerate() {
        if !node.step.inside().is_empty() {
            barrier = position;
        }
        let Some(second) = numbers[position] else { continue };
        // The last that it waits for: all others are there before that begins.
        let Some(earlier) = node.after.last().map(|earlier| *earlier as usize) else { continue };
        let Some(first) = numbers[earlier].filter(|_| earlier >= barrier) else { continue };
        let is_free = seconds[earlier].is_none() && !is_second[earlier];
        if is_free && blocks_of(&codes[second]) == Some(1) && fits_a_block(&codes[first]) {
            seconds[earlier] = Some(position);
            is_second[position] = true;
        }
    }
    seconds
}

/// True if one block can do all of a launch: its blocks are few, and none of their threads wait for those of other warps.
fn fits_a_block(code: &LaunchCode) -> bool {
    let [CallCode { grid, block, is_free, .. }] = &code.calls[..] else { return false };
    let threads = grid[0].saturating_mul(block[0]);
    blocks_of(code).is_some() && *is_free && block[0] % 32 == 0 && threads <= CHAIN_THREADS_MAX
}

fn close(open: &mut BTreeMap<u32, Vec<Group>>, found: &mut Vec<Vec<Part>>) {
    let groups = std::mem::take(open).into_values().flatten();
    found.extend(groups.map(|group| group.parts).filter(|parts| parts.iter().flatten().count() > 1));
}

/// How many blocks a launch has that may be joined with others.
fn blocks_of(code: &LaunchCode) -> Option<u32> {
    let [call] = &code.calls[..] else { return None };
    let is_small = call.is_light && call.shared_bytes == 0 && call.grid[0] <= BLOCKS_MAX && call.grid[1..] == [1, 1];
    let is_plain = matches!(code.library, LaunchLibrary::Nothing) && !call.operands.contains(&Operand::Status);
    (is_small && is_plain && call.block[1..] == [1, 1]).then_some(call.grid[0])
}

/// Makes these launches one: the first does the work of all.
pub fn join(placed: &mut [PlacedLaunch], group: &[Part]) {
    let first = group.iter().flatten().copied().min().expect("a group should have launches");
    let names: Vec<&str> = group.iter().flatten().map(|launch| placed[*launch].name.as_str()).collect();
    let name = names.join("_and_");
    let parts =
        group.iter().map(|part| part.iter().flat_map(|launch| std::mem::take(&mut placed[*launch].calls)).collect());
    let parts: Vec<Vec<PlacedCall>> = parts.collect();
    for launch in group.iter().flatten().filter(|launch| **launch != first) {
        placed[*launch].joins = Some((launch - first) as u32);
    }
    placed[first].name = name;
    placed[first].calls.push(joined(parts));
}

/// One kernel whose blocks do what those of several do, one part after the other along x.
fn joined(parts: Vec<Vec<PlacedCall>>) -> PlacedCall {
    let is_chain = |calls: &[PlacedCall]| calls.len() > 1;
    let threads_of = |call: &PlacedCall, in_chain: bool| call.block[0] * if in_chain { call.grid[0] } else { 1 };
    let all = parts.iter().flat_map(|calls| calls.iter().map(|call| threads_of(call, is_chain(calls))));
    let threads = all.max().unwrap_or(1);
    let (mut before, mut body) = (String::new(), String::new());
    let (mut blocks, mut parameters) = (0, 0);
    for (number, calls) in parts.iter().enumerate() {
        let own_blocks = if is_chain(calls) { 1 } else { calls[0].grid[0] };
        line!(body, "if (blockIdx.x < {}) {{", blocks + own_blocks);
        for (step, call) in calls.iter().enumerate() {
            let name = format!("{NAME}_part{number}_{step}");
            let (grid, [call_blocks, ..], [call_threads, ..]) = (format!("{name}_grid"), call.grid, call.block);
            let own = call.text.function(&name);
            let own = match is_chain(calls) {
                false => {
                    line!(before, "typedef PartOfGrid<{blocks}, {call_blocks}, {call_threads}> {grid};");
                    own
                }
                true => {
                    line!(before, "typedef GridInBlock<{call_blocks}, {call_threads}> {grid};");
                    own.replace("threadIdx", &format!("{grid}::thread()"))
                }
            };
            let own =
                own.replace("blockIdx", &format!("{grid}::index()")).replace("gridDim", &format!("{grid}::grid()"));
            before.push_str(&own.replace("blockDim", &format!("{grid}::block()")));
            // Threads that a part has no use for may have ended: barriers do not wait for them.
            let own_threads = threads_of(call, is_chain(calls));
            if own_threads < threads {
                line!(body, "if (threadIdx.x < {own_threads})");
            }
            let arguments = (parameters..parameters + call.arguments.len()).map(|number| format!("a{number}"));
            line!(body, "{name}({});", arguments.collect::<Vec<_>>().join(", "));
            if step + 1 < calls.len() {
                line!(body, "__syncthreads();");
            }
            parameters += call.arguments.len();
        }
        line!(body, "return;\n}}");
        blocks += own_blocks;
    }
    PlacedCall {
        text: KernelText::of_parts(before, body, parameters, threads),
        grid: [blocks, 1, 1],
        block: [threads, 1, 1],
        shared_bytes: 0,
        arguments: parts.into_iter().flatten().flat_map(|call| call.arguments).collect(),
    }
}
