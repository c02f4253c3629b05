//! Accesses where nothing is mapped: each ends a process of its own with SIGSEGV.

use std::{
    env,
    os::unix::process::ExitStatusExt,
    process::{Command, Output},
};

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use super::{ArenaOptions, GrowingArena, GuardedBuffer, MemoryError, PhysicalMemory, ffi, granularity};

/// Set in a process that is to do what the test of this name claims.
const CLAIM: &str = "PYGRAPH_TEST_FAULT";

/// Runs `access` in a process of its own: this test program, with this one test and this one claim.
fn run_alone(test: &str, claim: &str, access: impl FnOnce() -> Result<u8, MemoryError>) -> Option<Output> {
    if env::var(CLAIM).is_ok_and(|chosen| chosen == claim) {
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).expect("no core should be written");
        println!("about to touch it");
        println!("read {}", access().expect("memory should be there"));
        std::process::exit(0);
    }
    if env::var_os(CLAIM).is_some() {
        return None;
    }
    let program = env::current_exe().expect("the test program should have a name");
    let test = format!("memory::faults::{test}");
    let output = Command::new(program).args([&test, "--exact", "--nocapture"]).env(CLAIM, claim).output();
    Some(output.expect("the test program should start"))
}

fn check_dies(test: &str, claim: &str, access: impl FnOnce() -> Result<u8, MemoryError>) {
    let Some(output) = run_alone(test, claim, access) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("about to touch it") && !text.contains("read "), "{claim}: {text}");
    assert_eq!(output.status.signal(), Some(Signal::SEGV.as_raw()), "{claim}: {}", output.status);
}

fn check_lives(test: &str, claim: &str, access: impl FnOnce() -> Result<u8, MemoryError>) {
    let Some(output) = run_alone(test, claim, access) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("read 0\n"), "{claim}: {} {text}", output.status);
}

/// An arena of two slots of eight handles, the size of a handle, and the address of a byte of the first slot.
fn arena() -> Result<(GrowingArena, u64), MemoryError> {
    let handle_bytes = 2 * granularity();
    let memory = PhysicalMemory::new(handle_bytes, None)?;
    let options =
        ArenaOptions { slots: 2, slot_bytes: 8 * handle_bytes, handles_ahead: 0, thread_delay: Default::default() };
    Ok((GrowingArena::new(&memory, options)?, handle_bytes))
}

fn read(arena: &GrowingArena, byte: u64) -> Result<u8, MemoryError> {
    Ok(ffi::peek(arena.as_ptr().wrapping_byte_add(byte as usize)))
}

#[test]
fn beyond_what_is_mapped() {
    const TEST: &str = "beyond_what_is_mapped";
    let grown = |beyond: u64| {
        let (arena, handle_bytes) = arena()?;
        arena.ensure(0, 2 * handle_bytes + 1)?;
        read(&arena, 3 * handle_bytes - 1 + beyond)
    };
    check_lives(TEST, "the last mapped byte", || grown(0));
    check_dies(TEST, "the byte after it", || grown(1));
    check_dies(TEST, "a slot in which nothing is mapped", || {
        let (arena, handle_bytes) = arena()?;
        arena.ensure(0, 8 * handle_bytes)?;
        read(&arena, 8 * handle_bytes)
    });
}

#[test]
fn after_it_is_unmapped() {
    const TEST: &str = "after_it_is_unmapped";
    let retired = |beyond: u64| {
        let (arena, handle_bytes) = arena()?;
        arena.ensure(0, 4 * handle_bytes)?;
        read(&arena, 4 * handle_bytes - 1)?;
        arena.retire(0, handle_bytes + 1)?;
        read(&arena, 2 * handle_bytes - 1 + beyond)
    };
    check_lives(TEST, "the last byte that is left", || retired(0));
    check_dies(TEST, "the byte after it", || retired(1));
}

#[test]
fn below_the_edge_of_a_window() {
    const TEST: &str = "below_the_edge_of_a_window";
    let window = |below: u64| {
        let (arena, handle_bytes) = arena()?;
        arena.ensure(0, 4 * handle_bytes)?;
        read(&arena, 0)?;
        arena.retire_below(0, 2 * handle_bytes + 1)?;
        read(&arena, 2 * handle_bytes - below)
    };
    check_lives(TEST, "the first byte of the handle of the edge", || window(0));
    check_dies(TEST, "the byte before it", || window(1));
}

#[test]
fn in_a_closed_buffer() {
    const TEST: &str = "in_a_closed_buffer";
    let bytes = [0; 100];
    check_lives(TEST, "an open buffer", || Ok(ffi::peek(GuardedBuffer::new(&bytes)?.as_ptr())));
    check_dies(TEST, "a closed buffer", || Ok(ffi::peek(GuardedBuffer::new(&bytes)?.close()?.as_ptr())));
    check_dies(TEST, "far beyond an open buffer", || {
        Ok(ffi::peek(GuardedBuffer::new(&bytes)?.as_ptr().wrapping_byte_add(100 + 64)))
    });
}
