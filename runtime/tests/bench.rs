//! `pygraph-bench` on the host device, on plans that were built by hand.

mod support;

use std::{fs, path::Path};

use clap::Parser;
use pygraph_artifact::{dtype::DType, plan::Bind, scalar::ScalarOp};
use pygraph_runtime::{
    bench::{Options, bench},
    npz::{NpzFile, NpzWriter},
};
use support::{Builder, as_ints, ints};
use tempfile::TempDir;

/// `n' = n + pos`, with `n` carried.
fn artifact(folder: &Path) {
    let mut b = Builder::new("main");
    let n = b.param("n", DType::I32, &[], Bind::State);
    let pos = b.param("pos", DType::I32, &[], Bind::Host);
    let next = b.arena(DType::I32, &[]);
    let counted = b.result("n'", next);
    b.update(0, counted);
    let steps = vec![b.map(ScalarOp::Add, &[n, pos], next)];
    fs::write(folder.join("model.pyg"), b.encode(steps)).expect("written");
}

/// What it prints, or its error.
fn run(folder: &Path, arguments: &[&str]) -> Result<String, (String, u8)> {
    let model = folder.join("model.pyg");
    let all = ["pygraph-bench", model.to_str().expect("a plain path")].into_iter().chain(arguments.iter().copied());
    let options = Options::try_parse_from(all).expect("the call should be right");
    let mut out = Vec::new();
    bench(&options, &mut out).map_err(|error| (error.to_string(), error.exit_code()))?;
    Ok(String::from_utf8(out).expect("text"))
}

#[test]
fn the_host_device_times_no_launches() {
    let folder = TempDir::new().expect("a folder");
    artifact(folder.path());
    let refused = run(folder.path(), &["--device", "host", "--init", "random:1", "--launches"]);
    let message = "--launches needs a GPU; on the host device PYGRAPH_DEBUG=3 shows the time of every launch";
    assert_eq!(refused, Err((message.to_string(), 2)));
}

#[test]
fn steps_are_timed_and_what_they_moved_is_counted() {
    let folder = TempDir::new().expect("a folder");
    artifact(folder.path());
    let json = folder.path().join("report.json");
    let json_text = json.to_str().expect("a plain path");
    let arguments =
        ["--device", "host", "--init", "random:1", "--steps", "4", "--warmup", "2", "--advance", "pos=3", "--json"];
    let text = run(folder.path(), &[&arguments[..], &[json_text]].concat()).expect("runs");
    for part in ["`main` on host: ", "synchronised", "  of it the call", "pipelined", "1 graphs of 1 nodes"] {
        assert!(text.contains(part), "{part} in:\n{text}");
    }
    assert!(text.contains("8 steps: 8 copies of 32 bytes, 0 bytes imported, blocks of 32 bytes\n"), "{text}");
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(&json).expect("written")).expect("JSON");
    assert_eq!((&report["program"], &report["steps"], &report["warmup"]), (&"main".into(), &4.into(), &2.into()));
    assert_eq!(
        (&report["copies"], &report["copied_bytes"], &report["graph_nodes"]),
        (&8.into(), &32.into(), &1.into())
    );
    assert!(report["device_us"].is_null() && report["device_memory_peak_bytes"].is_null());
    for key in ["synchronised_us", "host_us", "pipelined_host_us"] {
        let time = |part: &str| report[key][part].as_f64().expect("a number");
        assert!(0.0 < time("p10") && time("p10") <= time("median") && time("median") <= time("p90"), "{key}");
    }
}

#[test]
fn inputs_lie_elsewhere_in_every_step_and_the_results_of_the_last_are_written() {
    let folder = TempDir::new().expect("a folder");
    let mut b = Builder::new("main");
    let (n, x) = (b.param("n", DType::I32, &[], Bind::State), b.param("x", DType::I32, &[], Bind::Step));
    let (next, doubled) = (b.arena(DType::I32, &[]), b.output("doubled", DType::I32, &[]));
    let counted = b.result("n'", next);
    b.update(0, counted);
    let steps = vec![b.map(ScalarOp::Add, &[n, x], next), b.map(ScalarOp::Add, &[x, x], doubled)];
    fs::write(folder.path().join("model.pyg"), b.encode(steps)).expect("written");
    let (given, results) = (folder.path().join("given.npz"), folder.path().join("results.npz"));
    let mut npz = NpzWriter::new(fs::File::create(&given).expect("a file"));
    for (key, value) in [("n", 1), ("x", 21)] {
        npz.add(key, ints(&[], &[value]).view()).expect("written");
    }
    npz.finish().expect("written");
    let path = |path: &Path| path.to_str().expect("a plain path").to_string();
    let options = [
        "--device",
        "host",
        "--steps",
        "3",
        "--input-sets",
        "2",
        "--inputs",
        &path(&given),
        "--outputs",
        &path(&results),
    ];
    let text = run(folder.path(), &options).expect("runs");
    assert!(text.contains("6 steps: 6 copies of 24 bytes"), "the state alone should be copied:\n{text}");
    let mut results = NpzFile::open(&results).expect("an npz");
    assert_eq!(results.keys().count(), 1, "state should not be among the results");
    let doubled = results.keys().next().expect("a key").to_string();
    assert_eq!(as_ints(results.read(&doubled, DType::I32, &[]).expect("an integer").bytes()), [42]);
}

#[test]
fn what_cannot_be_timed_is_refused() {
    let folder = TempDir::new().expect("a folder");
    artifact(folder.path());
    let check = |arguments: &[&str], message: &str, code: u8| {
        assert_eq!(run(folder.path(), arguments), Err((message.to_string(), code)));
    };
    check(&["--device", "x"], "there is no device `x`: use `host`, `cuda`, `cuda:N` or `auto`", 2);
    let message =
        "no value for arg0 `n` (i32, state), arg1 `pos` (i32, host): give --inputs, --weights or --init random:SEED";
    check(&["--device", "host"], message, 1);
    let message = "--advance: there is no argument `p`: give argN, or a name that `pygraph-run --describe` shows";
    check(&["--device", "host", "--init", "random:1", "--advance", "p"], message, 2);
    let message = "--fresh-kv: no cache of the program lies in an arena; pygraph-compile --remarks says why";
    check(&["--device", "host", "--init", "random:1", "--fresh-kv"], message, 1);
    let message = "cannot write /no/such/folder/r.json: ";
    for option in ["--json", "--outputs"] {
        let error = run(folder.path(), &["--device", "host", "--init", "random:1", option, "/no/such/folder/r.json"]);
        assert!(error.is_err_and(|(text, code)| text.starts_with(message) && code == 1), "{option}");
    }
}
