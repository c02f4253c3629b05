//! What is written is read again, and nothing else is.

mod support;

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use proptest::prelude::*;
use pygraph_artifact::{
    bytes::ALIGNMENT,
    container::{Artifact, Code, FORMAT_VERSION, LoadError, encode, write},
    device_code::{Argument, DeviceCall, DeviceCode, DeviceKernel, DeviceLaunch, DeviceProgram},
    host_code::{HostCode, HostFunction, Target},
    plan::{BufferId, Plan, Step, launches},
    scalar::ScalarOp,
};

fn encoded() -> Vec<u8> {
    encode(&support::plan(), &support::constants(), Code::default()).expect("the plan should be valid")
}

/// Loads bytes that must be refused, and compares the message.
fn check(bytes: &[u8], expected: &str) {
    let error = Artifact::from_bytes(bytes).expect_err(expected);
    assert_eq!(error.to_string(), expected);
}

/// A copy with another byte at `position`.
fn flipped(position: usize) -> Vec<u8> {
    let mut bytes = encoded();
    bytes[position] ^= 0x10;
    bytes
}

/// Replaces the plan's section, with right checksums around it.
fn with_plan_bytes(plan: &[u8]) -> Vec<u8> {
    with_bytes(plan, &[], &[])
}

/// Replaces the sections of the plan and of code, with right checksums around them.
fn with_bytes(plan: &[u8], host: &[u8], device: &[u8]) -> Vec<u8> {
    use xxhash_rust::xxh3::xxh3_64;
    let mut bytes = encoded()[..192].to_vec();
    let constants_start = (192 + plan.len()).next_multiple_of(64);
    let host_start = constants_start + 64;
    let device_start = (host_start + host.len()).next_multiple_of(64);
    bytes[16..24].copy_from_slice(&((device_start + device.len()) as u64).to_le_bytes());
    bytes[56..64].copy_from_slice(&(plan.len() as u64).to_le_bytes());
    bytes[64..72].copy_from_slice(&xxh3_64(plan).to_le_bytes());
    bytes[88..96].copy_from_slice(&(constants_start as u64).to_le_bytes());
    for (entry, start, section) in [(112, host_start, host), (152, device_start, device)] {
        let numbers = [start as u64, section.len() as u64, xxh3_64(section)];
        bytes[entry + 16..entry + 40].copy_from_slice(&numbers.map(u64::to_le_bytes).concat());
    }
    let covered: Vec<u8> = [&bytes[..24], &bytes[32..192]].concat();
    bytes[24..32].copy_from_slice(&xxh3_64(&covered).to_le_bytes());
    bytes.extend_from_slice(plan);
    bytes.resize(constants_start, 0);
    bytes.extend_from_slice(&support::constants());
    bytes.resize(host_start, 0);
    bytes.extend_from_slice(host);
    bytes.resize(device_start, 0);
    bytes.extend_from_slice(device);
    bytes
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.pyg");
    write(&path, &support::plan(), &support::constants(), Code::default()).expect("written");
    assert_eq!(fs::read(&path).expect("read"), encoded());
    for artifact in [Artifact::open(&path).expect("opened"), Artifact::from_bytes(&encoded()).expect("loaded")] {
        assert_eq!(artifact.plan(), &support::plan());
        assert_eq!(artifact.constants(), support::constants());
        assert_eq!(artifact.constants().as_ptr() as usize % ALIGNMENT, 0);
    }
}

#[test]
fn other_files_are_refused() {
    check(b"", "not a pygraph artifact (0 bytes that do not begin with its magic)");
    check(b"module {}", "not a pygraph artifact (9 bytes that do not begin with its magic)");
    check(&flipped(3), &format!("not a pygraph artifact ({} bytes that do not begin with its magic)", encoded().len()));
    let other = FORMAT_VERSION ^ 16;
    check(
        &flipped(8),
        &format!("format version is {other}, this build reads {FORMAT_VERSION}: compile the model again"),
    );
}

