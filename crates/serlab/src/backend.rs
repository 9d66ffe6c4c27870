//! What computes the networks, and where: timnet-native on a CPU, or libtorch, which only a build with the feature `libtorch` links.

use std::sync::Arc;

use serengine::{Dataset, Engine, EngineError, EngineFacts, Objective, Weights};
use serrun::System;
#[cfg(feature = "libtorch")]
use sertorch::tch::{self, Device};
use timnet_native::{NativeEngine, Simd};

#[cfg(feature = "libtorch")]
use crate::peers;
use crate::{
    cli::EngineKind,
    error::{LabError, Result},
    systems::is_compared,
};

/// Folds that compute together on one GPU.
#[cfg(feature = "libtorch")]
const STACKED_ON_CUDA: usize = 20;

/// What computes the networks, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backend {
    /// timnet-native, on the CPU.
    Native,
    /// libtorch on a device.
    #[cfg(feature = "libtorch")]
    Libtorch(Device),
}

impl Backend {
    /// Native on a CPU and libtorch on CUDA, unless an engine is asked for.
    ///
    /// # Errors
    /// An engine that this program was built without, a device that is not there, or one that the engine does not compute on.
    pub fn choose(engine: Option<EngineKind>, device: &str) -> Result<Self> {
        let cuda = device.strip_prefix("cuda:");
        match (engine, device) {
            (Some(EngineKind::Native) | None, "cpu") | (Some(EngineKind::Native), "auto") => Ok(Self::Native),
            (_, "auto" | "cpu") => Self::libtorch(engine, device),
            _ if cuda.is_none_or(|n| n.parse::<usize>().is_err()) => {
                Err(LabError::Input(format!("--device {device}: expected auto, cpu or cuda:N")))
            }
            (Some(EngineKind::Native), _) => {
                Err(LabError::Input(format!("--engine native computes on the CPU, not on {device}")))
            }
            _ => Self::libtorch(engine, device),
        }
    }

    #[cfg(feature = "libtorch")]
    fn libtorch(engine: Option<EngineKind>, device: &str) -> Result<Self> {
        let device = match device {
            "auto" => Device::cuda_if_available(),
            "cpu" => Device::Cpu,
            name => {
                let n = name.strip_prefix("cuda:").and_then(|n| n.parse().ok()).unwrap_or(0);
                let seen = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
                if n >= seen {
                    return Err(LabError::Input(format!("--device {name}: libtorch sees {seen} CUDA devices")));
                }
                Device::Cuda(n)
            }
        };
        Ok(if engine.is_none() && device == Device::Cpu { Self::Native } else { Self::Libtorch(device) })
    }

    #[cfg(not(feature = "libtorch"))]
    fn libtorch(engine: Option<EngineKind>, device: &str) -> Result<Self> {
        if engine.is_none() && device == "auto" {
            return Ok(Self::Native);
        }
        Err(LabError::Input(
            "this program was built without libtorch, which `--engine libtorch` and CUDA need: in the repository `cargo xtask` builds it \
             in where one of them is asked for; elsewhere build serlab with `--features libtorch`"
                .into(),
        ))
    }

    /// What computes a network: this, or where it cannot, what can on the same device.
    ///
    /// # Errors
    /// A network that this program was built without.
    pub fn of(self, system: &System) -> Result<Self> {
        match self {
            Self::Native if is_compared(system) => {
                #[cfg(feature = "libtorch")]
                return Ok(Self::Libtorch(Device::Cpu));
                #[cfg(not(feature = "libtorch"))]
                Err(LabError::Input(format!(
                    "{system} is computed by libtorch, and this program was built without it: in the repository `cargo xtask reproduce` builds it in \
                     where --system names {system}; elsewhere build serlab with `--features libtorch`"
                )))
            }
            backend => Ok(backend),
        }
    }

    /// Name, numerics version, device and SIMD level of the engines.
    pub fn facts(self) -> EngineFacts {
        match self {
            Self::Native => timnet_native::facts(Simd::detect()),
            #[cfg(feature = "libtorch")]
            Self::Libtorch(device) => sertorch::facts(device),
        }
    }

    /// One network's engine.
    ///
    /// # Errors
    /// Shapes that do not fit; a failure of the backend.
    pub fn engine(
        self,
        weights: Weights,
        data: &Arc<Dataset>,
        objective: Objective,
    ) -> std::result::Result<Box<dyn Engine>, EngineError> {
        match self {
            Self::Native => Ok(Box::new(NativeEngine::new(Arc::clone(data), weights, objective)?)),
            #[cfg(feature = "libtorch")]
            Self::Libtorch(device) => {
                let none = || EngineError::Shape("no engine".into());
                peers::engines(vec![weights], data, objective, device)?.pop().ok_or_else(none)
            }
        }
    }

    /// How many folds compute together in single operations: one on a CPU, where side by side in threads is faster, and as many as a
    /// GPU has room for on CUDA.
    pub fn stacked(self) -> usize {
        match self {
            #[cfg(feature = "libtorch")]
            Self::Libtorch(Device::Cuda(_)) => STACKED_ON_CUDA,
            _ => 1,
        }
    }

    /// Engines of several folds that compute together.
    ///
    /// # Errors
    /// As [`Self::engine`].
    pub fn stack(
        self,
        weights: Vec<Weights>,
        data: &Arc<Dataset>,
        objective: Objective,
    ) -> std::result::Result<Vec<Box<dyn Engine>>, EngineError> {
        match self {
            Self::Native => weights.into_iter().map(|w| self.engine(w, data, objective.clone())).collect(),
            #[cfg(feature = "libtorch")]
            Self::Libtorch(device) => peers::engines(weights, data, objective, device),
        }
    }

    /// Called at the start of each thread that computes: one thread a fold, so that sums are added in one order.
    pub fn enter_thread(self) {
        #[cfg(feature = "libtorch")]
        if let Self::Libtorch(_) = self {
            tch::set_num_threads(1);
        }
    }

    /// Whether the CPU only waits for another device.
    pub fn is_elsewhere(self) -> bool {
        match self {
            Self::Native => false,
            #[cfg(feature = "libtorch")]
            Self::Libtorch(device) => device != Device::Cpu,
        }
    }
}
