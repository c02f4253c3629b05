//! `pygraph-run` as a user calls it: files in, files, text and exit status out.

mod support;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use pygraph_artifact::{
    container::{Code, encode},
    dtype::DType,
    plan::{Bind, Plan, Step},
    scalar::ScalarOp,
};
use pygraph_runtime::{
    cuda::driver,
    model::ModelError,
    npz::{NpzFile, NpzWriter},
    tensor::Tensor,
};
use support::{Builder, as_floats, as_ints, floats, ints};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pygraph-run");

/// A folder in which `model.pyg` is the counting model, to run `pygraph-run` in.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let (b, steps) = support::counting_model();
        Place::with(&b.encode(steps))
    }

    fn with(artifact: &[u8]) -> Place {
        let place = Place(tempfile::tempdir().expect("a folder"));
        fs::write(place.path("model.pyg"), artifact).expect("written");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn npz(&self, name: &str, arrays: &[(&str, &Tensor)]) {
        let mut npz = NpzWriter::new(fs::File::create(self.path(name)).expect("created"));
        for (key, array) in arrays {
            npz.add(key, array.view()).expect("written");
        }
        npz.finish().expect("finished");
    }

    /// Inputs of the counting model.
    fn inputs(&self) {
        let (x, w, n) = (floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0]), floats(&[2, 2], &[0.5; 4]), ints(&[], &[7]));
        self.npz("in.npz", &[("arg0", &x), ("arg1", &w), ("arg2", &n)]);
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).env_remove("PYGRAPH_DEBUG");
        command
    }

    /// Runs it and compares exit status, standard output and standard error.
    fn check(&self, arguments: &str, code: i32, out: &str, err: &str) {
        let output = self.command(arguments).output().expect("started");
        check_output(&output, code, out, err);
    }

    fn read_ints(&self, name: &str, key: &str) -> Vec<i32> {
        as_ints(NpzFile::open(&self.path(name)).expect("opens").read(key, DType::I32, &[]).expect("read").bytes())
    }
}

fn check_output(output: &Output, code: i32, out: &str, err: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), err);
    assert_eq!(String::from_utf8_lossy(&output.stdout), out);
    assert_eq!(output.status.code(), Some(code));
}

#[test]
fn a_run_prints_its_results() {
    let place = Place::new();
    place.inputs();
    let printed = "out0 `y`: 2x2xf32 = [1.5, 2.5, 3.5, 4.5]\nout1 `n'`: i32 = [8]\n";
    place.check("model.pyg --device host --inputs in.npz", 0, printed, "");
    place.check("model.pyg --inputs in.npz --entry main", 0, printed, "");
}

#[test]
fn a_run_writes_its_results() {
    let place = Place::new();
    place.inputs();
    place.check("model.pyg --inputs in.npz --outputs out.npz", 0, "", "");
    let mut file = NpzFile::open(&place.path("out.npz")).expect("opens");
    assert_eq!(as_floats(file.read("out0", DType::F32, &[2, 2]).expect("read").bytes()), [1.5, 2.5, 3.5, 4.5]);
    assert_eq!(file.keys().count(), 2);
    assert_eq!(place.read_ints("out.npz", "out1"), [8]);
}

#[test]
fn steps_replace_arguments_and_carry_state() {
    let place = Place::new();
    place.inputs();
    let (x, n) = (floats(&[2, 2], &[10.0; 4]), ints(&[], &[100]));
    // Step 1 has its own x; step 2 keeps it; step 3 sets the state.
    place.npz("steps.npz", &[("step1_arg0", &x), ("step3_arg2", &n)]);
    place.check("model.pyg --inputs in.npz --steps steps.npz --outputs out.npz", 0, "", "");
    let counts: Vec<i32> = ["out1", "step1_out1", "step2_out1", "step3_out1"]
        .iter()
        .flat_map(|key| place.read_ints("out.npz", key))
        .collect();
    assert_eq!(counts, [8, 9, 10, 101]);
    let mut file = NpzFile::open(&place.path("out.npz")).expect("opens");
    assert_eq!(as_floats(file.read("step2_out0", DType::F32, &[2, 2]).expect("read").bytes()), [10.5; 4]);
    assert_eq!(file.keys().count(), 8);
}

