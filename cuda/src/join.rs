//! Small launches that do not wait for each other, as one kernel.
//!
//! A graph's node costs its time to start and end, and one that waits for several others more: between a product of queries, keys and values and the attention
//! that reads them lie two rotations, a copy and two writes into caches, each of some blocks. Those that can begin at the same time, as soon as as many launches before them have ended, become
//! one kernel if they wait for one of the same launches or one waits for both: nobody waits much longer then than before.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use pygraph_artifact::plan::{Node, Program, Step, launches};

use crate::{
    PlacedCall, PlacedLaunch,
    kernel::{KernelText, LaunchCode, LaunchLibrary, NAME, Operand},
    nest::line,
};

/// Blocks of a kernel that is joined: they are all on the card at the same time.
const BLOCKS_MAX: u32 = 132 * 8;

/// The launches of a program, by number, that are to be one kernel each, ascending.
pub fn groups(program: &Program, codes: &[LaunchCode]) -> Vec<Vec<usize>> {
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
    launches: Vec<usize>,
    blocks: u32,
    /// Nodes that one of them waits for, and nodes that wait for one of them.
    neighbours: BTreeSet<usize>,
}

/// Those of a list, whose first launch has the number `first`, and of the lists inside it. Recurses as deep as steps nest, which emission limits.
fn of_list(nodes: &[Node], first: usize, codes: &[LaunchCode], found: &mut Vec<Vec<usize>>) {
    let mut later: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (position, node) in nodes.iter().enumerate() {
        node.after.iter().for_each(|earlier| later[*earlier as usize].push(position));
    }
    // How many launches stand before each node in the longest chain; and by that, since the last loop or choice, the groups.
    let mut levels: Vec<u32> = Vec::with_capacity(nodes.len());
    let (mut open, mut number): (BTreeMap<u32, Vec<Group>>, usize) = (BTreeMap::new(), first);
    for (position, node) in nodes.iter().enumerate() {
        let level = node.after.iter().map(|earlier| levels[*earlier as usize] + 1).max().unwrap_or(0);
        levels.push(level);
        match &node.step {
            Step::Launch(_) => {
                if let Some(blocks) = blocks_of(&codes[number]) {
                    let waits_for = node.after.iter().map(|earlier| *earlier as usize);
                    let neighbours: BTreeSet<usize> = waits_for.chain(later[position].iter().copied()).collect();
                    let groups = open.entry(level).or_default();
                    let fits = |group: &Group| {
                        let is_near = node.after.is_empty() || !group.neighbours.is_disjoint(&neighbours);
                        group.blocks + blocks <= BLOCKS_MAX && is_near
                    };
                    let group = match groups.iter().position(fits) {
                        Some(at) => &mut groups[at],
                        None => {
                            groups.push(Group::default());
                            groups.last_mut().expect("it was just added")
                        }
                    };
                    group.launches.push(number);
                    group.blocks += blocks;
                    group.neighbours.extend(neighbours);
                }
                number += 1;
            }
            Step::Ensure(_) | Step::Retire(_) => {}
            Step::While { .. } | Step::Switch { .. } => {
                close(&mut open, found);
                for list in node.step.inside() {
                    of_list(list, number, codes, found);
                    number += launches(list).len();
                }
            }
        }
    }
    close(&mut open, found);
}

fn close(open: &mut BTreeMap<u32, Vec<Group>>, found: &mut Vec<Vec<usize>>) {
    let groups = std::mem::take(open).into_values().flatten();
    found.extend(groups.map(|group| group.launches).filter(|launches| launches.len() > 1));
}

/// How many blocks a launch has that may be joined with others.
fn blocks_of(code: &LaunchCode) -> Option<u32> {
    let [call] = &code.calls[..] else { return None };
    let is_small = call.is_light && call.shared_bytes == 0 && call.grid[0] <= BLOCKS_MAX && call.grid[1..] == [1, 1];
    let is_plain = matches!(code.library, LaunchLibrary::Nothing) && !call.operands.contains(&Operand::Status);
    (is_small && is_plain && call.block[1..] == [1, 1]).then_some(call.grid[0])
}

/// Makes these launches one: the first does the work of all.
pub fn join(placed: &mut [PlacedLaunch], group: &[usize]) {
    let calls: Vec<PlacedCall> = group.iter().flat_map(|launch| std::mem::take(&mut placed[*launch].calls)).collect();
    let names: Vec<&str> = group.iter().map(|launch| placed[*launch].name.as_str()).collect();
    let name = names.join("_and_");
    let first = group[0];
    group[1..].iter().for_each(|launch| placed[*launch].joins = Some((launch - first) as u32));
    placed[first].name = name;
    placed[first].calls.push(joined(calls));
}

/// One kernel whose blocks do what those of several do, one after the other along x.
fn joined(calls: Vec<PlacedCall>) -> PlacedCall {
    let threads = calls.iter().map(|call| call.block[0]).max().unwrap_or(1);
    let (mut before, mut body) = (String::new(), String::new());
    let (mut blocks, mut parameters) = (0, 0);
    for (number, call) in calls.iter().enumerate() {
        let (name, own_blocks, own_threads) = (format!("{NAME}_part{number}"), call.grid[0], call.block[0]);
        let grid = format!("{name}_grid");
        line!(before, "typedef PartOfGrid<{blocks}, {own_blocks}, {own_threads}> {grid};");
        let own = call.text.function(&name);
        let own = own.replace("blockIdx", &format!("{grid}::index()")).replace("gridDim", &format!("{grid}::grid()"));
        before.push_str(&own.replace("blockDim", &format!("{grid}::block()")));
        blocks += own_blocks;
        let arguments = (parameters..parameters + call.arguments.len()).map(|number| format!("a{number}"));
        let call_text = format!("{name}({});", arguments.collect::<Vec<_>>().join(", "));
        // Threads that a part has no use for have ended, which barriers do not wait for.
        let inside =
            if own_threads < threads { format!("if (threadIdx.x < {own_threads}) {call_text}") } else { call_text };
        line!(body, "if (blockIdx.x < {blocks}) {{\n{inside}\nreturn;\n}}");
        parameters += call.arguments.len();
    }
    PlacedCall {
        text: KernelText::of_parts(before, body, parameters, threads),
        grid: [blocks, 1, 1],
        block: [threads, 1, 1],
        shared_bytes: 0,
        arguments: calls.into_iter().flat_map(|call| call.arguments).collect(),
    }
}
