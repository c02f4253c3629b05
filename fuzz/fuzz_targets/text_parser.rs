//! Reads bytes as MLIR text; what is read is verified, printed in both forms, and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pygraph_compiler::ir::{
    parse::{parse, source_text},
    print::{PrintOptions, print},
    verify::verify,
};

/// Text beyond which names and types repeated by aliases make printing slow without showing anything.
const PRINTED_BYTES_MAX: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = source_text(bytes, "fuzz.mlir") else { return };
    let Ok(module) = parse(source, "fuzz.mlir") else { return };
    let _ = verify(&module);
    for generic in [false, true] {
        let options = PrintOptions { generic, ..PrintOptions::default() };
        let text = print(&module, &options);
        if text.len() > PRINTED_BYTES_MAX {
            continue;
        }
        let again = parse(&text, "fuzz.mlir")
            .unwrap_or_else(|errors| panic!("own output should read: {}\n{text}", errors.0[0].render(&text)));
        assert_eq!(print(&again, &options), text, "own output should print the same");
    }
});
