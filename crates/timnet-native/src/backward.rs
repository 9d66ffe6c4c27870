//! Training's backward pass, derived by hand. As in the forward pass a block is two passes over the batch, because the gradient
//! of BatchNorm's input needs sums over the batch of its output's.
//!
//! The bias of a convolution before a BatchNorm has no gradient (the mean takes it out again), so none is computed: exactly
//! zero, where automatic differentiation finds rounding errors that Adam then scales up to full steps.

use timnet_core::SubBlock as Place;

use crate::{
    forward::{Norm, Scratch, Step, Trace, first},
    kernels::{NormSums, Reach},
    pack,
};

/// Sums over the batch for one BatchNorm; each sample's in f32, added up in f64.
struct Sums {
    dz: Vec<f64>,
    dz_y: Vec<f64>,
    sample: [Vec<f32>; 2],
}

impl Sums {
    fn new(p: usize) -> Self {
        Self { dz: vec![0.0; p], dz_y: vec![0.0; p], sample: [vec![0.0; p], vec![0.0; p]] }
    }

    fn sample<'a>(&'a mut self, norm: &'a Norm) -> NormSums<'a> {
        let [dz, dz_y] = &mut self.sample;
        dz.fill(0.0);
        dz_y.fill(0.0);
        NormSums { mean: &norm.mean, dz, dz_y }
    }

    fn add_sample(&mut self) {
        let [dz, dz_y] = &self.sample;
        self.dz.iter_mut().zip(dz).for_each(|(to, &v)| *to += f64::from(v));
        self.dz_y.iter_mut().zip(dz_y).for_each(|(to, &v)| *to += f64::from(v));
    }

    /// Writes the gradients of gamma and beta; the vectors a, b, c of dy = a dz + b (y - mean) + c.
    fn finish(&self, step: &Step, norm: &Norm, place: &Place, gradient: &mut [f32]) -> [Vec<f32>; 3] {
        let n = (step.inputs.len() * step.frames) as f64;
        let mut vectors = [norm.scale.clone(), vec![0.0; step.shape.p], vec![0.0; step.shape.p]];
        for c in 0..step.shape.channels {
            let (rstd, scale) = (f64::from(norm.rstd[c]), f64::from(norm.scale[c]));
            gradient[place.gamma.start + c] = (self.dz_y[c] * rstd) as f32;
            gradient[place.beta.start + c] = self.dz[c] as f32;
            vectors[1][c] = (-scale * rstd * rstd * self.dz_y[c] / n) as f32;
            vectors[2][c] = (-scale * self.dz[c] / n) as f32;
        }
        vectors
    }
}

/// Gradient buffers, [batch, frames, p] each.
#[derive(Debug, Default)]
pub(crate) struct Gradients {
    /// Of the blocks' outputs.
    f: Vec<f32>,
    /// Of BatchNorm's outputs.
    z: Vec<f32>,
    /// Of one kernel, [taps][p, p]; of the first convolution, [parts][p, p].
    kernel: Vec<f32>,
}

