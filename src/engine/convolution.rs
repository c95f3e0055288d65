//! Convolutions with what follows them, and how networks lay out what they compute.

use tch::nn::{Init, Path};
use tch::{Kind, Tensor};

/// A convolution with what follows it.
#[derive(Debug)]
pub(super) struct Convolution {
    weight: Tensor,
    stride: i64,
    bias: Option<Tensor>,
    norm: Option<Norm>,
}

/// Batch normalization (Ioffe & Szegedy 2015).
#[derive(Debug)]
struct Norm {
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
}

/// The same tensor with its channels beside each other in memory, as convolutions are fastest.
pub(super) fn channels_last(x: &Tensor) -> Tensor {
    x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

/// Normal, so that a sum over `inputs` and a rectifier keep the spread (He et al. 2015).
pub(super) fn he_normal(inputs: i64) -> Init {
    Init::Randn { mean: 0.0, stdev: (2.0 / inputs as f64).sqrt() }
}

impl Convolution {
    const SIDE: i64 = 3;

    fn weight(root: &Path<'_>, from: i64, to: i64) -> Tensor {
        let inputs = from * Self::SIDE * Self::SIDE;
        root.var("weight", &[to, from, Self::SIDE, Self::SIDE], he_normal(inputs))
    }

    pub(super) fn normed(root: &Path<'_>, from: i64, to: i64, stride: i64) -> Self {
        let norm = Norm {
            scale: root.ones("scale", &[to]),
            shift: root.zeros("shift", &[to]),
            mean: root.zeros_no_train("mean", &[to]),
            variance: root.ones_no_train("variance", &[to]),
        };
        let weight = Self::weight(root, from, to);
        Self { weight, stride, bias: None, norm: Some(norm) }
    }

    pub(super) fn plain(root: &Path<'_>, from: i64, to: i64) -> Self {
        let bias = Some(root.zeros("bias", &[to]));
        Self { weight: Self::weight(root, from, to), stride: 1, bias, norm: None }
    }

    pub(super) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let kind = x.kind();
        let bias = self.bias.as_ref().map(|bias| bias.to_kind(kind));
        let (stride, one) = ([self.stride, self.stride], [1, 1]);
        let y = x.conv2d(&self.weight.to_kind(kind), bias.as_ref(), stride, one, one, 1);
        match &self.norm {
            Some(norm) => norm.forward(&y, train),
            None => y,
        }
    }

    pub(super) fn folded(&self, kind: Kind) -> Self {
        let weight = self.weight.detach();
        let (weight, bias) = match &self.norm {
            None => (weight, self.bias.as_ref().map(Tensor::detach)),
            Some(norm) => {
                let scale = norm.scale.detach() / (&norm.variance + Norm::EPSILON).sqrt();
                let bias = norm.shift.detach() - &norm.mean * &scale;
                (weight * scale.view([-1, 1, 1, 1]), Some(bias))
            }
        };
        Self {
            weight: weight.to_kind(kind),
            stride: self.stride,
            bias: bias.map(|bias| bias.to_kind(kind)),
            norm: None,
        }
    }
}

impl Norm {
    const EPSILON: f64 = 1e-5;
    const MOMENTUM: f64 = 0.1;

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        Tensor::batch_norm(
            x,
            Some(&self.scale),
            Some(&self.shift),
            Some(&self.mean),
            Some(&self.variance),
            train,
            Self::MOMENTUM,
            Self::EPSILON,
            true,
        )
    }
}
