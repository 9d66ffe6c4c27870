//! Networks that libtorch computes: those of the systems that TIM-Net is compared with, and the engines of all.

use std::{path::Path, sync::Arc};

use serengine::{Dataset, Engine, EngineError, Layout, Objective, Settings, TrainState, Weights};
use serpeers::{Cpac, CpacConfig, GmTcn, GmTcnConfig, LightSerNet, LightSerNetConfig};
use sertorch::{StackedEngine, TorchEngine, tch};
use timnet::TimNet;

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

/// One engine for each of `weights`, which are of one network, TIM-Net's or a compared system's; several compute together.
///
/// # Errors
/// Weights of a network that is not here; shapes that do not fit; a failure of libtorch.
pub fn engines(weights: Vec<Weights>, data: &Arc<Dataset>, objective: Objective, device: tch::Device) -> Engines {
    let Some(first) = weights.first() else { return Ok(Vec::new()) };
    match first.layout.family() {
        GmTcnConfig::FAMILY => of(GmTcn::of(first)?, weights, data, objective, device),
        CpacConfig::FAMILY => of(Cpac::of(first)?, weights, data, objective, device),
        LightSerNetConfig::FAMILY => of(LightSerNet::of(first)?, weights, data, objective, device),
        _ => of(TimNet::of(first)?, weights, data, objective, device),
    }
}

fn of(
    network: impl sertorch::Network + 'static,
    weights: Vec<Weights>,
    data: &Arc<Dataset>,
    objective: Objective,
    device: tch::Device,
) -> Engines {
    let states: Vec<TrainState> = weights.into_iter().map(TrainState::start).collect();
    if let [state] = &states[..] {
        return Ok(vec![Box::new(TorchEngine::new(network, state, data, objective, device)?)]);
    }
    let stack = StackedEngine::stack(network, &states, data, objective, device, tch::Kind::Float)?;
    Ok(stack.into_iter().map(|engine| Box::new(engine) as Box<dyn Engine>).collect())
}
