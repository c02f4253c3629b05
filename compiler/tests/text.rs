//! The reader of MLIR text meets text that nobody wrote: it may refuse it, never panic, and what it reads it prints so
//! that it reads the same again.

use std::{fs, path::Path};

use proptest::prelude::*;
use pygraph_compiler::ir::{
    parse::parse,
    print::{PrintOptions, print},
    verify::verify,
};

/// Reads a text; what can be read is verified, printed in both forms and read again.
fn check(source: &str) {
    let Ok(module) = parse(source, "f") else { return };
    let _ = verify(&module);
    for generic in [false, true] {
        let options = PrintOptions { generic, ..PrintOptions::default() };
        let text = print(&module, &options);
        match parse(&text, "f") {
            Ok(again) => assert_eq!(print(&again, &options), text, "{source}"),
            Err(errors) => panic!("{}\n{source}\n{text}", errors.0[0].render(&text)),
        }
    }
}

/// Small real models, StableHLO in both forms and FX.
fn models() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lit-tests/models");
    let names = [
        "stablehlo/micro/cond_if.generic.mlir",
        "stablehlo/micro/cond_if.mlir",
        "stablehlo/micro/argmax_argmin.mlir",
        "stablehlo/micro/attention_causal_gqa.mlir",
        "fx/cases/cond_hop.core.fx.mlir",
    ];
    names
        .iter()
        .map(|name| fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("cannot read {name}: {error}")))
        .collect()
}

/// Pieces that texts are made of.
const PIECES: &[&str] = &[
    "%0",
    "%x",
    "%x:2",
    "%x#1",
    " = ",
    "stablehlo.add",
    "stablehlo.constant",
    "stablehlo.while",
    "stablehlo.reduce",
    "stablehlo.convolution",
    "\"stablehlo.sort\"",
    "func.func @f",
    "return",
    "module",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ", ",
    " : ",
    "->",
    "tensor<2xf32>",
    "tensor<?x4xi1, #pyg.dims<s0>>",
    "dense<",
    "[1, 2]",
    "0x7F",
    "\"0x00\"",
    "-1.5",
    "array<i64: 1>",
    "loc(",
    "#loc",
    "#a = ",
    "!t = ",
    "#stablehlo.dot<",
    "affine_map<(d0) -> (d0)>",
    "^bb0",
    "attributes",
    "dims = [0]",
    "init: ",
    "applies",
    "across dimensions",
    "\"é",
    "\\",
    "//",
    "\n",
    "{-#",
    "#-}",
    "é",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_pieces_is_read_or_refused(order in prop::collection::vec(0..PIECES.len(), 0..60)) {
        check(&order.iter().map(|piece| PIECES[*piece]).collect::<String>());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn a_model_cut_off_anywhere_is_read_or_refused(model in prop::sample::select(models()), at in any::<prop::sample::Index>()) {
        let boundaries: Vec<usize> = model.char_indices().map(|entry| entry.0).collect();
        check(&model[..boundaries[at.index(boundaries.len())]]);
    }

    #[test]
    fn a_model_with_a_piece_put_anywhere_is_read_or_refused(
        model in prop::sample::select(models()),
        at in any::<prop::sample::Index>(),
        removed in 0..12usize,
        piece in prop::sample::select(PIECES),
    ) {
        let characters: Vec<char> = model.chars().collect();
        let at = at.index(characters.len());
        let end = (at + removed).min(characters.len());
        let changed: String =
            characters[..at].iter().copied().chain(piece.chars()).chain(characters[end..].iter().copied()).collect();
        check(&changed);
    }
}

#[test]
fn real_models_read_verify_and_print_the_same() {
    for model in models() {
        let module = parse(&model, "f").unwrap_or_else(|errors| panic!("{}", errors.0[0].render(&model)));
        verify(&module).unwrap_or_else(|errors| panic!("{}", errors.0[0].render(&model)));
        check(&model);
    }
}
