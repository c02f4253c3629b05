//! Which products of a program a library computes on a GPU, and how.
//!
//! The artifact offers products that lie where they always do ([`pygraph_artifact::library`]); the launch's own kernels are beside each
//! offer. A tuning cache says which of the library's ways was the fastest on this GPU; without one its own first choice is taken.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
    sync::{Arc, Mutex},
};

use pygraph_artifact::{
    device_code::{Argument, DeviceProgram},
    library::{Library, Offer, Product},
};

use super::{
    driver::{ALIGNMENT, Algorithm, Blas, CudaError, DeviceBytes, Matrices},
    gpu::Gpu,
    tuning::{Tuned, TuningCache},
};

/// Whether libraries compute what they are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LibraryChoice {
    /// Where there is one.
    #[default]
    Auto,
    /// Never.
    Off,
    /// All of it, or loading the model fails.
    Require,
}

impl FromStr for LibraryChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<LibraryChoice, String> {
        match name {
            "auto" => Ok(LibraryChoice::Auto),
            "off" => Ok(LibraryChoice::Off),
            "require" => Ok(LibraryChoice::Require),
            _ => Err(format!("`{name}` is not `auto`, `off` or `require`")),
        }
    }
}

/// What is decided about libraries for one GPU.
#[derive(Debug, Default)]
pub struct Libraries {
    settings: Mutex<Settings>,
}

#[derive(Debug, Default)]
struct Settings {
    choice: LibraryChoice,
    tuning: TuningCache,
    /// The library once it was looked for.
    blas: Option<Result<Arc<Blas>, CudaError>>,
    prepared: HashMap<Product, Arc<Prepared>>,
}

/// A product that a library computes.
#[derive(Debug)]
pub struct Prepared {
    /// How its matrices lie.
    pub matrices: Matrices,
    /// How it is computed.
    pub algorithm: Algorithm,
    /// True if a tuning cache named it.
    pub is_tuned: bool,
}

/// A product of a graph: how, and of what.
#[derive(Debug, Clone)]
pub struct LibraryProduct {
    /// How.
    pub prepared: Arc<Prepared>,
    /// Where left side, right side and output lie.
    pub addresses: [u64; 3],
}

impl PartialEq for LibraryProduct {
    fn eq(&self, other: &LibraryProduct) -> bool {
        Arc::ptr_eq(&self.prepared, &other.prepared) && self.addresses == other.addresses
    }
}

/// What became of the products of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LibraryReport {
    /// The library's name and version, if it computes anything.
    pub library: Option<String>,
    /// Products that it computes, and how many of them as a tuning cache says.
    pub taken: usize,
    /// Of those, how many as a tuning cache says.
    pub tuned: usize,
    /// Products that it does not compute, by the reason.
    pub left: BTreeMap<String, usize>,
}

impl fmt::Display for LibraryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LibraryReport { library, taken, tuned, left } = self;
        let name = library.as_deref().unwrap_or("no library");
        write!(f, "{name} computes {taken} products, {tuned} of them tuned")?;
        left.iter().try_for_each(|(reason, count)| write!(f, "; own kernels {count}: {reason}"))
    }
}