#[test]
fn a_missing_or_damaged_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.pyg");
    let message = |path: &Path| Artifact::open(path).expect_err("refused").to_string();
    let expected = format!("cannot read {}: No such file or directory (os error 2)", path.display());
    assert_eq!(message(&path), expected);
    fs::write(&path, &encoded()[..100]).expect("written");
    let expected = format!("cannot load {}: truncated: 100 bytes of at least 192", path.display());
    assert_eq!(message(&path), expected);
    fs::write(&path, b"").expect("written");
    assert!(message(&path).ends_with("(0 bytes that do not begin with its magic)"));
}

#[test]
fn a_flip_in_each_part_names_the_part() {
    let bytes = encoded();
    for position in [12, 16, 24, 33, 48, 56, 64, 80, 88, 111, 151, 191] {
        check(&flipped(position), "checksum of the header does not match: the file is damaged");
    }
    check(&flipped(200), "checksum of the plan does not match: the file is damaged");
    check(&flipped(bytes.len() - 65), "bytes before section constants are not zero: the file is damaged");
    check(&flipped(bytes.len() - 49), "checksum of the constants does not match: the file is damaged");
    check(&flipped(bytes.len() - 1), "bytes before section host code are not zero: the file is damaged");
}

#[test]
fn every_truncation_is_refused() {
    let bytes = encoded();
    for length in 0..bytes.len() {
        let error = Artifact::from_bytes(&bytes[..length]).expect_err("a truncated file should be refused");
        match error {
            LoadError::NotAnArtifact { .. } => assert!(length < 8),
            LoadError::Truncated { expected, found } => {
                assert_eq!((found, expected > found), (length as u64, true));
            }
            other => panic!("{length} bytes: {other}"),
        }
    }
    let longer = [bytes.as_slice(), b"\0"].concat();
    check(&longer, &format!("{} bytes where the header says {}", longer.len(), bytes.len()));
}

#[test]
fn a_plan_that_does_not_decode_is_refused() {
    let plan = postcard::to_stdvec(&support::plan()).expect("encoded");
    assert_eq!(Artifact::from_bytes(&with_plan_bytes(&plan)).expect("loaded").plan(), &support::plan());
    check(&with_plan_bytes(b""), "malformed plan: Hit the end of buffer, expected more data");
    check(&with_plan_bytes(&[plan.as_slice(), b"\0"].concat()), "malformed plan: 1 bytes follow it");
    let mut invalid = support::plan();
    invalid.programs[0].device = 3;
    let invalid = postcard::to_stdvec(&invalid).expect("encoded");
    check(
        &with_plan_bytes(&invalid),
        "invalid plan: program `main`: device 3 is asked for, this release has device 0 only",
    );
}

#[test]
fn a_section_table_that_lies_is_refused() {
    use xxhash_rust::xxh3::xxh3_64;
    for (position, section) in [
        (32, "plan"),
        (48, "plan"),
        (57, "plan"),
        (72, "constants"),
        (90, "constants"),
        (113, "host code"),
        (153, "device code"),
    ] {
        let mut bytes = flipped(position);
        let covered: Vec<u8> = [&bytes[..24], &bytes[32..192]].concat();
        bytes[24..32].copy_from_slice(&xxh3_64(&covered).to_le_bytes());
        check(&bytes, &format!("the entry of section {section} has a wrong name, offset or length"));
    }
}

/// Code of one function for nests of three arrays, and a plan whose first launch names it.
fn with_code() -> (Plan, HostCode) {
    let mut plan = support::plan();
    let Step::Launch(launch) = &mut plan.programs[0].segments[0].nodes[0].step else { panic!("a launch comes first") };
    launch.functions = vec![Some(0)];
    let target = Target { triple: "x86_64-unknown-linux-gnu".to_string(), cpu: "x86-64-v3".to_string() };
    let functions = vec![HostFunction { offset: 1, operands: 3 }];
    (plan, HostCode { target, imports: vec![ScalarOp::Exp], functions, image: vec![0x90, 0xc3] })
}

