//! npz and safetensors files: what is written is read, and every way to be wrong has its message.

mod support;

use std::{fs, io::Write, path::PathBuf};

use pygraph_artifact::dtype::{DType, Family};
use pygraph_runtime::{
    npz::{NpyHeader, NpzFile, NpzWriter},
    tensor::Tensor,
    weights::Weights,
};
use tempfile::TempDir;

/// A folder with one npz file of these entries (`KEY.npy` and its bytes).
fn npz_of(entries: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.npz");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).expect("created"));
    for (name, bytes) in entries {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).expect("started");
        archive.write_all(bytes).expect("written");
    }
    archive.finish().expect("finished");
    (folder, path)
}

fn npy(descr: &str, shape: &[u64], elements: &[u8]) -> Vec<u8> {
    [NpyHeader::encode(descr, shape).as_slice(), elements].concat()
}

/// Reads `arg0` as a `2xf32` and compares the message, less the path before it.
fn check_npz(entry: &str, bytes: &[u8], dtype: DType, expected: &str) {
    let (_folder, path) = npz_of(&[(entry, bytes)]);
    let error = NpzFile::open(&path).expect("opens").read("arg0", dtype, &[2]).expect_err(expected);
    assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
}

#[test]
fn arrays_of_every_type_are_written_and_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.npz");
    let arrays: Vec<Tensor> = DType::ALL
        .iter()
        .flat_map(|dtype| {
            let random = |shape: &[u64]| pygraph_runtime::init::random(*dtype, shape, 1, 0).expect("memory");
            [random(&[2, 3]), random(&[]), random(&[0, 3])]
        })
        .collect();
    let mut npz = NpzWriter::new(fs::File::create(&path).expect("created"));
    for (number, array) in arrays.iter().enumerate() {
        npz.add(&format!("a{number}"), array.view()).expect("written");
    }
    npz.finish().expect("finished");
    let mut file = NpzFile::open(&path).expect("opens");
    for (number, array) in arrays.iter().enumerate() {
        let read = file.read(&format!("a{number}"), array.dtype(), array.shape()).expect("read");
        assert_eq!(read.bytes(), array.bytes());
        assert_eq!(read.bytes().as_ptr() as usize % Tensor::ALIGNMENT_MIN, 0);
    }
    assert!((0..arrays.len()).all(|number| file.contains(&format!("a{number}"))) && !file.contains("a999"));
    let bf16 = file.keys().filter(|key| key.ends_with("__bf16")).count();
    assert_eq!(bf16, 3);
}

#[test]
fn files_that_are_not_npz() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.npz");
    let message = || NpzFile::open(&path).map(|_| ()).map_err(|error| error.to_string());
    let expected = format!("cannot read {}: No such file or directory (os error 2)", path.display());
    assert_eq!(message(), Err(expected));
    fs::write(&path, b"no archive").expect("written");
    let text = message().expect_err("refused");
    assert!(text.starts_with(&format!("{} is not an npz file: ", path.display())), "{text}");
}

#[test]
fn arrays_that_are_not_what_the_model_wants() {
    let zeros = [0; 8];
    check_npz("arg1.npy", &npy("<f4", &[2], &zeros), DType::F32, "arg0: no such key");
    check_npz(
        "arg0.npy",
        &npy("<f8", &[2], &[0; 16]),
        DType::F32,
        "arg0: element type float64, expected float32 for the model's f32",
    );
    check_npz(
        "arg0.npy",
        &npy(">f4", &[2], &zeros),
        DType::F32,
        "arg0: element type big-endian >f4, expected float32 for the model's f32",
    );
    check_npz(
        "arg0.npy",
        &npy("<U3", &[2], &zeros),
        DType::I4,
        "arg0: element type <U3, expected int8 for the model's i4",
    );
    check_npz("arg0.npy", &npy("<f4", &[1, 2], &zeros), DType::F32, "arg0: shape [1, 2], expected 2xf32");
    let bf16 = "no such key, but one of another element type, the model has";
    let rule = "types that numpy lacks, and only these, lie as bit patterns under KEY__TYPE, as in arg0__bf16";
    check_npz("arg0.npy", &npy("<u2", &[2], &[0; 4]), DType::Bf16, &format!("arg0__bf16: {bf16} bf16: {rule}"));
    check_npz("arg0__bf16.npy", &npy("<u2", &[2], &[0; 4]), DType::F32, &format!("arg0: {bf16} f32: {rule}"));
    check_npz("arg0.npy", &npy("|i1", &[2], &[1, 8]), DType::I4, "arg0: element 1 is 0x08, which is no i4");
    check_npz("arg0.npy", &npy("|b1", &[2], &[1, 8]), DType::I1, "arg0: element 1 is 0x08, which is no i1");
    let fortran = String::from_utf8_lossy(&npy("<f4", &[2], b"")[10..]).replace("False, ", "True,  ");
    let fortran = [&npy("<f4", &[2], b"")[..10], fortran.as_bytes(), &zeros].concat();
    check_npz(
        "arg0.npy",
        &fortran,
        DType::F32,
        "arg0: the array is in Fortran order: save numpy.ascontiguousarray(array)",
    );
}

