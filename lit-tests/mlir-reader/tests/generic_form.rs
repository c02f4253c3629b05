//! MLIR itself reads what `pygraph-opt --print-generic` prints, for every file of `lit-tests/models` and `lit-tests/suites`:
//! once as parsed, once at the tensor level, once as a plan. A file is a test; those that `refusals.txt` names are left to
//! `scripts/corpus.py`, which checks how they are refused.
//!
//! The programs are taken from `PYGRAPH_BINARIES`, or from the debug build of the main workspace.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{Arc, Mutex},
};

use libtest_mimic::{Arguments, Failed, Trial};
use melior::{Context, dialect::DialectRegistry, ir::Module, utility::register_all_dialects};

fn main() -> ExitCode {
    let tests = root().join("lit-tests");
    let mut trials: Vec<Trial> = ["models", "suites"].iter().flat_map(|folder| trials(&tests.join(folder))).collect();
    trials.push(Trial::test("a wrong type is noticed", || {
        let text = "%0 = \"arith.constant\"() {value = 1 : i32} : () -> i64";
        if mlir_reads(text).is_err() { Ok(()) } else { Err("MLIR read an i64 constant with an i32 value".into()) }
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Three trials a file: the text as parsed, at the tensor level, and as a plan.
fn trials(folder: &Path) -> Vec<Trial> {
    let refusals = fs::read_to_string(folder.join("refusals.txt")).unwrap_or_default();
    let refused = |kind: &str, name: &str| refusals.lines().any(|line| line.starts_with(&format!("{kind} {name}: ")));
    let mut trials = Vec::new();
    for file in mlir_files(folder) {
        let name = file.strip_prefix(folder).expect("a file lies under its folder").display().to_string();
        for (kind, argument) in [("roundtrip", "--pipeline="), ("pipeline", "--stop-after=tensor")] {
            if !refused(kind, &name) {
                let file = file.clone();
                trials.push(Trial::test(format!("{kind} {name}"), move || mlir_reads(&generic_form(&file, argument)?)));
            }
        }
        // What is refused on the way to a plan has no text to be read.
        trials.push(Trial::test(format!("plan {name}"), move || {
            generic_form(&file, "--stop-after=plan").map_or(Ok(()), |text| mlir_reads(&text))
        }));
    }
    trials
}

/// What `pygraph-opt --print-generic` prints for a file.
fn generic_form(file: &Path, argument: &str) -> Result<String, Failed> {
    let program =
        env::var_os("PYGRAPH_BINARIES").map_or_else(|| root().join("target/debug"), PathBuf::from).join("pygraph-opt");
    let mut command = Command::new(program);
    command.arg(file).arg("--print-generic").arg(argument);
    if fs::read_to_string(file)?.contains("// -----") {
        command.arg("--split-input-file");
    }
    let output = command.output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into())
    }
}

/// Each chunk is a module to MLIR, with every upstream dialect known and its verifiers run, and others tolerated,
/// as in `mlir-opt --allow-unregistered-dialect --split-input-file`.
fn mlir_reads(text: &str) -> Result<(), Failed> {
    let registry = DialectRegistry::new();
    register_all_dialects(&registry);
    let context = Context::new();
    context.append_dialect_registry(&registry);
    context.load_all_available_dialects();
    context.set_allow_unregistered_dialects(true);
    let messages = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&messages);
    context.attach_diagnostic_handler(move |diagnostic| {
        sink.lock().expect("no holder should panic").push(format!("{}: {diagnostic}", diagnostic.location()));
        true
    });
    for chunk in text.split("// -----") {
        if Module::parse(&context, chunk).is_none() {
            let messages = messages.lock().expect("no holder should panic");
            if messages.is_empty() || messages.iter().any(|message| !is_hidden_symbol(message, chunk)) {
                return Err(messages.join("\n").into());
            }
        }
    }
    Ok(())
}

/// In a region of an operation that it does not know, MLIR finds no function of the module: the operation might be a
/// symbol table. True if the message is about a call of a function that is there all the same.
fn is_hidden_symbol(message: &str, text: &str) -> bool {
    let name = message.split_once("'func.call' op '").and_then(|(_, rest)| rest.split_once('\''));
    name.is_some_and(|(name, rest)| {
        rest.trim() == "does not reference a valid function" && text.contains(&format!("sym_name = \"{name}\""))
    })
}

/// Every `*.mlir` under a folder, in the order of their names.
fn mlir_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder should be readable") {
        let path = entry.expect("an entry should be readable").path();
        if path.is_dir() {
            files.extend(mlir_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "mlir") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