#[test]
fn code_is_written_and_read_again() {
    let (plan, code) = with_code();
    let bytes = encode(&plan, &support::constants(), Code { host: Some(&code), device: None }).expect("valid");
    let artifact = Artifact::from_bytes(&bytes).expect("loaded");
    assert_eq!((artifact.plan(), artifact.host_code()), (&plan, Some(&code)));
    assert_eq!(artifact.constants(), support::constants());
    assert_eq!(Artifact::from_bytes(&encoded()).expect("loaded").host_code(), None);
}

#[test]
fn code_that_does_not_fit_the_plan_is_refused() {
    let refused = |expected: &str, change: fn(&mut Plan, &mut HostCode)| {
        let (mut plan, mut code) = with_code();
        change(&mut plan, &mut code);
        let bytes = |value: Result<Vec<u8>, postcard::Error>| value.expect("encoded");
        check(&with_bytes(&bytes(postcard::to_stdvec(&plan)), &bytes(postcard::to_stdvec(&code)), &[]), expected);
        let error =
            encode(&plan, &support::constants(), Code { host: Some(&code), device: None }).expect_err("refused");
        assert_eq!(error.to_string(), expected);
    };
    fn functions(plan: &mut Plan) -> &mut Vec<Option<u32>> {
        let Step::Launch(launch) = &mut plan.programs[0].segments[0].nodes[0].step else {
            panic!("a launch comes first")
        };
        &mut launch.functions
    }
    refused("invalid host code: function 0 begins at 2, outside the image of 2 bytes", |_, code| {
        code.functions[0].offset = 2
    });
    refused("invalid host code: `exp` is imported twice", |_, code| code.imports.push(ScalarOp::Exp));
    refused("invalid host code: launch `add_0` names function 1, which does not exist", |plan, _| {
        *functions(plan) = vec![Some(1)];
    });
    refused("invalid host code: launch `add_0` names 2 functions for 1 loop nests", |plan, _| {
        functions(plan).push(None)
    });
    refused("invalid host code: launch `add_0` gives function 0, which takes 2 arrays, 3", |_, code| {
        code.functions[0].operands = 2;
    });
    let plan = postcard::to_stdvec(&with_code().0).expect("encoded");
    check(&with_bytes(&plan, &[], &[]), "invalid host code: launch `add_0` names function 0, which does not exist");
    check(&with_bytes(&plan, &[1], &[]), "malformed host code: Hit the end of buffer, expected more data");
    check(
        &with_bytes(&postcard::to_stdvec(&support::plan()).expect("encoded"), &[], &[1]),
        "malformed device code: Hit the end of buffer, expected more data",
    );
}

/// Code of one kernel of two arguments for the first launch of the plan; the others are none.
fn device_code(plan: &Plan) -> DeviceCode {
    let segments = &plan.programs[0].segments;
    let count = segments.iter().map(|segment| launches(&segment.nodes).len()).sum();
    let mut device_launches = vec![DeviceLaunch::default(); count];
    let arguments = vec![Argument::Buffer(BufferId(0)), Argument::Scratch { offset: 0 }];
    device_launches[0].calls.push(DeviceCall {
        kernel: 0,
        grid: [1; 3],
        block: [32, 1, 1],
        shared_bytes: 0,
        arguments,
    });
    DeviceCode {
        target: "sm_90".to_string(),
        modules: vec![b"cubin".to_vec()],
        kernels: vec![DeviceKernel { module: 0, name: "k".to_string(), arguments: 2 }],
        control: None,
        programs: vec![DeviceProgram { scratch_bytes: 256, zeroed_bytes: 0, launches: device_launches }],
    }
}