#[test]
fn expectations_hold_or_do_not() {
    let place = Place::new();
    place.inputs();
    let (y, n) = (floats(&[2, 2], &[1.5, 2.5, 3.5, 4.5]), ints(&[], &[8]));
    let close = floats(&[2, 2], &[1.5, 2.5, 3.5, 4.45]);
    let next = ints(&[], &[9]);
    place.npz("good.npz", &[("out0", &y), ("out1", &n), ("arg0", &y)]);
    place.npz("close.npz", &[("out0", &close), ("out1", &next)]);
    place.npz("steps.npz", &[("step1_arg0", &y), ("step1_out1", &next)]);
    place.npz("none.npz", &[("arg0", &y)]);
    place.npz("more.npz", &[("out2", &y)]);
    let run = "model.pyg --inputs in.npz --expect";
    place.check(&format!("{run} good.npz"), 0, "2 results are as expected\n", "");
    place.check(
        &format!("{run} close.npz"),
        1,
        "",
        "error: 2 of 2 results differ:\n  \
         out0 `y`: 1 of 4 elements differ; the worst is [1, 1]: 4.5, expected 4.449999809265137 \
         (error 1.12e-2, allowed 1e-5)\n  \
         out1 `n'`: 1 of 1 elements differ; the worst is []: 8, expected 9\n",
    );
    let integers = "error: 1 of 2 results differ:\n  \
                    out1 `n'`: 1 of 1 elements differ; the worst is []: 8, expected 9\n";
    place.check(&format!("{run} close.npz --tolerance 0.02"), 1, "", integers);
    place.check(&format!("{run} close.npz --rtol 0.02"), 1, "", integers);
    place.check(&format!("{run} close.npz --atol 0.06"), 1, "", integers);
    place.check(&format!("{run} good.npz --expect steps.npz --steps steps.npz"), 0, "3 results are as expected\n", "");
    place.check(
        &format!("{run} none.npz"),
        1,
        "",
        "error: none.npz has no key like out0 or step1_out0 to compare with\n",
    );
    place.check(
        &format!("{run} more.npz"),
        1,
        "",
        "error: more.npz expects out2, but the run ends at step 0 with 2 results a step\n",
    );
    place.check(
        &format!("{run} steps.npz"),
        1,
        "",
        "error: steps.npz expects step1_out1, but the run ends at step 0 with 2 results a step\n",
    );
}

