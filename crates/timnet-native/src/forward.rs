//! Training's forward pass. Batch statistics need a whole convolution's output before anything can follow it, so a block is
//! two passes over the batch; all that is elementwise happens to a sample's tile on its way into the next convolution.

use timnet_core::{ModelConfig, Places, SubBlock as Place};

use crate::{
    kernels::{Reach, Shape, SubBlock},
    pack,
};

/// What does not change during a step.
pub(crate) struct Step<'a> {
    pub config: &'a ModelConfig,
    pub places: &'a Places,
    pub shape: Shape,
    pub parameters: &'a [f32],
    /// [batch][frames, coefficients]
    pub inputs: Vec<&'a [f32]>,
    pub frames: usize,
    /// [sites, batch, channels] or empty.
    pub dropout: &'a [f32],
}

/// BatchNorm of one sub-block and batch; [p] each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Norm {
    pub mean: Vec<f32>,
    pub rstd: Vec<f32>,
    /// gamma rstd
    pub scale: Vec<f32>,
    /// beta - mean scale
    pub offset: Vec<f32>,
}

/// What the forward pass of one direction leaves for the backward pass; tiles are [batch, frames, p].
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Input of each block, and the last block's output.
    pub f: Vec<Vec<f32>>,
    /// Convolution output of each sub-block.
    pub y: Vec<[Vec<f32>; 2]>,
    pub norms: Vec<[Norm; 2]>,
}

/// Buffers that live from step to step.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// One utterance's input, [parts][frames, p].
    pub x: Vec<f32>,
    pub h: Vec<f32>,
    pub dy: Vec<f32>,
    pub packed: Vec<f32>,
    pub mask: Vec<f32>,
}

impl Scratch {
    pub fn fit(&mut self, tile: usize, parts: usize) {
        self.x.resize(parts * tile, 0.0);
        for buffer in [&mut self.h, &mut self.dy] {
            buffer.resize(tile, 0.0);
        }
    }
}

impl Trace {
    fn fit(&mut self, blocks: usize, len: usize) {
        self.f.resize_with(blocks + 1, Vec::new);
        self.y.resize_with(blocks, Default::default);
        self.norms.resize_with(blocks, Default::default);
        self.f.iter_mut().chain(self.y.iter_mut().flatten()).for_each(|buffer| buffer.resize(len, 0.0));
    }
}

/// Shifted sums over a batch: [`Shape::moments`] for each sample in f32, added up in f64.
struct Moments {
    shift: Vec<f32>,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn new(p: usize) -> Self {
        Self { shift: Vec::new(), sums: vec![0.0; p], squares: vec![0.0; p] }
    }

    /// Any value near the channel's serves as shift; the first frame's is at hand.
    fn add(&mut self, shape: Shape, y: &[f32]) {
        if self.shift.is_empty() {
            self.shift = y[..shape.p].to_vec();
        }
        let (mut sums, mut squares) = (vec![0.0; shape.p], vec![0.0; shape.p]);
        shape.moments(y, &self.shift, &mut sums, &mut squares);
        self.sums.iter_mut().zip(sums).for_each(|(to, v)| *to += f64::from(v));
        self.squares.iter_mut().zip(squares).for_each(|(to, v)| *to += f64::from(v));
    }

    /// The norm of this batch; moves the running statistics on.
    fn finish(self, step: &Step, place: &Place, statistics: &mut [f32]) -> Norm {
        let n = (step.inputs.len() * step.frames) as f64;
        let p = self.sums.len();
        let mut norm = Norm { mean: vec![0.0; p], rstd: vec![0.0; p], scale: vec![0.0; p], offset: vec![0.0; p] };
        let keep = ModelConfig::BATCH_NORM_KEEP;
        for c in 0..step.shape.channels {
            let centred = self.sums[c] / n;
            let mean = centred + f64::from(self.shift[c]);
            let var = self.squares[c] / n - centred * centred;
            // Rounding alone makes it negative; `max` would make 0 of NaN, too.
            let var = if var < 0.0 { 0.0 } else { var };
            let rstd = 1.0 / (var + ModelConfig::BATCH_NORM_EPS).sqrt();
            let scale = f64::from(step.parameters[place.gamma.start + c]) * rstd;
            norm.mean[c] = mean as f32;
            norm.rstd[c] = rstd as f32;
            norm.scale[c] = scale as f32;
            norm.offset[c] = (f64::from(step.parameters[place.beta.start + c]) - mean * scale) as f32;
            let mut average = |at: usize, batch: f64| {
                statistics[at] = (keep * f64::from(statistics[at]) + (1.0 - keep) * batch) as f32;
            };
            average(place.running_mean.start + c, mean);
            average(place.running_var.start + c, var * n / (n - 1.0).max(1.0));
        }
        norm
    }
}

/// The first tile of what follows, if anything does.
pub(crate) fn first(after: &[f32], tile: usize) -> &[f32] {
    &after[..tile.min(after.len())]
}

