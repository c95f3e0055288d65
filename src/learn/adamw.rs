//! AdamW (Loshchilov & Hutter 2019), with its state in the open so that training can be resumed
//! exactly where it stopped.
//!
//! The network may work in a lower precision than the one its weights are kept in: gradients come
//! from the working copy, and the copy is renewed after each step (Micikevicius et al. 2018).

use std::collections::BTreeMap;

use tch::{Kind, Tensor, nn::VarStore};

/// The optimizer of one network.
#[derive(Debug)]
pub struct AdamW {
    weights: BTreeMap<String, Weight>,
    steps: i32,
}

/// A weight with the running means of its gradient and of the gradient's square.
#[derive(Debug)]
struct Weight {
    kept: Tensor,
    working: Tensor,
    first: Tensor,
    second: Tensor,
}

const BETA: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;
const DECAY: f64 = 0.01;

impl AdamW {
    /// The optimizer of all variables that can be trained. `working` are those that losses come
    /// from, under the same names; they take the values of `kept`.
    pub fn new(kept: &VarStore, working: &VarStore) -> Self {
        let mut copies: BTreeMap<String, Tensor> = working.variables().into_iter().collect();
        let weights = kept
            .variables()
            .into_iter()
            .filter(|(_, kept)| kept.requires_grad())
            .filter_map(|(name, kept)| {
                let working = copies.remove(&name)?;
                let zeros = || kept.zeros_like().detach();
                let (first, second) = (zeros(), zeros());
                Some((name, Weight { kept, working, first, second }))
            })
            .collect();
        let mut optimizer = Self { weights, steps: 0 };
        optimizer.renew();
        optimizer
    }

    /// Gives the working copy the values of the weights.
    pub fn renew(&mut self) {
        tch::no_grad(|| {
            for weight in self.weights.values_mut() {
                weight.working.copy_(&weight.kept);
            }
        });
    }

    /// Takes a step down the gradient of `loss`, whose norm is first cut to `clip`.
    pub fn step(&mut self, loss: &Tensor, rate: f64, clip: f64) {
        for weight in self.weights.values_mut() {
            weight.working.zero_grad();
        }
        loss.backward();
        self.steps += 1;
        tch::no_grad(|| {
            let scale = (clip / (self.norm() + 1e-6)).min(1.0);
            for weight in self.weights.values_mut() {
                let gradient = weight.working.grad();
                if gradient.defined() {
                    weight.step(&(gradient.to_kind(Kind::Float) * scale), rate, self.steps);
                }
            }
        });
        self.renew();
    }

    fn norm(&self) -> f64 {
        let gradients = self.weights.values().map(|weight| weight.working.grad());
        let squares = gradients.filter(Tensor::defined).map(|gradient| {
            f64::try_from(gradient.norm().to_kind(Kind::Double)).unwrap_or(0.0).powi(2)
        });
        squares.sum::<f64>().sqrt()
    }

    /// How many steps were taken.
    pub const fn steps(&self) -> i32 {
        self.steps
    }

    /// Everything that a resumed training needs, by name.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        self.weights
            .iter()
            .flat_map(|(name, weight)| {
                let copy = |tensor: &Tensor| tensor.detach().contiguous();
                [
                    (format!("first.{name}"), copy(&weight.first)),
                    (format!("second.{name}"), copy(&weight.second)),
                ]
            })
            .collect()
    }

    /// Goes on from a state after so many steps; names that are not of this network are left out.
    pub fn restore(&mut self, state: Vec<(String, Tensor)>, steps: i32) {
        self.steps = steps;
        for (name, tensor) in state {
            if let Some(weight) = name.strip_prefix("first.").and_then(|n| self.weights.get_mut(n))
            {
                weight.first = tensor;
            } else if let Some(weight) =
                name.strip_prefix("second.").and_then(|n| self.weights.get_mut(n))
            {
                weight.second = tensor;
            }
        }
        self.renew();
    }
}

impl Weight {
    /// The `steps`th step, down a gradient. In place: there are millions of numbers.
    fn step(&mut self, gradient: &Tensor, rate: f64, steps: i32) {
        let bias = |beta: f64| 1.0 - beta.powi(steps);
        let _ = self.first.lerp_(gradient, 1.0 - BETA.0);
        let _ = self.second.lerp_(&gradient.square(), 1.0 - BETA.1);
        // Biases and scales of normalization are one-dimensional and do not decay.
        if self.kept.dim() > 1 {
            self.kept *= 1.0 - rate * DECAY;
        }
        let mut spread = self.second.sqrt();
        spread *= 1.0 / bias(BETA.1).sqrt();
        spread += EPSILON;
        let mut step = &self.first / spread;
        step *= rate / bias(BETA.0);
        self.kept -= step;
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, nn};

    use super::*;

    fn slope() -> (VarStore, Tensor) {
        let variables = VarStore::new(Device::Cpu);
        let at = variables.root().var("at", &[2, 1], nn::Init::Const(3.0));
        (variables, at)
    }

    #[test]
    fn it_goes_down_and_a_resumed_one_goes_on_as_if_it_had_not_stopped() {
        let loss = |at: &Tensor| (at - 1.0).square().sum(Kind::Float);
        let (variables, at) = slope();
        let mut whole = AdamW::new(&variables, &variables);
        (0..400).for_each(|_| whole.step(&loss(&at), 0.05, 10.0));
        assert!(f64::try_from(loss(&at)).unwrap() < 1e-3);

        let (variables, half) = slope();
        let mut first = AdamW::new(&variables, &variables);
        (0..200).for_each(|_| first.step(&loss(&half), 0.05, 10.0));
        let mut second = AdamW::new(&variables, &variables);
        second.restore(first.state(), first.steps());
        (0..200).for_each(|_| second.step(&loss(&half), 0.05, 10.0));
        assert!(at.allclose(&half, 0.0, 1e-7, false));
    }

    #[test]
    fn a_step_is_no_longer_than_its_rate() {
        let (variables, at) = slope();
        AdamW::new(&variables, &variables).step(&(&at * 1e6).sum(Kind::Float), 0.1, 1.0);
        let moved = f64::try_from((at - 3.0).abs().max()).unwrap();
        assert!((0.05..0.11).contains(&moved), "{moved}");
    }
}