#[test]
fn device_code_is_written_and_read_again() {
    let plan = support::plan();
    let device = device_code(&plan);
    let bytes = encode(&plan, &support::constants(), Code { host: None, device: Some(&device) }).expect("valid");
    assert_eq!(Artifact::from_bytes(&bytes).expect("loaded").device_code(), Some(&device));
}

#[test]
fn device_code_that_does_not_fit_the_plan_is_refused() {
    fn call(code: &mut DeviceCode) -> &mut DeviceCall {
        &mut code.programs[0].launches[0].calls[0]
    }
    let refused = |expected: &str, change: fn(&mut DeviceCode)| {
        let plan = support::plan();
        let mut code = device_code(&plan);
        change(&mut code);
        let bytes = |value: Result<Vec<u8>, postcard::Error>| value.expect("encoded");
        check(&with_bytes(&bytes(postcard::to_stdvec(&plan)), &[], &bytes(postcard::to_stdvec(&code))), expected);
        let encoded = encode(&plan, &support::constants(), Code { host: None, device: Some(&code) });
        assert_eq!(encoded.expect_err("refused").to_string(), expected);
    };
    refused("invalid device code: module 3 is named, and there are 1", |code| code.control = Some(3));
    refused("invalid device code: module 1 is named, and there are 1", |code| code.kernels[0].module = 1);
    refused("invalid device code: it has 0 programs, the plan has 1", |code| code.programs.clear());
    refused("invalid device code: it has 1 launches for `main`, which has 5", |code| {
        code.programs[0].launches.truncate(1)
    });
    refused("invalid device code: call 0 of `main`: there is no kernel 1", |code| call(code).kernel = 1);
    refused("invalid device code: call 0 of `main`: `k` takes 2 addresses, not 1", |code| {
        call(code).arguments.truncate(1)
    });
    refused("invalid device code: call 0 of `main`: `k` has blocks [1, 0, 1] of [32, 1, 1] threads", |code| {
        call(code).grid[1] = 0
    });
    refused("invalid device code: call 0 of `main`: `k` has blocks [1, 1, 1] of [32, 33, 1] threads", |code| {
        call(code).block[1] = 33
    });
    refused("invalid device code: call 0 of `main`: `k` is given buffer 99, which does not exist", |code| {
        call(code).arguments[0] = Argument::Buffer(BufferId(99))
    });
    refused("invalid device code: call 0 of `main`: `k` is given scratch memory at 256 of 256", |code| {
        call(code).arguments[1] = Argument::Scratch { offset: 256 }
    });
    let cannot = "invalid device code: program `main`: launch 1 cannot be done by what the launch 1 before it calls";
    refused(cannot, |code| {
        code.programs[0].launches[1].joins = Some(1);
        code.programs[0].launches[0].calls.clear();
    });
    refused(cannot, |code| {
        code.programs[0].launches[1] = code.programs[0].launches[0].clone();
        code.programs[0].launches[1].joins = Some(1);
    });
    refused(&cannot.replace("launch 1 before", "launch 2 before"), |code| code.programs[0].launches[1].joins = Some(2));
    refused(
        "invalid device code: program `main`: launch 0 cannot be done by what the launch 0 before it calls",
        |code| code.programs[0].launches[0].joins = Some(0),
    );
}