impl Step<'_> {
    /// One direction. `pooled` is the gradient that each frame gets from its block's feature, [blocks, batch, p]; `last`
    /// what the last frame alone gets, [batch, p] or empty. Writes all of this direction's part of `gradient`.
    pub fn backward(
        &self,
        direction: usize,
        trace: &Trace,
        scratch: &mut Scratch,
        grads: &mut Gradients,
        (pooled, last): (&[f32], &[f32]),
        gradient: &mut [f32],
    ) {
        let (tile, batch, p) = (self.tile(), self.inputs.len(), self.shape.p);
        grads.f.clear();
        grads.f.resize(batch * tile, 0.0);
        grads.z.resize(batch * tile, 0.0);
        for (f, last) in grads.f.chunks_exact_mut(tile).zip(last.chunks_exact(p)) {
            f[tile - p..].copy_from_slice(last);
        }
        let top = self.config.blocks - 1;
        let mut sums = Sums::new(p);
        for s in 0..batch {
            self.join_back((top, direction, s), trace, scratch, grads, pooled, &mut sums);
        }
        for j in (0..=top).rev() {
            sums = self.second(j, direction, trace, scratch, grads, &sums, gradient);
            sums = self.first(j, direction, trace, scratch, grads, pooled, &sums, gradient);
        }
        self.stem_back(direction, scratch, grads, gradient);
    }

    fn join_back(
        &self,
        (j, direction, s): (usize, usize, usize),
        trace: &Trace,
        scratch: &mut Scratch,
        grads: &mut Gradients,
        pooled: &[f32],
        sums: &mut Sums,
    ) {
        let (tile, p) = (self.tile(), self.shape.p);
        let at = s * tile..(s + 1) * tile;
        let norm = &trace.norms[j][1];
        let sub = self.sub_block(norm, (j, direction, 1, s), &mut scratch.mask);
        let pooled = &pooled[(j * self.inputs.len() + s) * p..][..p];
        let (grad, dz) = (&mut grads.f[at.clone()], &mut grads.z[at.clone()]);
        let (f, y) = (&trace.f[j][at.clone()], &trace.y[j][1][at]);
        self.shape.join_back(grad, dz, f, y, sub, self.residual(), pooled, sums.sample(norm));
        sums.add_sample();
    }

    /// Through sub-block b: `grads.z` is the gradient of its z, then that of sub-block a's.
    #[allow(clippy::too_many_arguments)]
    fn second(
        &self,
        j: usize,
        direction: usize,
        trace: &Trace,
        scratch: &mut Scratch,
        grads: &mut Gradients,
        sums: &Sums,
        gradient: &mut [f32],
    ) -> Sums {
        let (shape, tile) = (self.shape, self.tile());
        let place = &self.places.blocks[j][direction][1];
        let [norm_a, norm_b] = &trace.norms[j];
        let [a, b, c] = sums.finish(self, norm_b, place, gradient);
        self.start_kernel_back(place, scratch, grads);
        let zeros = vec![0.0; shape.p];
        let mut next = Sums::new(shape.p);
        for s in 0..self.inputs.len() {
            let at = s * tile..(s + 1) * tile;
            let (ya, yb) = (&trace.y[j][0][at.clone()], &trace.y[j][1][at.clone()]);
            let (dz, after) = grads.z[at.start..].split_at_mut(tile);
            shape.norm_back(&mut scratch.dy, dz, yb, [&a, &b, &c, &norm_b.mean]);
            let sub = self.sub_block(norm_a, (j, direction, 0, s), &mut scratch.mask);
            shape.activate(&mut scratch.h, ya, sub);
            self.kernel_back(j, &mut grads.kernel, &scratch.dy, &scratch.h);
            let reach = Reach::Later(self.config.dilation(j));
            let [next_ya, next_yb] = [0, 1].map(|sub: usize| &trace.y[j][sub][self.next(s)]);
            let ahead = [next_ya, next_yb, first(after, tile)];
            shape.convolve(dz, &scratch.dy, &scratch.packed, reach, Some(&zeros), ahead);
            shape.activate_back(dz, ya, sub, next.sample(norm_a));
            next.add_sample();
        }
        pack::gradient(&grads.kernel, shape, &mut gradient[place.kernel.all()]);
        next
    }

    /// Through sub-block a into `grads.f`, and on through the gate of the block below.
    #[allow(clippy::too_many_arguments)]
    fn first(
        &self,
        j: usize,
        direction: usize,
        trace: &Trace,
        scratch: &mut Scratch,
        grads: &mut Gradients,
        pooled: &[f32],
        sums: &Sums,
        gradient: &mut [f32],
    ) -> Sums {
        let (shape, tile) = (self.shape, self.tile());
        let place = &self.places.blocks[j][direction][0];
        let norm = &trace.norms[j][0];
        let [a, b, c] = sums.finish(self, norm, place, gradient);
        self.start_kernel_back(place, scratch, grads);
        let mut next = Sums::new(shape.p);
        for s in 0..self.inputs.len() {
            let at = s * tile..(s + 1) * tile;
            let dz = &grads.z[at.clone()];
            shape.norm_back(&mut scratch.dy, dz, &trace.y[j][0][at.clone()], [&a, &b, &c, &norm.mean]);
            self.kernel_back(j, &mut grads.kernel, &scratch.dy, &trace.f[j][at.clone()]);
            let reach = Reach::Later(self.config.dilation(j));
            let below = j.saturating_sub(1);
            let (df, after) = grads.f[at.start..].split_at_mut(tile);
            let [ya, f, f_below, yb_below, z] =
                [&trace.y[j][0], &trace.f[j], &trace.f[below], &trace.y[below][1], &grads.z]
                    .map(|buffer| &buffer[self.next(s)]);
            let ahead = [ya, f, f_below, yb_below, z, first(after, tile)];
            shape.convolve(df, &scratch.dy, &scratch.packed, reach, None, ahead);
            if j > 0 {
                self.join_back((j - 1, direction, s), trace, scratch, grads, pooled, &mut next);
            }
        }
        pack::gradient(&grads.kernel, shape, &mut gradient[place.kernel.all()]);
        next
    }

    fn start_kernel_back(&self, place: &Place, scratch: &mut Scratch, grads: &mut Gradients) {
        pack::transposed(&self.parameters[place.kernel.all()], self.shape, &mut scratch.packed);
        grads.kernel.clear();
        grads.kernel.resize(self.config.kernel_size * self.shape.p * self.shape.p, 0.0);
    }

    /// Adds one sample's dW[o, i, tap] = sum over t of dy[t, o] x[t - (taps - 1 - tap) d, i].
    fn kernel_back(&self, j: usize, kernel: &mut [f32], dy: &[f32], x: &[f32]) {
        let p = self.shape.p;
        for (back, kernel) in kernel.rchunks_exact_mut(p * p).enumerate() {
            let d = (back * self.config.dilation(j) * p).min(x.len());
            self.shape.outer(kernel, &dy[d..], &x[..x.len() - d]);
        }
    }

    fn stem_back(&self, direction: usize, scratch: &mut Scratch, grads: &mut Gradients, gradient: &mut [f32]) {
        let Some((kernel, bias)) = self.places.stems.get(direction) else { return };
        let (shape, inputs, tile) = (self.shape, self.config.coefficients, self.tile());
        let p = shape.p;
        grads.kernel.clear();
        grads.kernel.resize(pack::parts(shape, inputs) * p * p, 0.0);
        let mut bias_sums = vec![0.0f64; p];
        let (mut sums, mut squares, zeros) = (vec![0.0; p], vec![0.0; p], vec![0.0; p]);
        for (x, f) in self.inputs.iter().zip(grads.f.chunks_exact(tile)) {
            pack::frames(x, shape, inputs, direction == 1, &mut scratch.x);
            for (kernel, x) in grads.kernel.chunks_exact_mut(p * p).zip(scratch.x.chunks_exact(tile)) {
                shape.outer(kernel, f, x);
            }
            sums.fill(0.0);
            shape.moments(f, &zeros, &mut sums, &mut squares);
            bias_sums.iter_mut().zip(&sums).for_each(|(to, &v)| *to += f64::from(v));
        }
        pack::stem_gradient(&grads.kernel, shape, inputs, &mut gradient[kernel.all()]);
        gradient[bias.all()].iter_mut().zip(bias_sums).for_each(|(to, v)| *to = v as f32);
    }
}
