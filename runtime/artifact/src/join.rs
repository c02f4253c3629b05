//! Launches that one kernel does together: blocks of it do the one or the other, or one after the other.
//!
//! Small launches are one node of a graph so, and what runs after them waits for one node. The nodes of a list then are sets: a
//! set runs when all has ended that any of its nodes waits for, outside of the set.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    device_code::DeviceLaunch,
    library::Library,
    plan::{Node, Program, Step, launches},
};

/// Nodes of one list, by position, ascending: launches that are done together, or one node.
pub type Set = Vec<usize>;

/// The nodes of a list as sets, in an order in which each set stands behind those that it waits for. The list's first launch is the first of `device`.
///
/// Takes n log n of nodes and edges. Fails where launches could not be done together: see the error.
pub fn sets(nodes: &[Node], device: &[DeviceLaunch]) -> Result<Vec<Set>, String> {
    let (set_of, mut sets) = members(nodes, device)?;
    let mut waits_for = vec![0usize; sets.len()];
    let mut waited_for_by: Vec<Vec<usize>> = vec![Vec::new(); sets.len()];
    for (node, set) in nodes.iter().zip(&set_of) {
        // What waits within a set is the kernel's to order.
        for earlier in node.after.iter().map(|earlier| set_of[*earlier as usize]).filter(|earlier| earlier != set) {
            waits_for[*set] += 1;
            waited_for_by[earlier].push(*set);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..sets.len()).filter(|set| waits_for[*set] == 0).map(Reverse).collect();
    let mut ordered = Vec::with_capacity(sets.len());
    while let Some(Reverse(set)) = ready.pop() {
        ordered.push(std::mem::take(&mut sets[set]));
        for later in std::mem::take(&mut waited_for_by[set]) {
            waits_for[later] -= 1;
            if waits_for[later] == 0 {
                ready.push(Reverse(later));
            }
        }
    }
    match sets.iter().flatten().next() {
        Some(node) => Err(format!("what is done together with node {node} waits for itself")),
        None => Ok(ordered),
    }
}

/// The set of each node, and the sets, in order of their first nodes.
fn members(nodes: &[Node], device: &[DeviceLaunch]) -> Result<(Vec<usize>, Vec<Set>), String> {
    let mut sets: Vec<Set> = Vec::with_capacity(nodes.len());
    let mut set_of = Vec::with_capacity(nodes.len());
    // Of the list's launches since the last loop or choice: their numbers, and their sets.
    let (mut open, mut number): (Vec<(usize, usize)>, usize) = (Vec::new(), 0);
    for (position, node) in nodes.iter().enumerate() {
        let mut own = sets.len();
        match node.step {
            Step::Launch(_) => {
                let launch = device.get(number).ok_or_else(|| format!("there is no launch {number}"))?;
                if let Some(before) = launch.joins {
                    let first = number.checked_sub(before as usize);
                    let found = open.binary_search_by_key(&first, |(number, _)| Some(*number));
                    let first = found.map_err(|_| {
                        format!("launch {number} is done with one {before} before it, which is not of its list, or is behind a loop or a choice")
                    });
                    own = open[first?].1;
                }
                open.push((number, own));
                number += 1;
            }
            Step::Ensure(_) | Step::Retire(_) => {}
            Step::While { .. } | Step::Switch { .. } => {
                open.clear();
                number += launches(std::slice::from_ref(node)).len();
            }
        }
        match sets.get_mut(own) {
            Some(set) => set.push(position),
            None => sets.push(vec![position]),
        }
        set_of.push(own);
    }
    Ok((set_of, sets))
}

/// The number of the first launch of each node, in a list whose first launch has the number `first`.
pub fn first_launches(nodes: &[Node], first: usize) -> Vec<usize> {
    let number = |next: &mut usize, node: &Node| {
        let number = *next;
        *next += launches(std::slice::from_ref(node)).len();
        Some(number)
    };
    nodes.iter().scan(first, number).collect()
}

/// Checks which launches of a program are done together. Recurses as deep as steps nest, which validation limits.
pub fn check(program: &Program, device: &[DeviceLaunch]) -> Result<(), String> {
    for (number, launch) in device.iter().enumerate() {
        let Some(before) = launch.joins else { continue };
        let first = (before > 0).then(|| number.checked_sub(before as usize)).flatten().map(|first| &device[first]);
        let does_both = |first: &DeviceLaunch| {
            first.joins.is_none() && !first.calls.is_empty() && !matches!(first.library, Library::Offer(_))
        };
        if !first.is_some_and(does_both) || !launch.calls.is_empty() || matches!(launch.library, Library::Offer(_)) {
            return Err(format!("launch {number} cannot be done by what the launch {before} before it calls"));
        }
    }
    let mut rest = device;
    for segment in &program.segments {
        let (own, later) = rest.split_at(launches(&segment.nodes).len());
        check_list(&segment.nodes, own)?;
        rest = later;
    }
    Ok(())
}

fn check_list(nodes: &[Node], device: &[DeviceLaunch]) -> Result<(), String> {
    sets(nodes, device)?;
    for (node, mut number) in nodes.iter().zip(first_launches(nodes, 0)) {
        for list in node.step.inside() {
            check_list(list, &device[number..])?;
            number += launches(list).len();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device_code::DeviceCall,
        plan::{BufferId, Launch, Nest, Work},
        scalar::ScalarBody,
    };

    fn launch(after: &[u32]) -> Node {
        let map = ScalarBody { inputs: vec![], instructions: vec![], outputs: vec![] };
        let nest = Nest { extents: vec![], reduction_dims: 0, inputs: vec![], outputs: vec![], map, combine: None };
        let (name, location) = (String::new(), String::new());
        let step = Step::Launch(Launch { name, location, work: Work::Nest(nest), functions: vec![] });
        Node { after: after.to_vec(), step }
    }

    fn own() -> DeviceLaunch {
        let call = DeviceCall { kernel: 0, grid: [1; 3], block: [1; 3], shared_bytes: 0, arguments: vec![] };
        DeviceLaunch { calls: vec![call], ..DeviceLaunch::default() }
    }

    fn with(before: u32) -> DeviceLaunch {
        DeviceLaunch { joins: Some(before), ..DeviceLaunch::default() }
    }

    #[test]
    fn sets_stand_behind_what_any_of_their_nodes_waits_for() {
        // A product, two nests behind it of which the second also waits for a third launch, and what reads both.
        let nodes = [launch(&[]), launch(&[0]), launch(&[]), launch(&[0, 2]), launch(&[1, 3])];
        let device = [own(), own(), own(), with(2), own()];
        assert_eq!(sets(&nodes, &device), Ok(vec![vec![0], vec![2], vec![1, 3], vec![4]]));
        let apart = [own(), own(), own(), own(), own()];
        assert_eq!(sets(&nodes, &apart), Ok((0..5).map(|node| vec![node]).collect()));
    }

    #[test]
    fn what_waits_within_a_set_is_no_cycle_and_what_waits_around_it_is_one() {
        let nodes = [launch(&[]), launch(&[0]), launch(&[1])];
        assert_eq!(sets(&nodes, &[own(), with(1), own()]), Ok(vec![vec![0, 1], vec![2]]));
        let around = sets(&nodes, &[own(), own(), with(2)]);
        assert_eq!(around, Err("what is done together with node 0 waits for itself".to_string()));
    }

    #[test]
    fn nothing_is_done_across_a_loop() {
        let body = vec![launch(&[])];
        let looped = Node { after: vec![], step: Step::While { condition: vec![], predicate: BufferId(0), body } };
        let nodes = [launch(&[]), looped, launch(&[])];
        assert_eq!(sets(&nodes, &[own(), own(), own()]).map(|sets| sets.len()), Ok(3));
        let text = "launch 2 is done with one 2 before it, which is not of its list, or is behind a loop or a choice";
        assert_eq!(sets(&nodes, &[own(), own(), with(2)]), Err(text.to_string()));
    }
}
