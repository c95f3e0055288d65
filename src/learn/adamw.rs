//! AdamW (Loshchilov & Hutter 2019), with its state in the open so that training can be resumed
//! exactly where it stopped.

use std::collections::BTreeMap;

use tch::{Tensor, nn::VarStore};

/// The optimizer of one network.
#[derive(Debug)]
pub struct AdamW {
    variables: BTreeMap<String, Tensor>,
    state: BTreeMap<String, Moments>,
    steps: i32,
}

/// Running means of a variable's gradient and of its square.
#[derive(Debug)]
struct Moments {
    first: Tensor,
    second: Tensor,
}

const BETA: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;
const DECAY: f64 = 0.01;

impl AdamW {
    /// The optimizer of all variables that can be trained.
    pub fn new(variables: &VarStore) -> Self {
        let variables: BTreeMap<String, Tensor> =
            variables.variables().into_iter().filter(|(_, v)| v.requires_grad()).collect();
        let state = variables
            .iter()
            .map(|(name, variable)| {
                let zeros = || variable.zeros_like().detach();
                (name.clone(), Moments { first: zeros(), second: zeros() })
            })
            .collect();
        Self { variables, state, steps: 0 }
    }

    /// Takes a step down the gradient of `loss`, whose norm is first cut to `clip`.
    pub fn step(&mut self, loss: &Tensor, rate: f64, clip: f64) {
        for variable in self.variables.values_mut() {
            variable.zero_grad();
        }
        loss.backward();
        self.steps += 1;
        let (first_bias, second_bias) =
            (1.0 - BETA.0.powi(self.steps), 1.0 - BETA.1.powi(self.steps));
        tch::no_grad(|| {
            let scale = (clip / (self.norm() + 1e-6)).min(1.0);
            for (name, variable) in &mut self.variables {
                let gradient = variable.grad();
                if !gradient.defined() {
                    continue;
                }
                let gradient = gradient * scale;
                let Some(moments) = self.state.get_mut(name) else { continue };
                moments.first = &moments.first * BETA.0 + &gradient * (1.0 - BETA.0);
                moments.second = &moments.second * BETA.1 + gradient.square() * (1.0 - BETA.1);
                // Biases and scales of normalization are one-dimensional and do not decay.
                if variable.dim() > 1 {
                    *variable *= 1.0 - rate * DECAY;
                }
                let spread = (&moments.second / second_bias).sqrt() + EPSILON;
                *variable -= (&moments.first / first_bias) / spread * rate;
            }
        });
    }

    fn norm(&self) -> f64 {
        let squares =
            self.variables.values().map(Tensor::grad).filter(Tensor::defined).map(|gradient| {
                f64::try_from(gradient.square().sum(tch::Kind::Float)).unwrap_or(0.0)
            });
        squares.sum::<f64>().sqrt()
    }

    /// How many steps were taken.
    pub const fn steps(&self) -> i32 {
        self.steps
    }

    /// Everything that a resumed training needs, by name.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        self.state
            .iter()
            .flat_map(|(name, moments)| {
                let copy = |tensor: &Tensor| tensor.detach().contiguous();
                [
                    (format!("first.{name}"), copy(&moments.first)),
                    (format!("second.{name}"), copy(&moments.second)),
                ]
            })
            .collect()
    }

    /// Goes on from a state after so many steps; names that are not of this network are left out.
    pub fn restore(&mut self, state: Vec<(String, Tensor)>, steps: i32) {
        self.steps = steps;
        for (name, tensor) in state {
            if let Some(moments) = name.strip_prefix("first.").and_then(|n| self.state.get_mut(n)) {
                moments.first = tensor;
            } else if let Some(moments) =
                name.strip_prefix("second.").and_then(|n| self.state.get_mut(n))
            {
                moments.second = tensor;
            }
        }
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
        let mut whole = AdamW::new(&variables);
        (0..400).for_each(|_| whole.step(&loss(&at), 0.05, 10.0));
        assert!(f64::try_from(loss(&at)).unwrap() < 1e-3);

        let (variables, half) = slope();
        let mut first = AdamW::new(&variables);
        (0..200).for_each(|_| first.step(&loss(&half), 0.05, 10.0));
        let mut second = AdamW::new(&variables);
        second.restore(first.state(), first.steps());
        (0..200).for_each(|_| second.step(&loss(&half), 0.05, 10.0));
        assert!(at.allclose(&half, 0.0, 1e-7, false));
    }

    #[test]
    fn a_step_is_no_longer_than_its_rate() {
        let (variables, at) = slope();
        AdamW::new(&variables).step(&(&at * 1e6).sum(Kind::Float), 0.1, 1.0);
        let moved = f64::try_from((at - 3.0).abs().max()).unwrap();
        assert!((0.05..0.11).contains(&moved), "{moved}");
    }
}
