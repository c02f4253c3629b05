//! The tuning cache: which way to compute a product was the fastest on a GPU. A JSON file that `pygraph-bench --tune` writes and every
//! run reads. What it names is checked with the library before it is used; what does not fit is left out.

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    path::{Path, PathBuf},
};

use pygraph_artifact::{atomic::write_atomically, library::Product};
use serde_json::{Value, json};

use super::{driver::Algorithm, gpu::Gpu};

/// What was measured of many products.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TuningCache {
    entries: BTreeMap<String, Tuned>,
}

/// The fastest way to compute a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuned {
    /// The way.
    pub algorithm: Algorithm,
    /// How long it took, in microseconds.
    pub microseconds: f64,
}

/// Why a tuning cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TuningError {
    /// The file cannot be read or written.
    #[error("tuning cache {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no tuning cache.
    #[error("{} is no tuning cache: {reason}; remove it, and run pygraph-bench --tune", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no place for it.
    #[error("there is no place for the tuning cache, since neither XDG_CACHE_HOME nor HOME is set: give --tuning=FILE")]
    NoPlace,
}

impl TuningCache {
    /// Where it lies if nobody says where: in the user's cache folder.
    pub fn default_path() -> Option<PathBuf> {
        let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
        folder.map(|folder| folder.join("pygraph/tuning.json"))
    }

    /// Reads the file that is named, or the one in the user's cache folder if it is there.
    pub fn open(named: Option<&Path>) -> Result<TuningCache, TuningError> {
        let path = match (named, TuningCache::default_path()) {
            (Some(path), _) if path.exists() => path.to_path_buf(),
            (None, Some(path)) if path.exists() => path,
            _ => return Ok(TuningCache::default()),
        };
        let text = std::fs::read_to_string(&path).map_err(|source| TuningError::File { path: path.clone(), source })?;
        TuningCache::parse(&text).map_err(|reason| TuningError::Content { path, reason })
    }

    /// Writes it to the file that is named, or in the user's cache folder; gives the path.
    pub fn save(&self, named: Option<&Path>) -> Result<PathBuf, TuningError> {
        let path = named.map(Path::to_path_buf).or_else(TuningCache::default_path).ok_or(TuningError::NoPlace)?;
        let failed = |source| TuningError::File { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let text = self.text();
        write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(failed)?;
        Ok(path)
    }

    fn text(&self) -> String {
        let entry = |(key, tuned): (&String, &Tuned)| {
            (key.clone(), json!({ "algorithm": tuned.algorithm.0, "microseconds": tuned.microseconds }))
        };
        let entries: serde_json::Map<String, Value> = self.entries.iter().map(entry).collect();
        format!("{:#}\n", json!({ "version": 1, "products": entries }))
    }

    fn parse(text: &str) -> Result<TuningCache, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if value["version"] != 1 {
            return Err(format!("its version is {}, not 1", value["version"]));
        }
        let products = value["products"].as_object().ok_or("it has no list of products")?;
        let entry = |(key, value): (&String, &Value)| {
            let words: Option<Vec<u64>> =
                value["algorithm"].as_array().and_then(|words| words.iter().map(Value::as_u64).collect());
            let words: Option<[u64; 8]> = words.and_then(|words| words.try_into().ok());
            match (words, value["microseconds"].as_f64()) {
                (Some(words), Some(microseconds)) => {
                    Ok((key.clone(), Tuned { algorithm: Algorithm(words), microseconds }))
                }
                _ => Err(format!("`{key}` has no algorithm of 8 words and no time")),
            }
        };
        Ok(TuningCache { entries: products.iter().map(entry).collect::<Result<_, String>>()? })
    }

    /// What is known of a product on a GPU, with that version of the library.
    pub fn find(&self, gpu: &Gpu, version: usize, product: &Product) -> Option<Algorithm> {
        self.entries.get(&key(gpu, version, product)).map(|tuned| tuned.algorithm)
    }

    /// Notes what was measured.
    pub fn note(&mut self, gpu: &Gpu, version: usize, product: &Product, tuned: Tuned) {
        self.entries.insert(key(gpu, version, product), tuned);
    }
}

fn key(gpu: &Gpu, version: usize, product: &Product) -> String {
    format!("{} | cuBLASLt {version} | {product}", gpu.context().properties().name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> TuningCache {
        let tuned = Tuned { algorithm: Algorithm([1, 2, 3, 4, 5, 6, 7, u64::MAX]), microseconds: 87.5 };
        TuningCache { entries: BTreeMap::from([("X | cuBLASLt 130100 | 1x2x3x4".to_string(), tuned)]) }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder should be made");
        let path = folder.path().join("deep/tuning.json");
        assert_eq!(cache().save(Some(&path)).expect("it should be written"), path);
        assert_eq!(TuningCache::open(Some(&path)).expect("it should be read"), cache());
        assert_eq!(
            TuningCache::open(Some(&folder.path().join("none"))).expect("none is empty"),
            TuningCache::default()
        );
    }

    #[test]
    fn other_files_are_refused() {
        let refused = |text: &str| TuningCache::parse(text).expect_err("it should be refused");
        assert!(refused("{").starts_with("EOF while parsing"));
        assert_eq!(refused("{}"), "its version is null, not 1");
        assert_eq!(refused(r#"{"version": 1}"#), "it has no list of products");
        let short = r#"{"version": 1, "products": {"a": {"algorithm": [1], "microseconds": 2}}}"#;
        assert_eq!(refused(short), "`a` has no algorithm of 8 words and no time");
    }
}