#[test]
fn tokens_that_do_not_nest_are_refused() {
    // A program without anything but one segment; its nodes are the tokens.
    let plan = |tokens: &[u8]| {
        let head = [1, 4, b'm', b'a', b'i', b'n', 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, b's', b'0', 1, 0];
        with_plan_bytes(&[head.as_slice(), tokens, &[0]].concat())
    };
    const WHILE: u8 = 3;
    const BODY: u8 = 4;
    const SWITCH: u8 = 5;
    const BRANCH: u8 = 6;
    const END: u8 = 7;
    let refused = "malformed plan: Serde Deserialization Error";
    check(&plan(&[1, END]), refused);
    check(&plan(&[1, BODY]), refused);
    check(&plan(&[1, BRANCH]), refused);
    check(&plan(&[2, WHILE, 0, 0, END]), refused);
    check(&plan(&[2, WHILE, 0, 0, BODY]), refused);
    check(&plan(&[4, SWITCH, 0, 0, WHILE, 0, 0, BODY, END]), refused);
    let accepted = "invalid plan: program `main`: a predicate in segment `s0` names buffer 0, which does not exist";
    check(&plan(&[3, WHILE, 0, 0, BODY, END]), accepted);
    let deep: Vec<u8> = [0x80, 0x89, 0x7a].into_iter().chain([SWITCH, 0, 0, BRANCH].repeat(1_000_000)).collect();
    check(&plan(&deep), refused);
}

#[test]
fn a_huge_length_allocates_nothing_near_it() {
    check(
        &with_plan_bytes(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        "malformed plan: Hit the end of buffer, expected more data",
    );
}

#[test]
fn an_invalid_plan_is_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.pyg");
    fs::write(&path, b"before").expect("written");
    let mut plan = support::plan();
    plan.programs[0].results[0].buffer = BufferId(99);
    let error = write(&path, &plan, &support::constants(), Code::default()).expect_err("refused");
    assert_eq!(error.to_string(), "invalid plan: program `main`: result 0 names buffer 99, which does not exist");
    let mut deep = vec![];
    for _ in 0..100 {
        deep = vec![Step::Switch { index: BufferId(4), branches: vec![support::nodes(deep)] }];
    }
    plan = support::plan();
    plan.programs[0].segments[0].nodes = support::nodes(deep);
    assert!(write(&path, &plan, &support::constants(), Code::default()).is_err());
    assert_eq!(fs::read(&path).expect("read"), b"before");
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
}

#[test]
fn writing_replaces_files_and_not_links_or_devices() {
    let folder = tempfile::tempdir().expect("a folder");
    let (target, link) = (folder.path().join("target.pyg"), folder.path().join("link.pyg"));
    fs::write(&target, b"before").expect("written");
    std::os::unix::fs::symlink(&target, &link).expect("linked");
    write(&link, &support::plan(), &support::constants(), Code::default()).expect("written");
    assert!(fs::symlink_metadata(&link).expect("metadata").is_symlink());
    assert_eq!(fs::read(&target).expect("read"), encoded());
    write(Path::new("/dev/null"), &support::plan(), &support::constants(), Code::default()).expect("written");
    assert!(!fs::metadata("/dev/null").expect("metadata").is_file());
    assert_ne!(fs::metadata(&target).expect("metadata").mode() & 0o444, 0o400, "others may read, under a usual umask");
    let nowhere = folder.path().join("no/model.pyg");
    let error =
        write(&nowhere, &support::plan(), &support::constants(), Code::default()).expect_err("refused").to_string();
    assert!(error.starts_with(&format!("cannot write {}: ", nowhere.display())), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Random flips never panic, and are never accepted.
    #[test]
    fn random_damage_is_refused(flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4)) {
        let original = encoded();
        let mut bytes = original.clone();
        for (index, mask) in flips {
            let position = index.index(bytes.len());
            bytes[position] ^= mask;
        }
        let accepted = Artifact::from_bytes(&bytes).is_ok();
        prop_assert_eq!(accepted, bytes == original);
    }

    /// Damage inside the plan, below the checksums, never panics.
    #[test]
    fn a_damaged_plan_with_right_checksums_does_not_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..6),
    ) {
        let mut plan = postcard::to_stdvec(&support::plan()).expect("encoded");
        for (index, mask) in flips {
            let position = index.index(plan.len());
            plan[position] ^= mask;
        }
        let _ = Artifact::from_bytes(&with_plan_bytes(&plan));
    }
}
