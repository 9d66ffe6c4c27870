//! What comes out of a network: the outputs that a file offers, and the one that is taken.

use std::fmt;
use std::ops::RangeInclusive;

use ndarray::{Array2, Axis, concatenate};

use crate::model::Output;

/// An output, or the outputs `hidden_states.0 ..` together.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub name: String,
    /// The outputs that it is made of: one, or one a layer.
    pub members: Vec<String>,
    /// Its shape at the length of input that was tried; [1, L, T, D] for outputs together.
    pub dims: Vec<u64>,
    pub kind: Kind,
}

/// What an output is, by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// [1, T, D] or [T, D].
    Frames,
    /// [1, L, T, D], or L outputs [1, T, D].
    Layers(usize),
    /// [1, D].
    Vector,
    /// Anything else.
    Other,
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Frames => "frames",
            Kind::Layers(layers) => return write!(f, "`{}` {:?} ({layers} layers of frames)", self.name, self.dims),
            Kind::Vector => "one vector",
            Kind::Other => "neither frames nor a vector",
        };
        write!(f, "`{}` {:?} ({what})", self.name, self.dims)
    }
}

/// The offers of outputs with these names and shapes.
pub(crate) fn offers(outputs: &[(String, Vec<u64>)]) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for (name, dims) in outputs {
        let kind = match dims[..] {
            [1, _, _] => Kind::Frames,
            [1, layers, _, _] => Kind::Layers(layers as usize),
            [1, _] => Kind::Vector,
            [_, _] => Kind::Frames,
            _ => Kind::Other,
        };
        let layer = name.rsplit_once('.').and_then(|(stem, number)| Some((stem, number.parse::<usize>().ok()?)));
        let together =
            layer.filter(|_| kind == Kind::Frames && dims.len() == 3).map(|(stem, layer)| (stem.to_owned(), layer));
        if let Some((stem, layer)) = together {
            let last = offers.last_mut().filter(|offer| offer.name == stem && offer.members.len() == layer);
            if let Some(offer) = last.filter(|offer| offer.dims[2..] == dims[1..]) {
                offer.members.push(name.clone());
                (offer.dims[1], offer.kind) = (layer as u64 + 1, Kind::Layers(layer + 1));
                continue;
            }
            if layer == 0 {
                let (members, kind) = (vec![name.clone()], Kind::Layers(1));
                offers.push(Offer { name: stem, members, dims: vec![1, 1, dims[1], dims[2]], kind });
                continue;
            }
        }
        offers.push(Offer { name: name.clone(), members: vec![name.clone()], dims: dims.clone(), kind });
    }
    offers
}

/// The frames of an output, [T, D], the first `keep` of them as it says for a number of frames. `layers` are averaged, where the output
/// has several; a vector is one frame. None where shapes and values do not fit.
pub(crate) fn frames(
    outputs: &[Output],
    layers: Option<&RangeInclusive<usize>>,
    keep: impl Fn(usize) -> usize,
) -> Option<Array2<f32>> {
    let first = outputs.first()?;
    let (Some(&width), Some(&time)) = (first.dims.last(), first.dims.get(first.dims.len().checked_sub(2)?)) else {
        return None;
    };
    let size = time.checked_mul(width)?;
    let layer = |layer: usize| match outputs {
        [one] => one.values.get(layer * size..(layer + 1) * size),
        several => several.get(layer).map(|output| &output.values[..]).filter(|values| values.len() == size),
    };
    let rows = match first.dims[..] {
        // One vector is no padded recording.
        [1, _] => 1,
        _ => keep(time),
    };
    let Some(layers) = layers else {
        return Array2::from_shape_vec((rows, width), layer(0)?.get(..rows * width)?.to_vec()).ok();
    };
    let mut sum = vec![0.0_f64; rows * width];
    for at in layers.clone() {
        sum.iter_mut().zip(layer(at)?).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let count = layers.clone().count() as f64;
    Array2::from_shape_vec((rows, width), sum.into_iter().map(|sum| (sum / count) as f32).collect()).ok()
}

/// Frames of windows, one after the other; vectors of windows, their mean.
pub(crate) fn join(pieces: &[Array2<f32>], kind: Kind) -> Option<Array2<f32>> {
    let views: Vec<_> = pieces.iter().map(|piece| piece.view()).collect();
    let all = concatenate(Axis(0), &views).ok()?;
    match kind {
        Kind::Vector => all.mean_axis(Axis(0)).map(|mean| mean.insert_axis(Axis(0))),
        _ => Some(all),
    }
}
