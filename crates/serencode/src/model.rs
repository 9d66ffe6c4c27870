//! An ONNX file: read once, checked, hashed, and handed to the runtime as the very bytes that were checked.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rten::{ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};
use sha2::{Digest, Sha256};

use crate::folder::read;
use crate::proto::{self, Constant, External, Graph, elements};
use crate::{EncodeError, limits};

/// A file that was read and checked.
pub(crate) struct File {
    pub path: PathBuf,
    pub proto: proto::Model,
    /// Name and SHA-256 of the file and of the files with its external data.
    pub hashes: Vec<(String, String)>,
    /// Bytes of all constants as the runtime holds them.
    pub weights: u64,
    bytes: Vec<u8>,
    external: Vec<(String, Vec<u8>)>,
}

impl File {
    pub fn read(path: &Path) -> Result<File, EncodeError> {
        let bytes = read(path, limits::FILE_BYTES)?;
        let damaged = |what: proto::Damage| EncodeError::Damaged { path: path.to_owned(), what: what.to_string() };
        let proto = proto::model(&bytes).map_err(damaged)?;
        let mut constants = Vec::new();
        gather(&proto.graph, &mut constants);
        let mut external: Vec<(String, Vec<u8>)> = Vec::new();
        for (tensor, constant) in &constants {
            if let Some(place) = &constant.external {
                read_external(path, tensor, place, bytes.len() as u64, &mut external)?;
            }
        }
        let weights = constants
            .iter()
            .filter_map(|(_, c)| elements(&c.dims))
            .fold(0_u64, |sum, n| sum.saturating_add(n.saturating_mul(4)));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut hashes = vec![(name, sha256(&bytes))];
        hashes.extend(external.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))));
        Ok(File { path: path.to_owned(), proto, hashes, weights, bytes, external })
    }

    /// Loads the file into the runtime. The bytes are gone afterwards.
    pub fn load(&mut self, threads: usize) -> Result<Runtime, EncodeError> {
        let (bytes, external) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.external));
        let model = guarded(&self.path, move || {
            let mut options = ModelOptions::with_all_ops();
            for (name, bytes) in external {
                options.external_data(&name, bytes);
            }
            options.load(bytes).map_err(|error| error.to_string())
        })?;
        Ok(Runtime { path: self.path.clone(), model, threads, pools: Mutex::default() })
    }
}

/// SHA-256 as 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gather<'a>(graph: &'a Graph, into: &mut Vec<(&'a str, &'a Constant)>) {
    into.extend(graph.constants.iter().map(|(name, constant)| (name.as_str(), constant)));
    for attribute in graph.nodes.iter().flat_map(|node| &node.attributes) {
        into.extend(attribute.tensor.iter().map(|tensor| (attribute.name.as_str(), tensor)));
        attribute.graph.iter().for_each(|graph| gather(graph, into));
    }
}