impl Step<'_> {
    pub fn tile(&self) -> usize {
        self.frames * self.shape.p
    }

    /// Where the tile after sample `s` lies; the last sample's own after that.
    pub fn next(&self, s: usize) -> std::ops::Range<usize> {
        let s = (s + 1).min(self.inputs.len() - 1);
        s * self.tile()..(s + 1) * self.tile()
    }

    pub fn residual(&self) -> bool {
        !self.config.has_gate()
    }

    /// Sub-block `sub` of block `j` for sample `s`. The mask is copied into `mask`, padded.
    pub fn sub_block<'a>(
        &self,
        norm: &'a Norm,
        (j, direction, sub, s): (usize, usize, usize, usize),
        mask: &'a mut Vec<f32>,
    ) -> SubBlock<'a> {
        let c = self.shape.channels;
        mask.clear();
        if self.dropout.is_empty() {
            mask.resize(c, 1.0);
        } else {
            let row = self.config.site(j, direction, sub) * self.inputs.len() + s;
            mask.extend_from_slice(&self.dropout[row * c..(row + 1) * c]);
        }
        mask.resize(self.shape.p, 0.0);
        SubBlock { scale: &norm.scale, offset: &norm.offset, mask }
    }

    /// One direction over the batch; adds each block's pooled feature to `scales`, [blocks, batch, p].
    pub fn forward(
        &self,
        direction: usize,
        trace: &mut Trace,
        scratch: &mut Scratch,
        statistics: &mut [f32],
        scales: &mut [f32],
    ) {
        let (shape, tile, batch) = (self.shape, self.tile(), self.inputs.len());
        trace.fit(self.config.blocks, batch * tile);
        scratch.fit(tile, pack::parts(shape, self.config.coefficients));
        let Trace { f, y, norms } = trace;
        self.stem(direction, &mut f[0], scratch);
        for j in 0..self.config.blocks {
            let reach = Reach::Earlier(self.config.dilation(j));
            let [place_a, place_b] = &self.places.blocks[j][direction];
            let (f_below, f) = f.split_at_mut(j);
            let (y_below, y) = y.split_at_mut(j);
            let below = f_below.last().zip(y_below.last());
            let (f, [ya, yb]) = (&mut f[0], &mut y[0]);

            let bias = self.start_kernel(place_a, scratch);
            let mut moments = Moments::new(shape.p);
            for s in 0..batch {
                let (at, next) = (s * tile..(s + 1) * tile, self.next(s));
                if let Some((f_below, [_, y])) = below {
                    let sub = self.sub_block(&norms[j - 1][1], (j - 1, direction, 1, s), &mut scratch.mask);
                    let (out, input) = (&mut f[at.clone()], &f_below[at.clone()]);
                    self.join(out, input, &y[at.clone()], sub, (j - 1, s), scales);
                }
                let (f_below, y_below) = below.map_or((&*f, &*f), |(f, [_, y])| (f, y));
                let out = &mut ya[at.clone()];
                let ahead = [&f_below[next.clone()], &y_below[next]];
                shape.convolve(out, &f[at], &scratch.packed, reach, Some(&bias), ahead);
                moments.add(shape, out);
            }
            norms[j][0] = moments.finish(self, place_a, statistics);

            let bias = self.start_kernel(place_b, scratch);
            let mut moments = Moments::new(shape.p);
            for s in 0..batch {
                let at = s * tile..(s + 1) * tile;
                let sub = self.sub_block(&norms[j][0], (j, direction, 0, s), &mut scratch.mask);
                shape.activate(&mut scratch.h, &ya[at.clone()], sub);
                let out = &mut yb[at];
                shape.convolve(out, &scratch.h, &scratch.packed, reach, Some(&bias), [&ya[self.next(s)]]);
                moments.add(shape, out);
            }
            norms[j][1] = moments.finish(self, place_b, statistics);
        }
        let last = self.config.blocks - 1;
        let (inputs, output) = f.split_at_mut(last + 1);
        for s in 0..batch {
            let at = s * tile..(s + 1) * tile;
            let affine = self.sub_block(&norms[last][1], (last, direction, 1, s), &mut scratch.mask);
            self.join(
                &mut output[0][at.clone()],
                &inputs[last][at.clone()],
                &y[last][1][at],
                affine,
                (last, s),
                scales,
            );
        }
    }

    /// The convolution's kernel into `scratch.packed`; its bias.
    fn start_kernel(&self, place: &Place, scratch: &mut Scratch) -> Vec<f32> {
        pack::forward(&self.parameters[place.kernel.all()], self.shape, |_| 1.0, &mut scratch.packed);
        pack::vector(&self.parameters[place.bias.all()], self.shape.p)
    }

    fn stem(&self, direction: usize, f: &mut [f32], scratch: &mut Scratch) {
        let (shape, tile) = (self.shape, self.tile());
        let inputs = self.config.coefficients;
        let Some((kernel, bias)) = self.places.stems.get(direction) else {
            self.inputs
                .iter()
                .zip(f.chunks_exact_mut(tile))
                .for_each(|(x, f)| pack::frames(x, shape, inputs, false, f));
            return;
        };
        pack::stem(&self.parameters[kernel.all()], shape, inputs, &mut scratch.packed);
        let bias = pack::vector(&self.parameters[bias.all()], shape.p);
        for (x, f) in self.inputs.iter().zip(f.chunks_exact_mut(tile)) {
            pack::frames(x, shape, inputs, direction == 1, &mut scratch.x);
            shape.pointwise(f, &scratch.x, &scratch.packed, &bias);
        }
    }

    fn join(
        &self,
        out: &mut [f32],
        f: &[f32],
        y: &[f32],
        affine: SubBlock,
        (j, s): (usize, usize),
        scales: &mut [f32],
    ) {
        let p = self.shape.p;
        let mut sums = vec![0.0; p];
        self.shape.join(out, f, y, affine, self.residual(), &mut sums);
        let to = &mut scales[(j * self.inputs.len() + s) * p..][..p];
        if self.config.takes_last() {
            to.copy_from_slice(&out[out.len() - p..]);
        } else {
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum / self.frames as f32);
        }
    }
}