#[test]
fn arrays_that_are_damaged() {
    check_npz("arg0.npy", &npy("<f4", &[2], &[0; 7]), DType::F32, "arg0: 7 bytes of elements, expected 8");
    check_npz("arg0.npy", &npy("<f4", &[2], &[0; 9]), DType::F32, "arg0: 9 bytes of elements, expected 8");
    let magic = "arg0: not a numpy array: it does not begin with numpy's magic";
    check_npz("arg0.npy", b"something else", DType::F32, magic);
    check_npz("arg0.npy", b"\x93NUMPY", DType::F32, "arg0: not a numpy array: it ends within its header");
    let (_folder, path) = npz_of(&[("arg0.npy", &npy("<f4", &[2], b"elements"))]);
    let mut bytes = fs::read(&path).expect("read");
    let position = bytes.windows(8).position(|window| window == b"elements");
    match position {
        Some(position) => bytes[position] ^= 1,
        // The archive is deflated: flip its last data byte, before the directory.
        None => {
            let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
            bytes[directory - 2] ^= 1;
        }
    }
    fs::write(&path, bytes).expect("written");
    let error = NpzFile::open(&path).expect("opens").read("arg0", DType::F32, &[2]).expect_err("damaged");
    assert!(error.to_string().starts_with(&format!("{}: arg0: ", path.display())), "{error}");
}

/// A safetensors file of one tensor `w`.
fn safetensors_of(dtype: &str, shape: &str, elements: &[u8]) -> (TempDir, PathBuf) {
    let header = format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{}]}}}}"#, elements.len());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("w.safetensors");
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), elements].concat();
    fs::write(&path, bytes).expect("written");
    (folder, path)
}

#[test]
fn weights_from_safetensors() {
    let (_folder, path) = safetensors_of("BF16", "[2]", &[1, 2, 3, 4]);
    let mut weights = Weights::open(&path).expect("opens");
    assert!(weights.contains("w") && !weights.contains("v"));
    let tensor = weights.read("w", DType::Bf16, &[2]).expect("read");
    assert_eq!(tensor.bytes(), [1, 2, 3, 4]);
    assert_eq!(tensor.bytes().as_ptr() as usize % Tensor::ALIGNMENT_MIN, 0);
    let mut message = |name: &str, dtype, shape: &[u64]| {
        weights.read(name, dtype, shape).expect_err("refused").to_string().replace(&path.display().to_string(), "F")
    };
    assert_eq!(message("v", DType::Bf16, &[2]), "F: v: no such tensor");
    assert_eq!(message("w", DType::F16, &[2]), "F: w: element type BF16, the model has f16");
    assert_eq!(message("w", DType::C128, &[2]), "F: w: element type BF16, the model has complex<f64>");
    assert_eq!(message("w", DType::Bf16, &[2, 1]), "F: w: shape [2], expected 2x1xbf16");
    let (_folder, path) = safetensors_of("BOOL", "[2]", &[1, 2]);
    let error = Weights::open(&path).expect("opens").read("w", DType::I1, &[2]).expect_err("refused");
    assert!(error.to_string().ends_with(": w: element 1 is 0x02, which is no i1"), "{error}");
}

#[test]
fn weights_of_every_type_that_safetensors_has() {
    for dtype in DType::ALL.iter().copied().filter(|dtype| *dtype != DType::C128) {
        let name = match (dtype.family(), dtype) {
            (_, DType::Bf16) => "BF16".to_string(),
            (Family::Bool, _) => "BOOL".to_string(),
            (Family::Signed, _) => format!("I{}", 8 * dtype.size_bytes()),
            (Family::Unsigned, _) => format!("U{}", 8 * dtype.size_bytes()),
            (Family::Float, _) => format!("F{}", dtype.bits()),
            (Family::Complex, _) => format!("C{}", dtype.bits()),
            (_, DType::F8E4M3Fn) => "F8_E4M3".to_string(),
            (_, DType::F8E5M2) => "F8_E5M2".to_string(),
            (Family::MiniFloat, _) => continue,
        };
        let (_folder, path) = safetensors_of(&name, "[1]", &vec![0; dtype.size_bytes()]);
        Weights::open(&path).expect("opens").read("w", dtype, &[1]).expect("read");
    }
}

#[test]
fn weights_that_are_no_safetensors() {
    let (_folder, path) = safetensors_of("F32", "[2]", &[0; 8]);
    let whole = fs::read(&path).expect("read");
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).expect("written");
        let error = Weights::open(&path).expect_err("truncated").to_string();
        assert!(error.starts_with(&format!("{} is not a safetensors file: ", path.display())), "{error}");
    }
    let missing = path.with_file_name("missing.safetensors");
    let error = Weights::open(&missing).expect_err("missing").to_string();
    assert_eq!(error, format!("cannot read {}: No such file or directory (os error 2)", missing.display()));
}

#[test]
fn weights_from_npz() {
    let (_folder, path) = npz_of(&[("w.npy", &npy("<f4", &[2], &[0; 8]))]);
    let mut weights = Weights::open(&path).expect("opens");
    assert!(weights.contains("w") && !weights.contains("v"));
    assert_eq!(weights.read("w", DType::F32, &[2]).expect("read").bytes(), [0; 8]);
    let error = weights.read("v", DType::F32, &[2]).expect_err("missing").to_string();
    assert_eq!(error, format!("{}: v: no such key", path.display()));
}