#[test]
fn values_come_from_inputs_then_weights_then_init() {
    let place = Place::new();
    let (x, w, n) = (floats(&[2, 2], &[1.0; 4]), floats(&[2, 2], &[0.5; 4]), ints(&[], &[7]));
    place.npz("in.npz", &[("x", &x), ("arg2", &n)]);
    place.npz("w.npz", &[("w", &w), ("x", &w)]);
    let printed = "out0 `y`: 2x2xf32 = [1.5, 1.5, 1.5, 1.5]\nout1 `n'`: i32 = [8]\n";
    place.check("model.pyg --inputs in.npz --weights w.npz", 0, printed, "");
    place.check(
        "model.pyg --weights w.npz",
        1,
        "",
        "error: no value for arg2 `n` (i32, state): give --inputs, --weights or --init random:SEED\n",
    );
    place.check(
        "model.pyg",
        1,
        "",
        "error: no value for arg0 `x` (2x2xf32, step), arg1 `w` (2x2xf32, once), arg2 `n` (i32, state): \
         give --inputs, --weights or --init random:SEED\n",
    );
    let random = |arguments: &str| {
        let output = place.command(arguments).output().expect("started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    assert_eq!(random("model.pyg --init random:3"), random("model.pyg --init random:3"));
    assert_ne!(random("model.pyg --init random:3"), random("model.pyg --init random:4"));
    assert_eq!(random("model.pyg --inputs in.npz --weights w.npz --init random:3"), printed.as_bytes());
}

#[test]
fn wrong_inputs_are_named_and_nothing_is_written() {
    let place = Place::new();
    let (x, wide) = (floats(&[4], &[0.0; 4]), Tensor::zeros(DType::F64, &[2, 2]).expect("memory"));
    place.npz("shape.npz", &[("arg0", &x)]);
    place.npz("type.npz", &[("arg0", &wide)]);
    let run = "model.pyg --init random:1 --outputs out.npz --inputs";
    place.check(&format!("{run} shape.npz"), 1, "", "error: shape.npz: arg0: shape [4], expected 2x2xf32\n");
    let types = "error: type.npz: arg0: element type float64, expected float32 for the model's f32\n";
    place.check(&format!("{run} type.npz"), 1, "", types);
    place.check(
        &format!("{run} missing.npz"),
        1,
        "",
        "error: cannot read missing.npz: No such file or directory (os error 2)\n",
    );
    // A step that fails after others were written leaves nothing either.
    place.inputs();
    place.npz("steps.npz", &[("step1_arg0", &floats(&[2, 2], &[0.0; 4])), ("step2_arg0", &x)]);
    let steps = "error: steps.npz: step2_arg0: shape [4], expected 2x2xf32\n";
    place.check("model.pyg --inputs in.npz --outputs out.npz --steps steps.npz", 1, "", steps);
    let files = fs::read_dir(place.0.path()).expect("listed");
    let mut names: Vec<String> = files.map(|file| file.expect("file").file_name().to_string_lossy().into()).collect();
    names.sort();
    assert_eq!(names, ["in.npz", "model.pyg", "shape.npz", "steps.npz", "type.npz"]);
    let nowhere = "error: cannot write no/out.npz: No such file or directory (os error 2)";
    let output = place.command("model.pyg --inputs in.npz --outputs no/out.npz").output().expect("started");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(nowhere), "{output:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn surplus_arguments_are_noted() {
    let place = Place::new();
    let n = ints(&[], &[7]);
    place.npz("in.npz", &[("arg2", &n), ("arg3", &n), ("out0", &n)]);
    let output =
        place.command("model.pyg --init random:1 --inputs in.npz --outputs out.npz").output().expect("started");
    check_output(&output, 0, "", "note: in.npz has arg3, which the program, with 3 arguments, does not take\n");
}

#[test]
fn damaged_artifacts_are_refused() {
    let place = Place::new();
    let mut bytes = fs::read(place.path("model.pyg")).expect("read");
    // The second section's entry lies behind the header and the first one's; its offset behind its name.
    let constants = u64::from_le_bytes(bytes[88..96].try_into().expect("eight bytes")) as usize;
    bytes[constants] ^= 1;
    fs::write(place.path("damaged.pyg"), &bytes).expect("written");
    fs::write(place.path("short.pyg"), &bytes[..50]).expect("written");
    fs::write(place.path("text.pyg"), "module {}").expect("written");
    let cannot = |name: &str, why: &str| format!("error: cannot load {name}: {why}\n");
    let damaged = cannot("damaged.pyg", "checksum of the constants does not match: the file is damaged");
    place.check("damaged.pyg", 1, "", &damaged);
    place.check("short.pyg", 1, "", &cannot("short.pyg", "truncated: 50 bytes of at least 192"));
    let other = cannot("text.pyg", "not a pygraph artifact (9 bytes that do not begin with its magic)");
    place.check("text.pyg", 1, "", &other);
    place.check("none.pyg", 1, "", "error: cannot read none.pyg: No such file or directory (os error 2)\n");
}

#[test]
fn devices_and_calls() {
    let place = Place::new();
    place.inputs();
    let output = place.command("--devices").output().expect("started");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("host: "), "{output:?}");
    assert_eq!(output.status.code(), Some(0));
    let message = match driver::devices() {
        Err(error) => format!("error: device `cuda`: {error}\n"),
        Ok(gpus) if gpus.is_empty() => {
            let error = driver::CudaError::NoDevice { ordinal: 0, count: 0 };
            format!("error: device `cuda`: {error}\n")
        }
        Ok(_) => format!("error: {}\n", ModelError::NoDeviceCode),
    };
    place.check("model.pyg --device cuda", 1, "", &message);
    place.check(
        "model.pyg --device x",
        2,
        "",
        "error: there is no device `x`: use `host`, `cuda`, `cuda:N` or `auto`\n",
    );
    place.check("model.pyg --entry other", 1, "", "error: there is no program `other`; there is: main\n");
    for wrong in ["", "--outputs", "model.pyg --no-such-option", "model.pyg --init zeros", "model.pyg --tolerance 1"] {
        assert_eq!(place.command(wrong).output().expect("started").status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn repeated_steps_are_timed() {
    let place = Place::new();
    place.inputs();
    let output = place.command("model.pyg --inputs in.npz --outputs out.npz --repeat 5").output().expect("started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("step time: median ") && text.ends_with(", of 5 steps\n"), "{text}");
    assert_eq!(place.read_ints("out.npz", "out1"), [8]);
}

#[test]
fn the_debug_levels_say_more_and_more() {
    let place = Place::new();
    place.inputs();
    let lines = |level: &str| {
        let mut command = place.command("model.pyg --inputs in.npz --outputs out.npz");
        let output = command.env("PYGRAPH_DEBUG", level).output().expect("started");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(lines("0"), "");
    let devices = lines("1");
    assert!(devices.starts_with("pygraph: device host: "), "{devices}");
    assert!(devices.ends_with("pygraph: session of `main`: arena 68 bytes\n"), "{devices}");
    let timings = lines("2");
    assert!(timings.contains("1 copies of 4 bytes"), "{timings}");
    let launches = lines("3");
    assert!(launches.contains("pygraph: model.mlir:4:3: add_4 "), "{launches}");
    assert!(!launches.contains("buffer"), "{launches}");
    let values = lines("4");
    assert!(values.contains("pygraph:   buffer 4 = [1.5, 2.5, 3.5, 4.5]\n"), "{values}");
}

#[test]
fn a_plan_is_described() {
    let mut b = Builder::new("main");
    let x = b.param("x", DType::F32, &[4], Bind::Step);
    let n = b.param("n", DType::I32, &[], Bind::State);
    let half = b.constant(DType::F32, &[], &0.5_f32.to_le_bytes());
    let (y, less, next) = (b.arena(DType::F32, &[4]), b.arena(DType::I1, &[]), b.arena(DType::I32, &[]));
    b.result("y", y);
    let counted = b.result("n'", next);
    b.update(1, counted);
    let steps = vec![
        b.map(ScalarOp::Mul, &[x, half], y),
        Step::While {
            condition: support::nodes(vec![b.map(ScalarOp::Lt, &[half, half], less)]),
            predicate: less,
            body: support::nodes(vec![b.map(ScalarOp::Exp, &[y], y)]),
        },
        Step::Switch { index: n, branches: vec![support::nodes(vec![b.copy(n, next)]), vec![]] },
    ];
    let place = Place::with(&b.encode(steps));
    let expected = "\
constants: 4 bytes

program `main`
  arg0 `x`: 4xf32, step
  arg1 `n`: i32, state, updated by out1
  out0 `y`: 4xf32 = b3: 4xf32 at 0
  out1 `n'`: i32 = b5: i32 at 128
  arena: 132 bytes on device 0, 3 buffers
  parameter block `s0`: 8 bytes
    0 `x`: address of arg0
  segment `s0`: graph, 4 launches, 1 edges
    0: mul_3: nest [d0<4] b3[d0] = (b0[d0] * b2[0])  where b0: 4xf32 = field `x`, b2: f32 = constant 0, b3: 4xf32 at 0  // model.mlir:3:3
    1 after 0: while {
      0: lt_4: nest [d0<1] b4[d0] = (b2[d0] < b2[d0])  where b2: f32 = constant 0, b4: i1 at 64  // model.mlir:4:3
    } b4: i1 at 64 {
      0: exp_3: nest [d0<4] b3[d0] = exp(b3[d0])  where b3: 4xf32 at 0  // model.mlir:3:3
    }
    2: switch b1: i32 = arg1 {
      branch 0:
        0: convert_5: nest [d0<1] b5[d0] = convert<i32>(b1[d0])  where b1: i32 = arg1, b5: i32 at 128  // model.mlir:5:3
      branch 1:
    }
";
    place.check("model.pyg --describe", 0, expected, "");
}

/// A copy of `pygraph-run` with a script as `pygraph-compile` beside it.
///
/// A shell makes both: a file that this process had open for writing may still be open in a child that another test
/// has just started, and then it cannot be executed.
fn with_compiler(place: &Place, script: &str) -> PathBuf {
    let folder = place.path("bin");
    let make =
        r#"mkdir "$1" && cp "$2" "$1/pygraph-run" && cat > "$1/pygraph-compile" && chmod +x "$1/pygraph-compile""#;
    let mut shell = Command::new("sh")
        .args(["-c", make, "sh"])
        .args([folder.as_path(), Path::new(PROGRAM)])
        .stdin(Stdio::piped())
        .spawn()
        .expect("started");
    write!(shell.stdin.take().expect("a pipe"), "#!/bin/sh\n{script}\n").expect("written");
    assert!(shell.wait().expect("ended").success());
    folder.join("pygraph-run")
}

fn run_in(place: &Place, program: &Path, arguments: &str) -> Output {
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace()).current_dir(place.0.path()).output().expect("started")
}

#[test]
fn a_text_is_compiled_first() {
    let place = Place::new();
    place.inputs();
    let program = with_compiler(&place, r#"echo "$@" | sed 's/ [^ ]*model.pyg/ OUT/' >&2; cp model.pyg "$3""#);
    let output = run_in(&place, &program, "a.mlir --inputs in.npz --outputs out.npz --bind x=step --bind w=once");
    check_output(&output, 0, "", "a.mlir -o OUT --bind x=step --bind w=once\n");
    let output = run_in(&place, &program, "- --inputs in.npz --outputs out.npz");
    check_output(&output, 0, "", "- -o OUT\n");
}

#[test]
fn the_compilers_verdict_is_passed_on() {
    let place = Place::new();
    for (script, code, err) in [
        ("echo 'a.mlir:1:1: error: no' >&2; exit 1", 1, "a.mlir:1:1: error: no\n"),
        ("echo 'error: no such option' >&2; exit 2", 2, "error: no such option\n"),
        ("exit 101", 1, "error: pygraph-compile ended with exit status: 101\n"),
        ("kill -9 $$", 1, "error: pygraph-compile ended with signal: 9 (SIGKILL)\n"),
    ] {
        let program = with_compiler(&place, script);
        check_output(&run_in(&place, &program, "a.mlir"), code, "", err);
        fs::remove_dir_all(place.path("bin")).expect("removed");
    }
    let program = with_compiler(&place, "");
    check_output(
        &run_in(&place, &program, "a.mlir --split-input-file"),
        1,
        "",
        "error: pygraph-compile --split-input-file wrote no artifact: the file has no chunk with a program\n",
    );
    let compiler = program.with_file_name("pygraph-compile");
    fs::remove_file(&compiler).expect("removed");
    let missing =
        format!("error: there is no {}: it compiles MLIR files and must lie beside pygraph-run\n", compiler.display());
    check_output(&run_in(&place, &program, "a.mlir"), 1, "", &missing);
}

#[test]
fn every_chunk_of_a_split_file_runs() {
    let chunk = |value: i32| {
        let mut b = Builder::new("only");
        let buffer = b.constant(DType::I32, &[], &value.to_le_bytes());
        b.result("r", buffer);
        b.encode(vec![])
    };
    let place = Place::with(&chunk(1));
    fs::write(place.path("two.pyg"), chunk(2)).expect("written");
    let with_argument = |name: &str| {
        let mut b = Builder::new(name);
        b.param("x", DType::F32, &[], Bind::Step);
        b.finish(vec![]).0
    };
    let plan = Plan { programs: ["a", "b"].map(with_argument).to_vec(), arenas: Vec::new() };
    fs::write(place.path("bad.pyg"), encode(&plan, &[], Code::default()).expect("valid")).expect("written");
    let copy = |file: &str, number: u32| format!("cp {file} \"${{3%.pyg}}.{number}.pyg\"\n");
    let program = with_compiler(&place, &(copy("model.pyg", 0) + &copy("two.pyg", 1)));
    let output = run_in(&place, &program, "a.mlir --split-input-file");
    check_output(&output, 0, "out0 `r`: i32 = [1]\nout0 `r`: i32 = [2]\n", "");
    fs::remove_dir_all(place.path("bin")).expect("removed");
    let program = with_compiler(&place, &(copy("bad.pyg", 0) + &copy("two.pyg", 1)));
    let output = run_in(&place, &program, "a.mlir --split-input-file");
    let err = "error: chunk 0: no program is named `main`: choose one with --entry: a, b\n\
               error: 1 of 2 chunks failed\n";
    check_output(&output, 1, "out0 `r`: i32 = [2]\n", err);
}