/// Reads the file with external data of a tensor, unless it was read, and checks that the data lies in it. Only files that lie in the
/// folder of the model are read: what a network gives may show what it was made of.
fn read_external(
    model: &Path,
    tensor: &str,
    place: &External,
    model_bytes: u64,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), EncodeError> {
    let fail = |why: String| EncodeError::External {
        path: model.to_owned(),
        tensor: tensor.to_owned(),
        location: place.location.clone(),
        why,
    };
    if !files.iter().any(|(name, _)| *name == place.location) {
        let mut components = Path::new(&place.location).components();
        if !matches!((components.next(), components.next()), (Some(Component::Normal(_)), None)) {
            return Err(fail("allowed are files beside the ONNX file, named without a folder".to_owned()));
        }
        let real =
            |path: &Path| path.canonicalize().map_err(|source| EncodeError::Read { path: path.to_owned(), source });
        let file = model.with_file_name(&place.location);
        let target = real(&file)?;
        let folder = real(model.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        if target.parent() != Some(&folder) || !target.is_file() {
            return Err(fail(
                "it is a link out of the folder of the ONNX file, or no file: put the file itself there".to_owned(),
            ));
        }
        let before = files.iter().fold(model_bytes, |sum, (_, bytes)| sum + bytes.len() as u64);
        files.push((place.location.clone(), read(&target, limits::FILE_BYTES.saturating_sub(before))?));
    }
    let size = files.iter().find(|(name, _)| *name == place.location).map_or(0, |(_, bytes)| bytes.len() as u64);
    match place.offset.checked_add(place.length) {
        Some(end) if end <= size => Ok(()),
        _ => Err(fail(format!("it has {size} bytes; {} from byte {} on do not lie in it", place.length, place.offset))),
    }
}

/// A file in the runtime.
pub(crate) struct Runtime {
    path: PathBuf,
    model: rten::Model,
    threads: usize,
    /// Thread pools that no run uses now. Runs side by side have one each: a pool that two shared would make one wait.
    pools: Mutex<Vec<Arc<ThreadPool>>>,
}

/// What goes into an input.
pub(crate) enum Feed<'a> {
    Floats(&'a [f32]),
    /// Ones as integers: a mask that leaves nothing out.
    Ones,
}

/// A tensor that came out.
pub(crate) struct Output {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

impl Runtime {
    /// Runs the graph once. Shapes fit the data.
    pub fn run(&self, inputs: &[(&str, Vec<usize>, Feed<'_>)], outputs: &[String]) -> Result<Vec<Output>, EncodeError> {
        let pool = self.pools.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let pool = pool.unwrap_or_else(|| Arc::new(ThreadPool::with_num_threads(self.threads)));
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&pool));
        let found = guarded(&self.path, || self.run_with(inputs, outputs, options))?;
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).push(pool);
        Ok(found)
    }

    fn run_with(
        &self,
        inputs: &[(&str, Vec<usize>, Feed<'_>)],
        outputs: &[String],
        options: RunOptions,
    ) -> Result<Vec<Output>, String> {
        let node = |name: &str| self.model.node_id(name).map_err(|error| error.to_string());
        let mut fed: Vec<(NodeId, ValueOrView<'_>)> = Vec::new();
        for (name, dims, feed) in inputs {
            let value = match feed {
                Feed::Floats(values) => TensorView::from_data(dims.as_slice(), *values).into(),
                Feed::Ones => Tensor::full(dims.as_slice(), 1_i32).into(),
            };
            fed.push((node(name)?, value));
        }
        let wanted = outputs.iter().map(|name| node(name)).collect::<Result<Vec<_>, _>>()?;
        let found = self.model.run(fed, &wanted, Some(options)).map_err(|error| error.to_string())?;
        let output = |(value, name): (Value, &String)| match value.into_tensor::<f32>() {
            Some(tensor) => Ok(Output { dims: tensor.shape().to_vec(), values: tensor.to_vec() }),
            None => Err(format!("output `{name}` has no floats")),
        };
        found.into_iter().zip(outputs).map(output).collect()
    }
}

/// Runs `work` on a thread with a large stack, and makes its error or panic an error of this crate.
fn guarded<T: Send>(path: &Path, work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, EncodeError> {
    let caught = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("serencode".to_owned()).stack_size(limits::STACK);
        match thread.spawn_scoped(scope, || catch_unwind(AssertUnwindSafe(work))) {
            Ok(thread) => thread.join().and_then(|caught| caught),
            Err(error) => Ok(Err(format!("no thread could be started: {error}"))),
        }
    });
    let path = path.to_owned();
    match caught {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(what)) => Err(EncodeError::Runtime { path, what }),
        Err(panic) => Err(EncodeError::Panic { path, what: message(&*panic) }),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::guarded;
    use crate::EncodeError;

    #[test]
    fn a_panic_of_the_runtime_is_an_error() {
        let error = guarded::<()>(Path::new("model.onnx"), || panic!("index {} out of bounds", 7)).unwrap_err();
        assert_eq!(error.to_string(), "model.onnx: the ONNX runtime failed inside: index 7 out of bounds");
        assert!(matches!(
            guarded(Path::new("model.onnx"), || Err::<(), _>("no".to_owned())),
            Err(EncodeError::Runtime { .. })
        ));
    }
}
