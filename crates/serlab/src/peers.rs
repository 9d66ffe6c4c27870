//! The systems that TIM-Net is compared with: their networks, which libtorch computes.

use std::{path::Path, sync::Arc};

use serengine::{Dataset, Engine, EngineError, Layout, Objective, Settings, TrainState, Weights};
use serpeers::{Cpac, CpacConfig, GmTcn, GmTcnConfig, LightSerNet, LightSerNetConfig};
use sertorch::{StackedEngine, TorchEngine, tch};

use crate::error::{LabError, Result};

type Engines = std::result::Result<Vec<Box<dyn Engine>>, EngineError>;

fn unknown(name: &str) -> LabError {
    LabError::Input(format!("no network is called {name}"))
}

/// Where the tensors of a system's network for [frames, coefficients] lie.
///
/// # Errors
/// A size that the network cannot have.
pub fn layout(system: &str, [frames, coefficients]: [usize; 2], classes: usize) -> Result<Layout> {
    match system {
        "gm-tcn" => GmTcnConfig { coefficients, ..GmTcnConfig::new(classes) }.layout(),
        "cpac" => CpacConfig { coefficients, ..CpacConfig::new(classes, frames) }.layout(),
        "light-sernet" => LightSerNetConfig { coefficients, ..LightSerNetConfig::new(classes) }.layout(),
        other => return Err(unknown(other)),
    }
    .map_err(|e| LabError::Input(format!("{system}: {e}")))
}

/// Weights of a system's network from a file.
///
/// # Errors
/// A file of another network, or none.
pub fn load(system: &str, path: &Path) -> Result<Weights> {
    let loaded = match system {
        "gm-tcn" => Weights::load::<GmTcnConfig>(path),
        "cpac" => Weights::load::<CpacConfig>(path),
        "light-sernet" => Weights::load::<LightSerNetConfig>(path),
        other => return Err(unknown(other)),
    };
    loaded.map(|(weights, _)| weights).map_err(LabError::work)
}

/// One engine for each of `weights`, which are of one network; several compute together.
///
/// # Errors
/// Shapes that do not fit; a failure of libtorch.
pub fn engines(
    weights: Vec<Weights>,
    data: &Arc<Dataset>,
    objective: Objective,
    device: tch::Device,
) -> Option<Engines> {
    let first = weights.first()?;
    Some(match first.layout.family() {
        GmTcnConfig::FAMILY => {
            GmTcn::of(first).map_err(EngineError::from).and_then(|n| of(n, weights, data, objective, device))
        }
        CpacConfig::FAMILY => {
            Cpac::of(first).map_err(EngineError::from).and_then(|n| of(n, weights, data, objective, device))
        }
        LightSerNetConfig::FAMILY => {
            LightSerNet::of(first).map_err(EngineError::from).and_then(|n| of(n, weights, data, objective, device))
        }
        _ => return None,
    })
}

/// Of any network on libtorch.
///
/// # Errors
/// As [`engines`].
pub fn of(
    network: impl sertorch::Network + 'static,
    weights: Vec<Weights>,
    data: &Arc<Dataset>,
    objective: Objective,
    device: tch::Device,
) -> Engines {
    let mut states: Vec<TrainState> = weights.into_iter().map(TrainState::start).collect();
    if let [state] = &mut states[..] {
        return Ok(vec![Box::new(TorchEngine::new(network, state, data, objective, device)?)]);
    }
    let stack = StackedEngine::stack(network, &states, data, objective, device, tch::Kind::Float)?;
    Ok(stack.into_iter().map(|engine| Box::new(engine) as Box<dyn Engine>).collect())
}