impl Libraries {
    /// What is to be done from now on, with that tuning cache.
    pub fn set(&self, choice: LibraryChoice, tuning: TuningCache) {
        let mut settings = self.lock();
        settings.choice = choice;
        settings.tuning = tuning;
        settings.prepared.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Settings> {
        self.settings.lock().expect("nothing should panic while it prepares products")
    }

    /// The products of a program that a library computes, one entry a launch, and what is to be said of them. `resolve` says where arguments lie.
    pub fn prepare(
        &self,
        gpu: &Gpu,
        program: &DeviceProgram,
        resolve: &dyn Fn(Argument) -> u64,
    ) -> Result<(Vec<Option<LibraryProduct>>, LibraryReport), CudaError> {
        let mut settings = self.lock();
        let mut report = LibraryReport::default();
        let mut products = Vec::with_capacity(program.launches.len());
        for launch in &program.launches {
            let found = match &launch.library {
                Library::Nothing => None,
                Library::Refused(reason) => Some(Err(reason.clone())),
                Library::Offer(offer) => Some(settings.take(gpu, offer, resolve)?),
            };
            match &found {
                None => {}
                Some(Ok(product)) => {
                    report.taken += 1;
                    report.tuned += usize::from(product.prepared.is_tuned);
                }
                Some(Err(reason)) => *report.left.entry(reason.clone()).or_default() += 1,
            }
            products.push(found.and_then(Result::ok));
        }
        if let (Some(Ok(blas)), true) = (&settings.blas, report.taken > 0) {
            report.library = Some(format!("cuBLASLt {}", blas.version()));
        }
        Ok((products, report))
    }

    /// Times the library's ways to compute each product that a program offers, and notes the fastest of each in the tuning cache; says what it
    /// found. The GPU's memory must have room for the largest product once more.
    pub fn tune(&self, gpu: &Gpu, program: &DeviceProgram) -> Result<(TuningCache, Vec<String>), CudaError> {
        let mut settings = self.lock();
        let (blas, mut lines) = (settings.blas(gpu)?, Vec::new());
        let mut products: Vec<Product> = Vec::new();
        for launch in &program.launches {
            if let Library::Offer(offer) = &launch.library
                && !products.contains(&offer.product)
            {
                products.push(offer.product);
            }
        }
        for product in products {
            let (tuned, tried) = time_ways(gpu, &blas, &product)?;
            lines.push(match &tuned {
                Some(tuned) => format!("{product}: {:.1} us, the fastest of {tried} ways", tuned.microseconds),
                None => format!("{product}: cuBLASLt has no way to compute it"),
            });
            if let Some(tuned) = tuned {
                settings.tuning.note(gpu, blas.version(), &product, tuned);
            }
        }
        settings.prepared.clear();
        Ok((settings.tuning.clone(), lines))
    }
}

/// How many of the library's ways are timed.
const WAYS: usize = 16;

fn time_ways(gpu: &Gpu, blas: &Arc<Blas>, product: &Product) -> Result<(Option<Tuned>, usize), CudaError> {
    let matrices = blas.describe(product)?;
    let ways = matrices.algorithms(WAYS)?;
    let bytes = product.bytes();
    let memory = bytes.map(|bytes| DeviceBytes::new(gpu.context(), "a product that is timed", bytes));
    let [left, right, output] = memory;
    let (left, right, output) = (left?, right?, output?);
    for bytes in [&left, &right] {
        // SAFETY: there are so many bytes.
        unsafe { gpu.stream().fill(bytes.address(), 0, bytes.len()) }?;
    }
    let addresses = [left.address(), right.address(), output.address()];
    let mut best: Option<Tuned> = None;
    for algorithm in &ways {
        // SAFETY: the memory is as large as the product says.
        let microseconds = unsafe { matrices.time(algorithm, addresses, gpu.stream()) }?;
        if best.as_ref().is_none_or(|best| microseconds < best.microseconds) {
            best = Some(Tuned { algorithm: *algorithm, microseconds });
        }
    }
    Ok((best, ways.len()))
}

impl Settings {
    fn blas(&mut self, gpu: &Gpu) -> Result<Arc<Blas>, CudaError> {
        self.blas.get_or_insert_with(|| Blas::open(gpu.context())).clone()
    }

    /// An offer that is taken, or why it is not.
    fn take(
        &mut self,
        gpu: &Gpu,
        offer: &Offer,
        resolve: &dyn Fn(Argument) -> u64,
    ) -> Result<Result<LibraryProduct, String>, CudaError> {
        if self.choice == LibraryChoice::Off {
            return Ok(Err("--libraries=off".to_string()));
        }
        match self.prepare(gpu, offer, resolve) {
            Err(error @ (CudaError::NoLibrary { .. } | CudaError::Call { .. })) => {
                if self.choice == LibraryChoice::Require { Err(error) } else { Ok(Err(error.to_string())) }
            }
            other => other.map(Ok),
        }
    }

    fn prepare(
        &mut self,
        gpu: &Gpu,
        offer: &Offer,
        resolve: &dyn Fn(Argument) -> u64,
    ) -> Result<LibraryProduct, CudaError> {
        let [left, right] = offer.inputs.map(resolve);
        let addresses = [left, right, resolve(offer.output)];
        if addresses.iter().any(|address| address % ALIGNMENT != 0) {
            return Err(CudaError::NoLibrary { reason: "an array of the product lies at an odd address".into() });
        }
        let blas = self.blas(gpu)?;
        if let Some(prepared) = self.prepared.get(&offer.product) {
            return Ok(LibraryProduct { prepared: prepared.clone(), addresses });
        }
        let matrices = blas.describe(&offer.product)?;
        // The library's check refuses some of the ways that it names itself.
        let is_named = |tuned: &Algorithm| matrices.algorithms(WAYS).is_ok_and(|ways| ways.contains(tuned));
        let tuned = self.tuning.find(gpu, blas.version(), &offer.product);
        let tuned = tuned.filter(|tuned| matrices.takes(tuned) || is_named(tuned));
        let algorithm = match tuned {
            Some(tuned) => tuned,
            None => {
                let first = matrices.algorithms(1)?.first().copied();
                first.ok_or(CudaError::NoLibrary { reason: "cuBLASLt has no way to compute it".into() })?
            }
        };
        let prepared = Arc::new(Prepared { matrices, algorithm, is_tuned: tuned.is_some() });
        self.prepared.insert(offer.product, prepared.clone());
        Ok(LibraryProduct { prepared, addresses })
    }
}
